"""Hypodense regions strictly inside a clot: hypodensity (Boulouis 2016), black hole (Li 2016), swirl.

"Not connected to its outside" is measured, not outlined: the enclosed depth of a point is how many HU it
lies below the lowest pass on any way out of the clot (grey-scale hole filling by reconstruction, Soille,
Morphological Image Analysis, 2nd ed., 2003). A part that is open to the outside, such as a
blend sign's, has depth 0 however dark it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hemx_core.measure.patch import (
    GRID_MM,
    PIXEL_MM2,
    ClotPatch,
    Floats,
    Mask,
    grown,
    label_pieces,
)

SMOOTHING_MM = 0.9
"""Keeps most of the depth of a hole of 6 mm and halves the noise of 0.45 mm pixels."""

RIM_MM = 1.5
"""Within it the outline's partial volume rules; the way out of the clot ends there."""

MIN_HOLE_MM2 = 6.0
MIN_DEPTH_HU = 2.0
"""What is shallower is texture; such regions only serve to tell how far a clot is from the sign."""

MAX_BORDER_MM = 2.2
MIN_SOLIDITY = 0.80
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=np.uint8)
_OUTSIDE_HU = -1000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hole:
    """A hypodense region enclosed by clot on one slice.

    Args:
        index: the slice.
        centre_mm: (row, column) of its centre, from the picture's corner.
        area_mm2: area where it is at least half as deep as `depth_hu`.
        depth_hu: the enclosed depth that `MIN_HOLE_MM2` of it reach.
        contrast_hu: mean of the clot round it less the mean of its middle, HU unsmoothed.
        border_mm: how much larger its radius is at a quarter of its depth than at three quarters.
        solidity: area over that of its convex hull.
    """

    index: int
    centre_mm: tuple[float, float]
    area_mm2: float
    depth_hu: float
    contrast_hu: float
    border_mm: float
    solidity: float

    @property
    def radius_mm(self) -> float:
        """Radius of the circle of the same area."""
        return float(np.sqrt(self.area_mm2 / np.pi))

    @property
    def is_black_hole_shaped(self) -> bool:
        """Round, oval or rod-like, with a sharp border (Li 2016)."""
        return self.solidity >= MIN_SOLIDITY and self.border_mm <= MAX_BORDER_MM


def filled_level(values: Floats, core: Mask) -> Floats:
    """The lowest pass on any way from each point out of the core, HU (4-connected ways).

    Args:
        values: smoothed CT values, shape (rows, columns).
        core: where the clot is.
    Returns:
        At least `values` inside the core, -1000 outside.
    """
    ground = np.where(core, values, np.float32(_OUTSIDE_HU)).astype(np.float32)
    level = np.where(core, values.max(), np.float32(_OUTSIDE_HU)).astype(np.float32)
    while True:
        lower = np.maximum(cv2.erode(level, _CROSS), ground)
        if np.array_equal(lower, level):
            return np.asarray(level, dtype=np.float32)
        level = lower


def find_holes(patch: ClotPatch) -> list[Hole]:
    """The enclosed hypodense regions of a slice, deepest first."""
    smooth, core = patch.blurred(SMOOTHING_MM), patch.core(RIM_MM)
    depth = np.where(core, filled_level(smooth, core) - smooth, np.float32(0))
    labels, stats = label_pieces(depth >= MIN_DEPTH_HU)
    holes = [
        _hole(patch, depth, labels == label, core)
        for label in range(1, len(stats))
        if stats[label, cv2.CC_STAT_AREA] * PIXEL_MM2 >= MIN_HOLE_MM2
    ]
    return sorted(holes, key=lambda one: -one.depth_hu)


def _hole(patch: ClotPatch, depth: Floats, basin: Mask, core: Mask) -> Hole:
    reached = float(np.sort(depth[basin])[-round(MIN_HOLE_MM2 / PIXEL_MM2)])
    region = basin & (depth >= 0.5 * reached)
    middle = basin & (depth >= 0.75 * reached)
    ring = grown(region, 3.0) & ~grown(region, 1.0) & core
    around = float(patch.hu[ring].mean()) if ring.any() else float(patch.hu[core].mean())
    wide = basin & (depth >= 0.25 * reached)
    row, column = np.argwhere(region).mean(axis=0) * GRID_MM
    return Hole(
        index=patch.index,
        centre_mm=(float(row) + patch.top_mm, float(column) + patch.left_mm),
        area_mm2=float(np.count_nonzero(region)) * PIXEL_MM2,
        depth_hu=reached,
        contrast_hu=around - float(patch.hu[middle].mean()),
        border_mm=_radius_mm(wide) - _radius_mm(middle),
        solidity=_solidity(region),
    )


def _radius_mm(region: Mask) -> float:
    return float(np.sqrt(np.count_nonzero(region) * PIXEL_MM2 / np.pi))


def _solidity(region: Mask) -> float:
    """Pixels over the pixels of the filled convex hull."""
    points = np.argwhere(region)[:, ::-1].astype(np.int32)
    hull = np.zeros(region.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return float(np.count_nonzero(region)) / max(int(hull.sum()), 1)
