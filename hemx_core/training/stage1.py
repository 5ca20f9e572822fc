"""Stage 1 from data to weights: `hemx train segmentation`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hemx_core import provenance
from hemx_core.data import phe_sich
from hemx_core.data.study import StudySource
from hemx_core.errors import DatasetError, TrainingError
from hemx_core.nn.inference import segment_slice
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights import save_weights, segmenter_config
from hemx_core.training.config import SegmentationTraining, check_preprocessing, settings_card
from hemx_core.training.loop import is_first
from hemx_core.training.scoring.segmenters import choose_on_grid, choose_on_native
from hemx_core.training.segmentation import fit_segmenter
from hemx_core.training.slice_pools import (
    Pools,
    SlicePool,
    join,
    pool_of,
    source_pools,
    split_by_slice,
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
    config: SegmentationTraining, files: Stage1Files, *, cohort: StudySource | None, resume: bool
) -> dict[str, Any]:
    """Train, score and save the segmenter.

    Args:
        config: settings of the run.
        files: where to read and write.
        cohort: phantoms or other studies to mix in, or the only data.
        resume: continue the newest checkpoint.
    Returns:
        What was written into `files.results`; nothing in other processes than the first.
    Raises:
        DatasetError: neither real data nor a cohort, or none of the location.
        TrainingError: the run folder holds a run already and `resume` is not set.
    """
    started = time.perf_counter()
    pools, validation = training_pools(config, files.real, cohort)
    network = fit_segmenter(config, pools, validation, run_dir=files.run_dir, resume=resume)
    if not is_first():
        return {}
    training = _card(config, pools, cohort)
    save_weights(files.weights, network, config=segmenter_config(network), training=training)
    threshold, scores = evaluate(network, config, files.real, cohort)
    decided = {
        "preprocessing": config.preprocessing.to_json(),
        "mask_threshold": threshold,
        "min_component_ml": MIN_COMPONENT_ML,
    }
    accuracy = {k: v for k, v in scores.get("test", {}).items() if k != "per_patient"}
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
    network: UNet,
    config: SegmentationTraining,
    real: Path | None,
    cohort: StudySource | None = None,
) -> tuple[float, dict[str, Any]]:
    """Choose the mask threshold on the validation patients and score it on the test patients.

    Returns:
        The threshold of the highest mean Dice; and scores of the validation patients, each cut at
        the threshold that the others choose, and of the test patients, who choose nothing. Without
        real data the cohort's patients are scored on the grid; where none bleeds, 0.5 and nothing.
    """
    if real is None:
        found = choose_on_grid(network, cohort) if cohort else None
        return found or (DEFAULT_MASK_THRESHOLD, {})
    return choose_on_native(
        lambda image: segment_slice(network, image)[0],
        config.preprocessing,
        real,
        min_component_ml=MIN_COMPONENT_ML,
    )


def training_pools(
    config: SegmentationTraining, real: Path | None, cohort: StudySource | None
) -> tuple[Pools, list[SlicePool]]:
    """What a batch is mixed from, and a pool of each validation patient (the real ones, if any).

    With `config.split_by` set to `slice`, training and validation slices are shuffled together.

    Raises:
        DatasetError: no training slices.
        TrainingError: a location is asked of the real slices, which do not state theirs.
    """
    if config.location and real is not None:
        raise TrainingError(
            f"location {config.location!r} with the slices in HEMX_DATA",
            expected="studies that state their location",
            remedy="add --no-real, and give --data, --inserted or --phantoms",
        )
    train, held_out = _real_pools(config, real)
    other, other_held_out = _source_pools(config, cohort)
    if config.split_by == "slice":
        train, held_out = _shuffled(train, held_out, config.seed)
        other, other_held_out = _shuffled(other, other_held_out, config.seed)
    return Pools(join(train), join(other)), held_out or other_held_out


def _real_pools(
    config: SegmentationTraining, folder: Path | None
) -> tuple[list[SlicePool], list[SlicePool]]:
    if folder is None:
        return [], []
    train, validation = (
        [
            pool_of([patient])
            for patient in phe_sich.load_patients(config.preprocessing, split=split, folder=folder)
        ]
        for split in ("train", "validation")
    )
    return train, validation


def _source_pools(
    config: SegmentationTraining, source: StudySource | None
) -> tuple[list[SlicePool], list[SlicePool]]:
    if source is None:
        return [], []
    check_preprocessing(source, config.preprocessing)
    train = source_pools(source, "train", location=config.location)
    if not train:
        raise DatasetError(
            f"no training study of location {config.location!r}",
            expected="studies of the split `train`" + " there" * bool(config.location),
            remedy="check splits and locations of the data",
        )
    return train, source_pools(source, "validation", location=config.location)


def _shuffled(
    train: list[SlicePool], held_out: list[SlicePool], seed: int
) -> tuple[list[SlicePool], list[SlicePool]]:
    dealt = split_by_slice([*train, *held_out], seed=seed)
    return dealt[: len(train)], dealt[len(train) :]


def _card(config: SegmentationTraining, pools: Pools, cohort: StudySource | None) -> dict[str, Any]:
    licences = ["research use, non-commercial"] if pools.real else []
    if cohort is not None:
        licences.append(str(cohort.description.get("licence", "not stated")))
    return {
        "stage": "segmentation",
        "data": {
            "real": phe_sich.ATTRIBUTION if pools.real else None,
            "real_slices": len(pools.real) if pools.real else 0,
            "phantom_slices": len(pools.phantom) if pools.phantom else 0,
            "cohort": cohort.description if cohort else None,
        },
        # The strictest of a mixture holds; the others stand in the description.
        "licence": licences[0] if pools.real else "; ".join(licences),
        "settings": settings_card(config),
    }
