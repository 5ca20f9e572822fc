"""Scores by site: the same test patients split by site, or each site held out of the training in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import DatasetError
from hemx_core.markers import MARKER_CODES
from hemx_core.training.scoring.aggregation import MAX, Aggregation, patient_logits
from hemx_core.training.scoring.classification import label_counts
from hemx_core.training.scoring.intervals import Estimate, cluster_draws, from_draws
from hemx_core.training.scoring.predictions import Array, Labels, Predictions, rounded
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
    """All sites, by name.

    Args:
        rows: one for each site.
        held_out: whether each site's patients come from a training without that site.
    """

    rows: tuple[SiteScores, ...]
    held_out: bool

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
            "held_out": self.held_out,
            "worst": self.worst,
            "worst_by_marker": self.worst_by_marker,
            "not_estimable": list(self.unjudged),
            "sites": {
                row.site: {
                    "patients": row.patients,
                    "mean_auc": rounded(row.mean_auc),
                    "auc": {code: one.to_json() for code, one in row.auc.items()},
                    "labels": {code: dict(one) for code, one in row.labels.items()},
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
        kind = "held out of training" if self.held_out else "of the test patients"
        worst = self.worst if self.worst is not None else "not estimable"
        return "\n".join(lines) + f"\n\nSites are {kind}; worst site by mean AUC: {worst}.\n"


def evaluate_by_site(
    found: Predictions,
    sites: Sequence[str],
    *,
    aggregation: Aggregation = MAX,
    draws: int = 1000,
    seed: int = 1,
) -> SiteTable:
    """The cheap form: test patients of one model, split by site.

    Args:
        found: predictions on test patients.
        sites: of each patient, as many as `found.patient_labels` has rows.
        aggregation: from slices to patients.
        draws: of the bootstrap over a site's patients.
        seed: of the draws.
    Raises:
        DatasetError: not one site for each patient.
    """
    names = _check(found, sites)
    logits = patient_logits(found, aggregation)
    rows = []
    for site in np.unique(names):
        here = names == site
        weights = cluster_draws(found.clusters[here], draws=draws, seed=seed)
        rows.append(_score(str(site), logits[here], found.patient_labels[here], weights))
    return SiteTable(tuple(rows), held_out=False)


def leave_one_site_out(
    sites: Sequence[str],
    train_and_predict: Callable[[str], Predictions],
    *,
    aggregation: Aggregation = MAX,
    draws: int = 1000,
    seed: int = 1,
) -> SiteTable:
    """Each site in turn as the test set of a training without it.

    Args:
        sites: of each patient; every name is held out once, in alphabetical order.
        train_and_predict: given the site to hold out, trains on all other sites and predicts that
            site's patients. It has to keep its own validation patients out of the held-out site.
        aggregation: from slices to patients, chosen without the held-out sites.
        draws: of the bootstrap over a site's patients.
        seed: of the draws.
    Raises:
        DatasetError: fewer than two sites, or predictions of another number of patients than the
            site has.
    """
    names = np.array(list(sites), dtype=np.str_)
    if len(np.unique(names)) < 2:
        raise DatasetError(
            f"{len(np.unique(names))} site(s)",
            expected="at least two, so that one can be left out",
            remedy="give a data set of several sites",
        )
    rows = []
    for site in np.unique(names):
        found = train_and_predict(str(site))
        expected = int((names == site).sum())
        if len(found.patient_labels) != expected:
            raise DatasetError(
                f"predictions of {len(found.patient_labels)} patients for site {site}",
                expected=f"its {expected} patients and no others",
                remedy="predict exactly the held-out site",
            )
        logits = patient_logits(found, aggregation)
        weights = cluster_draws(found.clusters, draws=draws, seed=seed)
        rows.append(_score(str(site), logits, found.patient_labels, weights))
    return SiteTable(tuple(rows), held_out=True)


def _score(site: str, logits: Array, labels: Labels, weights: Array) -> SiteScores:
    scores = {
        code: from_draws(weighted_auc(logits[:, i], labels[:, i], weights))
        for i, code in enumerate(MARKER_CODES)
    }
    values = [one.value for one in scores.values() if one.value is not None]
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
