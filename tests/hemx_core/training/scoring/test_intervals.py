import numpy as np
import pytest

from hemx_core.training.scoring.classification import auc
from hemx_core.training.scoring.intervals import (
    NOT_ESTIMABLE,
    Estimate,
    bootstrap,
    cluster_draws,
    from_draws,
    paired_bootstrap,
    patient_draws,
)
from hemx_core.training.scoring.weighted import weighted_auc, weighted_mean

RNG = np.random.default_rng(7)


def test_draws_keep_patients_and_strata_and_follow_the_seed() -> None:
    strata = np.array(["a", "b", "a", "b", "b"])
    weights = patient_draws(5, draws=40, seed=1, strata=strata)
    assert weights.shape == (41, 5)
    assert (weights[0] == 1).all()
    assert (weights[:, strata == "a"].sum(1) == 2).all()
    assert (weights[:, strata == "b"].sum(1) == 3).all()
    np.testing.assert_array_equal(weights, patient_draws(5, draws=40, seed=1, strata=strata))
    free = patient_draws(5, draws=40, seed=1)
    assert (free.sum(1) == 5).all()
    assert (free[:, strata == "a"].sum(1) != 2).any()
    assert (free != patient_draws(5, draws=40, seed=2)).any()


def test_the_general_form_and_the_vectorised_form_are_the_same_bootstrap() -> None:
    patient = np.repeat(np.arange(12), 4)
    labels = RNG.integers(-1, 2, 48).astype(np.int8)
    scores = labels + RNG.normal(0, 1, 48)
    general = bootstrap(lambda rows: auc(scores[rows], labels[rows]), patient, draws=60, seed=2)
    weights = patient_draws(12, draws=60, seed=2)[:, patient]
    fast = from_draws(weighted_auc(scores, labels, weights))
    for one, other in zip(general.to_json()["interval"], fast.to_json()["interval"], strict=True):
        assert one == pytest.approx(other)
    assert general.value == pytest.approx(fast.value)


def test_interval_has_the_width_of_the_central_limit_theorem() -> None:
    values = RNG.normal(5, 2, 400)
    found = from_draws(weighted_mean(values, patient_draws(400, draws=2000, seed=1)))
    assert found.value == pytest.approx(values.mean())
    width = (found.upper or 0) - (found.lower or 0)
    assert width == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_interval_is_wider_where_rows_belong_to_few_patients() -> None:
    values = np.repeat(RNG.normal(0, 1, 20), 10)

    def width(patient: np.ndarray) -> float:
        found = bootstrap(lambda rows: float(values[rows].mean()), patient, draws=200, seed=1)
        return (found.upper or 0) - (found.lower or 0)

    assert width(np.repeat(np.arange(20), 10)) > 2 * width(np.arange(200))


def test_a_paired_difference_is_narrower_than_its_arms() -> None:
    patient = np.arange(60)
    first = RNG.normal(0, 1, 60)
    second = first + 0.3 + RNG.normal(0, 0.1, 60)
    gain = paired_bootstrap(
        lambda rows: float(first[rows].mean()),
        lambda rows: float(second[rows].mean()),
        patient,
        draws=200,
    )
    arm = bootstrap(lambda rows: float(first[rows].mean()), patient, draws=200)
    assert gain.value == pytest.approx(0.3, abs=0.05)
    assert gain.lower is not None
    assert gain.lower > 0.2
    assert (gain.upper or 0) - gain.lower < 0.3 * ((arm.upper or 0) - (arm.lower or 0))
    same = paired_bootstrap(*[lambda rows: float(first[rows].mean())] * 2, patient, draws=20)
    assert (same.value, same.lower, same.upper) == (0, 0, 0)


def test_what_cannot_be_estimated_is_none_and_says_so() -> None:
    assert bootstrap(lambda rows: None, np.arange(3), draws=5) == NOT_ESTIMABLE
    assert bootstrap(lambda rows: 1.0, np.array([]), draws=5) == NOT_ESTIMABLE
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
