"""All scores of one marker under all draws of patients, by name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hemx_core.evaluation.calibration import mass_bins, width_bins
from hemx_core.evaluation.intervals import NOT_ESTIMABLE, Estimate, from_draws
from hemx_core.evaluation.predictions import Array, Labels
from hemx_core.evaluation.weighted import (
    weighted_auc,
    weighted_average_precision,
    weighted_calibration_error,
    weighted_mean,
    weighted_sensitivity_at,
    weighted_share,
    weighted_specificity_at,
)


def ranking_scores(
    scores: Array, labels: Labels, weights: Array, *, sensitivity: float, specificity: float
) -> dict[str, Estimate]:
    """AUC, AP and the two fixed points, which need no threshold from elsewhere.

    Args:
        scores: shape (rows,).
        labels: 1, 0 or -1 (left out), shape (rows,).
        weights: shape (1 + draws, rows), row 0 of ones.
        sensitivity: at which the specificity is given.
        specificity: at which the sensitivity is given.
    """
    rows = scores, labels, weights
    return {
        "auc": from_draws(weighted_auc(*rows)),
        "average_precision": from_draws(weighted_average_precision(*rows)),
        f"sensitivity_at_specificity_{specificity:g}": from_draws(
            weighted_sensitivity_at(*rows, specificity=specificity)
        ),
        f"specificity_at_sensitivity_{sensitivity:g}": from_draws(
            weighted_specificity_at(*rows, sensitivity=sensitivity)
        ),
    }


def patient_scores(
    scores: Array,
    labels: Labels,
    called: NDArray[np.bool_],
    weights: Array,
    *,
    sensitivity: float,
    specificity: float,
) -> dict[str, Estimate]:
    """Ranking scores, and sensitivity and specificity of the calls; see `ranking_scores`.

    Args:
        called: whether the marker was called at the threshold from validation, shape (rows,).
    """
    ranked = ranking_scores(
        scores, labels, weights, sensitivity=sensitivity, specificity=specificity
    )
    return ranked | {
        "sensitivity": from_draws(weighted_share(called, labels == 1, weights)),
        "specificity": from_draws(weighted_share(~called, labels == 0, weights)),
    }


def slice_scores(
    scores: Array, labels: Labels, weights: Array, *, sensitivity: float, specificity: float
) -> dict[str, Estimate]:
    """Ranking scores of slices; the weights are those of their patients; see `ranking_scores`."""
    found = ranking_scores(
        scores, labels, weights, sensitivity=sensitivity, specificity=specificity
    )
    return {f"slice_{name}": one for name, one in found.items()}


def calibration_scores(
    probabilities: Array, labels: Labels, weights: Array, *, bins: int
) -> dict[str, Estimate]:
    """Brier score and both expected calibration errors; bins are those of all rows in every draw.

    A bootstrap adds its own scatter to an ECE, which cannot be negative, so its draws lie above the
    estimate on average: of a well calibrated model the interval may lie wholly above the figure.

    Args:
        probabilities: shape (rows,).
        labels: 1, 0 or -1 (left out), shape (rows,).
        weights: shape (1 + draws, rows), row 0 of ones.
        bins: number of bins.
    """
    known = labels >= 0
    if not known.any():
        return dict.fromkeys(("ece_equal_width", "ece_equal_mass", "brier"), NOT_ESTIMABLE)
    squared = (probabilities[known] - labels[known]) ** 2
    numbers = {
        "ece_equal_width": width_bins(probabilities, bins=bins),
        "ece_equal_mass": mass_bins(probabilities, labels, bins=bins),
    }
    return {
        name: from_draws(weighted_calibration_error(probabilities, labels, number, weights))
        for name, number in numbers.items()
    } | {"brier": from_draws(weighted_mean(squared, weights[:, known]))}
