"""Intervals over patients and spread over seeds, for one arm and for the paired difference of two.

A statistic comes as an array over bootstrap draws of patients, row 0 the estimate itself (see
`hemx_core.training.scoring.intervals`). Seeds are averaged draw by draw, and arms scored on the same
patients share their draws, so differences are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hemx_core.training.scoring.intervals import from_draws
from hemx_core.training.scoring.predictions import Array, rounded


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval over patients and its standard deviation over seeds.

    Args:
        value, lower, upper: None stands for "not estimable".
        seed_sd: None for a single seed.
        seeds: how many.
        p: of a test that a difference is zero; None where none was made.
    """

    value: float | None
    lower: float | None
    upper: float | None
    seed_sd: float | None
    seeds: int
    p: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Rounded to four digits."""
        return {
            "value": rounded(self.value),
            "interval_95": [rounded(self.lower), rounded(self.upper)],
            "seed_sd": rounded(self.seed_sd),
            "seeds": self.seeds,
            "p": rounded(self.p),
        }


def estimate(per_seed: Sequence[Array]) -> Estimate:
    """The mean over seeds; each array is a statistic under all draws (row 0 first)."""
    stacked = np.stack(list(per_seed))
    found = from_draws(stacked.mean(0))
    spread = None
    if len(stacked) > 1 and found.value is not None:
        spread = float(stacked[:, 0].std(ddof=1))
    return Estimate(found.value, found.lower, found.upper, spread, len(stacked))


def difference(first: Sequence[Array], second: Sequence[Array]) -> Estimate:
    """`second` minus `first`, paired by seed and by draw."""
    return estimate([b - a for a, b in zip(first, second, strict=True)])
