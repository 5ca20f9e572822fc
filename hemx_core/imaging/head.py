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

VAULT_MM = 9.0
"""Bone of the vault reaches so deep from its outside; with muscle and occiput, few millimetres more."""
MARGIN_MM = 3.0
THICK_MM = 6.0
MIN_CLOT_MM2 = 30.0
LIKE_MM = 12.0
"""Diameter within which a piece's like on the other side may lie: heads are turned, and not even."""
PAIRED = 0.3
"""Share of a piece that the other side may have a like of."""
AROUND_MM = 5.0
SOLID_HU = 12.0
IN_BRAIN = 0.92
ROUND = 0.05

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
    mask = bone.astype(np.uint8)[labels]
    if threshold < BONE_HU - 1:
        bone &= _reaches_rim(labels, count, head, pixel_spacing_mm)
        mask = bone.astype(np.uint8)[labels]
        mask &= 1 - _saturated_clot(hu, mask, head, pixel_spacing_mm)
        mask = without_small(mask, MIN_BONE_MM2 / pixel_mm2, connectivity=4)
    return np.asarray(cv2.dilate(mask, disk(2 * BONE_MARGIN_MM, pixel_spacing_mm)), dtype=np.uint8)


def _reaches_rim(
    labels: NDArray[np.int32], count: int, head: Mask, pixel_spacing_mm: tuple[float, float]
) -> NDArray[np.bool_]:
    """Which labels come within `RIM_MM` of the head's outside, shape (count,)."""
    framed = cv2.copyMakeBorder(head, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_3)[1:-1, 1:-1]
    touching = np.zeros(count, bool)
    touching[labels[(head != 0) & (depth <= RIM_MM / max(pixel_spacing_mm))]] = True
    return touching


def _saturated_clot(
    hu: NDArray[np.int16], bone: Mask, head: Mask, pixel_spacing_mm: tuple[float, float]
) -> Mask:
    """Clot that reads as bone because both are at the window's top: near the skull, or joined to it.

    It is thick, lies deeper than the skull is thick, has no like on the other side of the head, and
    brain around it. Bone so deep is the base's: there is more of it in the slice, in pairs, beside
    air cells, orbits and CSF.

    Args:
        hu: shape (rows, columns), HU, clipped.
        bone: what reads as bone, same shape.
        head: mask of `head_mask`.
        pixel_spacing_mm: (dy, dx).
    """
    depth = _depth_mm(_filled(bone), pixel_spacing_mm)
    deep = ((bone != 0) & (depth > VAULT_MM)).astype(np.uint8)
    thick = cv2.morphologyEx(deep, cv2.MORPH_OPEN, disk(THICK_MM, pixel_spacing_mm))
    pixel_mm2 = pixel_spacing_mm[0] * pixel_spacing_mm[1]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(thick, connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA]
    clot = np.zeros_like(bone)
    if not (areas[1:] * pixel_mm2 >= MIN_CLOT_MM2).any():
        return clot
    near = ((bone != 0) & (depth > VAULT_MM - MARGIN_MM)).astype(np.uint8)
    like = cv2.dilate(near, disk(LIKE_MM, pixel_spacing_mm))
    other_side = cv2.warpAffine(like, _mirror(head), bone.shape[::-1], flags=cv2.INTER_NEAREST)
    paired = np.bincount(labels[other_side != 0], minlength=count)
    for label in range(1, count):
        if areas[label] * pixel_mm2 < MIN_CLOT_MM2 or paired[label] > PAIRED * areas[label]:
            continue
        piece = (labels == label).astype(np.uint8)
        whole = cv2.dilate(piece, disk(4 * MARGIN_MM, pixel_spacing_mm)) & near
        around = hu[(cv2.dilate(whole, disk(AROUND_MM, pixel_spacing_mm)) != 0) & (bone == 0)]
        if around.size and np.mean(around >= SOLID_HU) >= IN_BRAIN:
            clot |= whole
    # Other thick bone so deep, or air: a slice through the base, where nothing can be told apart.
    # Of the hull: from below the nose, air cells are open to the outside.
    within = _depth_mm(_hull(head), pixel_spacing_mm) > RIM_MM
    air = (within & (hu <= hu.min() + 1)).astype(np.uint8)
    air = cv2.morphologyEx(air, cv2.MORPH_OPEN, disk(MARGIN_MM, pixel_spacing_mm))
    base = max(cv2.countNonZero(thick & (1 - clot)), cv2.countNonZero(air)) * pixel_mm2
    return clot if base < MIN_CLOT_MM2 else np.zeros_like(bone)


def _hull(mask: Mask) -> Mask:
    """The convex hull of a mask that is not empty."""
    filled = np.zeros_like(mask)
    cv2.fillConvexPoly(filled, cv2.convexHull(cv2.findNonZero(mask)), (1,))
    return filled


def _depth_mm(mask: Mask, pixel_spacing_mm: tuple[float, float]) -> NDArray[np.float32]:
    """How far each pixel of a mask lies inside it."""
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    return np.asarray(depth * max(pixel_spacing_mm), np.float32)


def _mirror(head: Mask) -> NDArray[np.float64]:
    """The affine map, shape (2, 3), that turns left and right of a head round.

    The midline passes through the head's centre, along its longer axis if that is nearer to the
    vertical than to the horizontal; a round head is taken for upright.
    """
    moments = cv2.moments(head, binaryImage=True)
    centre = np.array([moments["m10"], moments["m01"]]) / moments["m00"]
    across = moments["mu20"] - moments["mu02"]
    longer = np.hypot(across, 2 * moments["mu11"]) / (moments["mu20"] + moments["mu02"])
    angle = 0.5 * np.arctan2(2 * moments["mu11"], across)
    if longer < ROUND or abs(np.sin(angle)) < abs(np.cos(angle)):
        angle = np.pi / 2
    along = np.array([np.cos(angle), np.sin(angle)])
    turn = 2 * np.outer(along, along) - np.eye(2)
    return np.column_stack([turn, centre - turn @ centre])


def without_small(mask: Mask, least: float, *, connectivity: int) -> Mask:
    """Without the pieces of fewer pixels.

    Args:
        mask: uint8, shape (rows, columns).
        least: pixels.
        connectivity: 4, or 8 where pixels that touch at a corner are one piece.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)
    keep = stats[:, cv2.CC_STAT_AREA] >= least
    keep[0] = False
    return np.asarray(keep.astype(np.uint8)[labels], dtype=np.uint8)


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
