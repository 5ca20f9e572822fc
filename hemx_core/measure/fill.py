"""Hypodensities that a segmenter left out of the haematoma it found.

A black hole is dark, so a network that learned "bright means blood" leaves it out, and the volume is too
small. By definition (Boulouis 2016; Li 2016) a region enclosed by clot belongs to the clot: holes of
the mask that the slice's outside cannot be reached from are filled, within limits.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.volume import MM3_PER_ML, check_mask, copy_mask

MAX_HOLE_SHARE = 0.25
"""Of the area of clot and hole together. A larger hole leaves a ring of blood: a cyst, a tumour or blood
round a ventricle rather than a clot with a hypodensity. Holes drawn in phantoms reach 0.15."""

CSF_HU = 15.0
"""From clinic.md: CSF is 0 to 15 HU. A hole that dark is a cavity, unless it is small."""

SMALL_CAVITY_MM2 = 20.0
"""Up to here a CSF-dark hole is filled all the same: noise and a sharp kernel's undershoot do that."""

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=np.uint8)


def fill_holes(
    mask: NDArray[np.bool_], volume: HUVolume, *, in_place: bool = False
) -> tuple[NDArray[np.bool_], float]:
    """Fill holes that are enclosed on their slice, in native pixels.

    Filled is a hole of at most `MAX_HOLE_SHARE` of the area of the clot round it (itself included),
    unless it is larger than `SMALL_CAVITY_MM2` and its median is below `CSF_HU`.

    Args:
        mask: bool, shape (slices, rows, columns).
        volume: CT values and geometry.
        in_place: fill them in the mask itself.
    Returns:
        The filled mask, the same object where nothing was filled, and the volume filled, mL.
    Raises:
        VolumeError: the mask does not fit the volume.
    """
    geometry = volume.geometry
    check_mask(mask, geometry)
    filled, total_ml = mask, 0.0
    for index, one in enumerate(mask):
        holes = _holes(one, volume.hu[index], geometry.pixel_area_mm2) if one.any() else None
        if holes is None:
            continue
        if filled is mask and not in_place:
            filled = copy_mask(mask)
        filled[index] |= holes
        area_mm2 = np.count_nonzero(holes) * geometry.pixel_area_mm2
        total_ml += float(area_mm2 * geometry.slice_extents_mm[index] / MM3_PER_ML)
    return filled, total_ml


def _holes(
    one: NDArray[np.bool_], hu: NDArray[np.int16], pixel_mm2: float
) -> NDArray[np.bool_] | None:
    """The pixels to fill on a slice; None where there are none."""
    # 4-connected background is what an 8-connected clot encloses.
    background = cv2.copyMakeBorder(
        (~one).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1
    )
    count, labels, stats, _ = cv2.connectedComponentsWithStats(background, connectivity=4)
    if count <= 2:  # the clot and its outside
        return None
    outside = int(labels[0, 0])
    labels = labels[1:-1, 1:-1]
    _, clots, clot_stats, _ = cv2.connectedComponentsWithStats(one.astype(np.uint8), connectivity=8)
    wanted = np.zeros_like(one)
    for label in set(range(1, count)) - {outside}:
        hole = labels == label
        rim = cv2.dilate(hole.astype(np.uint8), _CROSS).astype(np.bool_) & one
        clot_area = clot_stats[np.unique(clots[rim]), cv2.CC_STAT_AREA].max()
        area = stats[label, cv2.CC_STAT_AREA]
        cavity = area * pixel_mm2 > SMALL_CAVITY_MM2 and float(np.median(hu[hole])) < CSF_HU
        if area <= MAX_HOLE_SHARE * (area + clot_area) and not cavity:
            wanted |= hole
    return wanted if wanted.any() else None
