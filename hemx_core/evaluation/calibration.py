"""Calibration of patients' probabilities: temperature scaling, ECE, Brier score, reliability curve.

The shift and temperature that are shipped come from `training.calibration` (Platt); temperature
scaling alone stands beside it, because the device applies a temperature and nothing else.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.metrics import brier_score_loss
from torchmetrics.functional.classification import binary_calibration_error

from hemx_core.evaluation.classification import known_rows
from hemx_core.evaluation.predictions import NOT_CLASSIFIED, Array, Labels, sigmoid
from hemx_core.evaluation.weighted import weighted_calibration_error
from hemx_core.training.calibration import (
    DEFAULT_THRESHOLD,
    TEMPERATURES,
    Calibration,
    calibrate_marker,
    choose_threshold,
)

BINS = 10
AT_THE_BOUND = 1.01
"""A minimum within 1 % of the sharpest temperature is none: the search ends there."""


class Scaling(StrEnum):
    """What is fitted on the validation patients."""

    TEMPERATURE = "temperature"
    PLATT = "platt"


def fit_temperature(logits: Array, labels: Labels) -> float:
    """Temperature of least negative log-likelihood, within TEMPERATURES (Guo et al. 2017).

    Args:
        logits: of patients, shape (patients,); those not classified are left out.
        labels: 1, 0 or -1 (left out), shape (patients,).
    Returns:
        1 where the patients lack a class, and where the likelihood still rises at the sharpest temperature:
        then the classes are all but separable, and these patients do not say how sure an answer may be.
    """
    classified = logits > NOT_CLASSIFIED
    rows = known_rows(logits[classified], labels[classified])
    if rows is None:
        return 1.0
    signed = np.where(rows[1] == 1, -rows[0], rows[0])

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0, signed * np.exp(-log_temperature)).mean())

    found = minimize_scalar(
        loss, bounds=tuple(np.log(TEMPERATURES)), method="bounded", options={"xatol": 1e-6}
    )
    temperature = float(np.exp(found.x))
    return 1.0 if temperature < TEMPERATURES[0] * AT_THE_BOUND else temperature


def fit_scaling(
    logits: Array, labels: Labels, *, scaling: Scaling, sensitivity: float
) -> Calibration:
    """Calibration of one marker and its threshold at a sensitivity of at least `sensitivity`.

    Args:
        logits: of validation patients, shape (patients,).
        labels: 1, 0 or -1 (left out), shape (patients,).
        scaling: temperature alone, or shift and temperature.
        sensitivity: least share of patients with the marker that the threshold must find.
    Returns:
        The neutral one, `estimable=False`, where the patients lack a class.
    """
    if scaling is Scaling.PLATT:
        return calibrate_marker(logits, labels, sensitivity=sensitivity)
    rows = known_rows(logits, labels)
    if rows is None:
        return Calibration(0.0, 1.0, DEFAULT_THRESHOLD, estimable=False)
    temperature = fit_temperature(logits, labels)
    threshold = choose_threshold(sigmoid(rows[0] / temperature), rows[1], sensitivity=sensitivity)
    return Calibration(0.0, temperature, threshold, estimable=True)


def apply_scaling(logits: Array, calibration: Calibration) -> Array:
    """Calibrated probabilities, same shape."""
    return sigmoid((logits + calibration.shift) / calibration.temperature)


def ece_equal_width(probabilities: Array, labels: Labels, *, bins: int = BINS) -> float | None:
    """Expected calibration error with bins of equal width (Naeini et al. 2015), by torchmetrics.

    Args:
        probabilities: of the marker, shape (rows,).
        labels: 1, 0 or -1 (left out), shape (rows,).
        bins: number of bins; name it beside the figure, which grows with it.
    Returns:
        In [0, 1]; None without known labels.
    """
    known = labels >= 0
    if not known.any():
        return None
    found = binary_calibration_error(
        torch.from_numpy(np.ascontiguousarray(probabilities[known])),
        torch.from_numpy(labels[known].astype(np.int64)),
        n_bins=bins,
        norm="l1",
    )
    return float(found)


def ece_equal_mass(probabilities: Array, labels: Labels, *, bins: int = BINS) -> float | None:
    """Expected calibration error with as many rows in each bin; as `ece_equal_width`.

    Steadier than equal width where most probabilities are near 0 or 1.
    Source: Nguyen and O'Connor 2015.
    """
    if not (labels >= 0).any():
        return None
    number = mass_bins(probabilities, labels, bins=bins)
    weights = np.ones((1, len(labels)))
    return float(weighted_calibration_error(probabilities, labels, number, weights)[0])


def width_bins(probabilities: Array, *, bins: int = BINS) -> NDArray[np.intp]:
    """Bin of each probability, of equal width, from 0."""
    return np.minimum((probabilities * bins).astype(np.intp), bins - 1)


def mass_bins(probabilities: Array, labels: Labels, *, bins: int = BINS) -> NDArray[np.intp]:
    """Bin of each probability between the quantiles of the known ones; equal ones stay together."""
    edges = np.quantile(probabilities[labels >= 0], np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, probabilities, side="right")


def brier(probabilities: Array, labels: Labels) -> float | None:
    """Mean squared difference of probability and truth; None without known labels."""
    known = labels >= 0
    if not known.any():
        return None
    return float(brier_score_loss(labels[known], probabilities[known], pos_label=1))


def reliability_points(
    probabilities: Array, labels: Labels, *, bins: int = BINS
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Mean probability, observed frequency and count of each equal-mass bin that is not empty.

    Args:
        probabilities: shape (rows,).
        labels: 1, 0 or -1 (left out), shape (rows,).
        bins: number of bins.
    """
    known = labels >= 0
    number = mass_bins(probabilities, labels, bins=bins)[known]
    used, place, counts = np.unique(number, return_inverse=True, return_counts=True)
    mean = np.bincount(place, probabilities[known], len(used)) / counts
    observed = np.bincount(place, labels[known].astype(np.float64), len(used)) / counts
    return mean, observed, counts
