"""Densities inside a clot: hypodense regions, and two densities side by side.

Hypodensity (Boulouis 2016), black hole (Li 2016), swirl; blend sign (Li 2015) and fluid level.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hemx_core.measure.clot import (
    GRID_MM,
    PIXEL_MM2,
    ClotPatch,
    Floats,
    Mask,
    grown,
    label_pieces,
    largest_piece,
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
    return sorted(holes, key=lambda hole: -hole.depth_hu)


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


PART_SMOOTHING_MM = 1.2
BORDER_MM = 1.2
"""Left out on both sides of the border between the parts, where smoothing mixes them."""

MIN_PART_MM2 = 25.0
MIN_PART_SHARE = 0.10
MIN_HIGH_RIM_SHARE = 0.25
"""A dense part must reach the clot's outline too. Else the dark one is a shell: partial volume of a cap."""

MIN_RIM_SHARE = 0.6
MIN_LINE_MM = 6.0
MAX_SLOPE = 0.18
"""Of a fluid level's border: ten degrees."""

LINE_REACH_MM = 1.0
MIN_STRAIGHT_SHARE = 0.85
BELOW_LINE_MM = 1.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """A clot split into a low and a high part.

    Args:
        low: pixels of the low part.
        high: pixels of the high part.
        difference_hu: median of the high part less median of the low one, away from their border.
        threshold_hu: Otsu's threshold.
    """

    low: Mask
    high: Mask
    difference_hu: float
    threshold_hu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FluidLine:
    """A straight horizontal border with the low part above it.

    Args:
        height_mm: its distance from the upper edge of the picture.
        difference_hu: between the parts.
    """

    height_mm: float
    difference_hu: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Densities:
    """A slice made ready for splitting.

    Args:
        patch: the slice.
        hu: smoothed CT values, enclosed hypodensities filled.
        core: the clot without its rim.
    """

    patch: ClotPatch
    hu: Floats
    core: Mask

    @classmethod
    def of(cls, patch: ClotPatch) -> Densities:
        """Smooth and fill a slice's clot."""
        core = patch.core(RIM_MM)
        return cls(patch=patch, hu=filled_level(patch.blurred(PART_SMOOTHING_MM), core), core=core)


def fluid_line(densities: Densities) -> FluidLine | None:
    """The slice's fluid level; None where the border is not straight, not horizontal, or absent."""
    parts = split(densities.hu, densities.core)
    if parts is None:
        return None
    low = densities.core & (densities.hu < parts.threshold_hu)
    columns, heights, dense_tops = _steps(low, densities.core)
    if len(columns) * GRID_MM < MIN_LINE_MM:
        return None
    slope, height, straight = _fit_line(columns * GRID_MM, heights * GRID_MM)
    # Columns that are dense from the top, though they reach above the line, speak against it.
    against = int(np.count_nonzero(dense_tops * GRID_MM < height - 2.0))
    share = straight * len(columns) / (len(columns) + against)
    if abs(slope) > MAX_SLOPE or share < MIN_STRAIGHT_SHARE:
        return None
    return FluidLine(height_mm=height + densities.patch.top_mm, difference_hu=parts.difference_hu)


def blend_difference(densities: Densities, fluid_height_mm: float | None) -> float:
    """Density difference of the slice's two parts, HU; 0 where they are no blend sign's parts.

    Args:
        densities: the slice.
        fluid_height_mm: height of a fluid level of this clot; only what is below it counts.
    """
    core = densities.core
    if fluid_height_mm is not None:
        rows = np.arange(core.shape[0])[:, None] * GRID_MM + densities.patch.top_mm
        core = core & (rows > fluid_height_mm + BELOW_LINE_MM)
    parts = split(densities.hu, core)
    if parts is None:
        return 0.0
    rim = core & ~np.asarray(cv2.erode(core.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    length = max(int(np.count_nonzero(rim)), 1)
    high, low = (np.count_nonzero(rim & part) / length for part in (parts.high, parts.low))
    beside = high >= MIN_HIGH_RIM_SHARE and high + low >= MIN_RIM_SHARE and low > 0
    return parts.difference_hu if beside else 0.0


def split(values: Floats, region: Mask) -> Parts | None:
    """Split a region by Otsu's threshold, each side its largest piece; None where one is too small."""
    pixels = int(np.count_nonzero(region))
    least = max(MIN_PART_MM2, MIN_PART_SHARE * pixels * PIXEL_MM2)
    if pixels * PIXEL_MM2 < 2 * MIN_PART_MM2:
        return None
    threshold = otsu_hu(values[region])
    low = largest_piece(region & (values < threshold))
    high = largest_piece(region & (values >= threshold))
    if low is None or high is None:
        return None
    if min(np.count_nonzero(low), np.count_nonzero(high)) * PIXEL_MM2 < least:
        return None
    inner_low, inner_high = low & ~grown(high, BORDER_MM), high & ~grown(low, BORDER_MM)
    if not inner_low.any() or not inner_high.any():
        return None
    difference = float(np.median(values[inner_high]) - np.median(values[inner_low]))
    return Parts(low=low, high=high, difference_hu=difference, threshold_hu=threshold)


def otsu_hu(values: Floats) -> float:
    """Otsu's threshold of CT values, to 0.25 HU."""
    lower, upper = (float(limit) for limit in np.percentile(values, (0.5, 99.5)))
    bins = max(int((upper - lower) * 4), 2)
    counts, edges = np.histogram(np.clip(values, lower, upper), bins=bins)
    below = np.cumsum(counts)[:-1]
    sums = np.cumsum(counts * (edges[:-1] + edges[1:]) / 2)
    total = counts.sum()
    between = (sums[-1] * below / total - sums[:-1]) ** 2 / np.maximum(below * (total - below), 1)
    return float(edges[1 + int(between.argmax())])


def _steps(low: Mask, core: Mask) -> tuple[Floats, Floats, Floats]:
    """Where columns step from low down to high, and the tops of columns that begin high.

    Returns:
        Columns and rows of the steps, and rows of the dense tops, grid pixels. Columns of less than
        3 mm and those low throughout (a blend sign's part) say nothing.
    """
    columns, rows, tops = [], [], []
    for column in np.flatnonzero(core.sum(axis=0) * GRID_MM >= 3.0):
        inside = np.flatnonzero(core[:, column])
        dense = np.flatnonzero(~low[inside, column])
        if len(dense) == 0:
            continue
        if dense[0] == 0:
            tops.append(inside[0])
        else:
            columns.append(column)
            rows.append(inside[dense[0]])
    found = (np.asarray(values, dtype=np.float32) for values in (columns, rows, tops))
    first, second, third = found
    return first, second, third


def _fit_line(x: Floats, y: Floats) -> tuple[float, float, float]:
    """Slope and median height of a border, mm, and the share of it within `LINE_REACH_MM`.

    Least squares, refitted four times to what lies near the line (or to the nearest 70 %).
    """
    keep = np.ones(len(x), dtype=np.bool_)
    slope = 0.0
    distance = np.zeros_like(y)
    for _ in range(4):
        slope, offset = (float(value) for value in np.polyfit(x[keep], y[keep], 1))
        distance = np.abs(slope * x + offset - y)
        keep = distance <= max(LINE_REACH_MM, float(np.percentile(distance, 70)))
    return slope, float(np.median(y[keep])), float((distance <= LINE_REACH_MM).mean())
