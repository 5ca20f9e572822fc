import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from hemx_core.training.scoring.intervals import from_draws, patient_draws
from hemx_core.training.scoring.weighted import (
    auc,
    operating_points,
    weighted_auc,
    weighted_average_precision,
    weighted_calibration_error,
    weighted_mean,
    weighted_ratio,
    weighted_sensitivity_at,
    weighted_share,
    weighted_specificity_at,
)

RNG = np.random.default_rng(3)
SCORES = RNG.integers(0, 7, 40).astype(float)
LABELS = RNG.integers(-1, 2, 40).astype(np.int8)
WEIGHTS = RNG.integers(0, 4, (12, 40)).astype(float)


def _copies(draw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = np.repeat(np.arange(40), draw.astype(int))
    rows = rows[LABELS[rows] >= 0]
    return LABELS[rows], SCORES[rows]


def test_weighted_auc_and_ap_equal_scikit_learn_on_copied_rows_with_ties() -> None:
    aucs = weighted_auc(SCORES, LABELS, WEIGHTS)
    precisions = weighted_average_precision(SCORES, LABELS, WEIGHTS)
    for draw, area, precision in zip(WEIGHTS, aucs, precisions, strict=True):
        assert area == pytest.approx(roc_auc_score(*_copies(draw)))
        assert precision == pytest.approx(average_precision_score(*_copies(draw)))


@pytest.mark.parametrize("share", [0.0, 0.6, 0.9, 1.0])
def test_fixed_points_equal_those_read_off_scikit_learns_curve(share: float) -> None:
    sensitivities = weighted_sensitivity_at(SCORES, LABELS, WEIGHTS, specificity=share)
    specificities = weighted_specificity_at(SCORES, LABELS, WEIGHTS, sensitivity=share)
    for draw, sensitivity, specificity in zip(WEIGHTS, sensitivities, specificities, strict=True):
        false_rate, true_rate, _ = roc_curve(*_copies(draw), drop_intermediate=False)
        assert sensitivity == pytest.approx(true_rate[1 - false_rate >= share - 1e-9].max())
        assert specificity == pytest.approx((1 - false_rate)[true_rate >= share - 1e-9].max())


def test_a_fixed_point_that_floating_point_just_misses_is_reached() -> None:
    rows = np.array([0.0] * 9 + [2.0, 1.0]), np.array([0] * 10 + [1], np.int8), np.ones((1, 11))
    assert weighted_sensitivity_at(*rows, specificity=0.9)[0] == 1


def test_auc_of_the_rows_leaves_unknowns_out_and_is_none_without_both_classes() -> None:
    scores = np.array([0.1, 0.4, 0.3, 0.9, 99.0])
    assert auc(scores, np.array([0, 0, 1, 1, -1], np.int8)) == 0.75
    for labels in ([0, 0, 0, 0, -1], [1] * 5, [-1] * 5):
        assert auc(scores, np.array(labels, np.int8)) is None


def test_operating_points_run_from_calling_everything_to_calling_nothing() -> None:
    labels = np.array([0, 1, 0, 1], np.int8)
    found = operating_points(np.array([0.1, 0.2, 0.2, 0.9]), labels, np.ones((1, 4)))
    assert found[0].tolist() == [[1, 1, 0.5, 0]]
    assert found[1].tolist() == [[0, 0.5, 1, 1]]


@pytest.mark.parametrize("labels", [[1, 1, -1], [0, 0, 0], [-1, -1, -1]])
def test_a_missing_class_is_nan(labels: list[int]) -> None:
    rows = np.arange(3.0), np.array(labels, np.int8), np.ones((2, 3))
    assert np.isnan(weighted_auc(*rows)).all()
    assert np.isnan(weighted_average_precision(*rows)).all()
    assert np.isnan(weighted_sensitivity_at(*rows, specificity=0.9)).all()
    assert np.isnan(weighted_specificity_at(*rows, sensitivity=0.9)).all()


def test_means_ratios_and_shares() -> None:
    values, weights = np.array([1.0, 2.0, 6.0]), np.array([[1, 1, 1], [0, 3, 0], [0, 0, 0]], float)
    np.testing.assert_allclose(weighted_mean(values, weights), [3, 2, np.nan])
    np.testing.assert_allclose(weighted_ratio(values, 2 * values, weights), [0.5, 0.5, np.nan])
    called, rows = np.array([True, False, True]), np.array([True, True, False])
    np.testing.assert_allclose(weighted_share(called, rows, weights), [0.5, 0, np.nan])


def test_calibration_error_of_two_bins_by_hand() -> None:
    probabilities, bins = np.array([0.1, 0.3, 0.9, 0.5]), np.array([0, 0, 1, 0])
    labels = np.array([0, 1, 1, -1], np.int8)
    found = weighted_calibration_error(probabilities, labels, bins, np.array([[1.0, 1, 1, 1]]))
    assert found[0] == pytest.approx((abs(0.1 - 0.7) + 0.1) / 3)


ROWS = st.lists(
    st.tuples(st.integers(-5, 5), st.integers(-1, 1), st.integers(0, 3)), min_size=1, max_size=30
)


@settings(deadline=None, max_examples=60)
@given(ROWS)
def test_auc_is_bounded_and_depends_on_ranks_only(rows: list[tuple[int, int, int]]) -> None:
    scores, labels, weights = (np.array(one) for one in zip(*rows, strict=True))
    labels, weights = labels.astype(np.int8), weights[None].astype(float)
    found = weighted_auc(scores.astype(float), labels, weights)
    np.testing.assert_allclose(weighted_auc(np.exp(scores), labels, weights), found)
    np.testing.assert_allclose(weighted_auc(-scores.astype(float), labels, weights), 1 - found)
    order = np.argsort(labels, kind="stable")
    shuffled = weighted_auc(scores[order].astype(float), labels[order], weights[:, order])
    np.testing.assert_allclose(shuffled, found)
    ap = weighted_average_precision(scores.astype(float), labels, weights)
    for value in (found[0], ap[0]):
        assert np.isnan(value) or 0 <= value <= 1


def test_a_thousand_draws_of_sixty_patients_take_less_than_a_second() -> None:
    labels = (np.arange(60) % 3 == 0).astype(np.int8)
    scores = labels + RNG.normal(0, 1, 60)
    started = time.process_time()
    found = from_draws(weighted_auc(scores, labels, patient_draws(60, draws=1000, seed=1)))
    assert time.process_time() - started < 1
    assert found.lower is not None
