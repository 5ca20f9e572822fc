"""Sections of docs/performance.md on what the export's choices rest on: folding, layout, float32 layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.markdown import number, table
from benchmarks.records import BYTES, MIB, MS, threads_name
from export.fold_gain import KEPT
from export.layouts import BLOODY, JOINT, SLICES, TWO_FILES, TWO_METHODS

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
        "than one pixel; the programs without them write it again at every call (`export/transient.py`). "
        f"For the segmenter that is {made:.0f} instead of {kept:.0f} MiB, for {times} the time on {counts} "
        "threads. The lists are kept: the tablet's memory budget has room, and every answer waits for time."
    )


def _precision(lines: Sequence[Json]) -> str:
    return ", ".join(sorted({str(one["precision"]) for one in lines}))
