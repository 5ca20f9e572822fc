"""Stage 2 from a cohort to weights: `hemx train classifier`."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch

from hemx_core import provenance
from hemx_core.costs import Progress
from hemx_core.data.phantom_cohort import Cohort
from hemx_core.errors import TrainingError
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights_io import load_segmenter, read_metadata, save_weights
from hemx_core.training.calibration import Calibration, calibrate
from hemx_core.training.classifier import (
    ClassifierModule,
    ClassifierTraining,
    CropBatches,
    predict,
    validation_loader,
)
from hemx_core.training.loop import fit
from hemx_core.training.marker_slices import (
    HeldOutSlices,
    TrainingSlices,
    held_out_slices,
    training_slices,
)
from hemx_core.training.metrics import co_occurrence, score

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
    cohort: Cohort,
    resume: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train, calibrate, test and save the classifier.

    Args:
        config: settings of the run.
        files: where to read and write.
        cohort: phantoms with exact markers; its splits are by patient.
        resume: continue the newest checkpoint.
        progress: told while encoder features are computed.
    Returns:
        What was written into `files.results`.
    Raises:
        ManifestError: the segmenter's weights are missing or do not fit.
        TrainingError: stage 1 has left no mask threshold.
        DatasetError: the cohort has no training, validation or test slices with blood.
        TrainingError: the run folder holds a run already and `resume` is not set.
    """
    started = time.perf_counter()
    lightning.seed_everything(config.seed, verbose=False)
    mask_threshold = read_mask_threshold(files.decision)
    unet = load_segmenter(files.segmenter).to(memory_format=torch.channels_last)
    training = training_slices(unet, cohort.patients("train"), progress=progress)
    validation = _held_out(unet, cohort, "val", config, mask_threshold)
    module = ClassifierModule(config, training, validation["true"])
    fit(
        module,
        CropBatches(config, training),
        run_dir=files.run_dir,
        max_steps=config.steps,
        validation=validation_loader(validation["true"]),
        resume=resume,
    )
    trained_min = (time.perf_counter() - started) / 60
    calibrations = calibrate(
        predict(module.network, validation["predicted"]), sensitivity=config.sensitivity
    )
    absorb_shift(module.network, calibrations)
    test = _held_out(unet, cohort, "test", config, mask_threshold)
    # Its encoder features come from the segmenter's data, so it cannot be freer than that.
    licence = read_metadata(files.segmenter)[1].get("licence", "as the segmenter")
    report = {
        "provenance": provenance.provenance(seed=config.seed),
        "training": _card(config, cohort, training, licence=licence)
        | {"minutes_since_start": round(trained_min, 1)},
        "decision": decision(calibrations, config),
        "test": evaluate(module.network, test, calibrations, config),
    }
    _save(files, module.network, report)
    return report


def read_mask_threshold(decision: Path) -> float:
    """The threshold that stage 1 chose.

    Raises:
        TrainingError: stage 1 has left none.
    """
    try:
        return float(json.loads(decision.read_text(encoding="utf-8"))["mask_threshold"])
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(
            f"no mask threshold in {decision.name} ({error})",
            expected="the file that stage 1 writes beside its weights",
            remedy="run `hemx train segmentation` first, or give its folder with --weights",
        ) from error


def absorb_shift(network: MarkerClassifier, calibrations: list[Calibration]) -> None:
    """Add each marker's shift to the head's bias: the device knows temperatures only."""
    with torch.no_grad():
        network.head.bias += torch.tensor([one.shift for one in calibrations])


def decision(calibrations: list[Calibration], config: ClassifierTraining) -> dict[str, Any]:
    """What the export reads from `decision.json`."""
    named = dict(zip(MARKER_CODES, calibrations, strict=True))
    return {
        "crop_size": config.crop_size,
        "markers": {
            code: {"temperature": round(one.temperature, 4), "threshold": round(one.threshold, 4)}
            for code, one in named.items()
        },
        "not_estimable": [code for code, one in named.items() if not one.estimable],
    }


def evaluate(
    network: MarkerClassifier,
    slices: dict[str, HeldOutSlices],
    calibrations: list[Calibration],
    config: ClassifierTraining,
) -> dict[str, Any]:
    """Scores on the test patients, crops on the true and on the predicted mask (as in triage)."""
    scores: dict[str, Any] = {
        "patients": len(slices["true"].patient_labels),
        "note": "a patient's logit is the largest of the slices; undecided slices and patients "
        "(grey zone) are left out; 95 % percentile intervals of a bootstrap over patients",
    }
    for name, rows in slices.items():
        found = predict(network, rows)
        scores[f"{name}_mask"] = score(
            found,
            thresholds=np.array([one.threshold for one in calibrations]),
            temperatures=np.array([one.temperature for one in calibrations]),
            repeats=config.bootstrap,
            seed=config.seed,
        ) | {"patients_classified": len(np.unique(rows.patient))}
    return scores


def _held_out(
    unet: UNet, cohort: Cohort, split: str, config: ClassifierTraining, mask_threshold: float
) -> dict[str, HeldOutSlices]:
    pixel_mm = cohort.spec.preprocessing.pixel_mm
    return held_out_slices(
        unet,
        cohort.patients(split),
        crop_size=config.crop_size,
        mask_threshold=mask_threshold,
        min_area_px=max(1, round(MIN_BLOOD_MM2 / pixel_mm**2)),
    )


def _card(
    config: ClassifierTraining, cohort: Cohort, training: TrainingSlices, *, licence: str
) -> dict[str, Any]:
    return {
        "stage": "classifier",
        "data": {
            "phantom_patients": cohort.count,
            "cohort_seed": cohort.spec.seed,
            "sites": len(cohort.spec.sites),
            "train_patients": len(training.patient_labels),
            "train_slices": len(training),
            "train_co_occurrence": co_occurrence(training.patient_labels),
        },
        "licence": licence,
        "settings": asdict(config),
    }


def _save(files: Stage2Files, network: MarkerClassifier, report: dict[str, Any]) -> None:
    save_weights(
        files.weights,
        network,
        config=asdict(network.config) | {"encoder_channels": network.encoder_channels},
        training=report["training"],
    )
    accuracy = {"markers": report["test"]["predicted_mask"] | {"data": "phantoms, test split"}}
    provenance.merge_json(files.decision, report["decision"] | {"accuracy": accuracy})
    provenance.write_json(files.results, report)
