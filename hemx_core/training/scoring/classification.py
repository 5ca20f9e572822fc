"""Scores of one marker over slices or patients; labels of -1 are left out.

None stands for "not estimable": the known labels lack a class. It is never an error, because small
test sets and single sites lack classes all the time.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from hemx_core.markers import MARKER_CODES
from hemx_core.training.scoring.predictions import Array, Labels
from hemx_core.training.scoring.weighted import TOLERANCE


def known_rows(scores: Array, labels: Labels) -> tuple[Array, Labels] | None:
    """Scores and labels of the rows whose label is known; None where a class is missing."""
    known = labels >= 0
    scores, labels = scores[known], labels[known]
    return (scores, labels) if len(np.unique(labels)) == 2 else None


def auc(scores: Array, labels: Labels) -> float | None:
    """Area under the ROC curve.

    Args:
        scores: shape (rows,); larger speaks for the marker.
        labels: 1, 0 or -1, shape (rows,).
    """
    rows = known_rows(scores, labels)
    return None if rows is None else float(roc_auc_score(rows[1], rows[0]))


def average_precision(scores: Array, labels: Labels) -> float | None:
    """Average precision, whose value by chance is the prevalence; arguments as for `auc`."""
    rows = known_rows(scores, labels)
    return None if rows is None else float(average_precision_score(rows[1], rows[0]))


def sensitivity_at_specificity(
    scores: Array, labels: Labels, *, specificity: float
) -> float | None:
    """Best sensitivity of a threshold of at least this specificity, on the rows themselves.

    Args:
        scores: shape (rows,).
        labels: 1, 0 or -1, shape (rows,).
        specificity: in [0, 1].
    """
    rows = known_rows(scores, labels)
    if rows is None:
        return None
    false_rate, true_rate, _ = roc_curve(rows[1], rows[0], drop_intermediate=False)
    return float(true_rate[1 - false_rate >= specificity - TOLERANCE].max())


def specificity_at_sensitivity(
    scores: Array, labels: Labels, *, sensitivity: float
) -> float | None:
    """Best specificity of a threshold of at least this sensitivity; see the other way round."""
    rows = known_rows(scores, labels)
    if rows is None:
        return None
    false_rate, true_rate, _ = roc_curve(rows[1], rows[0], drop_intermediate=False)
    return float((1 - false_rate)[true_rate >= sensitivity - TOLERANCE].max())


def sensitivity_specificity(
    called: NDArray[np.bool_], labels: Labels
) -> tuple[float | None, float | None]:
    """Shares of the present and of the absent that are called so; None where there are none."""

    def share(truth: int) -> float | None:
        rows = called[labels == truth]
        return float((rows == bool(truth)).mean()) if len(rows) else None

    return share(1), share(0)


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
