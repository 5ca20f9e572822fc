"""Logits and truth of slices, the input of every score of a marker classifier."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hemx_core.markers import MARKER_CODES

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
        area: blood on each slice in any one unit, above 0, shape (slices,); None: not known, and every
            way from slices to patients but the largest logit needs it.
        index: number of each slice in its volume, shape (slices,); None as above.
    """

    logits: Array
    labels: Labels
    patient: NDArray[np.int64]
    patient_labels: Labels
    cluster: NDArray[np.int64] | None = None
    area: Array | None = None
    index: NDArray[np.int64] | None = None

    @property
    def clusters(self) -> NDArray[np.int64]:
        """`cluster`, or a number for every row."""
        return np.arange(len(self.patient_labels)) if self.cluster is None else self.cluster

    @property
    def patient_logits(self) -> Array:
        """The largest logit of each patient's slices, shape (patients, 4); see `aggregation` for others."""
        largest = np.full(self.patient_labels.shape, NOT_CLASSIFIED)
        np.maximum.at(largest, self.patient, self.logits)
        return largest


def sigmoid(logits: Array) -> Array:
    """1 / (1 + exp(-logits)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))


def rounded(value: float | None, digits: int = 4) -> float | None:
    """For JSON: None where a figure is not estimable (None, NaN, infinite)."""
    return None if value is None or not np.isfinite(value) else round(float(value), digits)


def known_rows(scores: Array, labels: Labels) -> tuple[Array, Labels] | None:
    """Scores and labels of the rows whose label is known; None where a class is missing."""
    known = labels >= 0
    scores, labels = scores[known], labels[known]
    return (scores, labels) if len(np.unique(labels)) == 2 else None


def label_counts(labels: Labels) -> dict[str, int]:
    """How many rows are present, absent and undecided."""
    return {
        name: int((labels == value).sum())
        for name, value in (("present", 1), ("absent", 0), ("undecided", -1))
    }


def combination(row: NDArray[np.bool_]) -> str:
    """Name of a combination of markers: their codes joined by `+`, or `none`."""
    codes = [code for code, present in zip(MARKER_CODES, row, strict=True) if present]
    return "+".join(codes) or "none"


def co_occurrence(patient_labels: Labels, *, every: bool = False) -> dict[str, int]:
    """How many patients show each combination of markers (undecided counts as absent).

    Args:
        patient_labels: shape (patients, 4).
        every: all 16 combinations, in the order of their size, rather than only those that occur.
    """
    names = [combination(row == 1) for row in patient_labels]
    if not every:
        return {name: names.count(name) for name in sorted(set(names))}
    rows = sorted(
        product((False, True), repeat=len(MARKER_CODES)),
        key=lambda row: (sum(row), [not x for x in row]),
    )
    return {name: names.count(name) for name in (combination(np.array(row)) for row in rows)}
