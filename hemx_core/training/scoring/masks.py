"""Overlap, surface distance and volume of masks: per image, per batch and per patient.

A segmenter is scored on held-out patients in native pixels, through the steps of triage, or on a source's own
prepared studies on the network's grid: these do not keep their slice thickness, so false blood is
an area there and a volume error is that of pixel counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hemx_core.data import phe_sich
from hemx_core.data.study import StudySource
from hemx_core.errors import VolumeError
from hemx_core.imaging.prepare import prepare
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.measure.clean import clean_mask
from hemx_core.nn.inference import segment
from hemx_core.nn.unet import UNet
from hemx_core.training.scoring.predictions import Array, rounded

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]
"""Pixels in both masks, in the found one, in the reference: shape (…, 3)."""

MM3_PER_ML = 1000.0


def pixel_counts(mask: Mask, truth: Mask, known: Mask | None = None) -> Counts:
    """Count pixels of each slice.

    Args:
        mask: what was found, shape (slices, rows, columns).
        truth: the reference, same shape.
        known: False on pixels the reference leaves open, same shape; None for all known.
    Returns:
        shape (slices, 3): in both, found, in the reference.
    Raises:
        VolumeError: arrays that are not bool or not of one 3-D shape.
    """
    known = np.ones_like(truth) if known is None else known
    _check(mask, truth, known)
    found, reference = mask & known, truth & known
    return np.stack(
        [np.count_nonzero(one, axis=(1, 2)) for one in (found & reference, found, reference)], 1
    )


def overlap(counts: Counts) -> dict[str, Array]:
    """Dice, IoU and F of each row of counts, shape (rows, 3); 1 where both masks are empty.

    F is the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN), which is Dice; it has its
    own name in the answer because tables in the literature give both.
    """
    hit, found, reference = counts.astype(np.float64).T
    both = found + reference
    dice = np.divide(2 * hit, both, out=np.ones_like(hit), where=both > 0)
    union = both - hit
    iou = np.divide(hit, union, out=np.ones_like(hit), where=union > 0)
    return {"dice": dice, "iou": iou, "f": dice.copy()}


def grouped(counts: Counts, group: NDArray[Any]) -> Counts:
    """Counts summed within groups (patients, batches), in the order of the groups' names."""
    names, place = np.unique(group, return_inverse=True)
    sums = np.zeros((len(names), 3), np.int64)
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
        counts: of slices, shape (slices, 3).
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
            | {k: rounded(v.mean()) if len(v) else None for k, v in overlap(rows).items()}
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
    voxel_ml = _voxel_ml(spacing_mm)
    by_slice = pixel_counts(mask, truth, known)
    counts = by_slice.sum(0, keepdims=True)
    free = ~truth.any((1, 2))
    scores = overlap(counts)
    distances = surface_distances(mask & known, truth & known, spacing_mm) if surface else None
    return PatientMasks(
        dice=float(scores["dice"][0]),
        iou=float(scores["iou"][0]),
        reference_ml=int(counts[0, 2]) * voxel_ml,
        predicted_ml=int(counts[0, 1]) * voxel_ml,
        false_ml=int(by_slice[free, 1].sum()) * voxel_ml,
        surface_mm=distances[0] if distances else None,
        hausdorff95_mm=distances[1] if distances else None,
    )


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
    _voxel_ml(spacing_mm)
    if not mask.any() or not truth.any():
        return None
    box = _bounding_box(mask | truth)
    # Padded so that a surface on the border of the volume is a surface too.
    pair = [torch.from_numpy(np.pad(one[box], 1))[None, None].float() for one in (mask, truth)]
    spacing = [float(one) for one in spacing_mm]
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
        others = tuple(one for one in range(mask.ndim) if one != axis)
        hit = np.flatnonzero(mask.any(others))
        ends.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return tuple(ends)


def _voxel_ml(spacing_mm: tuple[float, float, float]) -> float:
    if len(spacing_mm) != 3 or not all(np.isfinite(one) and one > 0 for one in spacing_mm):
        raise VolumeError(
            f"spacing {spacing_mm}",
            expected="three positive numbers, mm: (slice, row, column)",
            remedy="take it from the study's geometry",
        )
    return float(np.prod(spacing_mm)) / MM3_PER_ML


def _check(*masks: Mask) -> None:
    shapes = {one.shape for one in masks}
    if len(shapes) > 1 or masks[0].ndim != 3 or any(one.dtype != np.bool_ for one in masks):
        raise VolumeError(
            f"masks of shapes {[one.shape for one in masks]} and types {[str(one.dtype) for one in masks]}",
            expected="bool arrays of one shape (slices, rows, columns)",
            remedy="bring masks to the same grid and cut probabilities at a threshold",
        )


Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Prepared slice (size, size) in [0, 1] to probabilities of the same shape."""


@dataclass(frozen=True, slots=True)
class PatientScore:
    """One patient, against the derived reference, without the pixels it leaves open."""

    patient: str
    dice: float
    reference_ml: float
    predicted_ml: float
    false_ml_on_blood_free_slices: float
    false_ml_unfiltered: float

    @property
    def volume_error(self) -> float:
        """|predicted - reference| / reference."""
        return abs(self.predicted_ml - self.reference_ml) / self.reference_ml


def torch_predictor(network: UNet) -> Predict:
    """A trained network as a predictor, float32."""
    network = network.eval()

    def predict(image: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits, _ = network(torch.from_numpy(image)[None, None])
        return np.asarray(torch.sigmoid(logits)[0, 0].numpy(), dtype=np.float32)

    return predict


THRESHOLDS = tuple(round(0.3 + 0.05 * step, 2) for step in range(13))
"""Mask thresholds to choose from: 0.3 to 0.9."""

Table = dict[float, list[PatientScore]]
"""Scores of the same patients, in the same order, at several thresholds."""


def score_patients(
    predict: Predict,
    spec: PreprocessingSpec,
    *,
    patients: Sequence[str],
    folder: Path,
    thresholds: Sequence[float] = (0.5,),
    min_component_ml: float = 0.0,
) -> Table:
    """Score a predictor on patients of the PHE-SICH data.

    Args:
        predict: prepared slice to probabilities.
        spec: how slices are prepared.
        patients: whom to score.
        folder: the data set.
        thresholds: probabilities from which a pixel counts as blood, each scored.
        min_component_ml: components below this are dropped, as triage does.
    """
    rows = phe_sich.read_rows(folder)
    table: Table = {threshold: [] for threshold in thresholds}
    for patient in patients:
        volume = phe_sich.read_volume(folder, rows[patient])
        found = np.stack([s.transform.to_native(predict(s.image)) for s in prepare(volume, spec)])
        truth, known, _ = phe_sich.read_reference(folder, rows[patient], volume)
        for threshold, scores in table.items():
            raw = found >= threshold
            kept = clean_mask(raw, volume, min_component_ml=min_component_ml).mask
            scores.append(_score(patient, raw, kept, truth, known, volume.geometry))
    return table


def choose_threshold(table: Table, *, without: int | None = None) -> float:
    """The threshold of the highest mean Dice, of all patients or of all but one."""
    return max(
        table,
        key=lambda t: np.mean([score.dice for i, score in enumerate(table[t]) if i != without]),
    )


def cross_validated(table: Table) -> list[PatientScore]:
    """Each patient's score at the threshold that the other patients choose."""
    count = len(next(iter(table.values())))
    return [table[choose_threshold(table, without=i)][i] for i in range(count)]


def _score(
    patient: str,
    raw: Mask,
    kept: Mask,
    truth: Mask,
    known: Mask,
    geometry: VolumeGeometry,
) -> PatientScore:
    found = score_masks(kept, truth, known, spacing_mm=geometry.spacing_mm, surface=False)
    unfiltered = score_masks(raw, truth, known, spacing_mm=geometry.spacing_mm, surface=False)
    return PatientScore(
        patient,
        found.dice,
        found.reference_ml,
        found.predicted_ml,
        found.false_ml,
        unfiltered.false_ml,
    )


def summarise(scores: Sequence[PatientScore]) -> dict[str, Any]:
    """Means and worst cases over patients, and the patients' own rows."""
    dice = np.array([score.dice for score in scores])
    false = np.array([score.false_ml_on_blood_free_slices for score in scores])
    errors = np.array([score.volume_error for score in scores])
    return {
        "reference": "derived reference without its unsure pixels and faults; "
        "spacing assumed 5 x 0.45 x 0.45 mm",
        "patients": len(scores),
        "dice_mean": round(float(dice.mean()), 4),
        "dice_worst": round(float(dice.min()), 4),
        "volume_error_median": round(float(np.median(errors)), 4),
        "false_ml_mean": round(float(false.mean()), 4),
        "false_ml_worst": round(float(false.max()), 4),
        "per_patient": [
            {k: v if isinstance(v, str) else round(v, 4) for k, v in asdict(score).items()}
            for score in scores
        ],
    }


PixelCounts = NDArray[np.float64]
"""Pixels by patient, shape (thresholds, 4): right, found, true, and found on blood-free slices."""


def choose_and_score(network: UNet, source: StudySource) -> tuple[float, dict[str, Any]] | None:
    """The threshold of the highest mean Dice on validation patients, and scores on test patients.

    Returns:
        the threshold and what goes into the results; None where no validation patient bleeds.
    """
    validation = count_pixels(network, source, "validation", THRESHOLDS)
    dice = _dice(validation)
    if not dice.shape[1]:
        return None
    means = dice.mean(1)
    best = int(means.argmax())
    threshold = THRESHOLDS[best]
    area = source.preprocessing.pixel_mm**2
    scores = {
        "validation_dice_by_threshold": {
            f"{t:.2f}": round(float(mean), 4) for t, mean in zip(THRESHOLDS, means, strict=True)
        },
        "validation": summary({k: v[[best]] for k, v in validation.items()}, area),
    }
    test = count_pixels(network, source, "test", (threshold,))
    return threshold, scores | ({"test": summary(test, area)} if test else {})


def count_pixels(
    network: UNet, source: StudySource, split: str, thresholds: Sequence[float]
) -> dict[str, PixelCounts]:
    """Pixel counts of every patient of a split, pixels that the reference leaves open left out."""
    sums: dict[str, PixelCounts] = {}
    for study in source.patients(split):
        probabilities, _features = segment(network, study.image)
        truth = study.mask & study.known
        free = ~study.with_blood
        rows = []
        for threshold in thresholds:
            found = (probabilities >= threshold) & study.known
            rows.append([(found & truth).sum(), found.sum(), truth.sum(), found[free].sum()])
        empty = np.zeros((len(thresholds), 4))
        sums[study.patient_id] = sums.get(study.patient_id, empty) + np.array(rows, np.float64)
    return sums


def summary(counts: dict[str, PixelCounts], pixel_mm2: float) -> dict[str, Any]:
    """Scores at one threshold, ready for JSON; None where no patient bleeds."""
    dice = _dice(counts)[0]
    table = np.array([one[0] for one in counts.values()])
    bleeds = table[:, 2] > 0
    error = np.abs(table[bleeds, 1] / table[bleeds, 2] - 1)
    return {
        "level": "grid of the network",
        "patients": len(table),
        "patients_with_blood": len(dice),
        "dice_mean": round(float(dice.mean()), 4) if len(dice) else None,
        "dice_worst": round(float(dice.min()), 4) if len(dice) else None,
        "volume_error_median": round(float(np.median(error)), 4) if len(dice) else None,
        "false_mm2_mean": round(float(table[:, 3].mean()) * pixel_mm2, 2),
    }


def _dice(counts: dict[str, PixelCounts]) -> PixelCounts:
    """Dice of the patients with blood, shape (thresholds, patients)."""
    table = np.array([one for one in counts.values() if one[0, 2] > 0])
    if not len(table):
        return np.zeros((1, 0))
    return np.asarray(2 * table[..., 0] / (table[..., 1] + table[..., 2])).T
