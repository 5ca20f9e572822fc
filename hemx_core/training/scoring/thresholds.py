"""The choice of a threshold, by a named criterion: of masks and of markers alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import numpy as np

from hemx_core.training.scoring.predictions import Array, Labels
from hemx_core.training.scoring.weighted import TOLERANCE

BOUNDS = (0.01, 0.99)
"""Within which a marker's threshold is kept."""


class Criterion(StrEnum):
    """What makes a threshold the best of its candidates.

    `dice` is the highest mean Dice of the masks; of equal ones the lowest threshold is taken.
    `youden` is the largest sensitivity + specificity - 1 (Youden 1950) among the candidates that are
    allowed; of equal ones the most sensitive is taken. The best specificity alone would give away
    true finds for a single unlucky patient.
    """

    DICE = "dice"
    YOUDEN = "youden"


def choose_threshold(
    candidates: Sequence[float],
    criterion: Criterion,
    figures: Mapping[str, Array],
    *,
    least_sensitivity: float = 0.0,
    least_specificity: float = 0.0,
) -> float:
    """The best of candidate thresholds, which ascend.

    Args:
        candidates: shape (candidates,).
        criterion: what is best.
        figures: of the candidates, each of shape (candidates,): `dice` for DICE, `sensitivity` and
            `specificity` for YOUDEN.
        least_sensitivity: candidates below it are out, where another one is allowed and reaches it;
            else the most sensitive one that is allowed is taken.
        least_specificity: candidates below it are out, whatever the sensitivity; where none reaches it,
            the most specific one is taken.
    """
    if criterion is Criterion.DICE:
        return float(candidates[int(np.argmax(figures["dice"]))])
    sensitivity, specificity = figures["sensitivity"], figures["specificity"]
    # Rounded, so that equal shares are equal whatever the order of their sums.
    youden = np.round(sensitivity + specificity, 9)
    floor = min(least_specificity, float(specificity.max()))
    allowed = np.flatnonzero(specificity >= floor - TOLERANCE)
    wanted = min(least_sensitivity, float(sensitivity[allowed].max()))
    allowed = allowed[sensitivity[allowed] >= wanted - TOLERANCE]
    best = max(allowed, key=lambda place: (youden[place], sensitivity[place]))
    return float(candidates[int(best)])


def marker_threshold(
    probabilities: Array, labels: Labels, *, least_sensitivity: float, least_specificity: float
) -> float:
    """Probability from which a marker is present: YOUDEN, within `BOUNDS`.

    Candidates lie midway between neighbouring probabilities, and above the largest. The floor on
    specificity wins: of a rare marker that is hardly learnt, "9 in 10 found" calls nearly everybody.

    Args:
        probabilities: of patients, shape (patients,).
        labels: 1 or 0, both classes, shape (patients,).
        least_sensitivity: share of patients with the marker that should be found.
        least_specificity: share of patients without it that must not be called.
    """
    steps = np.unique(probabilities)
    between = np.concatenate([steps[:1], (steps[:-1] + steps[1:]) / 2, [(steps[-1] + 1) / 2]])
    candidates = np.unique(np.clip(between, *BOUNDS))
    called = probabilities >= candidates[:, None]
    return choose_threshold(
        candidates.tolist(),
        Criterion.YOUDEN,
        {
            "sensitivity": called[:, labels == 1].mean(1),
            "specificity": 1 - called[:, labels == 0].mean(1),
        },
        least_sensitivity=least_sensitivity,
        least_specificity=least_specificity,
    )
