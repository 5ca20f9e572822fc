"""The choice of a threshold, by a named criterion: of masks and of markers alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import numpy as np

from hemx_core.training.scoring.predictions import Array, Labels
from hemx_core.training.scoring.weighted import TOLERANCE, operating_points

BOUNDS = (0.05, 0.95)
"""Within which a marker's threshold is kept."""


class Criterion(StrEnum):
    """What makes a threshold the best of its candidates.

    `dice` is the highest mean Dice of the masks; of equal ones the lowest threshold is taken.
    `youden` is the largest sensitivity + specificity - 1 (Youden 1950) among the candidates of a
    least sensitivity; of equal ones the most sensitive is taken. The best specificity alone would give
    away true finds for a single unlucky patient.
    """

    DICE = "dice"
    YOUDEN = "youden"


def choose_threshold(
    candidates: Sequence[float],
    criterion: Criterion,
    figures: Mapping[str, Array],
    *,
    least_sensitivity: float = 0.0,
) -> float:
    """The best of candidate thresholds, which ascend.

    Args:
        candidates: shape (candidates,).
        criterion: what is best.
        figures: of the candidates, each of shape (candidates,): `dice` for DICE, `sensitivity` and
            `specificity` for YOUDEN.
        least_sensitivity: candidates below it are out; one must reach it.
    """
    if criterion is Criterion.DICE:
        return float(candidates[int(np.argmax(figures["dice"]))])
    sensitivity = figures["sensitivity"]
    # Rounded, so that equal shares are equal whatever the order of their sums.
    youden = np.round(sensitivity + figures["specificity"], 9)
    allowed = np.flatnonzero(sensitivity >= least_sensitivity - TOLERANCE)
    best = max(allowed, key=lambda place: (youden[place], sensitivity[place]))
    return float(candidates[int(best)])


def marker_threshold(probabilities: Array, labels: Labels, *, least_sensitivity: float) -> float:
    """Probability from which a marker is present: YOUDEN, kept within `BOUNDS`.

    Candidates lie midway between neighbouring probabilities.

    Args:
        probabilities: of patients, shape (patients,).
        labels: 1 or 0, both classes, shape (patients,).
        least_sensitivity: share of patients with the marker that must be found.
    """
    steps = np.unique(probabilities)
    candidates = np.concatenate([steps[:1], (steps[:-1] + steps[1:]) / 2])
    sensitivity, specificity = operating_points(probabilities, labels, np.ones((1, len(labels))))
    chosen = choose_threshold(
        candidates.tolist(),
        Criterion.YOUDEN,
        {"sensitivity": sensitivity[0, :-1], "specificity": specificity[0, :-1]},
        least_sensitivity=least_sensitivity,
    )
    return float(np.clip(chosen, *BOUNDS))
