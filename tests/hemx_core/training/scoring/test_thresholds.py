import numpy as np
import pytest

from hemx_core.training.scoring.thresholds import (
    Criterion,
    choose_threshold,
    marker_threshold,
)


def _threshold(
    probabilities: np.ndarray, labels: np.ndarray, *, sensitivity: float, specificity: float = 0.0
) -> float:
    return marker_threshold(
        probabilities, labels, least_sensitivity=sensitivity, least_specificity=specificity
    )


def test_threshold_reaches_the_sensitivity_with_the_best_youden_index() -> None:
    probabilities = np.array([0.9, 0.8, 0.7, 0.1, 0.85, 0.3, 0.25, 0.2])
    labels = np.array([1, 1, 1, 1, 0, 0, 0, 0], np.int8)
    assert _threshold(probabilities, labels, sensitivity=0.75) == pytest.approx(0.5)
    assert _threshold(probabilities, labels, sensitivity=0.9) == pytest.approx(0.1)


def test_the_floor_on_specificity_wins() -> None:
    """A rare marker that is hardly learnt: nine in ten are found by calling nearly everybody."""
    rng = np.random.default_rng(4)
    labels = (np.arange(400) < 40).astype(np.int8)
    probabilities = np.clip(rng.normal(0.10 + 0.03 * labels, 0.04), 0.001, 0.999)

    def called(threshold: float) -> tuple[float, float]:
        above = probabilities >= threshold
        return float(above[labels == 1].mean()), float(above[labels == 0].mean())

    loose = called(_threshold(probabilities, labels, sensitivity=0.9))
    strict = called(_threshold(probabilities, labels, sensitivity=0.9, specificity=0.9))
    assert loose[0] >= 0.9
    assert loose[1] > 0.5
    assert strict[1] <= 0.1
    # As sensitive as the floor allows, and no stricter than that.
    assert strict[0] > 0.15


def test_both_floors_are_kept_where_both_can_be() -> None:
    probabilities = np.array([0.9, 0.8, 0.7, 0.3, 0.35, 0.25, 0.2, 0.1])
    labels = np.array([1, 1, 1, 1, 0, 0, 0, 0], np.int8)
    found = _threshold(probabilities, labels, sensitivity=1.0, specificity=0.75)
    assert found == pytest.approx(0.275)
    found = _threshold(probabilities, labels, sensitivity=1.0, specificity=0.9)
    assert found == pytest.approx(0.525)


def test_where_nothing_can_be_told_nobody_is_called() -> None:
    labels = np.array([1, 1, 0, 0], np.int8)
    assert _threshold(np.full(4, 0.4), labels, sensitivity=0.9, specificity=0.9) > 0.4
    assert _threshold(np.full(4, 0.4), labels, sensitivity=0.9) <= 0.4


def test_one_unlucky_negative_does_not_cost_true_finds() -> None:
    probabilities = np.array([*np.linspace(0.6, 0.9, 20), 0.62, *np.linspace(0.1, 0.4, 30)])
    labels = np.array([1] * 20 + [0] * 31, np.int8)
    assert _threshold(probabilities, labels, sensitivity=0.9) == pytest.approx(0.5)


@pytest.mark.parametrize(("value", "expected"), [(0.001, 0.01), (0.9999, 0.99)])
def test_threshold_is_kept_within_bounds(value: float, expected: float) -> None:
    labels = np.array([1, 0], np.int8)
    assert _threshold(np.array([value, value]), labels, sensitivity=0.9) == expected


def test_of_equal_dice_the_lowest_threshold_and_of_equal_youden_the_most_sensitive() -> None:
    dice = {"dice": np.array([0.7, 0.9, 0.9])}
    assert choose_threshold((0.3, 0.4, 0.5), Criterion.DICE, dice) == 0.4
    shares = {"sensitivity": np.array([1.0, 0.8, 0.4]), "specificity": np.array([0.2, 0.6, 1.0])}
    assert choose_threshold((0.3, 0.4, 0.5), Criterion.YOUDEN, shares) == 0.4
    floor = choose_threshold((0.3, 0.4, 0.5), Criterion.YOUDEN, shares, least_sensitivity=0.9)
    assert floor == 0.3
    strict = choose_threshold(
        (0.3, 0.4, 0.5),
        Criterion.YOUDEN,
        shares,
        least_sensitivity=0.9,
        least_specificity=0.5,
    )
    assert strict == 0.4
