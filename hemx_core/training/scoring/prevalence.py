"""How often patients show each marker, and the weights that bring studies to it.

Synthetic studies show rare markers far more often than patients do, so that a network can learn them.
Probabilities and calibration errors are meant for patients: known studies are weighted so that the
share with the marker is the patients'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hemx_core.training.scoring.predictions import Array, Labels


@dataclass(frozen=True, slots=True)
class Prevalence:
    """Share of patients with spontaneous intracerebral haemorrhage, and where it is from."""

    share: float
    source: str


PUBLISHED: Mapping[str, Prevalence] = {
    "hypodensity": Prevalence(
        0.30,
        "15 to 40 % by the sign that is counted; swirl sign 30 % of 203 (Selariu et al., BMC Neurol "
        "2012;12:109)",
    ),
    "irregular": Prevalence(
        0.40,
        "up to 82 % by the limit that is drawn (23 studies, Morotti et al., Int J Stroke 2022, "
        "doi:10.1177/17474930211061639); 0.40 is assumed, near what is clearly read on phe_sich",
    ),
    "blend": Prevalence(0.16, "29 of 172 (Li et al., Stroke 2015;46:2119-2123); 15 to 17 %"),
    "fluid_level": Prevalence(0.03, "assumed: rare; no clear one in 116 read patients"),
}
"""Of each marker. Expansion has none: its share hangs on the time between the scans."""


def published_share(code: str) -> float | None:
    """The share of patients with a target, or None where none is published."""
    return PUBLISHED[code].share if code in PUBLISHED else None


def prevalence_weights(labels: Labels, share: float | None) -> Array:
    """A weight for each row that brings the known ones to a prevalence; their mean is 1.

    Args:
        labels: 1, 0 or -1, shape (rows,).
        share: of rows with the marker, in (0, 1); None leaves every row at 1.
    Returns:
        shape (rows,); all 1 where a class is missing. Rows that are not known get 1.
    """
    weights = np.ones(len(labels))
    present, absent = labels == 1, labels == 0
    known = int(present.sum() + absent.sum())
    if share is None or not present.any() or not absent.any():
        return weights
    weights[present] = share * known / present.sum()
    weights[absent] = (1 - share) * known / absent.sum()
    return weights
