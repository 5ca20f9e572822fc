"""Jobs that train a U-Net and count what it finds on held-out slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.paper.bench import Bench
from benchmarks.paper.jobs import Finished, Job, Outcome
from benchmarks.paper.materials import Material
from benchmarks.paper.overlap import Counts, count
from benchmarks.paper.studies import Slices, gather
from hemx_core.data.study import PreparedStudy
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights_io import load_segmenter, save_weights, segmenter_config
from hemx_core.training.segmentation import SegmentationTraining, fit_segmenter
from hemx_core.training.slice_pools import SlicePool

WEIGHTS = "unet.safetensors"
BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmenterArm:
    """One arm of a segmentation experiment.

    Args:
        arm: its folder's name.
        train, test: called only if the job has to be run; no test, no counts.
        initial: weights to start from, for a fine-tuning.
        settings: what else tells it from its siblings, JSON values.
    """

    arm: str
    train: Callable[[], Slices]
    test: Callable[[], Slices] | None
    initial: Path | None = None
    settings: dict[str, Any]


def run_segmenter(bench: Bench, material: Material, arm: SegmenterArm, seed: int) -> Finished:
    """Train and count, or take what was trained before."""
    scale = bench.scale
    tuned = arm.initial is not None
    config = SegmentationTraining(
        steps=scale.tune_steps if tuned else scale.segment_steps,
        peak_lr=scale.tune_lr if tuned else scale.segment_lr,
        seed=seed,
        network=scale.unet,
        precision=scale.precision,
    )

    def work(folder: Path, resume: bool) -> Outcome:
        train = arm.train()
        network = fit_segmenter(
            config,
            pool(train),
            [],
            run_dir=folder,
            resume=resume,
            initial=arm.initial,
        )
        save_weights(
            folder / WEIGHTS,
            network,
            config=segmenter_config(network),
            training={"licence": material.source.description.get("licence", "")},
        )
        if arm.test is None:
            return Outcome({"train_slices": len(train)}, {})
        test = arm.test()
        rows = counts_of(load_segmenter(folder / WEIGHTS), test)
        values = {"train_slices": len(train), "test_slices": len(test)}
        arrays = {name: getattr(test, name) for name in ("study", "patient", "location")}
        return Outcome(values, arrays | {"rows": rows})

    sizes = scale.part("unet") | {"steps": config.steps, "lr": config.peak_lr}
    settings = bench.settings(material, seed, sizes, kind="segmenter", **arm.settings)
    return bench.run(Job(name=bench.name(material, arm.arm, seed), settings=settings, work=work))


def base_arm(bench: Bench) -> SegmenterArm:
    """The U-Net trained on all training patients of the cohort: experiments 1, 2 and stage 2."""
    return SegmenterArm(
        arm="unet-patient-split",
        train=lambda: bench.cohort_train,
        test=lambda: bench.cohort_held_out,
        settings={"split_by": "patient"},
    )


def base_weights(bench: Bench, seed: int) -> Path:
    """Weights of `base_arm`, trained if need be."""
    return run_segmenter(bench, bench.cohort, base_arm(bench), seed).folder / WEIGHTS


def fold_segmenter(bench: Bench, seen: Sequence[PreparedStudy], fold: int) -> Path:
    """Weights of a fold's U-Net, for out-of-fold masks; scored on nothing."""
    arm = SegmenterArm(
        arm=f"unet-fold-{fold + 1}",
        train=lambda: gather(seen),
        test=None,
        settings={"fold": fold, "folds": bench.scale.folds},
    )
    return run_segmenter(bench, bench.cohort, arm, bench.seeds[0]).folder / WEIGHTS


def pool(slices: Slices) -> SlicePool:
    """Slices as stage 1 takes them."""
    return SlicePool(slices.image, slices.mask, slices.known)


@torch.inference_mode()
def counts_of(network: UNet, slices: Slices) -> np.ndarray:
    """`Counts.rows` of slices."""
    network = network.eval().to(memory_format=torch.channels_last)
    rows = []
    for start in range(0, len(slices), BATCH):
        part = slices.choose(np.arange(start, min(start + BATCH, len(slices))))
        image = torch.from_numpy(part.image.astype(np.float32))[:, None]
        logits, _features = network(image.contiguous(memory_format=torch.channels_last))
        rows.append(count(torch.sigmoid(logits)[:, 0].numpy(), part.mask, part.known))
    return np.concatenate(rows)


def counts(finished: Finished) -> Counts:
    """Counts of a finished job."""
    return Counts(*(finished.arrays[name] for name in ("rows", "study", "patient")))


def locations(slices: Slices, least: int) -> Sequence[str]:
    """Locations with at least so many patients."""
    names = [name for name in np.unique(slices.location) if name]
    return [
        str(name)
        for name in names
        if len(np.unique(slices.patient[slices.location == name])) >= least
    ]
