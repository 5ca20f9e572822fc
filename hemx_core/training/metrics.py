"""Scores of a marker classifier: AUC per slice and per patient, with intervals over patients.

A class without positives or without negatives is "not estimable": its AUC is NaN, never an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from hemx_core.markers import MARKER_CODES

Array = NDArray[np.float64]
NOT_CLASSIFIED = -20.0
"""Logit of a patient none of whose slices was classified: triage reports no marker there."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Logits of slices and the truth.

    Args:
        logits: shape (slices, 4).
        labels: 1, 0 or -1 (not known), shape (slices, 4).
        patient: number of each slice's patient, shape (slices,).
        patient_labels: the patients' truth, 1, 0 or -1, shape (patients, 4).
    """

    logits: Array
    labels: NDArray[np.int8]
    patient: NDArray[np.int64]
    patient_labels: NDArray[np.int8]

    @property
    def patient_logits(self) -> Array:
        """The largest logit of each patient's slices, shape (patients, 4), as triage aggregates."""
        largest = np.full(self.patient_labels.shape, NOT_CLASSIFIED)
        np.maximum.at(largest, self.patient, self.logits)
        return largest


def auc(scores: Array, labels: NDArray[np.int8]) -> float:
    """Area under the ROC curve over the known labels (1 or 0); NaN where not estimable."""
    known = labels >= 0
    scores, labels = scores[known], labels[known]
    if len(np.unique(labels)) < 2:
        return float("nan")
    return float(roc_auc_score(labels, scores))


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
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(patient == one) for one in np.unique(patient)]
    if not rows:
        return float("nan"), float("nan")
    found = []
    for _ in range(repeats):
        drawn = np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))])
        found.append(auc(scores[drawn], labels[drawn]))
    estimable = np.array(found)[np.isfinite(found)]
    if len(estimable) < max(1, repeats / 2):
        return float("nan"), float("nan")
    lower, upper = np.quantile(estimable, (0.025, 0.975))
    return float(lower), float(upper)


def sensitivity_specificity(
    positive: NDArray[np.bool_], labels: NDArray[np.int8]
) -> tuple[float, float]:
    """Shares of the present and of the absent that are called so; NaN where there are none."""

    def share(truth: int) -> float:
        called = positive[labels == truth]
        return float((called == bool(truth)).mean()) if len(called) else float("nan")

    return share(1), share(0)


def score(
    found: Predictions, *, thresholds: Array, temperatures: Array, repeats: int, seed: int
) -> dict[str, Any]:
    """All scores, by marker code, ready for JSON (None where not estimable).

    Args:
        found: predictions on held-out patients.
        thresholds: probability from which a marker is present, shape (4,).
        temperatures: of the logits, shape (4,).
        repeats: draws of the bootstrap.
        seed: of the bootstrap.
    """
    everyone = np.arange(len(found.patient_labels))
    table = {}
    for i, code in enumerate(MARKER_CODES):
        truth, logits = found.patient_labels[:, i], found.patient_logits[:, i]
        present = sigmoid(logits / temperatures[i]) >= thresholds[i]
        sensitivity, specificity = sensitivity_specificity(present, truth)
        slices = (found.logits[:, i], found.labels[:, i], found.patient)
        table[code] = {
            "patient_auc": _round(auc(logits, truth)),
            "patient_auc_95": _interval((logits, truth, everyone), repeats, seed),
            "slice_auc": _round(auc(*slices[:2])),
            "slice_auc_95": _interval(slices, repeats, seed),
            "sensitivity": _round(sensitivity),
            "specificity": _round(specificity),
            "patients": _counts(truth),
            "slices": _counts(slices[1]),
        }
    return table


def co_occurrence(patient_labels: NDArray[np.int8]) -> dict[str, int]:
    """How many patients show each of the 16 combinations of markers (grey counts as absent)."""
    names = [
        "+".join(code for code, present in zip(MARKER_CODES, row == 1, strict=True) if present)
        for row in patient_labels
    ]
    return {name or "none": names.count(name) for name in sorted(set(names))}


def sigmoid(logits: Array) -> Array:
    """1 / (1 + exp(-logits)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))


def _interval(
    rows: tuple[Array, NDArray[np.int8], NDArray[np.int64]], repeats: int, seed: int
) -> list[float | None]:
    return [_round(value) for value in bootstrap_auc(*rows, repeats=repeats, seed=seed)]


def _counts(labels: NDArray[np.int8]) -> dict[str, int]:
    return {
        name: int((labels == value).sum())
        for name, value in (("present", 1), ("absent", 0), ("undecided", -1))
    }


def _round(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
