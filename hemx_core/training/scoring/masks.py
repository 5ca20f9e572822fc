"""Overlap, surface distance and volume of masks: per image, per batch and per patient.

Every score of a mask in HEMX comes from the same pixel counts of its slices.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hemx_core.errors import VolumeError
from hemx_core.training.scoring.predictions import Array, rounded

Mask = NDArray[np.bool_]
Counts = NDArray[Any]
"""Pixels in both masks, in the found one, in the reference, and those found where the slice's reference
is empty: shape (…, 4). Sums of rows are counts again: of a patient, a batch, a data set."""

MM3_PER_ML = 1000.0


def pixel_counts(mask: Mask, truth: Mask, known: Mask | None = None) -> Counts:
    """Count pixels of each slice.

    Args:
        mask: what was found, shape (slices, rows, columns).
        truth: the reference, same shape.
        known: False on pixels the reference leaves open, same shape; None for all known.
    Returns:
        shape (slices, 4), see `Counts`. A slice whose reference lies in open pixels only does not
        count as free of blood.
    Raises:
        VolumeError: arrays that are not bool or not of one 3-D shape.
    """
    known = np.ones_like(truth) if known is None else known
    _check(mask, truth, known)
    found, reference = mask & known, truth & known
    hit, found, reference = (
        np.count_nonzero(part, axis=(1, 2)) for part in (found & reference, found, reference)
    )
    return np.stack([hit, found, reference, np.where(truth.any((1, 2)), 0, found)], 1)


def overlap(counts: Counts) -> dict[str, Array]:
    """Dice, IoU and F of each row of counts, shape (…, 3 or more); 1 where both masks are empty.

    F is the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN), which is Dice; it has its
    own name in the answer because tables in the literature give both.
    """
    hit, found, reference = np.moveaxis(counts[..., :3].astype(np.float64), -1, 0)
    both = found + reference
    dice = np.divide(2 * hit, both, out=np.ones_like(hit), where=both > 0)
    union = both - hit
    iou = np.divide(hit, union, out=np.ones_like(hit), where=union > 0)
    return {"dice": dice, "iou": iou, "f": dice.copy()}


def grouped(counts: Counts, group: NDArray[Any]) -> Counts:
    """Counts summed within groups (patients, batches), in the order of the groups' names."""
    names, place = np.unique(group, return_inverse=True)
    sums = np.zeros((len(names), counts.shape[1]), counts.dtype)
    np.add.at(sums, place, counts)
    return sums


def batch_numbers(
    rows: int, *, size: int, order: NDArray[np.intp] | None = None
) -> NDArray[np.intp]:
    """Number of the batch that each row falls into.

    Args:
        rows: how many.
        size: of a batch; the last one may be smaller.
        order: row numbers in the order of the batches; None for their own order. Figures per batch
            depend on it, so a table has to name size and order.
    """
    numbers = np.empty(rows, np.intp)
    numbers[np.arange(rows) if order is None else order] = np.arange(rows) // size
    return numbers


def overlap_report(
    counts: Counts,
    patient: NDArray[Any],
    *,
    batch: int,
    order: NDArray[np.intp] | None = None,
) -> dict[str, Any]:
    """Means of Dice, IoU and F per image, per batch and per patient, and pooled; ready for JSON.

    Args:
        counts: of slices, see `Counts`.
        patient: whose each slice is, shape (slices,).
        batch: slices in a batch; counts are summed within a batch, then the batches averaged.
        order: of the slices, for the batches.
    """
    blood = counts[:, 2] > 0
    numbers = batch_numbers(len(counts), size=batch, order=order)
    levels = {
        "image": counts,
        "image_with_blood": counts[blood],
        "batch": grouped(counts, numbers),
        "patient": grouped(counts, patient),
        "pooled": counts.sum(0, keepdims=True),
    }
    return {
        "empty_empty": "1",
        "batch_size": batch,
        **{
            name: {"count": len(rows)}
            | {
                measure: rounded(values.mean()) if len(values) else None
                for measure, values in overlap(rows).items()
            }
            for name, rows in levels.items()
        },
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientMasks:
    """Scores of one patient's volume.

    Args:
        dice, iou: of the volume's counts; 1 where both are empty.
        reference_ml, predicted_ml: voxel volumes of the known pixels.
        false_ml: found on slices without blood in the reference.
        surface_mm: average symmetric surface distance; None where a mask is empty.
        hausdorff95_mm: 95th percentile Hausdorff distance; None where a mask is empty.
    """

    dice: float
    iou: float
    reference_ml: float
    predicted_ml: float
    false_ml: float
    surface_mm: float | None
    hausdorff95_mm: float | None

    @property
    def error_ml(self) -> float:
        """Predicted minus reference volume, mL."""
        return self.predicted_ml - self.reference_ml

    @property
    def error_percent(self) -> float | None:
        """Predicted minus reference volume, % of the reference; None without blood in it."""
        return 100 * self.error_ml / self.reference_ml if self.reference_ml > 0 else None

    def to_json(self) -> dict[str, float | None]:
        """The fields, rounded to four digits."""
        return {name: rounded(value) for name, value in asdict(self).items()}


def score_masks(
    mask: Mask,
    truth: Mask,
    known: Mask | None = None,
    *,
    spacing_mm: tuple[float, float, float],
    surface: bool = True,
) -> PatientMasks:
    """Score one patient's volume.

    Args:
        mask: what was found, shape (slices, rows, columns).
        truth: the reference, same shape.
        known: False on pixels the reference leaves open, same shape.
        spacing_mm: (slice, row, column).
        surface: whether to measure surface distances, which take longest.
    Raises:
        VolumeError: arrays that are not bool or not of one 3-D shape, or spacing that is not positive.
    """
    known = np.ones_like(truth) if known is None else known
    unit = voxel_ml(spacing_mm)
    counts = pixel_counts(mask, truth, known).sum(0)
    scores = overlap(counts)
    distances = surface_distances(mask & known, truth & known, spacing_mm) if surface else None
    _hit, found, reference, false = (int(count) * unit for count in counts)
    return PatientMasks(
        dice=float(scores["dice"]),
        iou=float(scores["iou"]),
        reference_ml=reference,
        predicted_ml=found,
        false_ml=false,
        surface_mm=distances[0] if distances else None,
        hausdorff95_mm=distances[1] if distances else None,
    )


def means_over_patients(counts: Counts) -> dict[str, float | None]:
    """Mean and worst Dice, and the median share by which a volume is off; None where nobody bleeds.

    Args:
        counts: of patients, see `Counts`; those whose reference is empty are left out.
    """
    bleeds = counts[counts[:, 2] > 0]
    if not len(bleeds):
        return dict.fromkeys(("dice_mean", "dice_worst", "volume_error_median"))
    dice = overlap(bleeds)["dice"]
    return {
        "dice_mean": rounded(dice.mean()),
        "dice_worst": rounded(dice.min()),
        "volume_error_median": rounded(np.median(np.abs(bleeds[:, 1] / bleeds[:, 2] - 1))),
    }


def surface_distances(
    mask: Mask, truth: Mask, spacing_mm: tuple[float, float, float]
) -> tuple[float, float] | None:
    """Average symmetric surface distance and 95th percentile Hausdorff distance, mm, by MONAI.

    The Hausdorff distance is the larger of the two directions' 95th percentiles.

    Args:
        mask: shape (slices, rows, columns).
        truth: same shape.
        spacing_mm: (slice, row, column).
    Returns:
        None where a mask is empty: there is no surface to measure from.
    Raises:
        VolumeError: as `score_masks`.
    """
    # Here, because overlap alone must not wait for MONAI to load.
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance

    _check(mask, truth, truth)
    voxel_ml(spacing_mm)
    if not mask.any() or not truth.any():
        return None
    box = _bounding_box(mask | truth)
    # Padded so that a surface on the border of the volume is a surface too.
    pair = [torch.from_numpy(np.pad(part[box], 1))[None, None].float() for part in (mask, truth)]
    spacing = [float(step) for step in spacing_mm]
    average = compute_average_surface_distance(
        *pair, include_background=True, symmetric=True, spacing=spacing
    )
    hausdorff = compute_hausdorff_distance(
        *pair, include_background=True, percentile=95, spacing=spacing
    )
    return float(average), float(hausdorff)


def _bounding_box(mask: Mask) -> tuple[slice, ...]:
    ends = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        hit = np.flatnonzero(mask.any(others))
        ends.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return tuple(ends)


def voxel_ml(spacing_mm: tuple[float, float, float]) -> float:
    """Volume of a voxel, mL.

    Raises:
        VolumeError: not three positive numbers.
    """
    if len(spacing_mm) != 3 or not all(np.isfinite(step) and step > 0 for step in spacing_mm):
        raise VolumeError(
            f"spacing {spacing_mm}",
            expected="three positive numbers, mm: (slice, row, column)",
            remedy="take it from the study's geometry",
        )
    return float(np.prod(spacing_mm)) / MM3_PER_ML


def _check(*masks: Mask) -> None:
    shapes = {mask.shape for mask in masks}
    if len(shapes) > 1 or masks[0].ndim != 3 or any(mask.dtype != np.bool_ for mask in masks):
        types = [str(mask.dtype) for mask in masks]
        raise VolumeError(
            f"masks of shapes {[mask.shape for mask in masks]} and types {types}",
            expected="bool arrays of one shape (slices, rows, columns)",
            remedy="bring masks to the same grid and cut probabilities at a threshold",
        )
