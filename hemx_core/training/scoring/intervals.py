"""Intervals over patients by the bootstrap: of a figure, or of the difference of two models.

A draw of patients with replacement is a number of copies of each patient (Efron 1979, written as
weights), so a statistic that takes weights is computed for all draws at once (`weighted`). A
patient comes with all their rows: slices of one patient are not independent. Row 0 of the weights
is every patient once, the estimate itself. Two models scored under the same weights are compared in
pairs: their difference is an array over the same draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from hemx_core.training.scoring.predictions import Array, rounded

ENOUGH = 0.5
"""Least share of draws in which a statistic must be estimable for an interval."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval; None stands for "not estimable"."""

    value: float | None
    lower: float | None
    upper: float | None

    def to_json(self) -> dict[str, Any]:
        """`value` and `interval`, rounded to four digits."""
        return {
            "value": rounded(self.value),
            "interval": [rounded(self.lower), rounded(self.upper)],
        }

    def __str__(self) -> str:
        if self.value is None:
            return "not estimable"
        if self.lower is None or self.upper is None:
            return f"{self.value:.3f} (no interval)"
        return f"{self.value:.3f} ({self.lower:.3f} to {self.upper:.3f})"


NOT_ESTIMABLE = Estimate(None, None, None)


def patient_draws(patients: int, *, draws: int, seed: int) -> Array:
    """Copies of each patient in each draw.

    Args:
        patients: how many there are.
        draws: how many draws.
        seed: the same seed and number of patients give the same draws, so that two models scored
            on the same patients are compared in pairs.
    Returns:
        shape (1 + draws, patients); row 0 is all ones.
    """
    rng = np.random.default_rng((seed, patients))
    if not patients:
        return np.ones((1 + draws, 0))
    share = np.full(patients, 1 / patients)
    drawn = rng.multinomial(patients, share, size=draws).astype(np.float64)
    return np.concatenate([np.ones((1, patients)), drawn])


def cluster_draws(cluster: NDArray[np.int64], *, draws: int, seed: int) -> Array:
    """Copies of each row where clusters of rows are drawn, shape (1 + draws, rows)."""
    names, number = np.unique(cluster, return_inverse=True)
    return patient_draws(len(names), draws=draws, seed=seed)[:, number]


def from_draws(values: Array, *, level: float = 0.95) -> Estimate:
    """Percentile interval from a statistic under all draws.

    Args:
        values: row 0 the estimate, then one for each draw, NaN where not estimable, shape (1 + draws,).
        level: of the interval.
    Returns:
        Bounds are None where fewer than half of the draws are estimable.
    """
    if not np.isfinite(values[0]):
        return NOT_ESTIMABLE
    drawn = values[1:][np.isfinite(values[1:])]
    if len(drawn) < max(1.0, ENOUGH * (len(values) - 1)):
        return Estimate(float(values[0]), None, None)
    lower, upper = np.quantile(drawn, ((1 - level) / 2, (1 + level) / 2))
    return Estimate(float(values[0]), float(lower), float(upper))


def wilson(count: int, total: int, *, level: float = 0.95) -> Estimate:
    """A share of independent patients with Wilson's score interval; not estimable of none.

    Source: Wilson, J Am Stat Assoc 1927;22:209-212.

    Args:
        count: of these patients.
        total: patients.
        level: of the interval.
    """
    if not total:
        return NOT_ESTIMABLE
    bounds = binomtest(count, total).proportion_ci(level, method="wilson")
    return Estimate(count / total, float(bounds.low), float(bounds.high))
