"""Result files: JSON lines in the format of docs/benchmark_format.md, with every round of every figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.medians import Summary, summarise
from hemx_core.benchmark_record import header, read_records, to_line
from hemx_core.provenance import commit

Json = dict[str, Any]
RESULTS = Path(__file__).resolve().parent / "results" / "performance"
WORK = Path("runs/benchmarks")
MS, MIB, BYTES = "ms", "MiB", "bytes"


def figure(rounds: Sequence[float], unit: str, calls: Sequence[float] = ()) -> Json:
    """A figure as it stands in a record: median, p95, every round, unit."""
    return {**summarise(rounds, calls).to_json(), "unit": unit}


def new_record(kind: str, what: str, figures: Mapping[str, Json], **facts: Any) -> Json:
    """A record of this package.

    Args:
        kind: which command made it.
        what: tells records of a kind apart, and finds them again in another file.
        figures: by name, as `figure` makes them.
        **facts: everything else.
    """
    head = header(kind, source="benchmarks", commit=commit())
    return {**head, "what": what, **facts, "figures": dict(figures)}


def write_records(path: Path, records: Iterable[Json]) -> Path:
    """Write a run's records, whole or not at all; an earlier run's are replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".tmp")
    draft.write_text("".join(map(to_line, records)), encoding="utf-8")
    draft.replace(path)
    return path


def load_records(path: Path) -> list[Json]:
    """All records of a file, or none if it is missing; see `read_records`."""
    return read_records(path) if path.exists() else []


def what_of(record: Json) -> str:
    """The record's name; made from its facts where another program wrote it."""
    if "what" in record:
        return str(record["what"])
    threads = record.get("runtime", {}).get("threads")
    return study_name(record.get("input", {}).get("slices"), threads)


def study_name(slices: Any, threads: Any) -> str:
    """Name of a whole study's record."""
    return f"study of {slices} slices | {threads_name(threads)}"


def threads_name(threads: Any) -> str:
    """ "1 thread", "2 threads", or that the runtime chose."""
    if threads is None:
        return "threads of the runtime"
    return f"{threads} thread" + "s" * (threads != 1)


def figures_of(record: Json) -> dict[str, Json]:
    """The record's figures; of an app's record, its timings and sizes with a single round."""
    if "figures" in record:
        return dict(record["figures"])
    found = {
        name: figure([one["median_ms"]], MS) for name, one in record.get("timings", {}).items()
    }
    memory = record.get("memory", {}).get("above_base_mib")
    if memory is not None:
        found["memory"] = figure([memory], MIB)
    if "bundle" in record:
        found["bundle"] = figure([record["bundle"]["bytes"]], BYTES)
    return found


def summary_of(record: Json, name: str) -> Summary:
    """A figure of a record, with its rounds."""
    one = figures_of(record)[name]
    return Summary(median=one["median"], p95=one["p95"], rounds=tuple(one["rounds"]))
