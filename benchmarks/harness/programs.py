"""Time and memory of written programs, in fresh processes that take turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.process import RoundStore, run_fresh, visit_all
from benchmarks.harness.records import call_figures, threads_name
from benchmarks.harness.settings import Settings
from hemx_core.records import Json

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

    def visitor(written: Written, threads: int) -> Callable[[], Json]:
        arguments = {
            "path": str(written.path),
            "fingerprint": written.sha256,
            "threads": threads,
            "calls": settings.calls,
        }
        return lambda: run_fresh(measure_program, arguments, threads=threads, timeout=VISIT_SECONDS)

    visits = {
        _visit(name, threads): visitor(program, threads)
        for name, program in programs.items()
        for threads in settings.threads
    }
    measured = {
        "calls": settings.calls,
        "programs": {name: program.sha256 for name, program in programs.items()},
    }
    found = visit_all(
        visits,
        rounds=settings.rounds,
        store=RoundStore(store, measured),
        tell=settings.tell,
    )
    return {
        name: {
            threads_name(threads): call_figures(found[_visit(name, threads)])
            for threads in settings.threads
        }
        for name in programs
    }


def measure_program(path: str, fingerprint: Any, threads: int, calls: int) -> Json:
    """Load and run a program on random inputs; runs in a fresh process.

    Args:
        path: of the program.
        fingerprint: stands for its outputs, which were judged before or are not used: the file's hash, say.
        threads: of the runtime.
        calls: timed ones, after a first.
    """
    from benchmarks.harness.measure import Layout, run_here

    layout = Layout(files=(Path(path),), calls=((0, "forward"),))
    found = run_here(layout, runs=calls, threads=threads)
    return {
        "load_ms": found["load_ms"],
        "first_ms": found["first_ms"],
        "calls_ms": found["runs_ms"],
        "memory_mib": found["peak_mib"],
        "fingerprint": fingerprint,
    }


def _visit(name: str, threads: int) -> str:
    return f"{name} | {threads_name(threads)}"
