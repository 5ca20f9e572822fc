"""Dice, IoU and F from pixel counts: per image, per batch, per patient, and pooled.

For binary masks F = Dice = 2 IoU / (1 + IoU) holds for one pair of masks and for pooled counts. It
does not hold for means: F is concave in IoU, so mean F < 2 mean IoU / (1 + mean IoU) (Jensen).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemx_core.evaluation import segmentation
from hemx_core.evaluation.predictions import Array
from hemx_core.evaluation.weighted import weighted_mean, weighted_ratio

BATCH = 8
LEVELS = ("image", "batch", "patient", "pooled")
MEASURES = ("f", "iou", "soft_dice_loss")
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
    hard = segmentation.pixel_counts(probability >= 0.5, mask, known)
    soft = probability * known
    sums = [part.sum((1, 2), dtype=np.float64) for part in (soft * mask, soft)]
    return np.column_stack([hard, *sums])


def overlap(rows: Array) -> dict[str, Array]:
    """Measures of each row of counts: `f`, `iou`, and `soft_dice_loss` = 1 - Dice of probabilities."""
    hard = segmentation.overlap(rows[:, :3])
    soft_dice = np.divide(
        2 * rows[:, 3],
        rows[:, 4] + rows[:, 2],
        out=np.ones(len(rows)),
        where=rows[:, 4] + rows[:, 2] > 0,
    )
    return {"f": hard["f"], "iou": hard["iou"], "soft_dice_loss": 1 - soft_dice}


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
    starts = np.arange(0, len(bloody.rows), BATCH)
    batches = np.add.reduceat(bloody.rows, starts, axis=0)
    empty = np.full(len(weights) - 1, np.nan)
    return {k: np.concatenate([[v.mean()], empty]) for k, v in overlap(batches).items()}


def false_pixels(counts: Counts, weights: Array) -> Array:
    """Pixels found on blood-free slices, mean over studies, under each draw of patients."""
    free = Counts(counts.rows * (counts.rows[:, 2:3] == 0), counts.study, counts.patient)
    sums, who = _by_study(free)
    return weighted_mean(sums[:, 1], weights[:, who])


def _by_study(counts: Counts) -> tuple[Array, NDArray[np.int64]]:
    """Summed rows of each study, shape (studies, 5), and its patient."""
    numbers, first, place = np.unique(counts.study, return_index=True, return_inverse=True)
    sums = np.zeros((len(numbers), counts.rows.shape[1]))
    np.add.at(sums, place, counts.rows)
    return sums, counts.patient[first]


def _pooled(rows: Array, weights: Array) -> dict[str, Array]:
    hit, found, truth, soft_hit, soft_found = rows.T
    return {
        "f": weighted_ratio(2 * hit, found + truth, weights),
        "iou": weighted_ratio(hit, found + truth - hit, weights),
        "soft_dice_loss": 1 - weighted_ratio(2 * soft_hit, soft_found + truth, weights),
    }
