"""Trained weights scored on patients they were not trained on: masks on real slices, markers on a source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.costs import Progress
from hemx_core.data import phe_sich
from hemx_core.data.study import StudySource, says_something
from hemx_core.errors import DatasetError
from hemx_core.imaging.prepare import prepare
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.markers import MARKER_CODES
from hemx_core.measure.clean import clean_mask
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet
from hemx_core.training.classifier import predict
from hemx_core.training.config import ClassifierTraining
from hemx_core.training.marker_slices import held_out_slices
from hemx_core.training.scoring.aggregation import Aggregation, Way
from hemx_core.training.scoring.calibration import Scaling
from hemx_core.training.scoring.intervals import patient_draws
from hemx_core.training.scoring.masks import PatientMasks, overlap_report, pixel_counts, score_masks
from hemx_core.training.scoring.predictions import Predictions, rounded
from hemx_core.training.scoring.report import EvaluationReport, EvaluationSettings, evaluate_markers
from hemx_core.training.stage2 import MIN_BLOOD_MM2

Array = NDArray[np.float64]
Segment = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Prepared slice (S, S) in [0, 1] to probabilities of blood, same shape."""
BATCH, DRAWS, SEED = 8, 2000, 1
AS_TRIAGE = (Aggregation(Way.MAX),)
"""Triage takes a patient's markers from the slice that shows them best."""


def evaluate_masks(
    segment: Segment,
    spec: PreprocessingSpec,
    *,
    patients: Sequence[str],
    folder: Path,
    threshold: float,
    min_component_ml: float,
    checked: bool = True,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Masks of PHE-SICH patients as triage makes them, against the derived reference.

    Args:
        segment: the network.
        spec: how it takes slices.
        patients: held out from its training.
        folder: the data set.
        threshold: probability from which a pixel counts as blood.
        min_component_ml: smaller components are dropped.
        checked: leave out where the reference contradicts the picture (`data.reference_check`).
        progress: told after every patient, stage `masks`.
    Returns:
        JSON values: overlap per image, batch and patient; means over patients with 95 % bootstrap
        intervals; one row for each patient.
    Raises:
        DatasetError: no patients, or the data set is not complete.
    """
    if not patients:
        raise DatasetError("no patients", expected="held-out patients", remedy="choose a split")
    rows = phe_sich.read_rows(folder)
    counts, owner, scores, faults = [], [], [], []
    for number, patient in enumerate(patients):
        volume = phe_sich.read_volume(folder, rows[patient])
        prepared = prepare(volume, spec)
        native = [one.transform.to_native(segment(one.image)) >= threshold for one in prepared]
        mask = clean_mask(np.stack(native), volume, min_component_ml=min_component_ml).mask
        truth, known, found = phe_sich.read_reference(
            folder, rows[patient], volume, checked=checked
        )
        counts.append(pixel_counts(mask, truth, known))
        owner += [number] * len(mask)
        scores.append(score_masks(mask, truth, known, spacing_mm=volume.geometry.spacing_mm))
        faults += [{"patient": patient} | asdict(one) for one in found]
        if progress:
            progress("masks", number + 1, len(patients))
    return {
        "reference": "derived reference without its unsure pixels"
        + (" and faults" if checked else "")
        + "; spacing assumed 5 x 0.45 x 0.45 mm",
        "faults_left_out": faults,
        "threshold": threshold,
        "patients": len(patients),
        "scores": _means(scores),
        "overlap": overlap_report(np.concatenate(counts), np.array(owner), batch=BATCH),
        "per_patient": [_row(*one) for one in zip(patients, scores, strict=True)],
    }


def evaluate_classifier(
    unet: UNet,
    network: MarkerClassifier,
    calibration: StudySource,
    test: StudySource,
    *,
    crop_size: int,
    mask_threshold: float,
    scaling: Scaling = Scaling.TEMPERATURE,
) -> EvaluationReport:
    """Markers of a source's test patients on predicted masks, as triage finds them.

    Args:
        unet: the segmenter.
        network: the classifier.
        calibration: on its validation patients scaling and thresholds are fitted, as in training.
        test: on its test patients all is scored.
        crop_size: of the classifier.
        mask_threshold: of the segmenter.
        scaling: what is fitted; triage applies temperatures alone.
    Raises:
        DatasetError: a split without slices that show blood.
    """
    config = ClassifierTraining(crop_size=crop_size)
    least = max(1, round(MIN_BLOOD_MM2 / test.preprocessing.pixel_mm**2))

    def found(source: StudySource, split: str) -> Predictions:
        slices = held_out_slices(
            unet,
            source.patients(split),
            config=config,
            mask_threshold=mask_threshold,
            min_area_px=least,
        )
        return predict(network, slices["predicted"])

    sites = [one.site for one in test.patients("test") if says_something(one, MARKER_CODES)]
    return evaluate_markers(
        found(calibration, "validation"),
        found(test, "test"),
        sites=sites if all(sites) else None,
        settings=EvaluationSettings(candidates=AS_TRIAGE, scaling=scaling),
    )


def _means(scores: Sequence[PatientMasks]) -> dict[str, Any]:
    """Means over patients with bootstrap intervals, and the worst."""
    columns = {
        "dice": [one.dice for one in scores],
        "iou": [one.iou for one in scores],
        "volume_error_percent": [abs(one.error_percent or 0.0) for one in scores],
        "false_ml": [one.false_ml for one in scores],
        "surface_mm": [one.surface_mm for one in scores if one.surface_mm is not None],
        "hausdorff95_mm": [one.hausdorff95_mm for one in scores if one.hausdorff95_mm is not None],
    }
    return {name: _summary(np.array(values)) for name, values in columns.items() if values}


def _summary(values: Array) -> dict[str, Any]:
    weights = patient_draws(len(values), draws=DRAWS, seed=SEED)
    means = (weights @ values) / weights.sum(1)
    low, high = np.quantile(means[1:], (0.025, 0.975))
    return {
        "mean": rounded(float(values.mean())),
        "interval": [rounded(float(low)), rounded(float(high))],
        "median": rounded(float(np.median(values))),
        "smallest": rounded(float(values.min())),
        "largest": rounded(float(values.max())),
    }


def _row(patient: str, one: PatientMasks) -> dict[str, Any]:
    values = {
        "dice": one.dice,
        "iou": one.iou,
        "reference_ml": one.reference_ml,
        "predicted_ml": one.predicted_ml,
        "false_ml": one.false_ml,
        "surface_mm": one.surface_mm,
        "hausdorff95_mm": one.hausdorff95_mm,
    }
    return {"patient": patient} | {name: rounded(value) for name, value in values.items()}
