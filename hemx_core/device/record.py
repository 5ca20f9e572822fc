"""Benchmark records: lines of JSON that the app and `python -m benchmarks` write alike.

docs/benchmark_format.md describes them.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

from hemx_core.device.machine import device_facts, package_versions
from hemx_core.errors import BenchmarkError
from hemx_core.files import write_whole, writing
from hemx_core.records import Json

FORMAT = "hemx-benchmark"
FORMAT_VERSION = 1


def header(kind: str, *, source: str, commit: str = "", label: str = "") -> Json:
    """The part that every kind of record begins with.

    Args:
        kind: what was measured.
        source: which program measures: "app" or "benchmarks".
        commit: what it was built from; empty where that is not known.
        label: a name for the device, if its owner gives one.
    """
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": source,
        "commit": commit,
        "device": device_facts(label),
        "versions": package_versions(),
    }


def fingerprint(outputs: Json) -> str:
    """Sixteen digits of the SHA-256 of rounded outputs; speeds are compared only where they agree."""
    text = json.dumps(outputs, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_record(path: Path, record: Json) -> Path:
    """Add a record to a file of JSON lines; what was in it stays.

    Raises:
        OutputError: it cannot be written.
    """
    line = to_line(record)
    with writing(path):
        known = path.read_text(encoding="utf-8") if path.exists() else ""
    return write_whole(path, known + line)


def read_records(path: Path) -> list[Json]:
    """The records of a file.

    Raises:
        BenchmarkError: it is missing, or a line is no record of this format.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines if line.strip()]
        known = all(
            (record["format"], record["format_version"]) == (FORMAT, FORMAT_VERSION)
            for record in records
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _no_record(path, type(error).__name__) from error
    if not known:
        raise _no_record(path, "another format")
    return records


def to_line(record: Json) -> str:
    """A record as a line of a file."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def _no_record(path: Path, why: str) -> BenchmarkError:
    return BenchmarkError(
        f"{path.name} is no file of benchmark records ({why})",
        expected=f"JSON lines of {FORMAT}, version {FORMAT_VERSION}",
        remedy="give a file that `hemx benchmark` or the app wrote",
    )
