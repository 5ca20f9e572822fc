"""Intervals over patients: bootstrap of any metric, and paired bootstrap of the difference of two models.

A draw of patients with replacement is a number of copies of each patient (Efron 1979, written as
weights), so a statistic that takes weights is computed for all draws at once (`weighted`). A
patient comes with all their rows: slices of one patient are not independent. Row 0 of the weights
is every patient once, the estimate itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.training.scoring.predictions import Array, rounded

ENOUGH = 0.5
"""Least share of draws in which a statistic must be estimable for an interval."""

Metric = Callable[[NDArray[np.intp]], float | None]
"""Row numbers (with repetition, in no order) to a figure; None or NaN where not estimable."""


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


def patient_draws(
    patients: int, *, draws: int, seed: int, strata: NDArray[Any] | None = None
) -> Array:
    """Copies of each patient in each draw.

    Args:
        patients: how many there are.
        draws: how many draws.
        seed: the same seed and number of patients give the same draws, so that two models scored
            on the same patients are compared in pairs.
        strata: group of each patient, shape (patients,); each group keeps its size in every draw.
    Returns:
        shape (1 + draws, patients); row 0 is all ones.
    """
    rng = np.random.default_rng((seed, patients))
    groups = np.zeros(patients, np.intp) if strata is None else np.asarray(strata)
    drawn = np.zeros((draws, patients))
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        share = np.full(len(members), 1 / len(members))
        drawn[:, members] = rng.multinomial(len(members), share, size=draws)
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


def bootstrap(
    metric: Metric,
    patient: NDArray[Any],
    *,
    draws: int = 1000,
    seed: int = 1,
    strata: NDArray[Any] | None = None,
    level: float = 0.95,
) -> Estimate:
    """Any metric with its percentile interval, patients being drawn with replacement.

    The general form, one call for each draw; `weighted` has AUC and its like for all draws at once.

    Args:
        metric: function of row numbers.
        patient: whose each row is (numbers or names), shape (rows,).
        draws: how many.
        seed: of the draws.
        strata: group of each row's patient, shape (rows,).
        level: of the interval.
    """
    return from_draws(
        _under_draws(metric, patient, draws=draws, seed=seed, strata=strata), level=level
    )


def paired_bootstrap(
    first: Metric,
    second: Metric,
    patient: NDArray[Any],
    *,
    draws: int = 1000,
    seed: int = 1,
    strata: NDArray[Any] | None = None,
    level: float = 0.95,
) -> Estimate:
    """`second` minus `first`, both on the same patients in every draw; arguments as `bootstrap`."""
    a, b = (
        _under_draws(metric, patient, draws=draws, seed=seed, strata=strata)
        for metric in (first, second)
    )
    return from_draws(b - a, level=level)


def _under_draws(
    metric: Metric,
    patient: NDArray[Any],
    *,
    draws: int,
    seed: int,
    strata: NDArray[Any] | None,
) -> Array:
    names, first, number = np.unique(patient, return_index=True, return_inverse=True)
    if len(names) == 0:
        return np.full(1 + draws, np.nan)
    groups = None if strata is None else np.asarray(strata)[first]
    copies = patient_draws(len(names), draws=draws, seed=seed, strata=groups)[:, number]
    rows = np.arange(len(number))
    values = [metric(np.repeat(rows, one.astype(np.intp))) for one in copies]
    return np.array([np.nan if value is None else value for value in values], np.float64)
