import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hemx_core.errors import TrainingError
from hemx_core.training.scoring.aggregation import (
    MAX,
    Aggregation,
    Way,
    choose_aggregation,
    patient_logits,
)
from hemx_core.training.scoring.predictions import NOT_CLASSIFIED, Predictions, sigmoid

NOISY_OR = Aggregation(Way.NOISY_OR)


def _one_patient(logits: np.ndarray) -> Predictions:
    unknown = np.full(logits.shape, -1, np.int8)
    return Predictions(
        logits, unknown, np.zeros(len(logits), np.int64), np.full((1, 4), -1, np.int8)
    )


def test_known_values_and_the_floor_of_a_patient_without_slices() -> None:
    logits = np.array([[1.0, 0, 0, 0], [3, 0, 0, 0], [-5, 0, 0, 0], [7, 7, 7, 7]])
    labels = np.zeros((4, 4), np.int8)
    found = Predictions(logits, labels, np.array([0, 0, 0, 2]), np.zeros((3, 4), np.int8))
    np.testing.assert_array_equal(patient_logits(found, MAX), found.patient_logits)
    two = patient_logits(found, Aggregation(Way.TOP_K_MEAN, 2))
    np.testing.assert_array_equal(two[:, 0], [2, NOT_CLASSIFIED, 7])
    assert patient_logits(found, Aggregation(Way.TOP_K_MEAN, 9))[0, 0] == pytest.approx(-1 / 3)
    noisy = patient_logits(found, NOISY_OR)
    assert sigmoid(noisy)[0, 1] == pytest.approx(1 - 0.5**3)
    assert noisy[2, 0] == pytest.approx(7)
    assert noisy[1, 0] == NOT_CLASSIFIED


@settings(deadline=None, max_examples=50)
@given(arrays(np.float64, st.tuples(st.integers(1, 8), st.just(4)), elements=st.floats(-900, 900)))
def test_ways_are_ordered_finite_and_do_not_see_the_order_of_slices(logits: np.ndarray) -> None:
    found = _one_patient(logits)
    by_max, noisy = patient_logits(found, MAX), patient_logits(found, NOISY_OR)
    mean = patient_logits(found, Aggregation(Way.TOP_K_MEAN, 3))
    assert np.isfinite(noisy).all()
    assert (noisy >= by_max - 1e-9).all()
    assert (mean <= by_max + 1e-9).all()
    np.testing.assert_array_equal(by_max, patient_logits(found, Aggregation(Way.TOP_K_MEAN, 1)))
    turned = _one_patient(logits[::-1].copy())
    np.testing.assert_allclose(patient_logits(turned, NOISY_OR), noisy)


def _cohort(*, noisy_slices: bool) -> Predictions:
    """40 patients of 8 slices; with `noisy_slices` the marker shows on all slices, faintly."""
    rng = np.random.default_rng(5)
    labels = np.tile(np.arange(40)[:, None] % 2, (1, 4)).astype(np.int8)
    patient = np.repeat(np.arange(40), 8)
    shown = np.ones(320, bool) if noisy_slices else np.arange(320) % 8 == 0
    slices = np.where(shown[:, None], labels[patient], 0).astype(np.int8)
    sd, lift = (3.0, 2.0) if noisy_slices else (0.7, 3.0)
    return Predictions(lift * slices + rng.normal(0, sd, (320, 4)), slices, patient, labels)


def test_the_way_that_fits_the_patients_is_chosen() -> None:
    faint = choose_aggregation(
        _cohort(noisy_slices=True), candidates=(MAX, Aggregation(Way.TOP_K_MEAN, 8))
    )
    assert faint.chosen.name == "top_8_mean"
    sharp = choose_aggregation(
        _cohort(noisy_slices=False), candidates=(Aggregation(Way.TOP_K_MEAN, 8), MAX)
    )
    assert sharp.chosen == MAX
    assert sharp.to_json()["chosen"] == "max"
    assert all(loss is not None and loss > 0 for loss in sharp.log_loss.values())


def test_of_equal_ways_the_first_is_chosen_and_without_classes_too() -> None:
    found = _cohort(noisy_slices=False)
    same = (Aggregation(Way.TOP_K_MEAN, 1), MAX)
    assert choose_aggregation(found, candidates=same).chosen == same[0]
    blank = Predictions(found.logits, found.labels, found.patient, found.patient_labels * 0)
    choice = choose_aggregation(blank, candidates=same)
    assert choice.chosen == same[0]
    assert set(choice.log_loss.values()) == {None}


def test_a_mean_of_no_slices_is_refused() -> None:
    with pytest.raises(TrainingError, match="at least 1"):
        Aggregation(Way.TOP_K_MEAN, 0)
