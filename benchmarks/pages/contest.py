"""Sections of docs/performance.md on speed.

The goals, the contest with its pictures, and how the cost grows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.graphs.growth_cost import AXIS_NAMES, PEAK_KIND, SIZE, SLICES, WIDTH
from benchmarks.harness.plots import (
    HEAD_INCHES,
    OUR_COLOUR,
    OWN_COLOUR,
    PANEL_INCHES,
    PEER_COLOUR,
    ROW_INCHES,
    new_figure,
    save_figure,
)
from benchmarks.harness.records import MIB, MS, figures_of, line, power_law, threads_name
from benchmarks.harness.tables import ABSENT, number, shown, table
from benchmarks.peers import contest
from benchmarks.peers.goals import (
    BUNDLE_LIMIT_BYTES,
    OWN,
    agrees,
    alone,
    goals_table,
    outcomes,
    peers_table,
)
from benchmarks.peers.roster import OURS
from benchmarks.run import BUDGETS
from hemx_core.device.budget import find_budget, load_budgets

if TYPE_CHECKING:
    from matplotlib.axes import Axes


Json = dict[str, Any]
DICE_DROP, AUC_DROP = 0.005, 0.01
WAITS = 4
"""Peers whose wait for a first answer is told, shortest first."""


def goals(rows: list[Json], validation: Path) -> str:
    """The export's goals, what came of them, and what a ratio alone does not say.

    Args:
        rows: of the contest.
        validation: report of `hemx validate`; it may be missing.
    """
    sizes = [one["figures"]["size"]["median"] for one in rows if one["subject"] == contest.STUDY]
    lines = [goals_table(outcomes(rows)), ""]
    if sizes:
        word = "hit" if sizes[0] < BUNDLE_LIMIT_BYTES else "**missed**"
        lines.append(
            f"Bundle under {BUNDLE_LIMIT_BYTES / 1e6:.0f} MB: {sizes[0] / 1e6:.1f} MB, {word}."
        )
    lines.append(_accuracy(validation))
    lines.append(_alone(rows))
    waits = first_answers(rows)
    if OURS in waits:
        others = {name: wait for name, wait in waits.items() if name != OURS}
        told = sorted(others, key=lambda name: others[name])[:WAITS]
        lines.append(
            "\nLoading is not comparable alone: some runtimes map a file and pack its weights at the first "
            "call, ours hashes it and packs at once. From file to first answer the segmenter takes "
            f"{waits[OURS]:.0f} ms on 1 thread; "
            + ", ".join(f"{name} {others[name]:.0f} ms" for name in told)
            + "."
        )
    return "\n".join(lines)


def _alone(rows: list[Json]) -> str:
    said = [
        f"{', '.join(f'{one.value:.2f} x {name}' for name, one in ratios.items())} on {threads_name(count)}"
        for count, ratios in alone(rows).items()
        if ratios
    ]
    if not said:
        return ""
    return (
        "\nPeers as users export them take a slice a call, ours as many as a study gains from. With one on "
        f"both sides the segmenter takes, against the fastest int8 of each runtime, {'; '.join(said)}."
    )


def first_answers(rows: list[Json]) -> dict[str, float]:
    """Medians of load and first call of the segmenter on one thread together, ms, by contestant."""
    return {
        one["peer"]: figures_of(one)["load"]["median"] + figures_of(one)["first"]["median"]
        for one in rows
        if (one["subject"], one["threads"]) == ("segmenter", 1)
        and {"load", "first"} <= set(figures_of(one))
        and agrees(one)
    }


def _accuracy(path: Path) -> str:
    """The accuracy gates, from `hemx validate`."""
    if not path.exists():
        return "Accuracy gates on real slices: not measured (`hemx validate`)."
    found = json.loads(path.read_text(encoding="utf-8"))
    masks, said = found.get("masks"), []
    if masks is not None:
        drop = masks["dice_drop"]
        said.append(f"Dice drop {drop:.4f} (at most {DICE_DROP}), {_word(drop <= DICE_DROP)}")
    drops = {code: row["drop"] for code, row in found.get("markers", {}).items()}
    known = {code: drop for code, drop in drops.items() if drop is not None}
    if known:
        worst = max(known, key=lambda code: known[code])
        word = _word(known[worst] <= AUC_DROP)
        said.append(f"largest AUC drop {known[worst]:.4f} ({worst}; at most {AUC_DROP}), {word}")
    source = found.get("source") or {"name": "see the file"}
    return f"Accuracy gates (markers on {source['name']}): {'; '.join(said)}."


def _word(hit: bool) -> str:
    return "hit" if hit else "**missed**"


def peers(rows: list[Json], plots: str) -> str:
    """Every contestant's table, with what they were given."""
    parts = [f"![Time of a slice in every runtime]({plots}/peers.png)\n"]
    for subject in dict.fromkeys(one["subject"] for one in rows):
        title = {"segmenter": "Segmenter, a slice", "classifier": "Classifier, a crop"}.get(
            subject, "Whole study"
        )
        parts.append(f"### {title}\n\n{peers_table(rows, subject)}\n")
    facts = next((one["material"] for one in rows if "material" in one), None)
    if facts is not None:
        sources, counts = facts["sources"], facts["calibration"]
        parts.append(
            f"Timed on {sources['timed']}. Judged on {facts['judged']['segmenter']} slices: "
            f"{sources['judged']}. Every int8 contestant was calibrated on the same {counts['segmenter']} "
            f"slices ({sources['calibration']}), those for the classifier on the {counts['classifier']} of "
            "them that show blood. ONNX Runtime int8 is static QDQ, weights per channel; u8s8 is its "
            "documentation's advice for x86 without VNNI. OpenVINO int8 is NNCF's post-training quantization "
            "with its defaults. The max-pool VGG16 is untrained: for its time only. "
            f"{_several(rows)}"
        )
    return "\n".join(parts)


def _several(rows: list[Json]) -> str:
    """Who takes several slices a call, and what that does to the columns."""
    slices = {
        one["peer"]: one.get("slices_a_call", 1)
        for one in rows
        if one["subject"] == "segmenter" and one.get("figures")
    }
    several = [name for name, count in slices.items() if count > 1]
    if not several:
        return ""
    return (
        f"{slices[several[0]]} slices a call, as a study has them, go through {'; '.join(several)}: their "
        "time is for each of these slices, their first call and memory are of the whole call."
    )


def growth(rows: list[Json], plots: str) -> str:
    """Tables, picture and what explains them."""
    peaks = [one for one in rows if one["kind"] == PEAK_KIND]
    points = [one for one in rows if one["kind"] != PEAK_KIND]
    parts = [f"![Time and memory against slices, input size and width]({plots}/growth_cost.png)\n"]
    parts.append(_peaks(peaks))
    for axis in dict.fromkeys(one["axis"] for one in points):
        several = sorted(
            (one for one in points if one["axis"] == axis), key=lambda one: one["value"]
        )
        peak = next((one for one in peaks if one["threads"] == several[0]["threads"]), None)
        body = f"{_axis_table(several, axis, peak)}\n\n{_explained(several, axis)}"
        parts.append(f"### By {AXIS_NAMES[axis]}\n\n{body}\n")
    return "\n".join(parts)


def memory_limit(device_class: str) -> float:
    """MiB above base that the budget allows."""
    return find_budget(load_budgets(BUDGETS), device_class).limits["memory_mib"]


def share_of_peak(record: Json, peak: Json) -> float:
    """How much of a call's time its multiply-accumulates would take at the machine's int8 peak."""
    seconds = figures_of(record)["call"]["median"] / 1000
    rate: float = figures_of(peak)["rate"]["median"] * 1e9
    return float(record["work"] / rate / seconds)


def _peaks(peaks: Sequence[Json]) -> str:
    rates = [
        f"{figures_of(one)['rate']['median']:.3g} GMAC/s on {threads_name(one['threads'])}"
        for one in peaks
    ]
    shapes = "; ".join(peaks[0]["shapes"]) if peaks else ""
    return (
        f"The machine's int8 peak through XNNPACK is {', '.join(rates)}: the fastest of single int8 "
        f"convolutions ({shapes}), each quantized, lowered and run as our graphs are, median of ten calls.\n"
    )


def _axis_table(rows: Sequence[Json], axis: str, peak: Json | None) -> str:
    if axis == SLICES:
        head = [
            "slices",
            "study, median (p95)",
            "a slice",
            "memory above base",
            "HU volume and mask",
        ]
        lines = [
            [
                f"{one['value']:g}",
                shown(one, "call", p95=True),
                number(figures_of(one)["call"]["median"] / one["value"], "ms"),
                shown(one, "memory"),
                number(one["volume_mib"], "MiB"),
            ]
            for one in rows
        ]
        return table(head, lines)
    head = [axis, "call, median (p95)", "memory above base", "GMAC", "at the int8 peak"]
    lines = [
        [
            f"{one['value']:g}",
            shown(one, "call", p95=True),
            shown(one, "memory"),
            f"{one['work'] / 1e9:.3g}",
            ABSENT if peak is None else f"{share_of_peak(one, peak):.0%} of the time",
        ]
        for one in rows
    ]
    return table(head, lines)


def _explained(rows: Sequence[Json], axis: str) -> str:
    if len(rows) < 2:
        return "A single point: nothing to fit."
    values = [one["value"] for one in rows]
    times = [figures_of(one)["call"]["median"] for one in rows]
    memory = [figures_of(one)["memory"]["median"] for one in rows]
    if axis == SLICES:
        per_slice, fixed = line(values, times)
        growth_mib, _ = line(values, memory)
        mask = rows[-1]["volume_mib"] / 3 / rows[-1]["value"]
        bloody = rows[-1]["outputs"]["slices_with_blood"]
        return (
            f"Time: {per_slice:.3g} ms a slice and {fixed:.3g} ms besides (least squares). Memory: "
            f"{growth_mib:.3g} MiB a slice above a base that already holds the HU volume. What grows is the "
            f"mask, {mask:.3g} MiB of each slice that shows blood: {bloody} of the largest study's "
            f"{values[-1]:g}."
        )
    names = {SIZE: "size", WIDTH: "width"}
    work = [one["work"] for one in rows]
    return (
        f"Time grows with {names[axis]} to the power {power_law(values, times):.2f}, "
        f"multiply-accumulates with {power_law(values, work):.2f}, memory with "
        f"{power_law(values, memory):.2f}."
    )


def plot_peers(records: Sequence[Json], path: Path) -> None:
    """Bars of a slice's time, a panel for each graph and number of threads; memory beside each bar."""
    measured = [one for one in records if one.get("figures")]
    keys = list(dict.fromkeys((one["subject"], one["threads"]) for one in measured))
    columns = sorted({threads for _, threads in keys})
    subjects = list(dict.fromkeys(subject for subject, _ in keys))
    names = {
        s: list(dict.fromkeys(one["peer"] for one in measured if one["subject"] == s))
        for s in subjects
    }
    heights = [HEAD_INCHES + ROW_INCHES * len(names[subject]) for subject in subjects]
    figure = new_figure(2.6 + PANEL_INCHES * len(columns), sum(heights))
    panels = figure.subplots(
        len(subjects), len(columns), squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    for row, subject in enumerate(subjects):
        for column, threads in enumerate(columns):
            rows = [
                one for one in measured if (one["subject"], one["threads"]) == (subject, threads)
            ]
            _bars(
                panels[row][column], rows, f"{subject}, {threads_name(threads)}", named=column == 0
            )
    save_figure(figure, path)


def plot_strategies(records: Sequence[Json], path: Path) -> None:
    """Study time of every strategy, fastest on top."""
    rows = sorted(records, key=lambda one: figures_of(one)["call"]["median"])
    figure = new_figure(8.0, HEAD_INCHES + ROW_INCHES * len(rows))
    panel = figure.subplots()
    _bars(
        panel,
        rows,
        "a study, ms (MiB above base)",
        named=True,
        ours=lambda one: bool(one.get("shipped")),
    )
    save_figure(figure, path)


def _bars(panel: Axes, rows: Sequence[Json], title: str, *, named: bool, ours: Any = None) -> None:
    ours = ours or (lambda one: one["peer"] == OURS)
    times = [figures_of(one)["call"]["median"] for one in rows]
    own = [one.get("peer") in OWN for one in rows]
    colours = [
        OUR_COLOUR if ours(one) else OWN_COLOUR if mine else PEER_COLOUR
        for one, mine in zip(rows, own, strict=True)
    ]
    bars = panel.barh(range(len(rows)), times, color=colours)
    memory = [figures_of(one)["memory"]["median"] for one in rows]
    labels = [
        f"{number(time, MS)}, {number(mib, MIB)}" for time, mib in zip(times, memory, strict=True)
    ]
    panel.bar_label(bars, labels, padding=3, fontsize=7)
    names = [one.get("peer", one["what"]) for one in rows]
    panel.set_yticks(range(len(rows)), names if named else [""] * len(rows), fontsize=8)
    panel.invert_yaxis()
    panel.set_xlim(0, 1.45 * max(times))
    panel.set_title(title, fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
