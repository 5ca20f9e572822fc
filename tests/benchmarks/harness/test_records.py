"""Medians, percentiles and ratios, by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.cli import benchmark_app
from benchmarks.harness.records import (
    BYTES,
    FASTER,
    MIB,
    MS,
    SAME,
    SLOWER,
    call_figures,
    compare,
    figure,
    line,
    lines,
    power_law,
    ratio_of_medians,
    regressions,
    summarise,
)
from hemx_core.device.record import FORMAT, FORMAT_VERSION
from hemx_core.errors import BenchmarkError


def test_the_median_is_of_rounds_and_the_percentile_of_calls() -> None:
    found = summarise([3.0, 1.0, 2.0], calls=[float(one) for one in range(101)])
    assert found.median == 2.0
    assert found.p95 == 95.0
    assert found.rounds == (3.0, 1.0, 2.0)


def test_without_calls_the_percentile_is_of_the_rounds() -> None:
    # Between the 2nd and 3rd of three values: 1.9 of the way.
    assert summarise([10.0, 20.0, 30.0]).p95 == pytest.approx(29.0)


def test_a_ratio_is_one_of_medians() -> None:
    # Medians 2 and 8; the mean of the rounds' ratios would be another number.
    ratio = ratio_of_medians([1.0, 2.0, 30.0], [8.0, 9.0, 4.0], paired=True)
    assert ratio.value == 0.25
    assert ratio.low <= 0.25 <= ratio.high


def test_common_drift_cancels_only_where_rounds_are_paired() -> None:
    drift = np.array([1.0, 1.5, 2.0, 2.5, 3.0])
    paired = ratio_of_medians(2 * drift, drift, paired=True)
    alone = ratio_of_medians(2 * drift, drift, paired=False)
    assert paired.low == pytest.approx(2.0)
    assert paired.high == pytest.approx(2.0)
    assert alone.high - alone.low > 0.5


def test_a_single_round_has_no_interval() -> None:
    ratio = ratio_of_medians([6.0], [3.0], paired=True)
    assert (ratio.low, ratio.value, ratio.high) == (2.0, 2.0, 2.0)


def test_exponent_and_line_are_found_again() -> None:
    sizes = [1.0, 2.0, 4.0, 8.0]
    assert power_law(sizes, [5 * one**1.7 for one in sizes]) == pytest.approx(1.7)
    assert line(sizes, [3 * one + 11 for one in sizes]) == pytest.approx((3.0, 11.0))


HEAD = {"format": FORMAT, "format_version": FORMAT_VERSION}


def noisy(centre: float, seed: int, rounds: int = 7, spread: float = 0.05) -> list[float]:
    """Rounds about a centre."""
    rng = np.random.default_rng(seed)
    return [float(one) for one in centre * (1 + spread * rng.standard_normal(rounds))]


def record(what: str = "w", fingerprint: Any = "f", **figures: dict[str, Any]) -> dict[str, Any]:
    return {**HEAD, "kind": "peer", "what": what, "fingerprint": fingerprint, "figures": figures}


def verdict(before: list[float], after: list[float], unit: str = MS) -> str:
    changes = compare([record(a=figure(before, unit))], [record(a=figure(after, unit))])
    return changes[0].verdict


def test_a_planted_regression_is_found() -> None:
    assert verdict(noisy(100, 1), noisy(130, 2)) == SLOWER


def test_an_improvement_is_not_a_regression() -> None:
    assert verdict(noisy(100, 1), noisy(70, 2)) == FASTER


@pytest.mark.parametrize("seed", range(10))
def test_noise_is_no_regression(seed: int) -> None:
    assert verdict(noisy(100, seed), noisy(100, seed + 100)) == SAME


def test_a_shift_inside_the_noise_is_not_flagged() -> None:
    assert verdict(noisy(100, 1, spread=0.3), noisy(110, 2, spread=0.3)) == SAME


def test_below_the_tolerance_nothing_is_flagged_however_sure() -> None:
    assert verdict([100.0] * 5, [102.0] * 5) == SAME
    assert verdict([100.0] * 5, [104.0] * 5) == SLOWER


def test_a_single_round_is_given_a_wide_interval() -> None:
    assert verdict([100.0], [112.0]) == SAME
    assert verdict([100.0], [125.0]) == SLOWER


def test_sizes_have_no_noise() -> None:
    assert verdict([1e6], [1.05e6], BYTES) == SLOWER


def test_different_outputs_are_refused_unless_allowed() -> None:
    sides = (
        [record(fingerprint="x", a=figure([1.0], MS))],
        [record(fingerprint="y", a=figure([1.0], MS))],
    )
    with pytest.raises(BenchmarkError, match="different outputs of w"):
        compare(*sides)
    assert len(compare(*sides, any_outputs=True)) == 1


def test_nothing_in_common_is_an_error() -> None:
    with pytest.raises(BenchmarkError, match="without a record of the same name"):
        compare([record("a")], [record("b")])


def test_an_apps_record_is_compared_with_ours() -> None:
    app = {
        **HEAD,
        "kind": "study",
        "fingerprint": "f",
        "runtime": {"threads": 2},
        "input": {"slices": 30},
        "timings": {"study": {"median_ms": 3000.0}},
        "memory": {"above_base_mib": 100.0},
        "bundle": {"bytes": 20},
    }
    ours = record("study of 30 slices | 2 threads", study=figure([1000.0, 1000.0], MS))
    (change,) = compare([ours], [app])
    assert (change.figure, change.verdict) == ("study", SLOWER)
    assert change.ratio.value == 3.0


def write(path: Path, *records: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    return str(path)


def test_the_command_ends_with_1_at_a_regression_and_0_without(tmp_path: Path) -> None:
    before = write(tmp_path / "a", record(call=figure([10.0, 10.1, 9.9], MS)))
    after = write(tmp_path / "b", record(call=figure([14.0, 14.1, 13.9], MS)))
    worse = CliRunner().invoke(benchmark_app, ["compare", before, after])
    assert worse.exit_code == 1
    assert "x 1.400" in worse.stdout
    assert "1 of 1 figures worse" in worse.stdout
    assert CliRunner().invoke(benchmark_app, ["compare", after, before]).exit_code == 0


def test_the_lines_name_the_regression() -> None:
    changes = compare([record(a=figure([1.0] * 3, MS))], [record(a=figure([2.0] * 3, MS))])
    assert lines(regressions(changes)) == ["w, a: 1 -> 2 ms, x 2.000 (2.000 to 2.000) slower"]


def test_figures_of_calls_are_those_that_every_round_has() -> None:
    rounds = [
        {"calls_ms": [1.0, 3.0], "first_ms": 9.0, "load_ms": 4.0, "memory_mib": 7.0},
        {"calls_ms": [4.0, 8.0], "first_ms": 11.0, "memory_mib": 9.0},
    ]
    figures = call_figures(rounds)
    assert list(figures) == ["call", "first", "memory"]
    assert figures["call"]["rounds"] == [2.0, 6.0]
    assert figures["call"]["p95"] == pytest.approx(7.4)  # Of all four calls.
    assert (figures["first"]["median"], figures["memory"]["unit"]) == (10.0, MIB)


def test_memory_that_was_not_measured_is_nought() -> None:
    rounds = [{"calls_ms": [1.0], "memory": {"above_base_mib": None}}]
    assert call_figures(rounds)["memory"]["median"] == 0.0
