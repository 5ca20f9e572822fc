"""The SNGAN from a source of studies to weights, pictures and scores: `hemx train gan`.

Uses of a trained one: crops of a class, a picture of them, more training crops, class scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from hemx_core import provenance
from hemx_core.data.study import StudySource
from hemx_core.errors import DatasetError, OutputError, TrainingError
from hemx_core.files import write_whole
from hemx_core.nn.sngan import Discriminator, Generator
from hemx_core.training.config import GanTraining
from hemx_core.training.gan import (
    HYPODENSITY,
    GanCrops,
    collect_crops,
    marker_classes,
    marker_labels,
    save_gan,
    train_gan,
)
from hemx_core.training.scoring.intervals import cluster_draws, from_draws
from hemx_core.training.scoring.predictions import label_counts, rounded
from hemx_core.training.scoring.weighted import weighted_auc

BATCH = 64
GAP = 4
"""Pixels between the crops of a picture grid."""
LINE = 22
"""Rows of a line of text in a picture grid."""


@torch.inference_mode()
def sample(generator: Generator, classes: NDArray[np.int64], *, seed: int) -> NDArray[np.float32]:
    """Generate a crop of each class.

    Args:
        generator: in evaluation mode, so that a crop does not depend on the others.
        classes: shape (N,).
        seed: of the noise; crop i of a seed stays the same when more are drawn.
    Returns:
        shape (N, K, K), in [0, 1].
    Raises:
        DatasetError: a class that the generator does not know.
    """
    known = generator.config.classes
    if len(classes) and not 0 <= classes.min() <= classes.max() < known:
        raise DatasetError(
            f"classes from {classes.min()} to {classes.max()}",
            expected=f"0 to {known - 1}",
            remedy="use the classes that the generator was trained with",
        )
    size, latent = generator.config.size, generator.config.latent
    noise = np.random.default_rng(seed).standard_normal((len(classes), latent), dtype=np.float32)
    crops = np.empty((len(classes), size, size), np.float32)
    for start in range(0, len(classes), BATCH):
        part = slice(start, start + BATCH)
        made = generator(torch.from_numpy(noise[part]), torch.from_numpy(classes[part]))
        crops[part] = made[:, 0].numpy()
    return crops


@torch.inference_mode()
def class_score(
    discriminator: Discriminator,
    crops: NDArray[np.floating],
    *,
    positive: Sequence[int] = (1,),
    negative: Sequence[int] = (0,),
) -> NDArray[np.float32]:
    """How much better crops pass as one class than as another: D(x, 1) - D(x, 0).

    Only the projection differs between classes, so this is (v_1 - v_0) · phi(x).

    Args:
        discriminator: in evaluation mode.
        crops: shape (N, K, K), in [0, 1].
        positive: classes whose mean score counts for; more than one where classes are combinations
            of markers.
        negative: classes whose mean score counts against.
    Returns:
        shape (N,); a logit without calibration.
    """
    scores = np.empty(len(crops), np.float32)
    for start in range(0, len(crops), BATCH):
        part = torch.from_numpy(crops[start : start + BATCH].astype(np.float32))[:, None]
        found = discriminator.class_scores(part)
        difference = found[:, list(positive)].mean(1) - found[:, list(negative)].mean(1)
        scores[start : start + BATCH] = difference.numpy()
    return scores


def augment(
    crops: NDArray[np.floating],
    labels: NDArray[np.int8],
    generator: Generator,
    *,
    share: float,
    seed: int,
    markers: Sequence[str] = HYPODENSITY,
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Synthetic crops that even out the classes of a training set, and their labels.

    Each new crop goes to the class that is rarest so far, counting the new ones; once the classes are
    even, it goes to all in turn. Classes without a real crop get none: the generator never saw them.

    Args:
        crops: real training crops, shape (N, K, K).
        labels: of the crops, shape (N, 4).
        generator: trained on crops of these markers.
        share: synthetic crops to make, as a share of N.
        seed: of the noise.
        markers: the generator's condition.
    Returns:
        The synthetic crops alone, shape (M, K, K) with M = round(share · N), and their labels
        (M, 4): known for `markers`, -1 for all others.
    Raises:
        DatasetError: crops, labels and generator do not fit each other, or the share is negative.
    """
    config = generator.config
    fits = crops.shape[1:] == (config.size, config.size) and len(crops) == len(labels)
    if not fits or config.classes != 2 ** len(markers) or share < 0:
        raise DatasetError(
            f"crops of shape {crops.shape}, {len(labels)} labels, {len(markers)} markers, "
            f"share {share}",
            expected=f"crops of {config.size} pixels, a label each, markers with {config.classes} "
            "combinations, a share from 0",
            remedy="train a generator for these crops and markers",
        )
    classes = marker_classes(labels, markers)
    counts = np.bincount(classes[classes >= 0], minlength=config.classes)
    present = np.flatnonzero(counts)
    if not len(present):
        raise DatasetError("no crop with known markers", remedy="choose other crops or markers")
    wanted = round(share * len(crops))
    chosen = np.empty(wanted, np.int64)
    for i in range(wanted):
        chosen[i] = present[np.argmin(counts[present])]
        counts[chosen[i]] += 1
    return sample(generator, chosen, seed=seed), marker_labels(chosen, markers)


def picture_grid(
    path: Path, crops: GanCrops, generator: Generator, *, columns: int = 8, seed: int = 1
) -> None:
    """Write a PNG, whole or not at all: a row for each class, real crops beside generated ones.

    Args:
        path: the `.png` file.
        crops: real crops; of each class, `columns` at most are drawn at random.
        generator: for `columns` crops of each class.
        columns: crops in each half of a row.
        seed: of the choice and of the noise.
    Raises:
        OutputError: the picture could not be encoded.
    """
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(len(crops.names)), columns)
    generated = sample(generator, classes, seed=seed)
    rows = []
    for number, name in enumerate(crops.names):
        members = np.flatnonzero(crops.classes == number)
        picks = rng.choice(members, min(columns, len(members)), replace=False)
        real = _strip(crops.crops[picks].astype(np.float32), columns)
        fake = _strip(generated[classes == number], columns)
        caption = (f"{name}: real", f"{name}: generated")
        both = [
            np.vstack([_text(words, strip.shape[1]), strip])
            for words, strip in zip(caption, (real, fake), strict=True)
        ]
        rows.append(np.hstack([both[0], np.full((len(both[0]), 4 * GAP), 255, np.uint8), both[1]]))
    done, encoded = cv2.imencode(".png", np.vstack(rows))
    if not done:
        raise OutputError(f"{path.name} could not be encoded as PNG")
    write_whole(path, encoded.tobytes())


def _strip(crops: NDArray[np.float32], columns: int) -> NDArray[np.uint8]:
    """Crops side by side, at least 64 pixels each; missing ones stay white."""
    size = crops.shape[1]
    zoom = max(1, -(-64 // size))
    step = size * zoom + GAP
    strip = np.full((step, columns * step), 255, np.uint8)
    for i, crop in enumerate(crops):
        grey = np.rint(crop * 255).astype(np.uint8)
        strip[: size * zoom, i * step : i * step + size * zoom] = np.kron(
            grey, np.ones((zoom, zoom), np.uint8)
        )
    return strip


def _text(words: str, width: int) -> NDArray[np.uint8]:
    line = np.full((LINE, width), 255, np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    return np.asarray(cv2.putText(line, words, (2, LINE - 7), font, 0.45, 0, 1, cv2.LINE_AA))


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
    draws = cluster_draws(crops.patient, draws=repeats, seed=seed)
    auc = from_draws(weighted_auc(scores, labels, draws))
    counts = label_counts(labels)
    return {
        "slice_auc": rounded(auc.value),
        "slice_auc_95": [rounded(auc.lower), rounded(auc.upper)],
        "slices": {name: counts[name] for name in ("present", "absent")},
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
