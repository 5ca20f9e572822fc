"""Statistics under many weightings of the rows at once: a cheap bootstrap of 1,000 draws.

Every function takes `weights` of shape (draws, rows) and returns shape (draws,), NaN where a draw
leaves nothing to estimate. Under weights of one each equals scikit-learn's (tests hold it to that).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemx_core.training.scoring.predictions import Array, Labels

TOLERANCE = 1e-9
"""A share such as 0.9 of ten is reached although floating point says 0.8999…"""


def weighted_mean(values: Array, weights: Array) -> Array:
    """Mean of values, shape (rows,), under each draw."""
    return _ratio(weights @ values, weights.sum(1))


def weighted_ratio(above: Array, below: Array, weights: Array) -> Array:
    """Ratio of two weighted sums, for pooled figures; `above` and `below` have shape (rows,)."""
    return _ratio(weights @ above, weights @ below)


def weighted_auc(scores: Array, labels: Labels, weights: Array) -> Array:
    """Area under the ROC curve: P(positive above negative) + P(equal) / 2 (Hanley and McNeil 1982).

    Args:
        scores: shape (rows,).
        labels: 1, 0, or -1 for rows left out, shape (rows,).
        weights: shape (draws, rows).
    """
    steps = _steps(scores, labels, weights)
    below = np.cumsum(steps.negative, 1) - steps.negative / 2
    return _ratio((steps.positive * below).sum(1), steps.positives * steps.negatives)


def auc(scores: Array, labels: Labels) -> float | None:
    """Area under the ROC curve of the rows as they are; None where a class is missing."""
    value = weighted_auc(scores, labels, np.ones((1, len(labels))))[0]
    return float(value) if np.isfinite(value) else None


def operating_points(scores: Array, labels: Labels, weights: Array) -> tuple[Array, Array]:
    """Sensitivity and specificity of calling "from this score up", arguments as `weighted_auc`.

    Returns:
        both of shape (draws, distinct known scores + 1), ascending; the last calls nothing.
    """
    steps = _steps(scores, labels, weights)
    first = np.zeros((len(steps.positive), 1))
    missed = np.concatenate([first, np.cumsum(steps.positive, 1)], 1)
    spared = np.concatenate([first, np.cumsum(steps.negative, 1)], 1)
    return (
        1 - _ratio(missed, steps.positives[:, None]),
        _ratio(spared, steps.negatives[:, None]),
    )


def weighted_average_precision(scores: Array, labels: Labels, weights: Array) -> Array:
    """Sum over thresholds of (gain in recall) x precision; arguments as for `weighted_auc`.

    NaN without negatives as well: precision is 1 there whatever the scores.
    """
    steps = _steps(scores, labels, weights)
    positive, negative = steps.positive[:, ::-1], steps.negative[:, ::-1]
    hit = np.cumsum(positive, 1)
    called = hit + np.cumsum(negative, 1)
    precision = np.divide(hit, called, out=np.zeros_like(hit), where=called > 0)
    found = _ratio((positive * precision).sum(1), steps.positives)
    return np.where(steps.negatives > 0, found, np.nan)


def weighted_sensitivity_at(
    scores: Array, labels: Labels, weights: Array, *, specificity: float
) -> Array:
    """Best sensitivity of a threshold of at least this specificity; arguments as `weighted_auc`.

    The threshold is chosen anew in each draw, so the interval includes that choice.
    """
    sensitivities, specificities = operating_points(scores, labels, weights)
    return _best(sensitivities, specificities >= specificity - TOLERANCE)


def weighted_specificity_at(
    scores: Array, labels: Labels, weights: Array, *, sensitivity: float
) -> Array:
    """Best specificity of a threshold of at least this sensitivity; as `weighted_sensitivity_at`."""
    sensitivities, specificities = operating_points(scores, labels, weights)
    return _best(specificities, sensitivities >= sensitivity - TOLERANCE)


def weighted_share(called: NDArray[np.bool_], rows: NDArray[np.bool_], weights: Array) -> Array:
    """Share of `rows` that are `called`: sensitivity where `rows` are the positives."""
    return weighted_mean(called[rows].astype(np.float64), weights[:, rows])


def weighted_calibration_error(
    probabilities: Array, labels: Labels, bin_number: NDArray[np.intp], weights: Array
) -> Array:
    """Expected calibration error with given bins: sum over bins of |sum of w (p - y)| / sum of w.

    Args:
        probabilities: shape (rows,).
        labels: 1, 0, or -1 for rows left out, shape (rows,).
        bin_number: bin of each row, from 0; the bins stay the same in all draws.
        weights: shape (draws, rows).
    """
    known = labels >= 0
    gap = probabilities[known] - labels[known]
    member = bin_number[known][:, None] == np.unique(bin_number[known])[None, :]
    in_bins = np.abs(weights[:, known] @ (gap[:, None] * member)).sum(1)
    return _ratio(in_bins, weights[:, known].sum(1))


@dataclass(frozen=True, slots=True)
class _Steps:
    """Weight of positives and negatives at each distinct score, ascending, shape (draws, steps)."""

    positive: Array
    negative: Array

    @property
    def positives(self) -> Array:
        return np.asarray(self.positive.sum(1))

    @property
    def negatives(self) -> Array:
        return np.asarray(self.negative.sum(1))


def _steps(scores: Array, labels: Labels, weights: Array) -> _Steps:
    known = np.flatnonzero(labels >= 0)
    if len(known) == 0:
        nothing = np.zeros((len(weights), 1))
        return _Steps(nothing, nothing)
    order = known[np.argsort(scores[known], kind="stable")]
    sorted_weights = weights[:, order]
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.nan) != 0)
    truth = labels[order].astype(np.float64)
    return _Steps(
        np.add.reduceat(sorted_weights * truth, starts, axis=1),
        np.add.reduceat(sorted_weights * (1 - truth), starts, axis=1),
    )


def _best(values: Array, allowed: NDArray[np.bool_]) -> Array:
    # NaN compares as not allowed; one end of the curve always fulfils a share of at most 1.
    best = np.where(allowed, values, -np.inf).max(1)
    return np.where(np.isfinite(best), best, np.nan)


def _ratio(above: Array, below: Array) -> Array:
    above, below = np.broadcast_arrays(above, below)
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
