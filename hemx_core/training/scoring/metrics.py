"""Scores of a marker classifier: AUC per slice and per patient, with intervals over patients.

A class without positives or without negatives is "not estimable": its AUC is NaN, never an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.markers import MARKER_CODES
from hemx_core.training.scoring import classification
from hemx_core.training.scoring.classification import co_occurrence, label_counts
from hemx_core.training.scoring.intervals import cluster_draws, from_draws
from hemx_core.training.scoring.predictions import (
    NOT_CLASSIFIED,
    Array,
    Predictions,
    rounded,
    sigmoid,
)
from hemx_core.training.scoring.weighted import weighted_auc

__all__ = [
    "NOT_CLASSIFIED",
    "Array",
    "Predictions",
    "auc",
    "bootstrap_auc",
    "co_occurrence",
    "score",
    "sensitivity_specificity",
    "sigmoid",
]


def auc(scores: Array, labels: NDArray[np.int8]) -> float:
    """Area under the ROC curve over the known labels (1 or 0); NaN where not estimable."""
    return _or_nan(classification.auc(scores, labels))


def bootstrap_auc(
    scores: Array,
    labels: NDArray[np.int8],
    patient: NDArray[np.int64],
    *,
    repeats: int,
    seed: int,
) -> tuple[float, float]:
    """95 % percentile interval of the AUC, patients being drawn with replacement.

    A patient comes with all their rows.

    Returns:
        (lower, upper); NaN where fewer than half of the draws are estimable.
    """
    if len(patient) == 0:
        return float("nan"), float("nan")
    weights = cluster_draws(patient, draws=repeats, seed=seed)
    found = from_draws(weighted_auc(scores, labels, weights))
    return _or_nan(found.lower), _or_nan(found.upper)


def sensitivity_specificity(
    positive: NDArray[np.bool_], labels: NDArray[np.int8]
) -> tuple[float, float]:
    """Shares of the present and of the absent that are called so; NaN where there are none."""
    sensitivity, specificity = classification.sensitivity_specificity(positive, labels)
    return _or_nan(sensitivity), _or_nan(specificity)


def score(
    found: Predictions,
    *,
    thresholds: Array,
    temperatures: Array,
    repeats: int,
    seed: int,
    codes: Sequence[str] = MARKER_CODES,
) -> dict[str, Any]:
    """All scores, by marker code, ready for JSON (None where not estimable).

    Args:
        found: predictions on held-out patients.
        thresholds: probability from which a marker is present, shape (4,).
        temperatures: of the logits, shape (4,).
        repeats: draws of the bootstrap.
        seed: of the bootstrap.
        codes: names of the columns.
    """
    table = {}
    for i, code in enumerate(codes):
        truth, logits = found.patient_labels[:, i], found.patient_logits[:, i]
        present = sigmoid(logits / temperatures[i]) >= thresholds[i]
        sensitivity, specificity = sensitivity_specificity(present, truth)
        slices = (found.logits[:, i], found.labels[:, i], found.clusters[found.patient])
        table[code] = {
            "patient_auc": rounded(auc(logits, truth)),
            "patient_auc_95": _interval((logits, truth, found.clusters), repeats, seed),
            "slice_auc": rounded(auc(*slices[:2])),
            "slice_auc_95": _interval(slices, repeats, seed),
            "sensitivity": rounded(sensitivity),
            "specificity": rounded(specificity),
            "patients": label_counts(truth),
            "slices": label_counts(slices[1]),
        }
    return table


def _interval(
    rows: tuple[Array, NDArray[np.int8], NDArray[np.int64]], repeats: int, seed: int
) -> list[float | None]:
    return [rounded(value) for value in bootstrap_auc(*rows, repeats=repeats, seed=seed)]


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
