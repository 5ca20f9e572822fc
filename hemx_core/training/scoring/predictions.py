"""Logits and truth of slices, the input of every score of a marker classifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int8]
"""1 present, 0 absent, -1 not known."""

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
        cluster: rows of `patient_labels` that are not independent share a number (several studies of
            one patient, several haematomas in one patient's slices), shape (patients,); intervals draw
            clusters. None: every row is its own.
    """

    logits: Array
    labels: Labels
    patient: NDArray[np.int64]
    patient_labels: Labels
    cluster: NDArray[np.int64] | None = None

    @property
    def clusters(self) -> NDArray[np.int64]:
        """`cluster`, or a number for every row."""
        return np.arange(len(self.patient_labels)) if self.cluster is None else self.cluster

    @property
    def patient_logits(self) -> Array:
        """The largest logit of each patient's slices, shape (patients, 4), as triage aggregates."""
        largest = np.full(self.patient_labels.shape, NOT_CLASSIFIED)
        np.maximum.at(largest, self.patient, self.logits)
        return largest


def sigmoid(logits: Array) -> Array:
    """1 / (1 + exp(-logits)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))


def rounded(value: float | None, digits: int = 4) -> float | None:
    """For JSON: None where a figure is not estimable (None, NaN, infinite)."""
    return None if value is None or not np.isfinite(value) else round(float(value), digits)
