"""`operators`: where a program's time and memory go, by kind of XNNPACK operator and by stage of loading.

Times come from ExecuTorch's event tracer (ETDump), which times every operator inside the delegate.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.process import RoundStore, run_fresh, visit_all
from benchmarks.harness.records import MIB, MS, figure, new_record, threads_name, write_records
from benchmarks.harness.settings import Settings
from hemx_core.records import Json

KIND, MEMORY_KIND, FILE = "operators", "operators_memory", "operators.jsonl"
PROGRAMS = ("segmenter", "classifier")
ALL = "all operators"
CALL = "call"
LOOKUP_TABLE = "lookup table (activation)"
NAMES = {"Invalid Unary Op": LOOKUP_TABLE}
"""What XNNPACK's own names mean: it has none for the table that an int8 activation becomes."""
SLOWEST = 12
MOST_CALLS = 9
"""Traced in a process after the first, which is not counted: above ten, the tracer's buffer overflows."""
TRACE_BYTES = 40_000_000
METHOD, EXECUTE = "forward", "Method::execute"
VISIT_SECONDS = 600.0


def measure_operators(settings: Settings) -> list[Json]:
    """Trace both programs with every number of threads, and load them; writes the file.

    Memory is that of the first number of threads.
    """
    bundle, calls = str(settings.open_bundle()), min(settings.calls, MOST_CALLS)
    traces = [(program, count) for program in PROGRAMS for count in settings.threads]
    visits: dict[str, Callable[[], Json]] = {
        _name(*trace): _tracer(bundle, *trace, calls) for trace in traces
    }
    visits |= {
        _memory_name(program): _loader(bundle, program, settings.threads[0]) for program in PROGRAMS
    }
    store = RoundStore(settings.place / "rounds" / FILE, settings.measured() | {"calls": calls})
    found = visit_all(visits, rounds=settings.rounds, store=store, tell=settings.tell)
    records = [_time_record(*trace, found[_name(*trace)]) for trace in traces]
    records += [
        _memory_record(program, settings.threads[0], found[_memory_name(program)])
        for program in PROGRAMS
    ]
    write_records(settings.results / FILE, records)
    return records


def trace_program(bundle: str, program: str, threads: int, calls: int) -> Json:
    """Every operator's times; runs in a fresh process.

    Returns:
        `slices` of a call; `operators`, in the order in which they run, each with XNNPACK's name and the
        times of all calls but the first; `calls_ms`, the whole calls, with what the tracer adds; a
        fingerprint of the outputs.
    """
    from hemx_core.runtime.desktop import BINDING, DesktopBackend, run_method

    DesktopBackend(threads=threads)
    import torch

    path, inputs = _program(bundle, program)
    opened = importlib.import_module(BINDING)._load_program(
        str(path), enable_etdump=True, debug_buffer_size=TRACE_BYTES
    )
    method = opened.load_method(METHOD)
    tensors = [torch.from_numpy(input_) for input_ in inputs]
    outputs: Any = [run_method(method, tensors) for _ in range(calls + 1)][-1]
    means = [float(output.mean()) for output in outputs]
    with tempfile.TemporaryDirectory() as folder:
        trace = str(Path(folder) / "trace.etdp")
        opened.write_etdump_result_to_file(trace, str(Path(folder) / "buffer.bin"))
        operators, whole = _read_trace(trace)
    names = " ".join(operator["name"] for operator in operators)
    return {
        "operators": operators,
        "slices": len(inputs[0]),
        "calls_ms": whole,
        "fingerprint": [hashlib.sha256(names.encode()).hexdigest()[:16], *means],
    }


def load_program(bundle: str, program: str, threads: int) -> Json:
    """Memory of a program above a process with the runtime in it; runs in a fresh process.

    Returns:
        MiB resident after loading and after the first call, the peak while loading, the file's size, the
        indirection buffers that its convolutions need and their multiply-accumulates by way of computing;
        a fingerprint of the outputs.
    """
    from hemx_core.device.memory import PeakMemory, rss_mib
    from hemx_core.manifest import ModelManifest
    from hemx_core.runtime.desktop import DesktopBackend

    backend = DesktopBackend(threads=threads)
    path, inputs = _program(bundle, program)
    spec = getattr(ModelManifest.load(Path(bundle)), program)
    with PeakMemory() as loading:
        opened = backend.open(path, spec)
        loaded = rss_mib()
    outputs = opened(inputs)
    called = rss_mib()
    # The compiler's package takes memory too: only now.
    from benchmarks.graphs.program_costs import indirection_buffers, matrix_work
    from export.program_facts import xnnpack_graphs

    graphs = xnnpack_graphs(path.read_bytes())
    buffers = [buffer for graph in graphs for buffer in indirection_buffers(graph)]
    work: Counter[str] = Counter()
    for graph in graphs:
        work.update(matrix_work(graph))
    return {
        "loaded_mib": loaded - loading.base_mib,
        "load_peak_mib": loading.above_base_mib,
        "called_mib": called - loading.base_mib,
        "method": loading.method,
        "file_bytes": path.stat().st_size,
        "reserved_bytes": _by_node(buffers, "reserved_bytes"),
        "written_bytes": _by_node(buffers, "written_bytes"),
        "macs": dict(work),
        "fingerprint": [float(output.mean()) for output in outputs],
    }


def kind_of(name: str) -> str:
    """The kind of an operator of the tracer's name, such as "Add (ND) #3"."""
    kind = re.sub(r" #\d+$", "", name)
    return NAMES.get(kind, kind)


def _read_trace(path: str) -> tuple[list[Json], list[float]]:
    """The delegate's operators and the whole calls, in ms, without the first call."""
    from executorch.devtools import Inspector

    operators, whole = [], []
    for block in Inspector(etdump_path=path).event_blocks:
        for event in block.events:
            if event.perf_data is None:
                continue
            times = [round(float(milliseconds), 5) for milliseconds in event.perf_data.raw[1:]]
            if event.is_delegated_op:
                operators.append({"name": event.name, "calls_ms": times})
            elif event.name == EXECUTE:
                whole = times
    return operators, whole


def _program(bundle: str, program: str) -> tuple[Path, list[Any]]:
    """The file and inputs of its shapes, the same in every process."""
    from hemx_core.manifest import ModelManifest

    spec = getattr(ModelManifest.load(Path(bundle)), program)
    rng = np.random.default_rng(0)
    return Path(bundle) / spec.file, [
        rng.random(input_.shape, np.float32) for input_ in spec.inputs
    ]


def _by_node(buffers: list[Any], size: str) -> dict[str, int]:
    total: Counter[str] = Counter()
    for buffer in buffers:
        total[buffer.node] += getattr(buffer, size)
    return dict(total)


def _name(program: str, threads: int) -> str:
    return f"{program} | {threads_name(threads)}"


def _memory_name(program: str) -> str:
    return f"{program} | memory"


def _tracer(bundle: str, program: str, threads: int, calls: int) -> Callable[[], Json]:
    arguments = {"bundle": bundle, "program": program, "threads": threads, "calls": calls}
    return lambda: run_fresh(trace_program, arguments, threads=threads, timeout=VISIT_SECONDS)


def _loader(bundle: str, program: str, threads: int) -> Callable[[], Json]:
    arguments = {"bundle": bundle, "program": program, "threads": threads}
    return lambda: run_fresh(load_program, arguments, threads=threads, timeout=VISIT_SECONDS)


def _time_record(program: str, threads: int, rounds: list[Json]) -> Json:
    """A record with a figure for each kind: the sum of its operators in a call."""
    names = [operator["name"] for operator in rounds[0]["operators"]]
    kinds = [kind_of(name) for name in names]
    # Of each round an array of shape (operators, calls), ms.
    times = [
        np.array([operator["calls_ms"] for operator in found["operators"]]) for found in rounds
    ]
    figures = {
        CALL: _summed([np.array([round_["calls_ms"]]) for round_ in rounds]),
        ALL: _summed(times),
    }
    for kind in dict.fromkeys(kinds):
        mine = [place for place, kind_ in enumerate(kinds) if kind_ == kind]
        figures[kind] = _summed([time_[mine] for time_ in times])
    single = np.median([np.median(time_, axis=1) for time_ in times], axis=0)
    slowest = np.argsort(-single, kind="stable")[:SLOWEST]
    return new_record(
        KIND,
        _name(program, threads),
        figures,
        program=program,
        threads=threads,
        slices=rounds[0]["slices"],
        counts=dict(Counter(kinds)),
        slowest=[
            {
                "name": names[operator],
                "kind": kinds[operator],
                "place": int(operator),
                "ms": round(single[operator], 4),
            }
            for operator in slowest
        ],
        fingerprint=rounds[0]["fingerprint"],
    )


def _summed(rounds: list[Any]) -> Json:
    """A figure of arrays of shape (operators, calls): the sum of the operators, ms."""
    calls = [round_.sum(axis=0) for round_ in rounds]
    return figure([float(np.median(call)) for call in calls], MS, np.concatenate(calls).tolist())


def _memory_record(program: str, threads: int, rounds: list[Json]) -> Json:
    first = rounds[0]
    figures = {
        name: figure([round_[f"{name}_mib"] for round_ in rounds], MIB)
        for name in ("load_peak", "loaded", "called")
    }
    sizes = {
        "file": first["file_bytes"],
        "indirection": sum(first["written_bytes"].values()),
        "indirection_reserved": sum(first["reserved_bytes"].values()),
    }
    figures |= {name: figure([size / 2**20], MIB) for name, size in sizes.items()}
    return new_record(
        MEMORY_KIND,
        _memory_name(program),
        figures,
        program=program,
        threads=threads,
        method=first["method"],
        reserved_bytes=first["reserved_bytes"],
        written_bytes=first["written_bytes"],
        macs=first["macs"],
        fingerprint=first["fingerprint"],
    )
