"""Intervals of a volume and of a growth, from errors that were measured beforehand (conformal prediction).

A bundle's manifest holds how far its segmenter was off on patients that it had not seen. Of a volume v, mL:

    score of an error     |ln(truth / v)| / (1 + floor / v)
    interval of v         v [exp(-s), exp(s)],  s = width (1 + floor / v)

`width` is the finite-sample quantile of the scores (Vovk 2005; Lei 2018): of n errors the
ceil((n + 1) coverage)-th smallest. A new patient like those measured lies inside with at least that chance,
whatever the errors' distribution. `floor` lets small volumes, whose errors are larger shares, have wider
intervals. `hemx_core.training.scoring.conformal` fits both records.

The truth of a volume is a derived reference (thresholds of HU), not a radiologist's outline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hemx_core.records import RecordError

Interval = tuple[float, float]
"""Lower and upper end."""

LEAST_COVERAGE, MOST_COVERAGE = 0.5, 0.999
MOST_WIDTH = 10.0
"""Of a logarithm of a ratio: a factor of twenty thousand is no interval."""
MOST_FLOOR_ML = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Width:
    """A quantile of scores.

    Args:
        width: the quantile.
        errors: how many it is of.
    """

    width: float
    errors: int

    def __post_init__(self) -> None:
        _check("width", self.width, 0.0, MOST_WIDTH)
        _check("errors", self.errors, 1, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeInterval:
    """How far a volume is off.

    Args:
        coverage: nominal share of patients whose reference lies inside.
        floor_ml: see above.
        one: of haematomas in one component.
        several: of those in several.
    """

    coverage: float
    floor_ml: float
    one: Width
    several: Width

    def __post_init__(self) -> None:
        _check("coverage", self.coverage, LEAST_COVERAGE, MOST_COVERAGE)
        _check("floor_ml", self.floor_ml, 0.0, MOST_FLOOR_ML)

    def around(
        self, volume_ml: float, components: int, *, less_ml: float = 0.0, more_ml: float = 0.0
    ) -> Interval:
        """The interval of a volume, mL.

        Args:
            volume_ml: as measured, more than 0.
            components: connected components of the mask.
            less_ml, more_ml: how much less and more it may be because slices are missing.
        """
        width = (self.several if components > 1 else self.one).width
        spread = spread_of(width, volume_ml, self.floor_ml)
        low = max(volume_ml - less_ml, 0.0)
        return low * math.exp(-spread), (volume_ml + more_ml) * math.exp(spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthInterval:
    """How far a growth from one study to another is off, both read by the same networks.

    Not made of the volumes' intervals: much of an error is the same in both studies.

    Args:
        coverage: nominal share of pairs whose true growth lies inside, of each of the two intervals.
        ratio: of the logarithm of later over earlier volume; `floor / v` takes the smaller one.
        ratio_floor_ml: its floor.
        ml: of the growth in mL, as a share of the two volumes' mean and `ml_floor_ml`.
        ml_floor_ml: its floor.
    """

    coverage: float
    ratio: Width
    ratio_floor_ml: float
    ml: Width
    ml_floor_ml: float

    def __post_init__(self) -> None:
        _check("coverage", self.coverage, LEAST_COVERAGE, MOST_COVERAGE)
        for name in ("ratio_floor_ml", "ml_floor_ml"):
            _check(name, getattr(self, name), 0.0, MOST_FLOOR_ML)

    def half_width_ml(self, earlier_ml: float, later_ml: float) -> float:
        """Half of the interval of later minus earlier volume, mL."""
        return self.ml.width * ml_scale(earlier_ml, later_ml, self.ml_floor_ml)

    def log_spread(self, earlier_ml: float, later_ml: float) -> float:
        """Half of the interval of ln(later / earlier); both volumes more than 0."""
        return spread_of(self.ratio.width, min(earlier_ml, later_ml), self.ratio_floor_ml)


def spread_of(width: float, volume_ml: float, floor_ml: float) -> float:
    """What a score stands for at a volume, as a logarithm."""
    return width * (1 + floor_ml / volume_ml)


def ml_scale(earlier_ml: float, later_ml: float, floor_ml: float) -> float:
    """What an error of growth in mL is divided by."""
    return (earlier_ml + later_ml) / 2 + floor_ml


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise RecordError(f"{name} is {value}, expected {least:g} to {most:g}")
