"""Scores with intervals over patients, and their differences from the shipped point's, paired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.evaluation.intervals import cluster_draws, from_draws, patient_draws
from hemx_core.evaluation.predictions import Array, Predictions
from hemx_core.evaluation.weighted import weighted_auc, weighted_mean
from hemx_core.markers import MARKER_CODES

Arrays = Mapping[str, NDArray[Any]]
Json = dict[str, Any]
DRAW_SEED = 2026


def marker_aucs(truth: Arrays, logits: Array, *, draws: int) -> Array:
    """AUC of each marker per study under every draw of patients.

    Args:
        truth: `labels`, `patient`, `patient_labels`, `cluster`, see `Predictions`.
        logits: shape (slices, markers); a study's logit is the largest of its slices.
        draws: of the bootstrap; the same for all points, so that they are compared in pairs.
    Returns:
        shape (markers, 1 + draws), the estimate first; NaN where not estimable.
    """
    names = ("labels", "patient", "patient_labels", "cluster")
    answers = Predictions(logits, *(truth[name] for name in names))
    weights = cluster_draws(answers.clusters, draws=draws, seed=DRAW_SEED)
    columns = range(answers.patient_labels.shape[1])
    return np.stack(
        [
            weighted_auc(answers.patient_logits[:, i], answers.patient_labels[:, i], weights)
            for i in columns
        ]
    )


def auc_scores(aucs: Array, shipped: Array | None) -> Json:
    """Mean AUC and each marker's, with intervals; differences where there is a shipped point.

    Args:
        aucs: from `marker_aucs`.
        shipped: the same of the shipped point.
    """
    scores = {
        "score": from_draws(aucs.mean(0)).to_json(),
        "markers": {
            code: from_draws(one).to_json() for code, one in zip(MARKER_CODES, aucs, strict=True)
        },
    }
    if shipped is not None:
        scores["against_shipped"] = from_draws(aucs.mean(0) - shipped.mean(0)).to_json()
    return scores


def mean_dice(dice: Array, *, draws: int) -> Array:
    """Mean Dice under every draw of patients, shape (1 + draws,); `dice` has one a patient."""
    return weighted_mean(dice, patient_draws(len(dice), draws=draws, seed=DRAW_SEED))


def dice_scores(means: Array, shipped: Array | None) -> Json:
    """Mean Dice with its interval, and the difference where there is a shipped point."""
    scores = {"score": from_draws(means).to_json()}
    if shipped is not None:
        scores["against_shipped"] = from_draws(means - shipped).to_json()
    return scores
