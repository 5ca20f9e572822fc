"""What docs/performance.md says of the contest: its goals, and everyone's table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.goals import BUNDLE_LIMIT_BYTES, agrees, alone, outcomes
from benchmarks.markdown import goals_table, peers_table
from benchmarks.peers import contest
from benchmarks.peers.roster import OURS
from benchmarks.records import figures_of, threads_name

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
