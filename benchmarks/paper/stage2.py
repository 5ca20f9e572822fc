"""Slices for the classifiers of the experiments, real and generated, collected once for all arms.

The conditional SNGAN is trained on crops, generates crops, and its discriminator scores them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.harness.jobs import Finished, Job, Outcome
from benchmarks.paper.data import patient_numbers
from benchmarks.paper.experiments import Bench
from benchmarks.paper.segmenters import base_weights, fold_segmenter
from hemx_core.data.study import Study, patient_labels, says_something, study_labels
from hemx_core.imaging.prepare import crop_around
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.config import SNGANConfig
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights import load_discriminator, load_generator, load_segmenter
from hemx_core.training.config import ClassifierTraining, GanTraining
from hemx_core.training.gan import (
    DISCRIMINATOR,
    GENERATOR,
    HYPODENSITY,
    collect_crops,
    marker_labels,
    save_gan,
    train_gan,
)
from hemx_core.training.gan_run import augment, class_score, picture_grid, sample
from hemx_core.training.marker_slices import (
    HeldOutSlices,
    TrainingSlices,
    held_out_slices,
    out_of_fold_masks,
    training_slices,
)
from hemx_core.training.stage2 import MIN_BLOOD_MM2

GRID = "crops.png"


def run_gan(bench: Bench, seed: int) -> Finished:
    """Train a GAN on the training crops, hypodensity or not, or take what was trained before."""
    scale = bench.scale
    config = GanTraining(
        steps=scale.gan_steps,
        batch=scale.gan_batch,
        n_critic=scale.gan_critic,
        precision=scale.precision,
        seed=seed,
        network=SNGANConfig(size=scale.gan_crop, width=scale.gan_width),
    )

    def work(folder: Path, resume: bool) -> Outcome:
        crops = collect_crops(bench.cohort.source.patients("train"), size=scale.gan_crop)
        gan = train_gan(config, crops, folder, resume=resume)
        licence = bench.cohort.source.description.get("licence", "")
        save_gan(folder, gan, training={"licence": licence})
        picture_grid(folder / GRID, crops, gan.generator, seed=seed)
        counts = dict(zip(crops.names, crops.counts.tolist(), strict=True))
        return Outcome({"training_crops": counts}, {"counts": crops.counts})

    settings = bench.settings(
        bench.cohort, seed, scale.part("gan"), kind="gan", condition=MARKER_CODES[0]
    )
    name = bench.name(bench.cohort, "gan", seed)
    return bench.run(Job(name=name, settings=settings, work=work))


def generated_crops(
    bench: Bench,
    crops: NDArray[np.float16],
    labels: NDArray[np.int8],
    *,
    seed: int,
    share: float,
    alike: bool,
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Crops of the seed's generator and their labels.

    They even out the classes, or with `alike` come as often from either, so that being generated
    says nothing of the class.
    """
    generator = load_generator(run_gan(bench, seed).folder / GENERATOR)
    if alike:
        classes = np.arange(round(share * len(crops)), dtype=np.int64) % 2
        return sample(generator, classes, seed=seed), marker_labels(classes, HYPODENSITY)
    return augment(crops, labels, generator, share=share, seed=seed)


def discriminator_logits(
    bench: Bench, crops: NDArray[np.float32], *, seed: int
) -> NDArray[np.float64]:
    """The class score of the seed's discriminator for hypodensity, shape (crops, 1)."""
    discriminator = load_discriminator(run_gan(bench, seed).folder / DISCRIMINATOR)
    return class_score(discriminator, crops)[:, None].astype(np.float64)


MASK_THRESHOLD = 0.5
FOLD_SEED = 1


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Held-out slices.

    Args:
        rows: by kind of mask, `true` and `predicted`; their `patient` is a study's number.
        study_patient: number of each study's patient, shape (studies,).
    """

    rows: dict[str, HeldOutSlices]
    study_patient: NDArray[np.int64]


def slices_of(bench: Bench, config: ClassifierTraining) -> tuple[TrainingSlices, Scored]:
    """Training and held-out slices as a run's view, masking and targets ask."""
    key = f"slices {config.view} {config.masking} {config.targets} {config.crop_size}"
    if key not in bench.memo:
        unet = load_segmenter(base_weights(bench, bench.seeds[0]))
        unet = unet.to(memory_format=torch.channels_last)
        studies = list(bench.cohort.source.patients("train"))
        masks = fold_masks(bench) if config.masking == "out_of_fold" else None
        training = training_slices(unet, studies, config=config, masks=masks)
        kept, patients = _scored_alone(bench.cohort.held_out(), config.targets)
        pixel_mm = bench.cohort.source.preprocessing.pixel_mm
        rows = held_out_slices(
            unet,
            kept,
            config=config,
            mask_threshold=MASK_THRESHOLD,
            min_area_px=max(1, round(MIN_BLOOD_MM2 / pixel_mm**2)),
        )
        bench.memo[key] = training, Scored(rows, patients)
    return bench.memo[key]


def crops_alone(bench: Bench, config: ClassifierTraining) -> tuple[TrainingSlices, Scored]:
    """Crops round true masks in place of slices, without encoder features: as generated ones are.

    What augmentation shifts in from outside a crop is black, for real and generated crops alike.
    """
    key = f"crops {config.targets} {config.crop_size}"
    if key not in bench.memo:
        size = config.crop_size
        studies = list(bench.cohort.source.patients("train"))
        crops, labels, _ = _crops(studies, config)
        known = (labels >= 0).any(1)
        truth, _ = patient_labels(studies, config.targets)
        training = _as_training(crops[known], labels[known], truth, size)
        kept, patients = _scored_alone(bench.cohort.held_out(), config.targets)
        held, held_labels, study = _crops(kept, config)
        held_truth, _ = patient_labels(kept, config.targets)
        silent = np.zeros((len(held), 1), np.float32)
        rows = HeldOutSlices(held.astype(np.float32), silent, held_labels, study, held_truth)
        bench.memo[key] = training, Scored({"true": rows}, patients)
    return bench.memo[key]


def with_synthetic(
    bench: Bench, training: TrainingSlices, *, seed: int, share: float, alike: bool
) -> TrainingSlices:
    """Crops of `crops_alone` and generated ones, see `generated_crops`."""
    size = training.image.shape[-1]
    crops, labels = generated_crops(
        bench, training.image, training.labels, seed=seed, share=share, alike=alike
    )
    return _as_training(
        np.concatenate([training.image, crops.astype(np.float16)]),
        np.concatenate([training.labels, labels]),
        training.patient_labels,
        size,
    )


def fold_masks(bench: Bench) -> list[NDArray[np.bool_]]:
    """Out-of-fold masks of all training studies; every fold's segmenter is a job."""

    def train(seen: Sequence[Study], fold: int) -> UNet:
        return load_segmenter(fold_segmenter(bench, seen, fold))

    return out_of_fold_masks(
        train,
        list(bench.cohort.source.patients("train")),
        folds=bench.scale.folds,
        mask_threshold=MASK_THRESHOLD,
        seed=FOLD_SEED,
    )


def _scored_alone(
    studies: Sequence[Study], targets: Sequence[str]
) -> tuple[list[Study], NDArray[np.int64]]:
    """Studies that say something, each as a patient of its own, and their true patients' numbers."""
    numbers = patient_numbers(studies)
    kept = [i for i, study in enumerate(studies) if says_something(study, targets)]
    alone = [replace(studies[i], patient_id=f"study-{i:05d}") for i in kept]
    return alone, numbers[kept]


def _crops(
    studies: Sequence[Study], config: ClassifierTraining
) -> tuple[NDArray[np.float16], NDArray[np.int8], NDArray[np.int64]]:
    """Crops of all slices with blood, their labels, and the number of their study."""
    crops, labels, numbers = [], [], []
    for number, study in enumerate(studies):
        known = study_labels(study, config.targets)
        for i in np.flatnonzero(study.with_blood):
            image = study.image[i].astype(np.float32)
            crops.append(crop_around(image, study.mask[i], config.crop_size)[0].astype(np.float16))
            labels.append(known[i])
            numbers.append(number)
    return np.stack(crops), np.stack(labels), np.array(numbers, np.int64)


def _as_training(
    crops: NDArray[np.float16],
    labels: NDArray[np.int8],
    truth: NDArray[np.int8],
    size: int,
) -> TrainingSlices:
    centre = np.full((len(crops), 2), (size - 1) / 2)
    return TrainingSlices(crops, centre, np.zeros((len(crops), 2, 1), np.float32), labels, truth)
