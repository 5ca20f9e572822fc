"""From logits of slices to one logit of the patient, by a rule that validation patients choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from hemx_core.errors import TrainingError
from hemx_core.training.scoring.calibration import Scaling, fit_scaling
from hemx_core.training.scoring.predictions import (
    NOT_CLASSIFIED,
    Array,
    Labels,
    Predictions,
    rounded,
)

FOLDS = 5


class Way(StrEnum):
    """How the slices of a patient make one logit."""

    MAX = "max"
    TOP_K_MEAN = "top_k_mean"
    NOISY_OR = "noisy_or"


@dataclass(frozen=True, slots=True)
class Aggregation:
    """A way, and how many slices `top_k_mean` takes.

    `max` is what the device does. `top_k_mean` is the mean of the k largest logits (of all where a
    patient has fewer). `noisy_or` is the probability that at least one slice shows the marker were
    the slices independent, 1 - prod(1 - p) (Pearl 1988, section 4.3.2), as a logit.
    """

    way: Way
    k: int = 1

    def __post_init__(self) -> None:
        if self.k < 1:
            raise TrainingError(
                f"a mean of the {self.k} largest logits", expected="at least 1", remedy="give k"
            )

    @property
    def name(self) -> str:
        """For tables: `max`, `top_3_mean`, `noisy_or`."""
        return f"top_{self.k}_mean" if self.way is Way.TOP_K_MEAN else str(self.way)


MAX = Aggregation(Way.MAX)
CANDIDATES = (
    MAX,
    Aggregation(Way.TOP_K_MEAN, 2),
    Aggregation(Way.TOP_K_MEAN, 3),
    Aggregation(Way.NOISY_OR),
)
"""The simplest first: of candidates that cannot be told apart the first is taken."""


def patient_logits(found: Predictions, aggregation: Aggregation) -> Array:
    """One logit for each patient and marker, shape (patients, markers).

    A patient without classified slices gets NOT_CLASSIFIED, which is also the least that any gets.
    """
    logits = np.full(found.patient_labels.shape, NOT_CLASSIFIED)
    for number in np.unique(found.patient):
        rows = found.logits[found.patient == number]
        logits[number] = np.maximum(_aggregate(rows, aggregation), NOT_CLASSIFIED)
    return logits


def _aggregate(rows: Array, aggregation: Aggregation) -> Array:
    """Shape (slices, markers) to (markers,)."""
    if aggregation.way is Way.MAX:
        return np.asarray(rows.max(0))
    if aggregation.way is Way.TOP_K_MEAN:
        return np.asarray(np.sort(rows, 0)[-aggregation.k :].mean(0))
    # -log(1 - p) is softplus of the logit; log(exp(s) - 1) undoes it, written so as not to overflow.
    total = np.logaddexp(0, rows).sum(0)
    with np.errstate(divide="ignore"):
        return np.asarray(total + np.log(-np.expm1(-total)))


@dataclass(frozen=True, slots=True)
class AggregationChoice:
    """What was chosen, and the mean loss of each candidate (None where nothing was estimable)."""

    chosen: Aggregation
    log_loss: dict[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """Rounded to four digits."""
        return {
            "chosen": self.chosen.name,
            "validation_log_loss": {k: rounded(v) for k, v in self.log_loss.items()},
        }


def choose_aggregation(
    validation: Predictions,
    *,
    candidates: Sequence[Aggregation] = CANDIDATES,
    seed: int = 1,
) -> AggregationChoice:
    """The simplest candidate within one standard error of the least log-loss.

    The log-loss rather than the AUC: on some dozens of patients the AUC moves in coarse steps and
    is 1 for several candidates where classes hardly overlap. It is taken after Platt scaling fitted
    on the other folds, so that a candidate is not punished for an offset that calibration removes
    (noisy-or adds one for every slice). One standard error of the patients' paired differences
    (Hastie et al., The Elements of Statistical Learning, section 7.10) keeps the device's `max`
    unless another way is better by more than chance.

    Args:
        validation: predictions on validation patients.
        candidates: ways, the preferred first.
        seed: of the folds.
    Returns:
        The first candidate where no marker has two patients of each class.
    """
    losses = [_losses(patient_logits(validation, way), validation, seed) for way in candidates]
    means = [float(np.nanmean(loss)) if np.isfinite(loss).any() else None for loss in losses]
    table = {way.name: mean for way, mean in zip(candidates, means, strict=True)}
    if any(mean is None for mean in means):
        return AggregationChoice(candidates[0], table)
    best = losses[int(np.argmin(np.array(means)))]
    chosen = next(
        way for way, loss in zip(candidates, losses, strict=True) if _within_error(loss - best)
    )
    return AggregationChoice(chosen, table)


def _within_error(excess: Array) -> bool:
    """Whether the mean of paired differences is at most its standard error."""
    excess = excess[np.isfinite(excess)]
    if len(excess) < 2:
        return bool(excess.mean() <= 0)
    return bool(excess.mean() <= excess.std(ddof=1) / np.sqrt(len(excess)) + 1e-12)


def _losses(logits: Array, found: Predictions, seed: int) -> Array:
    """Each patient's held-out log-loss, mean over the markers known; NaN where none is."""
    table = np.stack(
        [
            _marker_losses(logits[:, i], found.patient_labels[:, i], seed)
            for i in range(logits.shape[1])
        ],
        1,
    )
    known = np.isfinite(table)
    total = np.where(known, table, 0).sum(1)
    return np.divide(total, known.sum(1), out=np.full(len(table), np.nan), where=known.any(1))


def _marker_losses(logits: Array, labels: Labels, seed: int) -> Array:
    losses = np.full(len(labels), np.nan)
    rows = np.flatnonzero((labels >= 0) & (logits > NOT_CLASSIFIED))
    folds = min(FOLDS, *(int((labels[rows] == value).sum()) for value in (0, 1)))
    if folds < 2:
        return losses
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for fit, held in splitter.split(rows, labels[rows]):
        shift, temperature = fit_scaling(logits[rows[fit]], labels[rows[fit]], Scaling.PLATT)
        scaled = (logits[rows[held]] + shift) / temperature
        losses[rows[held]] = _log_loss(scaled, labels[rows[held]])
    return losses


def _log_loss(logits: Array, labels: NDArray[np.int8]) -> Array:
    """-log of the probability given to the truth, without overflow."""
    return np.asarray(np.logaddexp(0, np.where(labels == 1, -logits, logits)))
