"""Result files as Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.harness.records import BYTES, MIB, figures_of

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
