import math

import numpy as np
import pytest

from hemx_core.training.scoring.classification import co_occurrence
from hemx_core.training.scoring.metrics import auc, bootstrap_auc, score, sensitivity_specificity
from hemx_core.training.scoring.predictions import NOT_CLASSIFIED, Predictions


def _labels(*values: int) -> np.ndarray:
    return np.array(values, np.int8)


def test_auc_is_the_share_of_ordered_pairs_and_leaves_unknowns_out() -> None:
    scores = np.array([0.1, 0.4, 0.3, 0.9, 99.0])
    assert auc(scores, _labels(0, 0, 1, 1, -1)) == 0.75


@pytest.mark.parametrize("labels", [_labels(0, 0, -1), _labels(1, 1, 1), _labels(-1, -1, -1)])
def test_auc_without_both_classes_is_not_estimable(labels: np.ndarray) -> None:
    assert math.isnan(auc(np.arange(3.0), labels))


def test_patients_take_their_largest_logit_and_keep_a_floor_without_slices() -> None:
    found = Predictions(
        np.array([[1.0, -3, 0, 0], [2.0, -5, 0, 0], [-1.0, 4, 0, 0]]),
        np.zeros((3, 4), np.int8),
        np.array([0, 0, 2]),
        np.zeros((3, 4), np.int8),
    )
    assert found.patient_logits[:, :2].tolist() == [
        [2, -3], [NOT_CLASSIFIED, NOT_CLASSIFIED], [-1, 4],
    ]  # fmt: skip


def test_interval_is_wider_where_rows_belong_to_few_patients() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat(rng.integers(0, 2, 20), 10).astype(np.int8)
    scores = labels + np.repeat(rng.normal(0, 1.5, 20), 10)
    few = bootstrap_auc(scores, labels, np.repeat(np.arange(20), 10), repeats=200, seed=1)
    many = bootstrap_auc(scores, labels, np.arange(200), repeats=200, seed=1)
    assert few[0] < auc(scores, labels) < few[1]
    assert few[1] - few[0] > 2 * (many[1] - many[0])


def test_interval_of_a_class_without_positives_is_nan() -> None:
    found = bootstrap_auc(np.arange(4.0), _labels(0, 0, 0, 0), np.arange(4), repeats=20, seed=1)
    assert all(math.isnan(value) for value in found)


def test_sensitivity_and_specificity() -> None:
    called = np.array([True, False, True, False, False, True])
    assert sensitivity_specificity(called, _labels(1, 1, 0, 0, 0, -1)) == (0.5, 2 / 3)
    assert math.isnan(sensitivity_specificity(called[:1], _labels(0))[0])


def test_scores_are_ready_for_json_with_none_where_not_estimable() -> None:
    labels = np.array([[1, 0, 0, -1]] * 4 + [[0, 0, 1, -1]] * 4, np.int8)
    logits = np.where(labels == 1, 2.0, -2.0)
    found = Predictions(logits, labels, np.arange(8), labels)
    table = score(found, thresholds=np.full(4, 0.5), temperatures=np.ones(4), repeats=50, seed=1)
    assert table["hypodensity"]["patient_auc"] == table["blend"]["slice_auc"] == 1
    assert table["hypodensity"]["sensitivity"] == table["hypodensity"]["specificity"] == 1
    assert table["hypodensity"]["patients"] == {"present": 4, "absent": 4, "undecided": 0}
    assert table["irregular"]["patient_auc"] is None
    assert table["irregular"]["patient_auc_95"] == [None, None]
    assert table["fluid_level"]["slice_auc"] is None


def test_co_occurrence_counts_combinations() -> None:
    labels = np.array([[1, 0, 0, 1], [1, -1, 0, 1], [0, 0, -1, 0]], np.int8)
    assert co_occurrence(labels) == {"none": 1, "hypodensity+fluid_level": 2}
