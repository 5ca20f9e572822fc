"""Facts of the blocks of docs/performance.md: the speed and memory of programs and studies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.graphs import growth_cost
from benchmarks.graphs.fold_gain import KEPT
from benchmarks.graphs.layouts import BLOODY, JOINT, SLICES, TWO_FILES, TWO_METHODS
from benchmarks.graphs.operators import ALL, CALL, KIND, LOOKUP_TABLE, MEMORY_KIND
from benchmarks.harness.markdown import ABSENT, number, shown, table
from benchmarks.harness.records import (
    BYTES,
    MIB,
    MS,
    figures_of,
    line,
    load_records,
    power_law,
    threads_name,
)
from benchmarks.pareto.report import points_table
from benchmarks.peers.goals import RUNTIMES, agrees, alone, goals_table, outcomes, peers_table
from benchmarks.peers.roster import OURS
from benchmarks.run import judge_run
from hemx_core.device.budget import Verdict, find_budget, load_budgets
from hemx_core.records import Json

Facts = dict[str, Any]
WAITS = 4
"""Peers whose time to a first answer is named, shortest first."""
WORST_LAYERS = 8
"""Operators of a network that are listed."""
SHORTEST_MS = 0.01
"""The tracer counts whole microseconds: a ratio of shorter times says nothing."""
STAGES = (
    *("load", "self_test", "read", "check", "first_slice", "prepare"),
    *("segment", "measure", "signs", "classify", "study"),
)
MEMORY_ROWS = {
    "file": "file",
    "load_peak": "peak while loading: mapped file and packed weights together",
    "loaded": "after loading: packed weights",
    "called": "after the first call",
    "indirection": "of that indirection buffers, computed",
    "indirection_reserved": "addresses reserved for them, computed",
}


def goals(results: Path) -> Facts:
    """The export's goals, and what a ratio alone does not say."""
    rows = _records(results, "peers")
    singles = [
        [
            threads_name(count),
            *(
                f"{found[runtime].value:.2f}" if runtime in found else ABSENT
                for runtime in RUNTIMES
            ),
        ]
        for count, found in alone(rows).items()
    ]
    waits = first_answers(rows)
    others = sorted((wait, name) for name, wait in waits.items() if name != OURS)
    return {
        "goals": goals_table(outcomes(rows)),
        "alone": table(["int8, a slice a call", *RUNTIMES], singles) if singles else "",
        "ours_ms": waits.get(OURS),
        "waits": others[:WAITS],
        "measured": rows[-1],
    }


def first_answers(rows: Sequence[Json]) -> dict[str, float]:
    """Medians of load and first call of the segmenter on one thread together, ms, by contestant."""
    return {
        row["peer"]: _median(row, "load") + _median(row, "first")
        for row in rows
        if (row["subject"], row["threads"]) == ("segmenter", 1)
        and {"load", "first"} <= set(figures_of(row))
        and agrees(row)
    }


def peers(results: Path) -> Facts:
    """Every contestant's table, with what they were given."""
    rows = _records(results, "peers")
    several = {
        row["peer"]: row["slices_a_call"]
        for row in rows
        if row["subject"] == "segmenter" and row.get("figures") and row.get("slices_a_call", 1) > 1
    }
    return {
        "tables": {
            name: peers_table(rows, name) for name in dict.fromkeys(r["subject"] for r in rows)
        },
        "material": next((row["material"] for row in rows if "material" in row), None),
        "several": list(several),
        "slices": next(iter(several.values()), 1),
        "measured": rows[-1],
    }


def folding(results: Path) -> Facts:
    """What each folding pass gains."""
    lines = _lines(results, "fold_gain")
    threads = sorted({row["threads"] for row in lines})
    rows = []
    for network, name in dict.fromkeys((row["network"], row["pass"]) for row in lines):
        by = {r["threads"]: r for r in lines if (r["network"], r["pass"]) == (network, name)}
        first = by[threads[0]]
        rows.append(
            [
                *(network, name),
                *(f"{by[count]['latency_ratio']:.2f}" for count in threads),
                *(f"{first[f'{cost}_ratio']:.2f}" for cost in ("memory", "load")),
                first["program"]["delegates"],
                ", ".join(sorted(set(first["program"]["operators"]))) or "none",
            ]
        )
    times = [f"time, {threads_name(count)}" for count in threads]
    head = ["", "without", *times, "memory", "load", "delegates", "operators outside"]
    kept = [row for row in lines if row["pass"] == KEPT and row["network"] == "segmenter"]
    return {
        "precision": ", ".join(sorted({row["precision"] for row in lines})),
        "table": table(head, rows),
        "kept": kept,
        "measured": lines[-1],
    }


def layouts(results: Path) -> Facts:
    """Two files, two methods, one joint graph."""
    lines = _lines(results, "layouts")
    threads = sorted({row["threads"] for row in lines})
    by = {(row["layout"], row["threads"]): row for row in lines}
    rows = []
    for name in dict.fromkeys(row["layout"] for row in lines):
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
    first = {name: by[name, threads[0]] for name in (TWO_FILES, TWO_METHODS, JOINT)}

    def ratio(name: str, figure: str) -> float:
        return float(first[name][figure] / first[TWO_FILES][figure])

    return {
        "slices": SLICES,
        "bloody": BLOODY,
        "table": table(["", *times, "load", "memory above base", "files"], rows),
        "joint": ratio(JOINT, "study_ms"),
        "methods": ratio(TWO_METHODS, "study_ms"),
        "methods_memory": ratio(TWO_METHODS, "peak_mib"),
        "measured": lines[-1],
    }


def float_layers(results: Path) -> Facts:
    """The operators that int8 hurts most, and what was done about them."""
    report = _report(results / "layer_error.json")
    tables = {}
    for name, network in report["networks"].items():
        rounded = (row for row in network["layers"] if row["quantized"])
        tables[name] = table(
            ["module", "operator", "its own SQNR, dB", "SQNR so far, dB"],
            [
                [
                    *(row["module"] or "(network)", row["operator"]),
                    *(f"{row[key]:.1f}" for key in ("own_sqnr_db", "sqnr_db")),
                ]
                for row in sorted(rounded, key=lambda row: row["own_sqnr_db"])[:WORST_LAYERS]
            ],
        )
    return {**report, "tables": tables, "measured": _made(report)}


def studies(results: Path) -> Facts:
    """Whole studies: their stages, cold and steady, and the budgets of the device classes."""
    records = _records(results, "run")
    named = [_columns(record["what"]) for record in records]
    rows = [
        [
            stage.replace("_", " "),
            *(f"{shown(r, f'first {stage}')} / {shown(r, stage, p95=True)}" for r in records),
        ]
        for stage in STAGES
        if any(stage in figures_of(record) for record in records)
    ]
    for name, figure in (
        ("memory above base", "memory"),
        ("runtime in memory before that", "runtime_memory"),
        ("bundle", "bundle"),
    ):
        rows.append([name, *(shown(record, figure) for record in records)])
    rows.append(["energy of a study", *map(_joules, records)])
    judged = {name: judge_run(records, name) for name in ("phone", "tablet", "desk")}
    names = list(judged["tablet"])
    budgets = [
        [
            *(device_class, line.line.replace("_", " ")),
            *(_judged(several[i]) for several in verdicts.values()),
            f"{line.limit:g} {line.unit}",
        ]
        for device_class, verdicts in judged.items()
        for i, line in enumerate(verdicts[names[0]])
    ]
    return {
        "stages": table(["first / later median (p95)", *named], rows),
        "budgets": table(["budget of a", "", *map(_columns, names), "at most"], budgets),
        "measured": records[-1],
    }


def strategies(results: Path) -> Facts:
    """Ways to run a study on two threads, fastest first."""
    records = _records(results, "threads")
    usable = sorted((r for r in records if r["figures"]), key=lambda r: _median(r, "call"))
    rows = [
        [
            record["what"] + (" (ships)" if record["shipped"] else ""),
            shown(record, "call", p95=True),
            shown(record, "first"),
            shown(record, "memory"),
        ]
        for record in usable
    ]
    rows += [[r["what"], r["status"], ABSENT, ABSENT] for r in records if not r["figures"]]
    limit = find_budget(load_budgets(), "tablet").limits["memory_mib"]
    inside = [record["what"] for record in usable if _median(record, "memory") <= limit]
    return {
        "table": table(["", "study, median (p95)", "first study", "memory above base"], rows),
        "limit": limit,
        "best": inside[0] if inside else "none",
        "measured": records[-1],
    }


def operators(results: Path) -> Facts:
    """Where time and memory go; see `operator_facts`."""
    return operator_facts(_records(results, "operators"))


def operator_facts(records: Sequence[Json]) -> Facts:
    """For each program its operators by kind, and what it holds in memory.

    Args:
        records: of `benchmarks.graphs.operators`.
    """
    traced = [record for record in records if record["kind"] == KIND]
    memory = [record for record in records if record["kind"] == MEMORY_KIND]
    work = {record["program"]: record["macs"] for record in memory}
    programs = {}
    for program in dict.fromkeys(record["program"] for record in traced):
        several = sorted(
            (r for r in traced if r["program"] == program), key=lambda r: int(r["threads"])
        )
        programs[program] = {
            "slices": several[0]["slices"],
            "table": _kinds_table(several, work.get(program, {})),
        }
    rows = [[text, *(shown(r, name) for r in memory)] for name, text in MEMORY_ROWS.items()]
    return {
        "lookup_table": any(LOOKUP_TABLE in record["counts"] for record in traced),
        "programs": programs,
        "memory": table(["resident above the runtime", *(r["program"] for r in memory)], rows),
        "first_call": {
            r["program"]: (_median(r, "called") - _median(r, "loaded"), _median(r, "indirection"))
            for r in memory
        },
        "spared": any(
            _median(r, "indirection_reserved") > _median(r, "indirection") for r in memory
        ),
        "measured": records[-1],
    }


def _kinds_table(rows: Sequence[Json], work: Json) -> str:
    """Kinds of operators, slowest first; times for each number of threads, smallest first."""
    first = rows[0]
    total = _median(first, ALL)
    names = [threads_name(row["threads"]) for row in rows]
    kinds = sorted(first["counts"], key=lambda kind: -_median(first, kind))
    cells = [
        [
            kind,
            first["counts"].get(kind, sum(first["counts"].values())),
            *(shown(row, kind) for row in rows),
            *_scaling(rows, kind),
            f"{_median(first, kind) / total:.1%}",
            _rate(first, kind, work),
        ]
        for kind in (*kinds, ALL)
    ]
    calls = (shown(row, CALL) for row in rows)
    cells.append(["whole call, traced", 1, *calls, *_scaling(rows, CALL), ABSENT, ABSENT])
    scaling = ["ratio", "lost"]
    share = [f"share on {names[0]}", f"GMAC/s on {names[0]}"]
    return table(["operator", "count", *names, *scaling, *share], cells)


def _scaling(rows: Sequence[Json], kind: str) -> tuple[str, str]:
    """How many times as fast more threads are, and the ms above a gain in proportion to them."""
    first, last = _median(rows[0], kind), _median(rows[-1], kind)
    if len(rows) < 2 or min(first, last) < SHORTEST_MS:
        return ABSENT, ABSENT
    lost = max(last - first * rows[0]["threads"] / rows[-1]["threads"], 0.0)
    return f"{first / last:.2f}", number(lost, MS)


def _rate(record: Json, kind: str, work: Json) -> str:
    """GMAC/s of a kind, or a dash; several kinds of one way of computing share its work.

    Args:
        record: times of a program.
        kind: as traced.
        work: by way of computing, see `benchmarks.graphs.program_costs.matrix_work`.
    """
    way = kind.rsplit(" ", 1)[-1]
    same = [other for other in record["counts"] if other.rsplit(" ", 1)[-1] == way]
    time = sum(_median(record, other) for other in same)
    return f"{work[way] / time / 1e6:.3g}" if way in work and time >= SHORTEST_MS else ABSENT


def growth(results: Path) -> Facts:
    """Time and memory against slices, input size and width, with what explains them."""
    records = _records(results, "growth_cost")
    peaks = {r["threads"]: r for r in records if r["kind"] == growth_cost.PEAK_KIND}
    points = [r for r in records if r["kind"] != growth_cost.PEAK_KIND]
    axes = {}
    for axis in dict.fromkeys(point["axis"] for point in points):
        rows = sorted((p for p in points if p["axis"] == axis), key=lambda p: float(p["value"]))
        by_slices = axis == growth_cost.SLICES
        axes[axis] = {
            "title": growth_cost.AXIS_NAMES[axis],
            "table": _slices_table(rows) if by_slices else _axis_table(rows, axis, peaks),
            "fit": None if len(rows) < 2 else _slices_fit(rows) if by_slices else _powers(rows),
        }
    shapes = list(next(iter(peaks.values()))["shapes"]) if peaks else []
    rates = [(_median(peak, "rate"), count) for count, peak in peaks.items()]
    return {"peaks": rates, "shapes": shapes, "axes": axes, "measured": records[-1]}


def share_of_peak(record: Json, peak: Json) -> float:
    """How much of a call's time its multiply-accumulates would take at the machine's int8 peak."""
    seconds = _median(record, "call") / 1000
    return float(record["work"] / (_median(peak, "rate") * 1e9) / seconds)


def _slices_table(rows: Sequence[Json]) -> str:
    return table(
        ["slices", "study, median (p95)", "a slice", "memory above base", "HU volume and mask"],
        [
            [
                f"{row['value']:g}",
                shown(row, "call", p95=True),
                number(_median(row, "call") / row["value"], MS),
                shown(row, "memory"),
                number(row["volume_mib"], MIB),
            ]
            for row in rows
        ],
    )


def _axis_table(rows: Sequence[Json], axis: str, peaks: dict[int, Json]) -> str:
    peak = peaks.get(rows[0]["threads"])
    return table(
        [axis, "call, median (p95)", "memory above base", "GMAC", "at the int8 peak"],
        [
            [
                f"{row['value']:g}",
                shown(row, "call", p95=True),
                shown(row, "memory"),
                f"{row['work'] / 1e9:.3g}",
                ABSENT if peak is None else f"{share_of_peak(row, peak):.0%} of the time",
            ]
            for row in rows
        ],
    )


def _slices_fit(rows: Sequence[Json]) -> Facts:
    values = [row["value"] for row in rows]
    per_slice, fixed = line(values, [_median(row, "call") for row in rows])
    memory, _ = line(values, [_median(row, "memory") for row in rows])
    largest = rows[-1]
    return {
        "slice_ms": per_slice,
        "fixed_ms": fixed,
        "slice_mib": memory,
        # A third of volume and mask together: the mask has a byte a pixel, the volume two.
        "mask_mib": largest["volume_mib"] / 3 / largest["value"],
        "bloody": largest["outputs"]["slices_with_blood"],
        "slices": largest["value"],
    }


def _powers(rows: Sequence[Json]) -> Facts:
    values = [row["value"] for row in rows]
    return {
        "time": power_law(values, [_median(row, "call") for row in rows]),
        "work": power_law(values, [row["work"] for row in rows]),
        "memory": power_law(values, [_median(row, "memory") for row in rows]),
    }


def pareto(results: Path) -> Facts:
    """The fronts, with the shipped points."""
    return _front(results / "pareto.json", front_only=True)


def finalists(results: Path) -> Facts:
    """Classifiers that were trained longer."""
    return _front(results / "pareto_finalists" / "pareto.json", front_only=False)


def _front(path: Path, *, front_only: bool) -> Facts:
    report = _report(path)
    tables = {
        name: points_table(subject, front_only=front_only)
        for name, subject in report["subjects"].items()
    }
    return {"report": report, "tables": tables, "measured": _made(report)}


def _judged(verdict: Verdict) -> str:
    if verdict.found is None:
        return ABSENT
    return f"{verdict.found:.3g} {verdict.unit}{'' if verdict.passed else ' (**over**)'}"


def _columns(what: str) -> str:
    return what.replace(" | ", ", ")


def _joules(record: Json) -> str:
    value = record.get("joules_per_run")
    return value if isinstance(value, str) else ABSENT if value is None else f"{value:.1f} J"


def _median(record: Json, name: str) -> float:
    return float(figures_of(record)[name]["median"])


def _records(results: Path, name: str) -> list[Json]:
    path = results / "performance" / f"{name}.jsonl"
    found = load_records(path)
    if not found:
        raise FileNotFoundError(path)
    return found


def _lines(results: Path, name: str) -> list[Json]:
    """As `_records`, of a file that the export writes: lines without the records' head."""
    text = (results / "performance" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _report(path: Path) -> Json:
    values: Json = json.loads(path.read_text(encoding="utf-8"))
    return values


def _made(report: Json) -> Json:
    """A report's provenance in the form in which a record describes its machine."""
    return {**report["provenance"], "device": report["provenance"]["machine"]}
