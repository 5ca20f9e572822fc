"""The SNGAN from a source of studies to weights, pictures and scores: `hemx train gan`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hemx_core import provenance
from hemx_core.data.study import StudySource
from hemx_core.errors import TrainingError
from hemx_core.nn.sngan import Discriminator
from hemx_core.training.gan import GanTraining, save_gan, train_gan
from hemx_core.training.gan_crops import HYPODENSITY, GanCrops, collect_crops
from hemx_core.training.gan_samples import class_score, picture_grid
from hemx_core.training.metrics import auc, bootstrap_auc

GRID = "gan_samples.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class GanFiles:
    """Where a run reads and writes.

    Args:
        run_dir: checkpoints and log.
        weights: folder of both weight files and of the picture grid.
        results: the JSON file with the scores.
    """

    run_dir: Path
    weights: Path
    results: Path


def run_gan(
    config: GanTraining,
    files: GanFiles,
    *,
    source: StudySource,
    markers: Sequence[str] = HYPODENSITY,
    resume: bool = False,
    bootstrap: int = 1000,
) -> dict[str, Any]:
    """Train on the training patients; score the discriminator as a classifier on the others.

    Args:
        config: settings; its network has 2^m classes for m markers.
        files: where to write.
        source: studies with markers per slice; its splits are by patient.
        markers: the condition.
        resume: continue the newest checkpoint.
        bootstrap: draws for each interval.
    Returns:
        What was written into `files.results`.
    Raises:
        DatasetError: a split has no slice with blood.
        TrainingError: the network has another number of classes, or as `train_gan`.
    """
    if config.network.classes != 2 ** len(markers):
        raise TrainingError(
            f"a network of {config.network.classes} classes for {len(markers)} markers",
            expected=f"{2 ** len(markers)} classes, one for each combination",
            remedy="change the number of classes or the markers",
        )
    splits = {
        name: collect_crops(source.patients(name), size=config.network.size, markers=markers)
        for name in ("train", "validation", "test")
    }
    gan = train_gan(config, splits["train"], files.run_dir, resume=resume)
    report = {
        "provenance": provenance.provenance(seed=config.seed),
        "training": _card(config, source, splits["train"], markers),
    } | {
        name: {
            code: discriminator_as_classifier(
                gan.discriminator, splits[name], place, repeats=bootstrap, seed=config.seed
            )
            for place, code in enumerate(markers)
        }
        for name in ("validation", "test")
    }
    save_gan(files.weights, gan, training=report["training"])
    picture_grid(files.weights / GRID, splits["validation"], gan.generator, seed=config.seed)
    provenance.write_json(files.results, report)
    return report


def discriminator_as_classifier(
    discriminator: Discriminator, crops: GanCrops, place: int, *, repeats: int, seed: int
) -> dict[str, Any]:
    """AUC per slice of the class score of one marker, with its interval over patients.

    Args:
        discriminator: trained on other patients.
        crops: classes are combinations of markers.
        place: the marker's place in the condition, its bit in the class.
        repeats: draws of the bootstrap.
        seed: of the bootstrap.
    Returns:
        `slice_auc`, `slice_auc_95` (None where not estimable) and the counts of slices.
    """
    with_marker = np.arange(len(crops.names)) >> place & 1 == 1
    scores = class_score(
        discriminator,
        crops.crops,
        positive=np.flatnonzero(with_marker).tolist(),
        negative=np.flatnonzero(~with_marker).tolist(),
    ).astype(np.float64)
    labels = with_marker[crops.classes].astype(np.int8)
    interval = bootstrap_auc(scores, labels, crops.patient, repeats=repeats, seed=seed)
    rounded = [
        round(value, 4) if np.isfinite(value) else None
        for value in (auc(scores, labels), *interval)
    ]
    return {
        "slice_auc": rounded[0],
        "slice_auc_95": rounded[1:],
        "slices": {"present": int(labels.sum()), "absent": int((labels == 0).sum())},
    }


def _card(
    config: GanTraining, source: StudySource, crops: GanCrops, markers: Sequence[str]
) -> dict[str, Any]:
    counts = dict(zip(crops.names, crops.counts.tolist(), strict=True))
    return {
        "stage": "conditional SNGAN",
        "data": source.description,
        "markers": list(markers),
        "crops": counts,
        "settings": asdict(config),
    }
