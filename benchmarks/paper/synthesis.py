"""Jobs of the conditional SNGAN: train it on crops, generate crops, score with its discriminator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.paper.bench import Bench
from benchmarks.paper.jobs import Finished, Job, Outcome
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.sngan import SNGANConfig
from hemx_core.nn.weights_io import load_discriminator, load_generator
from hemx_core.training.gan import DISCRIMINATOR, GENERATOR, GanTraining, save_gan, train_gan
from hemx_core.training.gan_crops import HYPODENSITY, collect_crops, marker_labels
from hemx_core.training.gan_samples import augment, class_score, picture_grid, sample

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
