"""Mask threshold and scores of a segmenter on a source's own studies, on the network's grid.

Prepared studies do not keep their slice thickness, so false blood is an area, and a volume error is
that of pixel counts. Scores on native pixels need the data set itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.data.study import StudySource
from hemx_core.nn.unet import UNet
from hemx_core.training.evaluate_segmentation import THRESHOLDS
from hemx_core.training.frozen import segment

Counts = NDArray[np.float64]
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
) -> dict[str, Counts]:
    """Pixel counts of every patient of a split, pixels that the reference leaves open left out."""
    sums: dict[str, Counts] = {}
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


def summary(counts: dict[str, Counts], pixel_mm2: float) -> dict[str, Any]:
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


def _dice(counts: dict[str, Counts]) -> Counts:
    """Dice of the patients with blood, shape (thresholds, patients)."""
    table = np.array([one for one in counts.values() if one[0, 2] > 0])
    if not len(table):
        return np.zeros((1, 0))
    return np.asarray(2 * table[..., 0] / (table[..., 1] + table[..., 2])).T
