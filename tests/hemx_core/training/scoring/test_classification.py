import numpy as np
import pytest

from hemx_core.training.scoring.classification import (
    auc,
    average_precision,
    co_occurrence,
    label_counts,
    sensitivity_at_specificity,
    sensitivity_specificity,
    specificity_at_sensitivity,
)


def _labels(*values: int) -> np.ndarray:
    return np.array(values, np.int8)


SCORES = np.array([0.1, 0.4, 0.3, 0.9, 99.0])


def test_known_values_with_an_unknown_row_left_out() -> None:
    labels = _labels(0, 0, 1, 1, -1)
    assert auc(SCORES, labels) == 0.75
    # Ranked 0.9 (1), 0.4 (0), 0.3 (1): precision 1 at recall 1/2, 2/3 at recall 1.
    assert average_precision(SCORES, labels) == pytest.approx((1 + 2 / 3) / 2)
    assert sensitivity_at_specificity(SCORES, labels, specificity=0.9) == 0.5
    assert sensitivity_at_specificity(SCORES, labels, specificity=0.5) == 1
    assert specificity_at_sensitivity(SCORES, labels, sensitivity=0.9) == 0.5
    assert specificity_at_sensitivity(SCORES, labels, sensitivity=0.5) == 1


def test_a_fixed_point_that_floating_point_just_misses_is_reached() -> None:
    labels = np.array([0] * 10 + [1], np.int8)
    scores = np.array([0.0] * 9 + [2.0, 1.0])
    assert sensitivity_at_specificity(scores, labels, specificity=0.9) == 1


@pytest.mark.parametrize(
    "labels", [_labels(0, 0, 0, 0, -1), _labels(1, 1, 1, 1, 1), _labels(*[-1] * 5)]
)
def test_a_missing_class_is_not_estimable(labels: np.ndarray) -> None:
    assert auc(SCORES, labels) is None
    assert average_precision(SCORES, labels) is None
    assert sensitivity_at_specificity(SCORES, labels, specificity=0.9) is None
    assert specificity_at_sensitivity(SCORES, labels, sensitivity=0.9) is None


def test_sensitivity_and_specificity_of_calls() -> None:
    called = np.array([True, False, True, False, False, True])
    assert sensitivity_specificity(called, _labels(1, 1, 0, 0, 0, -1)) == (0.5, 2 / 3)
    assert sensitivity_specificity(called[:1], _labels(0)) == (None, 0)


def test_counts_and_the_sixteen_combinations() -> None:
    labels = np.array([[1, 0, 0, 1], [1, -1, 0, 1], [0, 0, -1, 0], [1, 1, 1, 1]], np.int8)
    assert label_counts(labels[:, 1]) == {"present": 1, "absent": 2, "undecided": 1}
    everything = "hypodensity+irregular+blend+fluid_level"
    assert co_occurrence(labels) == {"none": 1, "hypodensity+fluid_level": 2, everything: 1}
    table = co_occurrence(labels, every=True)
    assert len(table) == 16
    assert sum(table.values()) == 4
    assert list(table)[:3] == ["none", "hypodensity", "irregular"]
    assert list(table)[-1] == everything
