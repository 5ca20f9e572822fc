"""Stage 2 from a cohort to weights: `hemx train classifier`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hemx_core import provenance
from hemx_core.costs import Progress
from hemx_core.data.study import Study, StudySource, says_something
from hemx_core.markers import MARKER_CODES, Aggregation
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights import classifier_config, load_segmenter, read_metadata, save_weights
from hemx_core.training.classifier import fit_classifier, predict
from hemx_core.training.config import (
    ClassifierTraining,
    SegmentationTraining,
    check_preprocessing,
    read_stage1,
    settings_card,
)
from hemx_core.training.loop import is_first
from hemx_core.training.marker_slices import (
    HeldOutSlices,
    TrainingSlices,
    held_out_slices,
    out_of_fold_masks,
    training_slices,
)
from hemx_core.training.scoring.aggregation import choose_aggregation, patient_logits
from hemx_core.training.scoring.calibration import Calibration, Scaling, calibrate
from hemx_core.training.scoring.predictions import Predictions, co_occurrence
from hemx_core.training.scoring.prevalence import published_share
from hemx_core.training.scoring.report import (
    EvaluationReport,
    EvaluationSettings,
    accuracy,
    evaluate_markers,
)
from hemx_core.training.segmentation import fit_segmenter
from hemx_core.training.slice_pools import pool_of

MIN_BLOOD_MM2 = 20.0
"""Predicted blood below this on a slice is not classified: 0.1 mL on a 5 mm slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage2Files:
    """Where a stage-2 run reads and writes.

    Args:
        segmenter: weights of stage 1.
        run_dir: checkpoints and log.
        weights: the `.safetensors` file to write.
        decision: the JSON file that gets temperatures, thresholds and the crop size; what else it
            holds stays.
        results: the JSON file with the scores.
    """

    segmenter: Path
    run_dir: Path
    weights: Path
    decision: Path
    results: Path


def run_classifier(
    config: ClassifierTraining,
    files: Stage2Files,
    *,
    cohort: StudySource,
    read: Sequence[Study] = (),
    resume: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train, calibrate, test and save the classifier.

    Args:
        config: settings of the run.
        files: where to read and write.
        cohort: labelled studies; its splits are by patient.
        read: real patients with readings, to train on: they fill `config.real_crops` of a batch.
        resume: continue the newest checkpoint.
        progress: told while encoder features are computed.
    Returns:
        What was written into `files.results`; nothing in other processes than the first.
    Raises:
        ManifestError: the segmenter's weights are missing or do not fit.
        TrainingError: stage 1 has left no mask threshold, or took slices prepared otherwise.
        DatasetError: the cohort has no training, validation or test slices with blood.
        TrainingError: the run folder holds a run already and `resume` is not set.
    """
    started = time.perf_counter()
    mask_threshold, preprocessing = read_stage1(files.decision)
    check_preprocessing(cohort, preprocessing)
    unet = load_segmenter(files.segmenter).to(memory_format=torch.channels_last)
    if torch.cuda.is_available():
        unet = unet.cuda()
    training = collect(config, files, unet, cohort, mask_threshold, resume, progress)
    validation = _held_out(unet, cohort, "validation", config, mask_threshold)
    # A masked picture is validated as it will be met; its true mask would be too good.
    watched = validation["true" if config.masking == "none" else "predicted"]
    network = fit_classifier(
        config,
        training,
        watched,
        run_dir=files.run_dir,
        resume=resume,
        read=training_slices(unet, read, config=config) if read else None,
    )
    if not is_first():
        return {}
    trained_min = (time.perf_counter() - started) / 60
    chosen_on = predict(network, validation["predicted"])
    choice = choose_aggregation(chosen_on, codes=config.targets, seed=config.seed)
    calibrations = calibrate_targets(chosen_on, choice.ways, config)
    absorb_shift(network, calibrations)
    test = _held_out(unet, cohort, "test", config, mask_threshold)
    # Its encoder features come from the segmenter's data, so it cannot be freer than that.
    licence = read_metadata(files.segmenter)[1].get("licence", "as the segmenter")
    report = {
        "provenance": provenance.provenance(seed=config.seed),
        "training": _card(config, cohort, training, licence=licence)
        | {"minutes_since_start": round(trained_min, 1)},
        "aggregation": choice.to_json(),
        "decision": decision(calibrations, choice.ways, config),
        "test": evaluate(network, test, calibrations, choice.ways, config),
    }
    _save(files, network, report, config)
    return report


def collect(
    config: ClassifierTraining,
    files: Stage2Files,
    unet: UNet,
    cohort: StudySource,
    mask_threshold: float,
    resume: bool,
    progress: Progress | None,
) -> TrainingSlices:
    """The training slices; for `out_of_fold` masks, after training a segmenter for each fold."""
    studies = cohort.patients("train")
    masks = None
    if config.masking == "out_of_fold":
        stage1 = SegmentationTraining(
            steps=config.fold_steps,
            network=unet.config,
            preprocessing=cohort.preprocessing,
            seed=config.seed,
            precision=config.precision,
            compute=config.compute,
        )

        def train(seen: Sequence[Study], fold: int) -> UNet:
            folder = files.run_dir / f"fold_{fold}"
            return fit_segmenter(stage1, pool_of(seen), [], run_dir=folder, resume=resume)

        masks = out_of_fold_masks(
            train,
            studies,
            folds=config.folds,
            mask_threshold=mask_threshold,
            seed=config.seed,
            progress=progress,
        )
    return training_slices(unet, studies, config=config, masks=masks, progress=progress)


def calibrate_targets(
    found: Predictions, ways: Sequence[Aggregation], config: ClassifierTraining
) -> list[Calibration]:
    """Calibration and threshold of each target on validation patients, at its published prevalence."""
    logits = patient_logits(found, ways)
    return [
        calibrate(
            logits[:, i],
            found.patient_labels[:, i],
            scaling=Scaling.PLATT,
            sensitivity=config.sensitivity,
            specificity=config.specificity,
            prevalence=published_share(code),
        )
        for i, code in enumerate(config.targets)
    ]


def absorb_shift(network: MarkerClassifier, calibrations: list[Calibration]) -> None:
    """Add each marker's shift to the head's bias: the device knows temperatures only."""
    with torch.no_grad():
        network.head.bias += torch.tensor([calibration.shift for calibration in calibrations])


def decision(
    calibrations: list[Calibration], ways: Sequence[Aggregation], config: ClassifierTraining
) -> dict[str, Any]:
    """What the export reads from `decision.json`, and what it must know of the classifier's view.

    No marker is validated yet: see `hemx_core.training.scoring.read_patients`.
    """
    named = dict(zip(config.targets, zip(calibrations, ways, strict=True), strict=True))
    return {
        "crop_size": config.crop_size,
        "view": config.view,
        "masking": config.masking,
        "markers": {
            code: {
                "temperature": round(fit.temperature, 4),
                "threshold": round(fit.threshold, 4),
                "aggregation": str(way),
                "validated": False,
            }
            for code, (fit, way) in named.items()
        },
        "not_estimable": [code for code, (fit, _) in named.items() if not fit.estimable],
    }


def evaluate(
    network: MarkerClassifier,
    slices: dict[str, HeldOutSlices],
    calibrations: list[Calibration],
    ways: Sequence[Aggregation],
    config: ClassifierTraining,
) -> dict[str, Any]:
    """Scores on the test patients, crops on the true and on the predicted mask (as in triage)."""
    scores: dict[str, Any] = {
        "patients": len(slices["true"].patient_labels),
        "note": "from slices to patients as triage does; undecided slices and patients (grey zone) "
        "are left out; ECE at published prevalence; 95 % percentile intervals of a bootstrap over "
        "patients",
    }
    for name, rows in slices.items():
        found = predict(network, rows)
        scores[f"{name}_mask"] = accuracy(
            found,
            calibrations,
            codes=config.targets,
            ways=ways,
            draws=config.bootstrap,
            seed=config.seed,
        ) | {"patients_classified": len(np.unique(rows.patient))}
    return scores


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

    How slices make a patient is chosen for each marker, from the ways that triage knows.

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

    def found(source: StudySource, split: str) -> Predictions:
        return predict(network, _held_out(unet, source, split, config, mask_threshold)["predicted"])

    kept = [study for study in test.patients("test") if says_something(study, MARKER_CODES)]
    sites = [study.site for study in kept]
    return evaluate_markers(
        found(calibration, "validation"),
        found(test, "test"),
        sites=sites if all(sites) else None,
        settings=EvaluationSettings(scaling=scaling),
    )


def _held_out(
    unet: UNet, cohort: StudySource, split: str, config: ClassifierTraining, mask_threshold: float
) -> dict[str, HeldOutSlices]:
    pixel_mm = cohort.preprocessing.pixel_mm
    return held_out_slices(
        unet,
        cohort.patients(split),
        config=config,
        mask_threshold=mask_threshold,
        min_area_px=max(1, round(MIN_BLOOD_MM2 / pixel_mm**2)),
    )


def _card(
    config: ClassifierTraining, cohort: StudySource, training: TrainingSlices, *, licence: str
) -> dict[str, Any]:
    data: dict[str, Any] = {
        **cohort.description,
        "train_patients": len(training.patient_labels),
        "train_slices": len(training),
        "train_present": dict(
            zip(config.targets, (training.patient_labels == 1).sum(0).tolist(), strict=True)
        ),
    }
    if config.targets == MARKER_CODES:
        data["train_co_occurrence"] = co_occurrence(training.patient_labels)
    return {
        "stage": "classifier",
        "data": data,
        "licence": licence,
        "targets": list(config.targets),
        "settings": settings_card(config),
    }


def _save(
    files: Stage2Files,
    network: MarkerClassifier,
    report: dict[str, Any],
    config: ClassifierTraining,
) -> None:
    save_weights(
        files.weights,
        network,
        config=classifier_config(network),
        training=report["training"],
    )
    provenance.write_json(files.results, report)
    name = report["training"]["data"].get("name", "cohort")
    accuracy = report["test"]["predicted_mask"] | {"data": f"{name}, test split"}
    if config.targets == MARKER_CODES:
        decided = report["decision"] | {"accuracy": {"markers": accuracy}}
    else:  # another head beside the markers, whose decisions stay
        decided = {"heads": {files.weights.stem: report["decision"] | {"accuracy": accuracy}}}
    provenance.merge_json(files.decision, decided)
