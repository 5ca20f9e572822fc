import numpy as np
import pytest

from hemx_core.training.scoring.thresholds import (
    Criterion,
    choose_threshold,
    marker_threshold,
)


def test_threshold_reaches_the_sensitivity_with_the_best_youden_index() -> None:
    probabilities = np.array([0.9, 0.8, 0.7, 0.1, 0.85, 0.3, 0.25, 0.2])
    labels = np.array([1, 1, 1, 1, 0, 0, 0, 0], np.int8)
    assert marker_threshold(probabilities, labels, least_sensitivity=0.75) == pytest.approx(0.5)
    assert marker_threshold(probabilities, labels, least_sensitivity=0.9) == pytest.approx(0.1)


def test_one_unlucky_negative_does_not_cost_true_finds() -> None:
    probabilities = np.array([*np.linspace(0.6, 0.9, 20), 0.62, *np.linspace(0.1, 0.4, 30)])
    labels = np.array([1] * 20 + [0] * 31, np.int8)
    assert marker_threshold(probabilities, labels, least_sensitivity=0.9) == pytest.approx(0.5)


@pytest.mark.parametrize(("value", "expected"), [(0.001, 0.05), (0.999, 0.95)])
def test_threshold_is_kept_within_bounds(value: float, expected: float) -> None:
    labels = np.array([1, 0], np.int8)
    assert marker_threshold(np.array([value, value]), labels, least_sensitivity=0.9) == expected


def test_of_equal_dice_the_lowest_threshold_and_of_equal_youden_the_most_sensitive() -> None:
    dice = {"dice": np.array([0.7, 0.9, 0.9])}
    assert choose_threshold((0.3, 0.4, 0.5), Criterion.DICE, dice) == 0.4
    shares = {"sensitivity": np.array([1.0, 0.8, 0.4]), "specificity": np.array([0.2, 0.6, 1.0])}
    assert choose_threshold((0.3, 0.4, 0.5), Criterion.YOUDEN, shares) == 0.4
    floor = choose_threshold((0.3, 0.4, 0.5), Criterion.YOUDEN, shares, least_sensitivity=0.9)
    assert floor == 0.3
