import numpy as np
import pytest

from benchmarks.paper.stats import difference, estimate
from hemx_core.training.scoring.intervals import patient_draws
from hemx_core.training.scoring.weighted import weighted_mean

RNG = np.random.default_rng(3)


def test_interval_has_the_width_of_the_central_limit_theorem() -> None:
    values = RNG.normal(5, 2, 400)
    found = estimate([weighted_mean(values, patient_draws(400, draws=2000, seed=1))])
    assert found.value == pytest.approx(values.mean())
    assert found.lower is not None
    assert found.upper is not None
    assert found.upper - found.lower == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert found.seed_sd is None


def test_seeds_are_averaged_and_their_spread_is_given() -> None:
    found = estimate([np.array([1.0, 0.9, 1.1]), np.array([3.0, 2.9, 3.1])])
    assert found.value == 2
    assert found.seed_sd == pytest.approx(2**0.5)
    assert (found.lower, found.upper) == pytest.approx((1.905, 2.095))
    assert found.to_json()["seeds"] == 2


def test_a_paired_difference_is_narrower_than_its_arms() -> None:
    weights = patient_draws(100, draws=500, seed=1)
    patient = RNG.normal(0, 1, 100)
    first = [weighted_mean(patient + RNG.normal(0, 0.1, 100), weights) for _ in range(3)]
    second = [weighted_mean(patient + 0.3 + RNG.normal(0, 0.1, 100), weights) for _ in range(3)]
    gain, arm = difference(first, second), estimate(first)
    assert gain.value == pytest.approx(0.3, abs=0.05)
    assert None not in (gain.lower, gain.upper, arm.lower, arm.upper, gain.seed_sd)
    assert gain.upper - gain.lower < 0.5 * (arm.upper - arm.lower)  # type: ignore[operator]
    assert gain.seeds == 3


def test_what_one_seed_cannot_estimate_is_not_estimable() -> None:
    found = estimate([np.array([0.5, 0.5]), np.array([np.nan, 0.5])])
    assert (found.value, found.lower, found.seed_sd) == (None, None, None)
    assert found.to_json()["interval_95"] == [None, None]
