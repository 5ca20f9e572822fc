"""Where time and memory go, in tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.markdown import ABSENT, shown, table
from benchmarks.operators import ALL, CALL, KIND, LOOKUP_TABLE, MEMORY_KIND, NAMES
from benchmarks.records import figures_of, threads_name

Json = dict[str, Any]
MATTERS = 0.05
"""Share of the time from which a kind's scaling is worth a sentence."""
SHORTEST_MS = 0.01
"""The tracer counts whole microseconds: a ratio of shorter times says nothing."""
MEMORY_ROWS = {
    "file": "file",
    "load_peak": "peak while loading: mapped file and packed weights together",
    "loaded": "after loading: packed weights",
    "called": "after the first call",
    "indirection": "of that indirection buffers, computed",
    "indirection_reserved": "addresses reserved for them, computed",
}
SPARED = (
    " Reserved and never written, so not resident: what transposed convolutions ask for beyond the taps that "
    "meet a pixel."
)


def section(rows: list[Json]) -> str:
    """The body of the section: for each program a table and a sentence, then memory."""
    parts = [_head(rows)]
    for program in dict.fromkeys(one["program"] for one in rows if one["kind"] == KIND):
        several = sorted(
            (one for one in rows if one["kind"] == KIND and one["program"] == program),
            key=lambda one: one["threads"],
        )
        work = next((one["macs"] for one in rows if _is_memory(one, program)), {})
        kinds = _kinds_table(several, work)
        slices = several[0]["slices"]
        call = f", a call of {slices} slices" if slices > 1 else ""
        parts.append(f"### {program.capitalize()}{call}\n\n{kinds}\n\n{_worst(several)}")
    memory = [one for one in rows if one["kind"] == MEMORY_KIND]
    parts.append(f"### Memory of a program\n\n{_memory_table(memory)}\n\n{_explained(memory)}")
    return "\n\n".join(parts)


def worst_scaling(first: Json, last: Json) -> tuple[str, float, float]:
    """The kind, of those with a share of the time, that gains least from more threads.

    Args:
        first: the record of the smaller number of threads.
        last: that of the larger one.
    Returns:
        Its name; how many times as fast it is; how many ms of a call it takes more than if it had gained in
        proportion to the threads.
    """
    total = _median(first, ALL)
    kinds = [one for one in first["counts"] if _median(first, one) >= MATTERS * total]
    kind = min(kinds or first["counts"], key=lambda one: _gain(first, last, one))
    return kind, _gain(first, last, kind), _lost(first, last, kind)


def _gain(first: Json, last: Json, kind: str) -> float:
    return _median(first, kind) / max(_median(last, kind), 1e-9)


def _lost(first: Json, last: Json, kind: str) -> float:
    ideal = _median(first, kind) * float(first["threads"] / last["threads"])
    return max(_median(last, kind) - ideal, 0.0)


def _head(rows: Sequence[Json]) -> str:
    named = {kind for one in rows if one["kind"] == KIND for kind in one["counts"]}
    meant = [f"`{name}` is what it calls its int8 {word}" for name, word in NAMES.items()]
    return (
        "Timed by ExecuTorch's event tracer inside the XNNPACK delegate: a call's sum over the operators of "
        "a kind, median of calls and rounds. The names of the kinds are XNNPACK's"
        + (f"; {'; '.join(meant)}." if LOOKUP_TABLE in named else ".")
    )


def _is_memory(record: Json, program: str) -> bool:
    return record["kind"] == MEMORY_KIND and record["program"] == program


def rate(record: Json, kind: str, work: Json) -> str:
    """Multiply-accumulates a second of a kind, or a dash; several kinds of one way share its work.

    Args:
        record: times of a program.
        kind: as traced.
        work: multiply-accumulates by way of computing, see `export.program_costs.matrix_work`.
    """
    way = kind.rsplit(" ", 1)[-1]
    same = [one for one in record["counts"] if one.rsplit(" ", 1)[-1] == way]
    time = sum(_median(record, one) for one in same)
    return f"{work[way] / time / 1e6:.3g}" if way in work and time >= SHORTEST_MS else ABSENT


def _kinds_table(rows: Sequence[Json], work: Json) -> str:
    first = rows[0]
    total = _median(first, ALL)
    names = [threads_name(one["threads"]) for one in rows]
    head = ["operator", "count", *names, "ratio", f"share on {names[0]}", f"GMAC/s on {names[0]}"]
    kinds = sorted(first["counts"], key=lambda one: -_median(first, one))
    lines = [
        [
            kind,
            str(first["counts"].get(kind, sum(first["counts"].values()))),
            *(shown(one, kind) for one in rows),
            _ratio(rows, kind),
            f"{_median(first, kind) / total:.1%}",
            rate(first, kind, work),
        ]
        for kind in (*kinds, ALL)
    ]
    calls = [shown(one, CALL) for one in rows]
    whole = ["whole call, traced", "1", *calls, _ratio(rows, CALL), ABSENT, ABSENT]
    return table(head, [*lines, whole])


def _ratio(rows: Sequence[Json], kind: str) -> str:
    times = [_median(one, kind) for one in (rows[0], rows[-1])]
    known = len(rows) > 1 and min(times) >= SHORTEST_MS
    return f"{times[0] / times[1]:.2f}" if known else ABSENT


def _worst(rows: Sequence[Json]) -> str:
    if len(rows) < 2:
        return "One number of threads: nothing to compare."
    first, last = rows[0], rows[-1]
    kind, gain, lost = worst_scaling(first, last)
    everything = _lost(first, last, ALL)
    return (
        f"Of the kinds with at least {MATTERS:.0%} of the time {kind} scales worst: {gain:.2f} times as fast "
        f"on {threads_name(last['threads'])}, which costs {lost:.3g} ms of a call of "
        f"{_median(last, ALL):.3g} ms against a gain in proportion to the threads; all operators "
        f"together lose {everything:.3g} ms so."
    )


def _memory_table(rows: Sequence[Json]) -> str:
    lines = [[text, *(shown(one, name) for one in rows)] for name, text in MEMORY_ROWS.items()]
    return table(["resident above the runtime", *(one["program"] for one in rows)], lines)


def _explained(rows: Sequence[Json]) -> str:
    said = []
    for one in rows:
        added = _median(one, "called") - _median(one, "loaded")
        said.append(
            f"the first call adds {added:.3g} MiB to the {one['program']}, of which "
            f"{_median(one, 'indirection'):.3g} MiB are pointers of the convolutions' indirection buffers"
        )
    text = "; ".join(said)
    spared = any(_median(one, "indirection_reserved") > _median(one, "indirection") for one in rows)
    return f"{text[:1].upper()}{text[1:]}.{SPARED if spared else ''}"


def _median(record: Json, name: str) -> float:
    return float(figures_of(record)[name]["median"])
