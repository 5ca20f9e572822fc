"""Result files as Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.goals import Outcome, agrees
from benchmarks.records import BYTES, MIB, figures_of

Json = dict[str, Any]
ABSENT = "–"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    body = [" | ".join(one) for one in (head, ["---"] * len(head), *rows)]
    return "\n".join(f"| {line} |" for line in body)


def number(value: float, unit: str) -> str:
    """Three significant digits with the unit; sizes in MB."""
    if unit == BYTES:
        return f"{value / 1e6:.3g} MB" if value >= 1e5 else f"{value / 1e3:.3g} kB"
    if unit == MIB:
        return f"{value:.0f} MiB" if value >= 10 else f"{value:.1f} MiB"
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def shown(record: Json, name: str, *, p95: bool = False) -> str:
    """A figure of a record, or a dash."""
    one = figures_of(record).get(name)
    if one is None:
        return ABSENT
    text = number(one["median"], one["unit"])
    return f"{text} ({number(one['p95'], one['unit'])})" if p95 else text


def peers_table(records: Sequence[Json], subject: str) -> str:
    """Everyone who ran or should have run a graph; times for every number of threads side by side."""
    rows = [one for one in records if one["subject"] == subject]
    threads = sorted({one["threads"] for one in rows})
    names = list(dict.fromkeys(one["peer"] for one in rows))
    by = {(one["peer"], one["threads"]): one for one in rows}
    lines = []
    for name in names:
        first = by[name, threads[0]]
        if not first.get("figures"):
            lines.append([name, first["status"], *[ABSENT] * (len(threads) + 4)])
            continue
        times = [shown(by[name, count], "call", p95=True) for count in threads]
        rest = [shown(first, figure) for figure in ("first", "load", "memory", "size")]
        lines.append([name, accuracy(first), *times, *rest])
    times = [f"{count} thread{'s' * (count > 1)}, median (p95)" for count in threads]
    lines.sort(key=lambda line: line[2] == ABSENT)
    return table(
        ["", "against torch fp32", *times, "first call", "load", "memory above base", "files"],
        lines,
    )


def accuracy(record: Json) -> str:
    """How far a contestant's answers are from torch's."""
    found = record.get("accuracy")
    if not found:
        return ABSENT
    if "mask_dice" in found:
        text = f"Dice {found['mask_dice']:.4f}"
    else:
        text = f"p95 {found['probability_p95']:.2g}, max {found['probability_max']:.2g}"
    return text if agrees(record) else f"{text}: **not the same answers, speed not compared**"


def goals_table(outcomes: Sequence[Outcome]) -> str:
    """Every goal with its ratio, hit or missed."""
    words = {True: "hit", False: "**missed**", None: "not measured"}
    lines = []
    for one in outcomes:
        ratio = ABSENT
        if one.ratio is not None:
            ratio = f"{one.ratio.value:.2f} ({one.ratio.low:.2f} to {one.ratio.high:.2f})"
        lines.append(
            [
                one.goal,
                one.against or ABSENT,
                str(one.threads),
                f"≤ {one.limit:g}",
                ratio,
                words[one.hit],
            ]
        )
    return table(
        ["ours over theirs", "against", "threads", "goal", "ratio (95 % interval)", ""], lines
    )


def stages_table(records: Sequence[Json]) -> str:
    """Stages of whole studies: cold and steady."""
    order = (
        "load",
        "self_test",
        "read",
        "check",
        "first_slice",
        "prepare",
        "segment",
        "measure",
        "signs",
        "classify",
        "study",
    )
    stages = [name for name in order if any(name in figures_of(one) for one in records)]
    rows = [
        [
            name.replace("_", " "),
            *(f"{shown(one, f'first {name}')} / {shown(one, name, p95=True)}" for one in records),
        ]
        for name in stages
    ]
    rows.append(["memory above base", *(shown(one, "memory") for one in records)])
    rows.append(
        ["runtime in memory before that", *(shown(one, "runtime_memory") for one in records)]
    )
    rows.append(["bundle", *(shown(one, "bundle") for one in records)])
    rows.append(["energy of a study", *(joules(one) for one in records)])
    # A bar would begin another column.
    heads = [str(one["what"]).replace(" | ", ", ") for one in records]
    return table(["first / later median (p95)", *heads], rows)


def joules(record: Json) -> str:
    """Energy of a study, or that the machine does not tell."""
    value = record.get("joules_per_run")
    return value if isinstance(value, str) else ABSENT if value is None else f"{value:.1f} J"


def machine_line(record: Json) -> str:
    """Where a record was measured."""
    device, versions = record["device"], record["versions"]
    packages = ", ".join(
        f"{name} {versions[name]}" for name in ("torch", "executorch", "numpy") if name in versions
    )
    return (
        f"{device['processor']}, {device['cores']} cores, {device['memory_gib']} GiB, {device['system']}; "
        f"{packages}; "
        f"commit {record['commit'] or 'unknown'}, {record['created_at'][:10]}"
    )
