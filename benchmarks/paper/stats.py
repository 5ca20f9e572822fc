"""Intervals over patients, spread over seeds, paired differences of two arms, and DeLong's test.

A statistic comes as an array over bootstrap draws of patients, row 0 the estimate itself (see
`hemx_core.training.scoring.intervals`). Seeds are averaged draw by draw, and arms scored on the same
patients share their draws, so differences are paired. DeLong's test needs no draws; its rows must be
independent: give patients, not the slices of patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm, rankdata

from hemx_core.training.scoring import intervals
from hemx_core.training.scoring.intervals import from_draws
from hemx_core.training.scoring.predictions import Array, Labels, rounded


@dataclass(frozen=True, slots=True)
class Estimate(intervals.Estimate):
    """A figure with its 95 % interval over patients, and its standard deviation over seeds.

    Args:
        seed_sd: None for a single seed.
        seeds: how many.
        p: of a test that a difference is zero; None where none was made.
    """

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


LEAST = 2
"""Rows of each class below which a variance cannot be had."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """`second` minus `first` AUC, its interval, and the two-sided test that they are equal.

    z and p are None where the variance of the difference is zero or cannot be had.
    """

    difference: intervals.Estimate
    z: float | None
    p_value: float | None

    def to_json(self) -> dict[str, Any]:
        """Rounded to four digits."""
        return {
            "difference": self.difference.to_json(),
            "z": rounded(self.z),
            "p": rounded(self.p_value),
        }


def delong_covariance(scores: Array, labels: Labels) -> tuple[Array, Array] | None:
    """AUCs of models on the same rows and their covariance.

    Args:
        scores: shape (models, rows).
        labels: 1, 0, or -1 for rows left out, shape (rows,).
    Returns:
        AUCs, shape (models,), and covariance, shape (models, models); None where a class has fewer
        than two rows.
    Source:
        DeLong 1988; the fast algorithm with midranks: IEEE Signal Process Lett 2014;21:1389-1393.
        Sun and Xu 2014, algorithm 2: V10 = (rank among all - rank among positives) / negatives,
        V01 = 1 - (rank among all - rank among negatives) / positives; S10 / m + S01 / n.
    """
    positive, negative = scores[:, labels == 1], scores[:, labels == 0]
    m, n = positive.shape[1], negative.shape[1]
    if m < LEAST or n < LEAST:
        return None
    ranks = rankdata(np.concatenate([positive, negative], 1), axis=1)
    v10 = (ranks[:, :m] - rankdata(positive, axis=1)) / n
    v01 = 1 - (ranks[:, m:] - rankdata(negative, axis=1)) / m
    covariance = np.atleast_2d(np.cov(v10)) / m + np.atleast_2d(np.cov(v01)) / n
    return v10.mean(1), covariance


def delong_test(
    first: Array, second: Array, labels: Labels, *, level: float = 0.95
) -> PairedTest | None:
    """Two models on the same rows: difference of AUC and the two-sided test of equality.

    Args:
        first: scores of one model, shape (rows,).
        second: scores of the other, shape (rows,).
        labels: as for `delong_covariance`.
        level: of the interval.
    Returns:
        None where a class has fewer than two rows.
    """
    found = delong_covariance(np.stack([first, second]), labels)
    if found is None:
        return None
    aucs, covariance = found
    gain = float(aucs[1] - aucs[0])
    deviation = _difference_sd(covariance)
    half = float(norm.ppf((1 + level) / 2)) * deviation
    estimate = intervals.Estimate(gain, max(-1.0, gain - half), min(1.0, gain + half))
    if deviation == 0:
        return PairedTest(estimate, None, None)
    z = gain / deviation
    return PairedTest(estimate, z, float(2 * norm.sf(abs(z))))


def _difference_sd(covariance: Array) -> float:
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    # Identical models leave a variance of rounding errors, which would make any z.
    return float(np.sqrt(variance)) if variance > 1e-14 else 0.0
