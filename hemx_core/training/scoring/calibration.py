"""Calibrate logits, choose thresholds, and score both.

Platt scaling fits shift and temperature; temperature scaling alone is there as well, because the
device applies nothing but a temperature. Quality: ECE, Brier score, and the reliability curve
with its plot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from hemx_core.errors import OutputError
from hemx_core.files import write_whole
from hemx_core.training.scoring.predictions import (
    NOT_CLASSIFIED,
    Array,
    Labels,
    known_rows,
    sigmoid,
)
from hemx_core.training.scoring.prevalence import prevalence_weights
from hemx_core.training.scoring.thresholds import marker_threshold
from hemx_core.training.scoring.weighted import weighted_calibration_error

TEMPERATURES = (0.2, 5.0)
DEFAULT_THRESHOLD = 0.5
BINS = 10
AT_THE_BOUND = 1.01
"""Where the likelihood still rises within 1 % of the sharpest temperature, there is no minimum."""


class Scaling(StrEnum):
    """What is fitted on the validation patients: the temperature alone, or a shift as well."""

    TEMPERATURE = "temperature"
    PLATT = "platt"


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

    def apply(self, logits: Array) -> Array:
        """Calibrated probabilities, same shape."""
        return sigmoid((logits + self.shift) / self.temperature)


def calibrate(
    logits: Array,
    labels: Labels,
    *,
    scaling: Scaling,
    sensitivity: float,
    specificity: float,
    prevalence: float | None = None,
) -> Calibration:
    """Calibration of one marker, and its threshold (`thresholds.marker_threshold`).

    Args:
        logits: of validation patients, shape (patients,).
        labels: 1, 0 or -1 (left out), shape (patients,).
        scaling: temperature alone, or shift and temperature.
        sensitivity: least share of patients with the marker that the threshold should find.
        specificity: least share of patients without it that are not called, whatever the sensitivity.
        prevalence: the patients are weighted so that this share of them shows the marker; None takes
            them as they are.
    Returns:
        The neutral one, `estimable=False`, where the patients lack a class.
    """
    rows = known_rows(logits, labels)
    if rows is None:
        return Calibration(0.0, 1.0, DEFAULT_THRESHOLD, estimable=False)
    classified = rows[0] > NOT_CLASSIFIED
    weights = prevalence_weights(rows[1], prevalence)[classified]
    shift, temperature = fit_scaling(
        rows[0][classified], rows[1][classified], scaling, weights=weights
    )
    fitted = Calibration(shift, temperature, DEFAULT_THRESHOLD, estimable=True)
    threshold = marker_threshold(
        fitted.apply(rows[0]),
        rows[1],
        least_sensitivity=sensitivity,
        least_specificity=specificity,
    )
    return replace(fitted, threshold=threshold)


def fit_scaling(
    logits: Array, labels: Labels, scaling: Scaling, *, weights: Array | None = None
) -> tuple[float, float]:
    """Shift and temperature of least negative log-likelihood, by L-BFGS.

    PLATT aims at (N+ + 1) / (N+ + 2) and 1 / (N- + 2) rather than at 1 and 0, so that classes which do
    not overlap keep a finite temperature (Platt 1999, section 2.2). TEMPERATURE (Guo et al. 2017) has
    shift 0. It is 1 where a class is missing, and where the likelihood still rises at the sharpest
    temperature: then the classes are all but separable, and these patients do not say how sure an
    answer may be.

    Args:
        logits: of classified patients, shape (patients,).
        labels: 1 or 0, shape (patients,).
        scaling: whether the shift is fitted.
        weights: of the patients in the likelihood, shape (patients,); None: all alike. Platt's targets
            go by the number of patients, who are as many whatever they weigh.
    Returns:
        shift, and the temperature within TEMPERATURES.
    """
    platt = scaling is Scaling.PLATT
    if not platt and len(np.unique(labels)) < 2:
        return 0.0, 1.0
    positives = int((labels == 1).sum())
    high, low = (
        ((positives + 1) / (positives + 2), 1 / (len(labels) - positives + 2))
        if platt
        else (1.0, 0.0)
    )
    target = torch.from_numpy(np.where(labels == 1, high, low))
    values = torch.from_numpy(np.asarray(logits, np.float64))
    weight = None if weights is None else torch.from_numpy(np.asarray(weights, np.float64))
    fitted = torch.zeros(1 + platt, dtype=torch.float64, requires_grad=True)
    # The temperature alone is one flat valley: it takes a finer stop to have four digits of it.
    stop = {} if platt else {"tolerance_grad": 1e-9, "tolerance_change": 1e-13}
    optimiser = torch.optim.LBFGS([fitted], max_iter=200, line_search_fn="strong_wolfe", **stop)

    def loss(scaled: torch.Tensor) -> torch.Tensor:
        return functional.binary_cross_entropy_with_logits(scaled, target, weight=weight)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        found = loss(fitted[0].exp() * values + fitted[1:].sum())  # slope's logarithm, offset
        found.backward()
        return found

    sharpest = TEMPERATURES[0]
    if not platt and loss(values / sharpest) <= loss(values / (sharpest * AT_THE_BOUND)):
        return 0.0, 1.0
    optimiser.step(closure)
    temperature = float(np.clip(float((-fitted[0].detach()).exp()), *TEMPERATURES))
    if platt:
        return float(fitted[1].detach()) * temperature, temperature
    return 0.0, temperature


def ece_equal_mass(
    probabilities: Array, labels: Labels, *, bins: int = BINS, weights: Array | None = None
) -> float | None:
    """Expected calibration error with as many rows in each bin; None without known labels.

    Steadier than bins of equal width where most probabilities are near 0 or 1.
    Source: Nguyen and O'Connor 2015.

    Args:
        probabilities: of the marker, shape (rows,).
        labels: 1, 0 or -1 (left out), shape (rows,).
        bins: number of bins; name it beside the figure, which grows with it.
        weights: of the rows, shape (rows,), for a prevalence other than theirs; None: all alike.
    """
    if not (labels >= 0).any():
        return None
    number = mass_bins(probabilities, labels, bins=bins)
    drawn = np.ones((1, len(labels))) if weights is None else weights[None]
    return float(weighted_calibration_error(probabilities, labels, number, drawn)[0])


def width_bins(probabilities: Array, *, bins: int = BINS) -> NDArray[np.intp]:
    """Bin of each probability, of equal width, from 0."""
    return np.minimum((probabilities * bins).astype(np.intp), bins - 1)


def mass_bins(probabilities: Array, labels: Labels, *, bins: int = BINS) -> NDArray[np.intp]:
    """Bin of each probability between the quantiles of the known ones; equal ones stay together."""
    edges = np.quantile(probabilities[labels >= 0], np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, probabilities, side="right")


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
