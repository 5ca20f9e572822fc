"""How far two raters agree on yes and no: raw agreement, Cohen's kappa, Gwet's AC1; intervals by patient.

With the shares a (both yes), b and c (one alone) and d (both no) of the studies that both answered, p1 and
p2 the raters' shares of yes, and q their mean:

    raw agreement  po = a + d
    kappa          (po - pe) / (1 - pe),  pe = p1 p2 + (1 - p1) (1 - p2)
    AC1            (po - pg) / (1 - pg),  pg = 2 q (1 - q)

Sources: Cohen, Educ Psychol Meas 1960;20:37-46; Gwet, Br J Math Stat Psychol 2008;61:29-48. Where a marker is
rare, kappa is low for raters who agree nearly always (Feinstein and Cicchetti, J Clin Epidemiol
1990;43:543-549); AC1 is not. Neither replaces the counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.training.scoring.intervals import Estimate, cluster_draws, from_draws
from hemx_core.training.scoring.predictions import Array

Labels = NDArray[np.int8]
DRAWS, SEED = 2000, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Two raters on one question.

    Args:
        both_yes, first_only, second_only, both_no: studies.
        agreement, kappa, ac1: with 95 % intervals; kappa is not estimable where both always say the same one.
        sensitivity, specificity: of the second rater, where the first one is the truth.
    """

    both_yes: int
    first_only: int
    second_only: int
    both_no: int
    agreement: Estimate
    kappa: Estimate
    ac1: Estimate
    sensitivity: Estimate
    specificity: Estimate

    @property
    def studies(self) -> int:
        """Studies that both answered."""
        return self.both_yes + self.first_only + self.second_only + self.both_no

    def to_json(self) -> dict[str, Any]:
        """Counts and estimates."""
        counts = ("studies", "both_yes", "first_only", "second_only", "both_no")
        estimates = ("agreement", "kappa", "ac1", "sensitivity", "specificity")
        return {name: getattr(self, name) for name in counts} | {
            name: getattr(self, name).to_json() for name in estimates
        }


def kappa(shares: Array) -> Array:
    """Cohen's kappa of tables (both yes, first only, second only, both no), shape (…, 4), each summing to 1.

    NaN where chance alone would agree always.
    """
    both, first, second, none = np.moveaxis(shares, -1, 0)
    one, other = both + first, both + second
    return _corrected(both + none, one * other + (1 - one) * (1 - other))


def gwet_ac1(shares: Array) -> Array:
    """Gwet's AC1 of the same tables."""
    both, first, second, none = np.moveaxis(shares, -1, 0)
    yes = (2 * both + first + second) / 2
    return _corrected(both + none, 2 * yes * (1 - yes))


def _corrected(found: Array, chance: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        corrected = (found - chance) / (1 - chance)
    return np.where(np.isclose(chance, 1), np.nan, corrected)


def agreement(
    first: Labels,
    second: Labels,
    patient: NDArray[np.int64],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Agreement:
    """Compare two raters; a study that one of them left open counts for nothing.

    Args:
        first, second: 1 yes, 0 no, -1 open, shape (studies,).
        patient: number of each study's patient: studies of one patient are drawn together.
        draws: of the bootstrap.
        seed: of it.
    """
    kept = (first >= 0) & (second >= 0)
    one, other, patient = first[kept] == 1, second[kept] == 1, patient[kept]
    cells = np.stack([one & other, one & ~other, ~one & other, ~one & ~other], 1)
    counts = cluster_draws(patient, draws=draws, seed=seed) @ cells.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = counts / counts.sum(1, keepdims=True)
        both, first_only, second_only, none = counts.T
        sensitivity, specificity = both / (both + first_only), none / (none + second_only)
    whole = cells.sum(0)
    return Agreement(
        both_yes=int(whole[0]),
        first_only=int(whole[1]),
        second_only=int(whole[2]),
        both_no=int(whole[3]),
        agreement=from_draws(shares[:, 0] + shares[:, 3]),
        kappa=from_draws(kappa(shares)),
        ac1=from_draws(gwet_ac1(shares)),
        sensitivity=from_draws(sensitivity),
        specificity=from_draws(specificity),
    )
