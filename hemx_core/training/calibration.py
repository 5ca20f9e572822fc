"""From logits to probabilities and decisions, fitted on validation patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from hemx_core.training.metrics import NOT_CLASSIFIED, Array, Predictions, sigmoid

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
