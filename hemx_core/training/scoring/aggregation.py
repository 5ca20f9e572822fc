"""From logits of slices to one of the patient, by a way that validation patients choose for each marker.

The ways are the device's (`hemx_core.measure.slices`): what is chosen here is what triage does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from hemx_core.errors import TrainingError
from hemx_core.markers import MARKER_CODES, Aggregation
from hemx_core.measure.slices import aggregate
from hemx_core.training.scoring.calibration import Scaling, fit_scaling
from hemx_core.training.scoring.predictions import (
    NOT_CLASSIFIED,
    Array,
    Labels,
    Predictions,
    rounded,
)
from hemx_core.training.scoring.prevalence import prevalence_weights, published_share

FOLDS = 5
MAX = Aggregation.MAX
CANDIDATES = tuple(Aggregation)
"""The simplest first: of candidates that cannot be told apart the first is taken."""


def patient_logits(found: Predictions, ways: Sequence[Aggregation]) -> Array:
    """One logit for each patient and marker, shape (patients, markers).

    A patient without classified slices gets NOT_CLASSIFIED, which is also the least that any gets.

    Args:
        found: logits of slices.
        ways: of the columns.
    Raises:
        TrainingError: a way needs areas and places of the slices, and there are none.
    """
    areas, index = _places(found, ways)
    logits = np.full(found.patient_labels.shape, NOT_CLASSIFIED)
    for number in np.unique(found.patient):
        rows = np.flatnonzero(found.patient == number)
        rows = rows[np.argsort(index[rows], kind="stable")]
        for i, way in enumerate(ways):
            patient = aggregate(found.logits[rows, i], areas[rows], index[rows], way).logit
            logits[number, i] = max(patient, NOT_CLASSIFIED)
    return logits


def _places(found: Predictions, ways: Sequence[Aggregation]) -> tuple[Array, NDArray[np.int64]]:
    """Areas and numbers of the slices; any where only the largest logit is asked for."""
    if found.area is not None and found.index is not None:
        return found.area, found.index
    if set(ways) - {MAX}:
        raise TrainingError(
            f"predictions without the areas of their slices, for {', '.join(sorted(set(ways)))}",
            expected="`area` and `index` of every slice",
            remedy="predict the slices anew, or take the largest logit",
        )
    return np.ones(len(found.patient)), np.arange(len(found.patient))


@dataclass(frozen=True, slots=True)
class AggregationChoice:
    """What was chosen for each marker, and each candidate's loss (None where not estimable)."""

    chosen: Mapping[str, Aggregation]
    log_loss: Mapping[str, Mapping[str, float | None]]

    @property
    def ways(self) -> tuple[Aggregation, ...]:
        """In the order of the columns."""
        return tuple(self.chosen.values())

    def to_json(self) -> dict[str, Any]:
        """Rounded to four digits."""
        return {
            "chosen": {code: str(way) for code, way in self.chosen.items()},
            "validation_log_loss": {
                code: {way: rounded(loss) for way, loss in losses.items()}
                for code, losses in self.log_loss.items()
            },
        }


def choose_aggregation(
    validation: Predictions,
    *,
    codes: Sequence[str] = MARKER_CODES,
    candidates: Sequence[Aggregation] = CANDIDATES,
    seed: int = 1,
) -> AggregationChoice:
    """For each marker the first candidate within one standard error of the least log-loss.

    The log-loss rather than the AUC: on some dozens of patients the AUC moves in coarse steps and
    is 1 for several candidates where classes hardly overlap. It is taken after Platt scaling fitted
    on the other folds, so that a candidate is not punished for an offset that calibration removes,
    and at the published prevalence of the marker. One standard error of the paired differences
    (Hastie et al., The Elements of Statistical Learning, section 7.10), taken over clusters, keeps the
    first candidate unless another one is better by more than chance.

    Args:
        validation: predictions on validation patients.
        codes: of the columns.
        candidates: ways, the preferred first.
        seed: of the folds.
    Returns:
        The first candidate for a marker without two patients of each class.
    Raises:
        TrainingError: a candidate needs areas of the slices, and there are none.
    """
    logits = {way: patient_logits(validation, (way,) * len(codes)) for way in candidates}
    chosen, table = {}, {}
    for i, code in enumerate(codes):
        truth = validation.patient_labels[:, i]
        losses = [_losses(logits[way][:, i], truth, code, seed) for way in candidates]
        weights = prevalence_weights(truth, published_share(code))
        means = [_mean(loss, weights) for loss in losses]
        table[code] = {str(way): mean for way, mean in zip(candidates, means, strict=True)}
        known = [mean for mean in means if mean is not None]
        if len(known) < len(means):
            chosen[code] = candidates[0]
            continue
        best = losses[int(np.argmin(known))]
        chosen[code] = next(
            way
            for way, loss in zip(candidates, losses, strict=True)
            if _within_error(loss - best, weights, validation.clusters)
        )
    return AggregationChoice(chosen, table)


def _mean(values: Array, weights: Array) -> float | None:
    """The weighted mean of what is known; None where nothing is."""
    known = np.isfinite(values)
    return float(np.average(values[known], weights=weights[known])) if known.any() else None


def _within_error(excess: Array, weights: Array, cluster: NDArray[np.int64]) -> bool:
    """Whether a weighted mean of paired differences is at most its standard error.

    The error is that of a mean over clusters, which are independent: the root of the sum of the squared
    totals of each (Liang and Zeger 1986).
    """
    known = np.isfinite(excess)
    excess, share = excess[known], weights[known] / weights[known].sum()
    mean = float(share @ excess)
    totals = np.bincount(np.unique(cluster[known], return_inverse=True)[1], share * (excess - mean))
    return bool(mean <= np.sqrt((totals**2).sum()) + 1e-12)


def _losses(logits: Array, labels: Labels, code: str, seed: int) -> Array:
    """Each patient's held-out log-loss; NaN where the label or the logit is not known."""
    losses = np.full(len(labels), np.nan)
    rows = np.flatnonzero((labels >= 0) & (logits > NOT_CLASSIFIED))
    folds = min(FOLDS, *(int((labels[rows] == value).sum()) for value in (0, 1)))
    if folds < 2:
        return losses
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for fit, held in splitter.split(rows, labels[rows]):
        seen = labels[rows[fit]]
        weights = prevalence_weights(seen, published_share(code))
        shift, temperature = fit_scaling(logits[rows[fit]], seen, Scaling.PLATT, weights=weights)
        scaled = (logits[rows[held]] + shift) / temperature
        losses[rows[held]] = _log_loss(scaled, labels[rows[held]])
    return losses


def _log_loss(logits: Array, labels: NDArray[np.int8]) -> Array:
    """-log of the probability given to the truth, without overflow."""
    return np.asarray(np.logaddexp(0, np.where(labels == 1, -logits, logits)))
