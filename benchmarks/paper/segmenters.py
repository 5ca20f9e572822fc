"""Jobs that train a U-Net and count what it finds on held-out slices; Dice, IoU and F from these counts.

For binary masks F = Dice = 2 IoU / (1 + IoU) holds for one pair of masks and for pooled counts. It
does not hold for means: F is concave in IoU, so mean F < 2 mean IoU / (1 + mean IoU) (Jensen).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.jobs import Finished, Job, Outcome
from benchmarks.paper.data import Material, Slices, gather
from benchmarks.paper.experiments import Bench
from hemx_core.data.study import Study
from hemx_core.nn.inference import segment
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights import load_segmenter, save_weights, segmenter_config
from hemx_core.training.config import SegmentationTraining
from hemx_core.training.scoring import masks
from hemx_core.training.scoring.predictions import Array
from hemx_core.training.scoring.weighted import weighted_mean, weighted_ratio
from hemx_core.training.segmentation import fit_segmenter
from hemx_core.training.slice_pools import SlicePool

IMAGES_A_BATCH = 8
LEVELS = ("image", "batch", "patient", "pooled")
COLUMNS = ("hit", "found", "truth", "soft_hit", "soft_found")


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Pixel sums of slices, without the pixels that the reference leaves open.

    Args:
        rows: shape (slices, 5), columns `COLUMNS`: found and true, found, true; and the first two
            again with the probability in place of the binary mask.
        study: number of each slice's study, shape (slices,).
        patient: number of each slice's patient, shape (slices,).
    """

    rows: Array
    study: NDArray[np.int64]
    patient: NDArray[np.int64]

    def choose(self, keep: NDArray[np.bool_]) -> Counts:
        """Some of the slices."""
        return Counts(self.rows[keep], self.study[keep], self.patient[keep])


def count(
    probability: NDArray[np.float32], mask: NDArray[np.bool_], known: NDArray[np.bool_]
) -> Array:
    """`Counts.rows` of slices, each array (slices, S, S); blood is a probability of 0.5 or more."""
    hard = masks.pixel_counts(probability >= 0.5, mask, known)[:, :3]
    soft = probability * known
    sums = [part.sum((1, 2), dtype=np.float64) for part in (soft * mask, soft)]
    return np.column_stack([hard, *sums])


def overlap(rows: Array) -> dict[str, Array]:
    """Measures of each row of counts: `f`, `iou`, and `soft_dice_loss` = 1 - Dice of probabilities."""
    hard, soft = masks.overlap(rows[:, :3]), masks.overlap(rows[:, [3, 4, 2]])
    return {"f": hard["f"], "iou": hard["iou"], "soft_dice_loss": 1 - soft["dice"]}


def scores(counts: Counts, weights: Array, *, level: str) -> dict[str, Array]:
    """Each measure under each draw of patients.

    Args:
        counts: of all scored slices.
        weights: shape (draws, patients).
        level: `image`: mean over the slices with blood; `batch`: mean over batches of 8 of these
            slices in their order, for row 0 only (a batch mixes patients, so it has no interval
            over them); `patient`: mean over studies of their summed slices, blood-free ones
            included (each study of a patient counts, and they are drawn together); `pooled`: of all
            pixels at once.
    Returns:
        by measure, shape (draws,), NaN where undefined.
    """
    if level == "patient":
        sums, who = _by_study(counts)
        bleeds = sums[:, 2] > 0
        found = overlap(sums[bleeds])
        return {k: weighted_mean(v, weights[:, who[bleeds]]) for k, v in found.items()}
    if level == "pooled":
        return _pooled(counts.rows, weights[:, counts.patient])
    bloody = counts.choose(counts.rows[:, 2] > 0)
    if level == "image":
        by_slice = weights[:, bloody.patient]
        return {k: weighted_mean(v, by_slice) for k, v in overlap(bloody.rows).items()}
    numbers = masks.batch_numbers(len(bloody.rows), size=IMAGES_A_BATCH)
    batches = masks.grouped(bloody.rows, numbers)
    empty = np.full(len(weights) - 1, np.nan)
    return {k: np.concatenate([[v.mean()], empty]) for k, v in overlap(batches).items()}


def false_pixels(counts: Counts, weights: Array) -> Array:
    """Pixels found on blood-free slices, mean over studies, under each draw of patients."""
    free = Counts(counts.rows * (counts.rows[:, 2:3] == 0), counts.study, counts.patient)
    sums, who = _by_study(free)
    return weighted_mean(sums[:, 1], weights[:, who])


def _by_study(counts: Counts) -> tuple[Array, NDArray[np.int64]]:
    """Summed rows of each study, shape (studies, 5), and its patient."""
    _, first = np.unique(counts.study, return_index=True)
    return masks.grouped(counts.rows, counts.study), counts.patient[first]


def _pooled(rows: Array, weights: Array) -> dict[str, Array]:
    hit, found, truth, soft_hit, soft_found = rows.T
    return {
        "f": weighted_ratio(2 * hit, found + truth, weights),
        "iou": weighted_ratio(hit, found + truth - hit, weights),
        "soft_dice_loss": 1 - weighted_ratio(2 * soft_hit, soft_found + truth, weights),
    }


WEIGHTS = "unet.safetensors"
PART = 256
"""Slices whose probabilities are held at once."""


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


def fold_segmenter(bench: Bench, seen: Sequence[Study], fold: int) -> Path:
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


def counts_of(network: UNet, slices: Slices) -> Array:
    """`Counts.rows` of slices."""
    rows = []
    for start in range(0, len(slices), PART):
        part = slices.choose(np.arange(start, min(start + PART, len(slices))))
        probability, _features = segment(network, part.image, exact=True)
        rows.append(count(probability, part.mask, part.known))
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
