"""Sections of docs/performance.md on the exported graphs.

What folding, layout and float32 layers bring, and where time goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.graphs.fold_gain import KEPT
from benchmarks.graphs.layouts import BLOODY, JOINT, SLICES, TWO_FILES, TWO_METHODS
from benchmarks.graphs.operators import ALL, CALL, KIND, LOOKUP_TABLE, MEMORY_KIND, NAMES
from benchmarks.harness.records import BYTES, MIB, MS, figures_of, threads_name
from benchmarks.harness.tables import ABSENT, number, shown, table

Json = dict[str, Any]
WORST_LAYERS = 8
"""Operators of a network that are listed."""


def folding(lines: Sequence[Json]) -> str:
    """What each folding pass gains, from fold_gain.jsonl."""
    threads = sorted({one["threads"] for one in lines})
    rows = []
    for network, name in dict.fromkeys((one["network"], one["pass"]) for one in lines):
        by = {
            one["threads"]: one for one in lines if (one["network"], one["pass"]) == (network, name)
        }
        first, program = by[threads[0]], by[threads[0]]["program"]
        outside = ", ".join(sorted(set(program["operators"]))) or "none"
        rows.append(
            [
                network,
                name,
                *(f"{by[count]['latency_ratio']:.2f}" for count in threads),
                f"{first['memory_ratio']:.2f}",
                f"{first['load_ratio']:.2f}",
                str(program["delegates"]),
                outside,
            ]
        )
    times = [f"time, {threads_name(count)}" for count in threads]
    head = ["", "without", *times, "memory", "load", "delegates", "operators outside"]
    return (
        "Costs without one pass over costs with all of them, above 1 where the pass gains "
        f"({_precision(lines)}; {lines[0]['rounds']} processes of {lines[0]['runs']} calls each, medians; "
        "the same function, checked in float32).\n\n"
        f"{table(head, rows)}\n\n{_indirection(lines, threads)}"
    )


def layouts(lines: Sequence[Json]) -> str:
    """Two files, two methods, one joint graph, from layouts.jsonl."""
    threads = sorted({one["threads"] for one in lines})
    by = {(one["layout"], one["threads"]): one for one in lines}
    rows = []
    for name in dict.fromkeys(one["layout"] for one in lines):
        first = by[name, threads[0]]
        rows.append(
            [
                name + (" (ships)" if name == TWO_FILES else ""),
                *(number(by[name, count]["study_ms"], MS) for count in threads),
                number(first["load_ms"], MS),
                number(first["peak_mib"], MIB),
                number(first["file_bytes"], BYTES),
            ]
        )
    times = [f"study, {threads_name(count)}" for count in threads]
    ratios = {
        name: by[name, threads[0]]["study_ms"] / by[TWO_FILES, threads[0]]["study_ms"]
        for name in (TWO_METHODS, JOINT)
    }
    memory = by[TWO_METHODS, threads[0]]["peak_mib"] / by[TWO_FILES, threads[0]]["peak_mib"]
    return (
        f"Both networks' time for {SLICES} slices, {BLOODY} of them with blood.\n\n"
        f"{table(['', *times, 'load', 'memory above base', 'files'], rows)}\n\n"
        "In all three the classifier takes the encoder's pooled features and repeats none of its work. Two "
        f"files ship. Against them the joint graph needs {ratios[JOINT]:.2f} x the time of a study: it wants "
        "the crop before the mask is known, so slices with blood run through it twice. Two methods of one "
        f"program need {ratios[TWO_METHODS]:.2f} x the time and {memory:.2f} x the memory; two files can be "
        "hashed, opened and replaced one by one."
    )


def float_layers(report: Json) -> str:
    """The operators that int8 hurts most, and what was done about them, from layer_error.json."""
    parts = [
        f"`hemx layer-error`, recipe `{report['recipe']}`: every operator of the quantized graph beside "
        f"float32 on {report['source']}. A module whose own signal-to-quantization-noise ratio (SQNR) is "
        f"below {report['rule']['floor_db']:g} dB is tried in float32 and stays so if an output gains at "
        f"least {report['rule']['gain_db']:g} dB."
    ]
    for name, one in report["networks"].items():
        rounded = (row for row in one["layers"] if row["quantized"])
        layers = sorted(rounded, key=lambda row: row["own_sqnr_db"])[:WORST_LAYERS]
        rows = [
            [
                row["module"] or "(network)",
                row["operator"],
                f"{row['own_sqnr_db']:.1f}",
                f"{row['sqnr_db']:.1f}",
            ]
            for row in layers
        ]
        heads = ["module", "operator", "its own SQNR, dB", "SQNR so far, dB"]
        parts.append(f"### {name.capitalize()}\n\n{table(heads, rows)}\n\n{_choice(one)}")
    return "\n\n".join(parts)


def _choice(one: Json) -> str:
    before = _decibels(one["outputs_db"])
    if not one["tried"]:
        return f"Outputs: {before}. No module is below the floor; none was tried in float32."
    after = _decibels(one["outputs_db_mixed"])
    kept = ", ".join(f"`{name}`" for name in one["chosen"]) or "none"
    return (
        f"Outputs: {before} in int8, {after} with {len(one['tried'])} modules in float32. "
        f"Kept in float32: {kept}."
    )


def _decibels(outputs: Json) -> str:
    return ", ".join(f"{name} {value:.1f} dB" for name, value in outputs.items())


def _indirection(lines: Sequence[Json], threads: Sequence[int]) -> str:
    found = [one for one in lines if one["pass"] == KEPT and one["network"] == "segmenter"]
    if not found:
        return ""
    times = " and ".join(f"{one['latency_ratio']:.2f} x" for one in found)
    counts = " and ".join(str(count) for count in threads)
    kept, made = found[0]["folded"]["peak_mib"], found[0]["unfolded"]["peak_mib"]
    return (
        f"*{KEPT.capitalize()}* is no fold. XNNPACK keeps a list of pointers for every convolution wider "
        "than one pixel; the programs without them write it again at every call "
        "(`benchmarks/graphs/fold_gain.py`). "
        f"For the segmenter that is {made:.0f} instead of {kept:.0f} MiB, for {times} the time on {counts} "
        "threads. The lists are kept: the tablet's memory budget has room, and every answer waits for time."
    )


def _precision(lines: Sequence[Json]) -> str:
    return ", ".join(sorted({str(one["precision"]) for one in lines}))


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
        work: multiply-accumulates by way of computing, see `benchmarks.graphs.program_costs.matrix_work`.
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
