"""Medians, percentiles and ratios with their intervals: all that a benchmark may claim.

Machines are noisy and drift. So every contestant is measured in several rounds (`interleave`), a round is
summarised by its median, and only differences between rounds count as noise: calls inside one process are
not independent of each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS, SEED = 2000, 5
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One figure over its rounds.

    Args:
        median: median of the rounds.
        p95: 95th percentile; of all calls where they are known, else of the rounds.
        rounds: every round, in order.
    """

    median: float
    p95: float
    rounds: tuple[float, ...]

    def to_json(self) -> dict[str, object]:
        """Plain values, rounded to four significant decimals."""
        return {
            "median": round(self.median, 4),
            "p95": round(self.p95, 4),
            "rounds": [round(one, 4) for one in self.rounds],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio of two medians.

    Args:
        value: median of the numerator over median of the denominator.
        low: lower end of the 95 % interval.
        high: upper end.
    """

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Plain values."""
        return {
            "value": round(self.value, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
        }


def summarise(rounds: Sequence[float], calls: Sequence[float] = ()) -> Summary:
    """Median of the rounds; the 95th percentile of the calls.

    Args:
        rounds: a value a round, at least one.
        calls: single calls of all rounds, for the percentile; the rounds themselves where left out.
    """
    return Summary(
        median=float(np.median(rounds)),
        p95=float(np.quantile(calls if len(calls) else rounds, LEVEL)),
        rounds=tuple(float(one) for one in rounds),
    )


def ratio_of_medians(
    numerator: Sequence[float], denominator: Sequence[float], *, paired: bool
) -> Ratio:
    """Ratio of two medians, with a bootstrap interval over the rounds.

    Args:
        numerator: a value a round, above 0.
        denominator: the same of the other contestant.
        paired: both were measured in the same rounds of one run, so rounds are drawn together and drift
            cancels; otherwise each side draws its own.
    Returns:
        The ratio with the percentile interval of `DRAWS` resamplings, fixed seed. A single round has
        no interval: both ends are the ratio.
    """
    above, below = np.asarray(numerator, float), np.asarray(denominator, float)
    count = min(len(above), len(below))
    if paired:
        above, below = above[:count], below[:count]
    value = float(np.median(above) / np.median(below))
    rng = np.random.default_rng(SEED)
    first = rng.integers(0, len(above), (DRAWS, len(above)))
    second = first if paired else rng.integers(0, len(below), (DRAWS, len(below)))
    drawn = np.median(above[first], axis=1) / np.median(below[second], axis=1)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return Ratio(value=value, low=min(float(low), value), high=max(float(high), value))


def power_law(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The exponent p of cost = a * size**p, by least squares of the logarithms; two points at least."""
    slope, _ = np.polyfit(np.log(np.asarray(sizes, float)), np.log(np.asarray(costs, float)), 1)
    return float(slope)


def line(sizes: Sequence[float], costs: Sequence[float]) -> tuple[float, float]:
    """(slope, intercept) of cost = slope * size + intercept, by least squares; two points at least."""
    slope, intercept = np.polyfit(np.asarray(sizes, float), np.asarray(costs, float), 1)
    return float(slope), float(intercept)
