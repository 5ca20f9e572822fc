"""Merging processes' records, the budget's verdict and its exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks import run
from benchmarks.cli import benchmark_app
from benchmarks.run import for_class, judge_run, merge


def process_record(
    study_ms: float, *, above: float = 100.0, size: int = 1000, slices: int = 30
) -> dict[str, Any]:
    """What a fresh process tells; three studies, the first one cold."""
    timing = {"calls": 3, "first_ms": 2 * study_ms, "median_ms": study_ms, "p95_ms": study_ms + 1}
    return {
        "kind": "study",
        "input": {"slices": slices},
        "runtime": {"threads": 1},
        "bundle": {"bytes": size},
        "timings": {"study": dict(timing), "first_slice": dict(timing)},
        "study_ms": [2 * study_ms, study_ms, study_ms],
        "memory": {"base_mib": 50.0, "peak_mib": 50.0 + above, "above_base_mib": above},
        "runtime_memory_mib": 300.0,
        "joules_per_run": None,
        "fingerprint": "f",
    }


def test_a_merged_record_has_medians_of_the_processes() -> None:
    found = merge("w", [process_record(one, above=one) for one in (100.0, 300.0, 200.0)])
    assert found["timings"]["study"]["median_ms"] == 200.0
    assert found["timings"]["study"]["first_ms"] == 400.0
    assert found["timings"]["study"]["calls"] == 9
    assert found["memory"]["above_base_mib"] == 200.0
    assert found["figures"]["study"]["rounds"] == [100.0, 300.0, 200.0]
    assert found["figures"]["first study"]["rounds"] == [200.0, 600.0, 400.0]
    # Of all nine studies: 100 100 200 200 200 300 300 400 600, at rank 7.6.
    assert found["figures"]["study"]["p95"] == pytest.approx(520.0)
    assert found["joules_per_run"] == "not told"


def test_only_a_desk_counts_torch() -> None:
    record = merge("w", [process_record(100.0)])
    assert for_class(record, "tablet")["memory"]["above_base_mib"] == 100.0
    assert for_class(record, "desk")["memory"]["above_base_mib"] == 400.0


def test_records_of_another_study_are_left_to_others() -> None:
    records = [
        merge("usual", [process_record(100.0)]),
        merge("32", [process_record(1.0, slices=32)]),
    ]
    assert set(judge_run(records, "tablet")) == {"usual"}


@pytest.mark.parametrize(
    ("study_ms", "above", "size", "code"),
    [
        (450.0, 100.0, 1000, 0),
        (8100.0, 100.0, 1000, 1),
        (450.0, 251.0, 1000, 1),
        (450.0, 100.0, 36 * 2**20, 1),
    ],
)
def test_the_budget_decides_the_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    study_ms: float,
    above: float,
    size: int,
    code: int,
) -> None:
    record = merge("usual", [process_record(study_ms, above=above, size=size)])
    record["timings"]["first_slice"]["first_ms"] = 900.0
    monkeypatch.setattr(run, "run_studies", lambda settings, out=None: [record])
    options = ["run", "--budget", "tablet", "--work", str(tmp_path)]
    found = CliRunner().invoke(benchmark_app, options)
    assert found.exit_code == code
    assert ("OVER BUDGET" in found.stdout) == bool(code)
    assert CliRunner().invoke(benchmark_app, options[:1] + options[3:]).exit_code == 0
