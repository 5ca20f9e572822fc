"""Medians, percentiles and ratios, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.medians import line, power_law, ratio_of_medians, summarise


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
