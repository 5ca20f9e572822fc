"""Finding the head and its bone on a single slice, in full HU or in HU clipped to a display window."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

TISSUE_HU = -250.0
"""Between air and fat: foam of a head holder is below, skin and fat are above."""
BONE_HU = 100.0
"""Clot reaches 88 HU, so bone starts above; thin bone's partial volume begins about here."""
OPENING_MM = 6.0
"""Cuts thin bridges between the head and its holder."""
RIM_MM = 18.0
"""Where the values were clipped below `BONE_HU`, clot saturates too: bone must come this close to
the outside there. Elsewhere large dense pieces are bone at any depth (the petrous part lies deep)."""
MIN_BONE_MM2 = 15.0
BONE_MARGIN_MM = 0.7
"""The inner rim of bone averages with brain to the density of clot: it goes with the bone."""

Mask = NDArray[np.uint8]


def head_mask(
    hu: NDArray[np.int16],
    *,
    pixel_spacing_mm: tuple[float, float],
    clipped_to_hu: tuple[float, float] | None = None,
) -> Mask:
    """The head without holder, table, tubes and air.

    Args:
        hu: shape (rows, columns), int16, HU.
        pixel_spacing_mm: (dy, dx).
        clipped_to_hu: the window the values were clipped to; fat then may read as air, and the head
            is the skull with what it encloses.
    Returns:
        uint8 mask, 1 inside, same shape, filled; all zero where there is no tissue.
    """
    threshold = TISSUE_HU
    if clipped_to_hu is not None:
        lower, upper = clipped_to_hu
        # Above bone a window's top says nothing of air.
        threshold = max(TISSUE_HU, lower + 0.1 * (min(upper, BONE_HU) - lower))
    tissue = (hu > threshold).astype(np.uint8)
    opened = cv2.morphologyEx(tissue, cv2.MORPH_OPEN, disk(OPENING_MM, pixel_spacing_mm))
    largest = _largest_component(opened)
    if largest is None:
        return np.zeros(hu.shape, np.uint8)
    return _filled(largest)


def bone_mask(
    hu: NDArray[np.int16],
    head: Mask,
    *,
    pixel_spacing_mm: tuple[float, float],
    clipped_to_hu: tuple[float, float] | None = None,
) -> Mask:
    """Bone of the skull with its partial-volume rim: dense and in large pieces.

    Args:
        hu: shape (rows, columns), int16, HU.
        head: mask of `head_mask`.
        pixel_spacing_mm: (dy, dx).
        clipped_to_hu: the window the values were clipped to; bone is then what reads as its top.
    Returns:
        uint8 mask, 1 on bone, same shape.
    """
    threshold = BONE_HU
    if clipped_to_hu is not None:
        threshold = min(BONE_HU, clipped_to_hu[1] - 1.0)
    dense = ((hu >= threshold) & (head != 0)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dense, connectivity=4)
    pixel_mm2 = pixel_spacing_mm[0] * pixel_spacing_mm[1]
    bone = stats[:, cv2.CC_STAT_AREA] * pixel_mm2 >= MIN_BONE_MM2
    bone[0] = False
    if threshold < BONE_HU - 1:
        bone &= _reaches_rim(labels, count, head, pixel_spacing_mm)
    return np.asarray(
        cv2.dilate(bone.astype(np.uint8)[labels], disk(2 * BONE_MARGIN_MM, pixel_spacing_mm)),
        dtype=np.uint8,
    )


def _reaches_rim(
    labels: NDArray[np.int32], count: int, head: Mask, pixel_spacing_mm: tuple[float, float]
) -> NDArray[np.bool_]:
    """Which labels come within `RIM_MM` of the head's outside, shape (count,)."""
    framed = cv2.copyMakeBorder(head, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_3)[1:-1, 1:-1]
    touching = np.zeros(count, bool)
    touching[labels[(head != 0) & (depth <= RIM_MM / max(pixel_spacing_mm))]] = True
    return touching


def _largest_component(mask: Mask) -> Mask | None:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(labels == largest, dtype=np.uint8)


def _filled(mask: Mask) -> Mask:
    """Outer contours filled: sinuses, ventricles and the mouth belong to the head."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(filled, contours, -1, (1,), cv2.FILLED)
    return filled


def disk(diameter_mm: float, pixel_spacing_mm: tuple[float, float]) -> Mask:
    """A structuring element of a diameter, at least one pixel, odd in rows and columns."""
    rows, columns = (max(1, round(diameter_mm / mm) | 1) for mm in pixel_spacing_mm)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (columns, rows)), dtype=np.uint8)
