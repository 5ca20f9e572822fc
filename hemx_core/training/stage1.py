"""Stage 1 from data to weights: `hemx train segmentation`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np

from hemx_core import provenance
from hemx_core.data import phe_sich
from hemx_core.data.phantom_cohort import Cohort
from hemx_core.errors import DatasetError
from hemx_core.nn.weights_io import save_weights, segmenter_config
from hemx_core.training.evaluate_segmentation import (
    THRESHOLDS,
    choose_threshold,
    cross_validated,
    score_patients,
    summarise,
    torch_predictor,
)
from hemx_core.training.loop import fit
from hemx_core.training.segmentation import (
    BatchMaker,
    SegmentationModule,
    SegmentationTraining,
    SlicePool,
    validation_loader,
)

DEFAULT_MASK_THRESHOLD = 0.5
MIN_COMPONENT_ML = 0.1
"""About one 5 mm slice of a 5 mm speck: smaller finds are noise to the eye as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage1Files:
    """Where a stage-1 run reads and writes.

    Args:
        run_dir: checkpoints and log.
        weights: the `.safetensors` file to write.
        decision: the JSON file that gets preprocessing and mask threshold; its other entries stay.
        results: the JSON file with the scores.
        real: folder of the PHE-SICH data, None to train on phantoms alone.
    """

    run_dir: Path
    weights: Path
    decision: Path
    results: Path
    real: Path | None


def run_segmentation(
    config: SegmentationTraining, files: Stage1Files, *, cohort: Cohort | None, resume: bool
) -> dict[str, Any]:
    """Train, score and save the segmenter.

    Args:
        config: settings of the run.
        files: where to read and write.
        cohort: phantoms to mix in.
        resume: continue the newest checkpoint.
    Returns:
        What was written into `files.results`.
    Raises:
        DatasetError: neither real data nor phantoms.
        TrainingError: the run folder holds a run already and `resume` is not set.
    """
    started = time.perf_counter()
    lightning.seed_everything(config.seed, verbose=False)
    real, validation = _real_pools(config, files.real)
    phantom = cohort_pool(cohort, "train") if cohort else None
    if not validation and cohort:
        validation = [cohort_pool(cohort, "val")]
    module = SegmentationModule(config)
    fit(
        module,
        BatchMaker(config, real=real, phantom=phantom),
        run_dir=files.run_dir,
        max_steps=config.steps,
        validation=validation_loader(validation),
        resume=resume,
    )
    training = _card(config, real, phantom)
    save_weights(
        files.weights, module.network, config=segmenter_config(module.network), training=training
    )
    threshold, scores = evaluate(module, config, files.real)
    decided = {
        "preprocessing": config.preprocessing.to_json(),
        "mask_threshold": threshold,
        "min_component_ml": MIN_COMPONENT_ML,
    }
    accuracy = {k: v for k, v in scores.get("validation", {}).items() if k != "per_patient"}
    provenance.merge_json(files.decision, decided | {"accuracy": {"segmentation": accuracy}})
    minutes = round((time.perf_counter() - started) / 60, 1)
    report = {
        "provenance": provenance.provenance(seed=config.seed),
        "training": training | {"minutes_since_start": minutes},
        "decision": decided,
        **scores,
    }
    provenance.write_json(files.results, report)
    return report


def evaluate(
    module: SegmentationModule, config: SegmentationTraining, real: Path | None
) -> tuple[float, dict[str, Any]]:
    """Choose the mask threshold and score it on the validation patients.

    Returns:
        The threshold of the highest mean Dice, and scores in which each patient is cut at the
        threshold that the others choose; 0.5 and nothing without real data.
    """
    if real is None:
        return DEFAULT_MASK_THRESHOLD, {}
    _, patients = phe_sich.split_patients(phe_sich.read_rows(real))
    table = score_patients(
        torch_predictor(module.network.float()),
        config.preprocessing,
        patients=patients,
        folder=real,
        thresholds=THRESHOLDS,
        min_component_ml=MIN_COMPONENT_ML,
    )
    means = {f"{t:.2f}": round(float(np.mean([s.dice for s in table[t]])), 4) for t in THRESHOLDS}
    return choose_threshold(table), {
        "dice_mean_by_threshold": means,
        "validation": summarise(cross_validated(table)),
    }


def cohort_pool(cohort: Cohort, split: str) -> SlicePool:
    """All slices of a cohort's split; every pixel of a phantom is known."""
    patients = cohort.patients(split)
    image = np.concatenate([patient.image for patient in patients])
    mask = np.concatenate([patient.mask for patient in patients])
    return SlicePool(image, mask, np.ones(mask.shape, bool))


def patient_pool(patients: Sequence[phe_sich.PreparedPatient]) -> SlicePool:
    """All slices of prepared patients."""
    return SlicePool(
        *(
            np.concatenate([getattr(p, name) for p in patients])
            for name in ("image", "mask", "known")
        )
    )


def _real_pools(
    config: SegmentationTraining, folder: Path | None
) -> tuple[SlicePool | None, list[SlicePool]]:
    if folder is None:
        return None, []
    spec = config.preprocessing
    train = phe_sich.load_patients(spec, split="train", folder=folder)
    validation = phe_sich.load_patients(spec, split="validation", folder=folder)
    if {p.patient for p in train} & {p.patient for p in validation}:
        raise DatasetError(
            "a patient in both splits", expected="splits by patient", remedy="correct the split"
        )
    return patient_pool(train), [patient_pool([patient]) for patient in validation]


def _card(
    config: SegmentationTraining, real: SlicePool | None, phantom: SlicePool | None
) -> dict[str, Any]:
    return {
        "stage": "segmentation",
        "data": {
            "real": phe_sich.ATTRIBUTION if real else None,
            "real_slices": len(real) if real else 0,
            "phantom_slices": len(phantom) if phantom else 0,
        },
        "licence": "research use, non-commercial" if real else "Apache-2.0",
        "settings": asdict(config),
    }
