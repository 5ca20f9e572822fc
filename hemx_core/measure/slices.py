"""From slices to the patient: one logit of several, and the slice to show. Device and training alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemx_core.markers import Aggregation

Array = NDArray[np.float64]

LARGE_SHARE = 0.5
"""Of the largest blood area: slices from here up are large. Caps of a clot are partial volume."""


@dataclass(frozen=True, slots=True)
class Aggregated:
    """A patient's logit, and the place of the slice to show: of those that counted the loudest."""

    logit: float
    place: int


def aggregate(
    logits: Array, areas: Array, index: NDArray[np.int64], way: Aggregation
) -> Aggregated:
    """One marker of one patient, from the slices that were classified.

    All ways keep a shift and a scale: the logit of `a * logits + b` is `a * logit + b` for a > 0, so
    that calibration may come before or after. Of slices that are equal the lowest is shown; where
    several have the largest area, the loudest of them is the largest slice.

    | way | logit |
    | --- | --- |
    | max | the largest |
    | large | the largest of slices of at least half the largest area |
    | adjacent | the largest mean of two slices whose numbers follow each other |
    | largest | of the slice of the largest area |
    | area_weighted | mean, weighted by area |

    Of a single slice all are its logit. `adjacent` passes over slices without a neighbour;
    where no slice has one it is `max`.

    Args:
        logits: of the slices, finite, shape (slices,), at least one.
        areas: blood on each in any one unit, above 0, same shape.
        index: number of each slice in its volume, ascending, same shape.
        way: how.
    """
    if way is Aggregation.ADJACENT:
        return _adjacent(logits, index)
    counted = np.arange(len(logits))
    if way in (Aggregation.LARGE, Aggregation.LARGEST):
        share = LARGE_SHARE if way is Aggregation.LARGE else 1.0
        counted = np.flatnonzero(areas >= share * areas.max())
    place = _loudest(logits, counted)
    if way is Aggregation.AREA_WEIGHTED:
        return Aggregated(float(np.average(logits, weights=areas)), place)
    return Aggregated(float(logits[place]), place)


def _adjacent(logits: Array, index: NDArray[np.int64]) -> Aggregated:
    lower = np.flatnonzero(np.diff(index) == 1)
    if not len(lower):
        place = _loudest(logits, np.arange(len(logits)))
        return Aggregated(float(logits[place]), place)
    means = (logits[lower] + logits[lower + 1]) / 2
    first = int(lower[np.argmax(means)])
    return Aggregated(float(means.max()), _loudest(logits, np.array([first, first + 1])))


def _loudest(logits: Array, places: NDArray[np.int64]) -> int:
    """The place of the largest logit; of equal ones the first."""
    return int(places[np.argmax(logits[places])])
