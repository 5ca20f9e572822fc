import numpy as np
import pytest

from benchmarks.pareto.scores import auc_scores, dice_scores, marker_aucs, mean_dice
from hemx_core.markers import MARKER_CODES

TRUTH = {
    "labels": np.zeros((8, 4), np.int8),
    "patient": np.arange(8),
    "patient_labels": np.array([[i % 2] * 4 for i in range(8)], np.int8),
    "cluster": np.arange(8) // 2,
}


def logits(right: float) -> np.ndarray:
    """The first marker by `right`, the others without error."""
    found = np.repeat(np.arange(8)[:, None] % 2, 4, axis=1).astype(np.float64)
    found[:, 0] *= right
    return found


def test_auc_of_each_marker_and_their_mean() -> None:
    scores = auc_scores(marker_aucs(TRUTH, logits(-1.0), draws=50), None)
    assert scores["markers"][MARKER_CODES[0]]["value"] == 0.0
    assert scores["markers"][MARKER_CODES[1]]["value"] == 1.0
    assert scores["score"] == {"value": 0.75, "interval": [0.75, 0.75]}
    assert "against_shipped" not in scores


def test_the_difference_is_paired() -> None:
    good, bad = (marker_aucs(TRUTH, logits(right), draws=50) for right in (1.0, -1.0))
    scores = auc_scores(good, bad)
    assert scores["against_shipped"] == {"value": 0.25, "interval": [0.25, 0.25]}
    assert auc_scores(bad, bad)["against_shipped"] == {"value": 0.0, "interval": [0.0, 0.0]}


def test_a_marker_without_positives_leaves_the_mean_not_estimable() -> None:
    truth = TRUTH | {"patient_labels": TRUTH["patient_labels"] * np.array([0, 1, 1, 1], np.int8)}
    scores = auc_scores(marker_aucs(truth, logits(1.0), draws=50), None)
    assert scores["score"] == {"value": None, "interval": [None, None]}
    assert scores["markers"][MARKER_CODES[1]]["value"] == 1.0


def test_dice_is_a_mean_over_studies() -> None:
    base = np.array([0.9, 0.8, 1.0])
    found = dice_scores(mean_dice(base - 0.1, draws=50), mean_dice(base, draws=50))
    assert found["score"]["value"] == pytest.approx(0.8)
    assert found["against_shipped"] == {"value": -0.1, "interval": [-0.1, -0.1]}
