"""Calibrate logits, choose thresholds, and score both.

Platt scaling fits shift and temperature; temperature scaling alone is there as well, because the
device applies nothing but a temperature. Quality: ECE, Brier score, and the reliability curve
with its plot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.metrics import brier_score_loss
from torch.nn import functional
from torchmetrics.functional.classification import binary_calibration_error

from hemx_core.errors import OutputError
from hemx_core.files import write_whole
from hemx_core.training.scoring.classification import known_rows
from hemx_core.training.scoring.predictions import (
    NOT_CLASSIFIED,
    Array,
    Labels,
    Predictions,
    sigmoid,
)
from hemx_core.training.scoring.weighted import weighted_calibration_error

TEMPERATURES = (0.2, 5.0)
THRESHOLDS = (0.05, 0.95)
DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Calibration:
    """probability = sigmoid((logit + shift) / temperature); present from `threshold` up.

    The weighted loss moves the logits by about log(weight), which no temperature undoes: `shift`
    does, and it is added to the head's bias, so the device needs the temperature only.
    """

    shift: float
    temperature: float
    threshold: float
    estimable: bool


def calibrate(found: Predictions, *, sensitivity: float) -> list[Calibration]:
    """Fit each marker on patients: largest logit of the slices against the patient's truth.

    Args:
        found: predictions on validation patients.
        sensitivity: least share of patients with the marker that the threshold must find.
    Returns:
        One calibration for each marker; the neutral one where a marker has no positives or no
        negatives among the patients.
    """
    return [
        calibrate_marker(logits, labels, sensitivity=sensitivity)
        for logits, labels in zip(found.patient_logits.T, found.patient_labels.T, strict=True)
    ]


def calibrate_marker(logits: Array, labels: NDArray[np.int8], *, sensitivity: float) -> Calibration:
    """Fit one marker; labels 1, 0 or -1 (left out)."""
    known = labels >= 0
    logits, labels = logits[known], labels[known]
    if len(set(labels.tolist())) < 2:
        return Calibration(0.0, 1.0, DEFAULT_THRESHOLD, estimable=False)
    classified = logits > NOT_CLASSIFIED
    shift, temperature = fit_platt(logits[classified], labels[classified])
    probabilities = sigmoid((logits + shift) / temperature)
    threshold = choose_threshold(probabilities, labels, sensitivity=sensitivity)
    return Calibration(shift, temperature, threshold, estimable=True)


def fit_platt(logits: Array, labels: NDArray[np.int8]) -> tuple[float, float]:
    """Shift and temperature of least negative log-likelihood, by L-BFGS.

    The targets are Platt's (N+ + 1) / (N+ + 2) and 1 / (N- + 2) rather than 1 and 0, so that
    classes which do not overlap keep a finite temperature. Source: Platt 1999, section 2.2.
    """
    positives = int((labels == 1).sum())
    high, low = (positives + 1) / (positives + 2), 1 / (len(labels) - positives + 2)
    target = torch.from_numpy(np.where(labels == 1, high, low))
    values = torch.from_numpy(np.asarray(logits, np.float64))
    fitted = torch.zeros(2, dtype=torch.float64, requires_grad=True)  # slope's logarithm, offset
    optimiser = torch.optim.LBFGS([fitted], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        scaled = fitted[0].exp() * values + fitted[1]
        loss = functional.binary_cross_entropy_with_logits(scaled, target)
        loss.backward()
        return loss

    optimiser.step(closure)
    slope, offset = fitted.detach()
    temperature = float(np.clip(float((-slope).exp()), *TEMPERATURES))
    return float(offset) * temperature, temperature


def choose_threshold(
    probabilities: Array, labels: NDArray[np.int8], *, sensitivity: float
) -> float:
    """The threshold of the largest Youden index among those of at least the given sensitivity.

    Youden's index is sensitivity + specificity - 1 (Youden 1950): the best specificity alone would
    give away true finds for a single unlucky patient. Candidates lie midway between neighbouring
    probabilities; of equal indices the most sensitive one is taken. The answer is kept within
    THRESHOLDS.
    """
    steps = np.unique(probabilities)
    candidates = np.concatenate([steps[:1], (steps[:-1] + steps[1:]) / 2])
    called = probabilities[None, :] >= candidates[:, None]
    found = called[:, labels == 1].mean(1)
    spared = (~called[:, labels == 0]).mean(1)
    enough = found >= sensitivity - 1e-9
    best = max(np.flatnonzero(enough), key=lambda i: (round(spared[i] + found[i], 9), found[i]))
    return float(np.clip(candidates[best], *THRESHOLDS))


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


def reliability_plot(
    path: Path,
    curves: Mapping[str, tuple[Array, Labels]],
    *,
    bins: int = BINS,
    title: str = "Reliability",
) -> None:
    """Observed frequency against mean probability of equal-mass bins, with the counts below.

    Args:
        path: the PNG to write, whole or not at all; its folder is made.
        curves: name to probabilities and labels (1, 0 or -1); one panel each. Panels without known
            labels say "not estimable".
        bins: number of bins; fewer where there are fewer than 5 rows for each.
        title: above the panels.
    Raises:
        OutputError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise OutputError(
            "matplotlib is not installed",
            expected="the extra `bench`",
            remedy="pip install 'hemx[bench]'",
        ) from error
    figure = Figure(figsize=(3.1 * max(len(curves), 1), 4.3), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    axes = figure.subplots(2, max(len(curves), 1), squeeze=False, sharex=True, height_ratios=(4, 1))
    for column, (name, (probabilities, labels)) in enumerate(curves.items()):
        known = labels >= 0
        _panel(axes[:, column], name, probabilities[known], labels[known], bins)
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=120))


def _panel(
    axes: NDArray[np.object_], name: str, probabilities: Array, labels: Labels, bins: int
) -> None:
    curve, histogram = axes
    curve.set(title=name, ylim=(-0.03, 1.03), xlim=(-0.03, 1.03), ylabel="observed frequency")
    histogram.set(xlabel="probability", ylabel="patients")
    curve.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
    if len(labels) == 0:
        curve.text(0.5, 0.5, "not estimable", ha="center")
        return
    bins = max(1, min(bins, len(labels) // 5))
    mean, observed, _ = reliability_points(probabilities, labels, bins=bins)
    curve.plot(mean, observed, marker="o", color="#1f5fa8", linewidth=1.2)
    ece = ece_equal_mass(probabilities, labels, bins=bins)
    curve.text(
        0.97, 0.02, f"ECE {ece:.3f}\n{bins} equal-mass bins", fontsize=8, ha="right", va="bottom"
    )
    histogram.hist(
        [probabilities[labels == 0], probabilities[labels == 1]],
        bins=np.linspace(0, 1, 11),
        stacked=True,
        color=["0.75", "#1f5fa8"],
        label=["absent", "present"],
    )
    histogram.legend(fontsize=6, loc="upper center")
