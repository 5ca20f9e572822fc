"""Accuracy of a written bundle beside the accuracy of the trained networks, on held-out patients.

Parity (`export.verify`) says how far single answers move; this says whether it matters: Dice and volume
against the reference, and each marker's AUC per patient, both ways on the same patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.networks import Decision, Networks
from export.verify import MIN_BLOOD_MM2, OneToTwo, TwoToTwo, torch_functions
from hemx_core.costs import Progress
from hemx_core.data.study import PreparedStudy
from hemx_core.errors import DatasetError
from hemx_core.evaluation.classification import auc
from hemx_core.evaluation.intervals import Estimate, cluster_draws, from_draws
from hemx_core.evaluation.predictions import Predictions, rounded
from hemx_core.evaluation.weighted import weighted_auc
from hemx_core.imaging.crop import crop_around
from hemx_core.markers import MARKER_CODES
from hemx_core.runtime.bundle import Models
from hemx_core.training.evaluate_segmentation import PatientScore, score_patients

WAYS = ("trained", "exported")
BOOTSTRAP, SEED = 1000, 1


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One way to answer: `trained` (torch, float32) or `exported` (the written programs)."""

    segment: OneToTwo
    classify: TwoToTwo


def two_ways(networks: Networks, models: Models) -> dict[str, Way]:
    """The trained networks and the written programs."""
    return {
        "trained": Way(*torch_functions(networks)),
        "exported": Way(models.segment, models.classify),
    }


def validate_masks(
    ways: dict[str, Way], decision: Decision, folder: Path, patients: Sequence[str]
) -> dict[str, Any]:
    """Dice and volume against the reference of PHE-SICH patients, both ways and their difference.

    Args:
        ways: see `two_ways`.
        decision: threshold, smallest component and preprocessing.
        folder: the data set.
        patients: held-out patients.
    Returns:
        JSON values; `dice_drop` is the loss of mean Dice from trained to exported.
    """
    scores = {name: _score(way, decision, folder, patients) for name, way in ways.items()}
    dice = {name: np.array([one.dice for one in found]) for name, found in scores.items()}
    volume = {name: np.array([one.predicted_ml for one in found]) for name, found in scores.items()}
    apart = np.abs(volume["exported"] - volume["trained"])
    return {
        "patients": len(patients),
        **{name: _summary(found) for name, found in scores.items()},
        "dice_drop": round(float((dice["trained"] - dice["exported"]).mean()), 5),
        "dice_drop_worst": round(float((dice["trained"] - dice["exported"]).max()), 5),
        "volume_difference_ml_mean": round(float(apart.mean()), 4),
        "volume_difference_ml_worst": round(float(apart.max()), 4),
    }


def validate_markers(
    ways: dict[str, Way],
    decision: Decision,
    studies: Sequence[PreparedStudy],
    *,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """AUC of each marker per patient, both ways, with the interval of the difference.

    Args:
        ways: see `two_ways`.
        decision: threshold and crop size.
        studies: of held-out patients.
        progress: told after every study, stage `markers`.
    Returns:
        JSON values by marker code; `drop` is the loss of AUC, `drop_95` its interval over patients
        (paired percentile bootstrap); None where the marker is not estimable.
    Raises:
        DatasetError: no studies.
    """
    if not studies:
        raise DatasetError(
            "no held-out studies", expected="patients never trained on", remedy="enlarge the cohort"
        )
    found = {name: _predictions(way, decision, studies, progress) for name, way in ways.items()}
    trained, exported = (found[name].patient_logits for name in WAYS)
    labels = found["trained"].patient_labels
    table = {}
    for i, code in enumerate(MARKER_CODES):
        pair = trained[:, i], exported[:, i]
        before, after = (auc(one, labels[:, i]) for one in pair)
        drop = _drop(*pair, labels[:, i], found["trained"].clusters)
        table[code] = {
            "trained": rounded(before, 5),
            "exported": rounded(after, 5),
            "drop": rounded(drop.value, 5),
            "drop_95": [rounded(drop.lower, 5), rounded(drop.upper, 5)],
            "present": int((labels[:, i] == 1).sum()),
            "absent": int((labels[:, i] == 0).sum()),
        }
    return {"patients": len(labels), "markers": table}


def _score(
    way: Way, decision: Decision, folder: Path, patients: Sequence[str]
) -> list[PatientScore]:
    threshold = decision.mask_threshold
    table = score_patients(
        lambda image: way.segment(image)[0],
        decision.preprocessing,
        patients=patients,
        folder=folder,
        thresholds=(threshold,),
        min_component_ml=decision.min_component_ml,
    )
    return table[threshold]


def _summary(scores: Sequence[PatientScore]) -> dict[str, float]:
    dice = np.array([one.dice for one in scores])
    false = np.array([one.false_ml_on_blood_free_slices for one in scores])
    return {
        "dice_mean": round(float(dice.mean()), 4),
        "dice_worst": round(float(dice.min()), 4),
        "volume_error_median": round(float(np.median([one.volume_error for one in scores])), 4),
        "false_ml_mean": round(float(false.mean()), 4),
    }


def _predictions(
    way: Way, decision: Decision, studies: Sequence[PreparedStudy], progress: Progress | None
) -> Predictions:
    """Logits of every slice on which this way finds blood, as triage classifies them."""
    least = MIN_BLOOD_MM2 / decision.preprocessing.pixel_mm**2
    names = list(dict.fromkeys(study.patient_id for study in studies))
    logits, labels, owner, truth = [], [], [], []
    for number, study in enumerate(studies):
        truth.append(study.patient_markers)
        for image, label in zip(study.image, study.slice_markers, strict=True):
            plain = image.astype(np.float32)
            probabilities, features = way.segment(plain)
            mask = probabilities >= decision.mask_threshold
            if np.count_nonzero(mask) < least:
                continue
            crop, _ = crop_around(plain, mask, decision.crop_size)
            logits.append(way.classify(crop, features)[0])
            labels.append(label)
            owner.append(number)
        if progress:
            progress("markers", number + 1, len(studies))
    shape = (len(owner), len(MARKER_CODES))
    return Predictions(
        np.array(logits, np.float64).reshape(shape),
        np.array(labels, np.int8).reshape(shape),
        np.array(owner, np.int64),
        np.stack(truth),
        np.array([names.index(study.patient_id) for study in studies], np.int64),
    )


def _drop(
    trained: NDArray[np.float64],
    exported: NDArray[np.float64],
    labels: NDArray[np.int8],
    cluster: NDArray[np.int64],
) -> Estimate:
    """Trained minus exported AUC, both on the same patients in every draw."""
    weights = cluster_draws(cluster, draws=BOOTSTRAP, seed=SEED)
    before, after = (weighted_auc(one, labels, weights) for one in (trained, exported))
    return from_draws(before - after)
