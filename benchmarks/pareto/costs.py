"""Time and memory of the programs, in fresh processes that take turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.process import RoundStore, run_fresh, visit_all
from benchmarks.harness.records import MIB, MS, figure, threads_name
from benchmarks.harness.settings import Settings

Json = dict[str, Any]
VISIT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Written:
    """A program to measure: its file and the SHA-256 of its content."""

    path: Path
    sha256: str


def measure_programs(
    settings: Settings, programs: Mapping[str, Written], store: Path
) -> dict[str, dict[str, Json]]:
    """Measure every program with every number of threads.

    Args:
        settings: threads, rounds and calls.
        programs: by name.
        store: file of the finished visits; other programs start it anew.
    Returns:
        For each program and number of threads ("1 thread") the figures `call`, `first`, `load` (ms)
        and `memory` (MiB above the process with the runtime in it).
    """

    def visitor(one: Written, threads: int) -> Callable[[], Json]:
        arguments = {
            "path": str(one.path),
            "sha256": one.sha256,
            "threads": threads,
            "calls": settings.calls,
        }
        return lambda: run_fresh(measure_program, arguments, threads=threads, timeout=VISIT_SECONDS)

    visits = {
        _visit(name, threads): visitor(one, threads)
        for name, one in programs.items()
        for threads in settings.threads
    }
    measured = {
        "calls": settings.calls,
        "programs": {name: one.sha256 for name, one in programs.items()},
    }
    found = visit_all(
        visits,
        rounds=settings.rounds,
        store=RoundStore(store, measured),
        tell=settings.tell,
    )
    return {
        name: {
            threads_name(threads): _figures(found[_visit(name, threads)])
            for threads in settings.threads
        }
        for name in programs
    }


def measure_program(path: str, sha256: str, threads: int, calls: int) -> Json:
    """Load and run a program on random inputs; runs in a fresh process.

    What it answers was judged before, so the file's hash stands for its outputs.
    """
    from export.measure import Layout, run_here

    layout = Layout(files=(Path(path),), calls=((0, "forward"),))
    found = run_here(layout, runs=calls, threads=threads)
    return {
        "load_ms": found["load_ms"],
        "first_ms": found["first_ms"],
        "calls_ms": found["runs_ms"],
        "memory_mib": found["peak_mib"],
        "fingerprint": sha256,
    }


def _visit(name: str, threads: int) -> str:
    return f"{name} | {threads_name(threads)}"


def _figures(rounds: list[Json]) -> dict[str, Json]:
    calls = [call for one in rounds for call in one["calls_ms"]]
    return {
        "call": figure([float(np.median(one["calls_ms"])) for one in rounds], MS, calls),
        "first": figure([one["first_ms"] for one in rounds], MS),
        "load": figure([one["load_ms"] for one in rounds], MS),
        "memory": figure([one["memory_mib"] for one in rounds], MIB),
    }
