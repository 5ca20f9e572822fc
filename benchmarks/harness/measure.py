"""Latency and memory of written programs, each in fresh processes, interleaved.

Every layout is measured in a process of its own, and the layouts take turns, round after round, so that
order does not matter. A process imports the runtime first; memory is the peak above what it had
then, so torch's own size does not count.
"""

from __future__ import annotations

import importlib
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.process import ChildError, run_fresh
from hemx_core.device.machine import device_facts, package_versions
from hemx_core.device.memory import PeakMemory
from hemx_core.errors import BackendError
from hemx_core.files import write_whole
from hemx_core.provenance import commit
from hemx_core.runtime.desktop import BINDING, DesktopBackend, run_method

Call = tuple[int, str]
SECONDS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What is loaded, and what is run of it.

    Args:
        files: the programs, all loaded.
        calls: (number of the file, method), in the order in which a slice goes through them.
    """

    files: tuple[Path, ...]
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Medians over fresh processes.

    Args:
        load_ms: opening every file and loading every method.
        first_ms: the first run of all calls.
        steady_ms: a later run of all calls, median.
        p95_ms: the same, 95th percentile over all runs of all processes.
        calls_ms: median of each call, in order.
        peak_mib: peak resident memory above the process's base, from loading to the end.
        file_bytes: of all files.
    """

    load_ms: float
    first_ms: float
    steady_ms: float
    p95_ms: float
    calls_ms: tuple[float, ...]
    peak_mib: float
    file_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Plain values, rounded."""
        values = asdict(self) | {"calls_ms": [round(call, 3) for call in self.calls_ms]}
        return {k: round(v, 3) if isinstance(v, float) else v for k, v in values.items()}


def measure(
    layouts: Mapping[str, Layout],
    *,
    runs: int = 20,
    rounds: int = 5,
    threads: int = 1,
    tell: Callable[[str], None] = lambda message: None,
) -> dict[str, Cost]:
    """Measure layouts, interleaved.

    Args:
        layouts: by name.
        runs: of all calls in a process, after the first.
        rounds: processes of each layout.
        threads: of ExecuTorch's pool.
        tell: told before every round.
    Raises:
        BackendError: a process failed.
    """
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in layouts}
    for number in range(rounds):
        tell(f"round {number + 1} of {rounds}")
        for name, layout in layouts.items():
            found[name].append(_in_process(layout, runs=runs, threads=threads))
    sizes = {n: sum(path.stat().st_size for path in layout.files) for n, layout in layouts.items()}
    return {name: _cost(several, sizes[name]) for name, several in found.items()}


def facts() -> dict[str, Any]:
    """Date, device, versions and commit, for a line of a result file."""
    return {
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": device_facts(),
        "versions": package_versions(),
        "commit": commit(),
    }


def write_lines(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Write JSON lines, whole or not at all."""
    write_whole(path, "".join(json.dumps(line) + "\n" for line in lines))


def run_here(layout: Layout, *, runs: int, threads: int) -> dict[str, Any]:
    """Load and run a layout in this process, which must be a fresh one; times in milliseconds."""
    DesktopBackend(threads=threads)
    binding = importlib.import_module(BINDING)
    rng = np.random.default_rng(0)
    with PeakMemory() as memory:
        start = time.perf_counter()
        programs = [binding._load_program(str(path)) for path in layout.files]
        methods = [programs[file].load_method(name) for file, name in layout.calls]
        load = time.perf_counter() - start
        inputs = [_inputs(method.method_meta(), rng) for method in methods]
        times = np.array([_timed(methods, inputs) for _ in range(runs + 1)]) * 1000
    return {
        "load_ms": load * 1000,
        "first_ms": float(times[0].sum()),
        "runs_ms": times[1:].sum(1).tolist(),
        "calls_ms": np.median(times[1:], 0).tolist(),
        "peak_mib": memory.above_base_mib,
    }


def _in_process(layout: Layout, *, runs: int, threads: int) -> dict[str, Any]:
    job = {
        "files": [str(path) for path in layout.files],
        "calls": [list(call) for call in layout.calls],
        "runs": runs,
        "threads": threads,
    }
    try:
        return dict(run_fresh(_job, job, threads=threads, timeout=SECONDS))
    except ChildError as error:
        raise BackendError(
            f"a measurement failed ({error})",
            expected="programs that run",
            remedy="run it again with fewer things going on, or export again",
        ) from error


def _job(files: list[str], calls: list[Call], runs: int, threads: int) -> dict[str, Any]:
    layout = Layout(
        files=tuple(Path(name) for name in files),
        calls=tuple((file, method) for file, method in calls),
    )
    return run_here(layout, runs=runs, threads=threads)


def _cost(several: Sequence[dict[str, Any]], file_bytes: int) -> Cost:
    runs = [run for process in several for run in process["runs_ms"]]
    calls = zip(*(process["calls_ms"] for process in several), strict=True)
    return Cost(
        load_ms=statistics.median(process["load_ms"] for process in several),
        first_ms=statistics.median(process["first_ms"] for process in several),
        steady_ms=statistics.median(runs),
        p95_ms=float(np.quantile(runs, 0.95)),
        calls_ms=tuple(statistics.median(call) for call in calls),
        peak_mib=statistics.median(process["peak_mib"] for process in several),
        file_bytes=file_bytes,
    )


def _inputs(meta: Any, rng: np.random.Generator) -> list[Any]:
    import torch

    shapes = [meta.input_tensor_meta(i).sizes() for i in range(meta.num_inputs())]
    return [torch.from_numpy(rng.random(shape, dtype=np.float32)) for shape in shapes]


def _timed(methods: Sequence[Any], inputs: Sequence[list[Any]]) -> list[float]:
    times = []
    for method, given in zip(methods, inputs, strict=True):
        start = time.perf_counter()
        run_method(method, given)
        times.append(time.perf_counter() - start)
    return times
