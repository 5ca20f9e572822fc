"""Scores of the test patients split by site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import DatasetError
from hemx_core.markers import MARKER_CODES, Aggregation
from hemx_core.training.scoring.aggregation import MAX, patient_logits
from hemx_core.training.scoring.intervals import Estimate, cluster_draws, from_draws
from hemx_core.training.scoring.predictions import (
    Array,
    Labels,
    Predictions,
    label_counts,
    rounded,
)
from hemx_core.training.scoring.weighted import weighted_auc


@dataclass(frozen=True, slots=True)
class SiteScores:
    """One site: AUC per patient of each marker, and their mean over the estimable markers."""

    site: str
    patients: int
    auc: Mapping[str, Estimate]
    labels: Mapping[str, Mapping[str, int]]
    mean_auc: float | None


@dataclass(frozen=True, slots=True)
class SiteTable:
    """All sites, by name; no site was held out of the training."""

    rows: tuple[SiteScores, ...]

    @property
    def worst(self) -> str | None:
        """The site of the least mean AUC; None where no site is estimable.

        A site without both classes of any marker cannot be the worst: `unjudged` names it.
        """
        judged = [row for row in self.rows if row.mean_auc is not None]
        return min(judged, key=lambda row: row.mean_auc or 0.0).site if judged else None

    @property
    def worst_by_marker(self) -> dict[str, str | None]:
        """For each marker the site of the least AUC, None where no site is estimable."""
        answer: dict[str, str | None] = {}
        for code in MARKER_CODES:
            judged = {r.site: r.auc[code].value for r in self.rows}
            known = {site: value for site, value in judged.items() if value is not None}
            answer[code] = min(known, key=lambda site: known[site]) if known else None
        return answer

    @property
    def unjudged(self) -> tuple[str, ...]:
        """Sites where no marker has patients of both classes."""
        return tuple(row.site for row in self.rows if row.mean_auc is None)

    def to_json(self) -> dict[str, Any]:
        """Rounded, None where not estimable."""
        return {
            "held_out": False,
            "worst": self.worst,
            "worst_by_marker": self.worst_by_marker,
            "not_estimable": list(self.unjudged),
            "sites": {
                row.site: {
                    "patients": row.patients,
                    "mean_auc": rounded(row.mean_auc),
                    "auc": {code: auc.to_json() for code, auc in row.auc.items()},
                    "labels": {code: dict(counts) for code, counts in row.labels.items()},
                }
                for row in self.rows
            },
        }

    def to_markdown(self) -> str:
        """A table with one line for each site."""
        lines = [
            "| site | patients | "
            + " | ".join(f"AUC {code}" for code in MARKER_CODES)
            + " | mean |",
            "| --- " * (len(MARKER_CODES) + 3) + "|",
        ]
        for row in self.rows:
            cells = [row.site or "(none)", str(row.patients)]
            cells += [str(row.auc[code]) for code in MARKER_CODES]
            cells.append("not estimable" if row.mean_auc is None else f"{row.mean_auc:.3f}")
            lines.append("| " + " | ".join(cells) + " |")
        worst = self.worst if self.worst is not None else "not estimable"
        return (
            "\n".join(lines)
            + f"\n\nSites are of the test patients; worst site by mean AUC: {worst}.\n"
        )


def evaluate_by_site(
    found: Predictions,
    sites: Sequence[str],
    *,
    ways: Sequence[Aggregation] = (MAX,) * len(MARKER_CODES),
    draws: int = 1000,
    seed: int = 1,
) -> SiteTable:
    """Test patients of one model, split by site.

    Args:
        found: predictions on test patients.
        sites: of each patient, as many as `found.patient_labels` has rows.
        ways: from slices to patients, of each marker.
        draws: of the bootstrap over a site's patients.
        seed: of the draws.
    Raises:
        DatasetError: not one site for each patient.
    """
    names = _check(found, sites)
    logits = patient_logits(found, ways)
    rows = []
    for site in np.unique(names):
        here = names == site
        weights = cluster_draws(found.clusters[here], draws=draws, seed=seed)
        rows.append(_score(str(site), logits[here], found.patient_labels[here], weights))
    return SiteTable(tuple(rows))


def _score(site: str, logits: Array, labels: Labels, weights: Array) -> SiteScores:
    scores = {
        code: from_draws(weighted_auc(logits[:, i], labels[:, i], weights))
        for i, code in enumerate(MARKER_CODES)
    }
    values = [score.value for score in scores.values() if score.value is not None]
    return SiteScores(
        site,
        len(labels),
        scores,
        {code: label_counts(labels[:, i]) for i, code in enumerate(MARKER_CODES)},
        float(np.mean(values)) if values else None,
    )


def _check(found: Predictions, sites: Sequence[str]) -> NDArray[np.str_]:
    if len(sites) != len(found.patient_labels):
        raise DatasetError(
            f"{len(sites)} sites for {len(found.patient_labels)} patients",
            expected="one site for each patient",
            remedy="give the sites in the order of `patient_labels`",
        )
    return np.array(list(sites), dtype=np.str_)
