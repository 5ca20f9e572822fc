import numpy as np
import pytest

from hemx_core.training.scoring.intervals import (
    NOT_ESTIMABLE,
    Estimate,
    cluster_draws,
    from_draws,
    patient_draws,
    wilson,
)
from hemx_core.training.scoring.weighted import weighted_mean

RNG = np.random.default_rng(7)


def test_draws_keep_the_number_of_patients_and_follow_the_seed() -> None:
    weights = patient_draws(5, draws=40, seed=1)
    assert weights.shape == (41, 5)
    assert (weights[0] == 1).all()
    assert (weights.sum(1) == 5).all()
    np.testing.assert_array_equal(weights, patient_draws(5, draws=40, seed=1))
    assert (weights != patient_draws(5, draws=40, seed=2)).any()
    assert patient_draws(0, draws=4, seed=1).shape == (5, 0)


def test_interval_has_the_width_of_the_central_limit_theorem() -> None:
    values = RNG.normal(5, 2, 400)
    found = from_draws(weighted_mean(values, patient_draws(400, draws=2000, seed=1)))
    assert found.value == pytest.approx(values.mean())
    width = (found.upper or 0) - (found.lower or 0)
    assert width == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_interval_is_wider_where_rows_belong_to_few_patients() -> None:
    values = np.repeat(RNG.normal(0, 1, 20), 10)

    def width(patient: np.ndarray) -> float:
        found = from_draws(weighted_mean(values, cluster_draws(patient, draws=200, seed=1)))
        return (found.upper or 0) - (found.lower or 0)

    assert width(np.repeat(np.arange(20), 10)) > 2 * width(np.arange(200))


def test_a_paired_difference_is_narrower_than_its_arms() -> None:
    first = RNG.normal(0, 1, 60)
    second = first + 0.3 + RNG.normal(0, 0.1, 60)
    draws = patient_draws(60, draws=200, seed=1)
    before, after = (weighted_mean(values, draws) for values in (first, second))
    gain, arm = from_draws(after - before), from_draws(before)
    assert gain.value == pytest.approx(0.3, abs=0.05)
    assert gain.lower is not None
    assert gain.lower > 0.2
    assert (gain.upper or 0) - gain.lower < 0.3 * ((arm.upper or 0) - (arm.lower or 0))
    same = from_draws(before - before)
    assert (same.value, same.lower, same.upper) == (0, 0, 0)


def test_what_cannot_be_estimated_is_none_and_says_so() -> None:
    assert from_draws(np.full(6, np.nan)) == NOT_ESTIMABLE
    mostly_missing = from_draws(np.array([0.5, 0.4, np.nan, np.nan]))
    assert mostly_missing == Estimate(0.5, None, None)
    assert mostly_missing.to_json() == {"value": 0.5, "interval": [None, None]}
    assert str(NOT_ESTIMABLE) == "not estimable"
    assert str(mostly_missing) == "0.500 (no interval)"
    assert str(Estimate(0.5, 0.4, 0.61)) == "0.500 (0.400 to 0.610)"


def test_rows_of_a_cluster_are_drawn_together() -> None:
    weights = cluster_draws(np.array([7, 3, 7, 3, 5]), draws=50, seed=2)
    assert weights.shape == (51, 5)
    assert (weights[0] == 1).all()
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 3])
    assert (weights[1:, 0] != weights[1:, 1]).any()


def test_wilson_has_a_width_where_a_bootstrap_has_none() -> None:
    assert wilson(0, 0) == NOT_ESTIMABLE
    all_right = wilson(8, 8)
    assert all_right.value == all_right.upper == 1
    assert all_right.lower == pytest.approx(8 / (8 + 1.959964**2))
