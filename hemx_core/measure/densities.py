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
    disk,
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

GAP_MM = 1.0
"""A gap in the wall up to twice as wide counts as closed: noise and partial volume open real walls."""

MAX_BORDER_MM = 2.2
MIN_SOLIDITY = 0.80
CONTRAST_SMOOTHING_MM = 0.5
MIN_ENCLOSED_SHARE = 1 / 3
"""Of a black hole's contrast: where less of it is enclosed, the region opens to the outside."""

TRACE_BORDER_MM = 1.5
TRACE_RING_MM = 3.0
MIN_TRACE_MM2 = 2.0
MIN_CLOSED_HU = 1.0
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=np.uint8)
_GAP = disk(GAP_MM)
_OUTSIDE_HU = -1000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hole:
    """A hypodense region enclosed by clot on one slice.

    Args:
        index: the slice.
        centre_mm: (row, column) of its centre, from the picture's corner.
        area_mm2: area where it is at least half as deep as `depth_hu`.
        depth_hu: the enclosed depth that `MIN_HOLE_MM2` of it reach.
        contrast_hu: the clot's upper quartile less the lowest tenth of its middle, HU hardly smoothed:
            where a reader puts the two regions of interest.
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
        """Round, oval or rod-like, enclosed, with a sharp border (Li 2016)."""
        enclosed = self.depth_hu >= MIN_ENCLOSED_SHARE * self.contrast_hu
        return enclosed and self.solidity >= MIN_SOLIDITY and self.border_mm <= MAX_BORDER_MM


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
    level = filled_level(smooth, core)
    tight = np.where(core, level - smooth, np.float32(0))
    depth = np.maximum(tight, np.where(core, _closed_level(smooth, core) - smooth, np.float32(0)))
    labels, stats = label_pieces(depth >= MIN_DEPTH_HU)
    basins = [
        labels == label
        for label in range(1, len(stats))
        if stats[label, cv2.CC_STAT_AREA] * PIXEL_MM2 >= MIN_HOLE_MM2
    ]
    sharp = patch.blurred(CONTRAST_SMOOTHING_MM) if basins else smooth
    holes = [_hole(patch, depth, tight, basin, core, sharp) for basin in basins]
    return sorted(holes, key=lambda hole: -hole.depth_hu)


def trace_hu(hole: Hole, patch: ClotPatch) -> float:
    """How far the clot of another slice is lower where a hole lies than round it, HU; 0 beside its core.

    Args:
        hole: of a neighbouring slice.
        patch: where it may go on, enclosed or not.
    """
    rows, columns = np.ogrid[: patch.hu.shape[0], : patch.hu.shape[1]]
    away = np.hypot(
        rows * GRID_MM + patch.top_mm - hole.centre_mm[0],
        columns * GRID_MM + patch.left_mm - hole.centre_mm[1],
    )
    core = patch.core(RIM_MM)
    radius = max(hole.radius_mm, float(np.sqrt(MIN_HOLE_MM2 / np.pi)))
    inner = radius + TRACE_BORDER_MM
    region, ring = core & (away <= radius), core & (away > inner) & (away <= inner + TRACE_RING_MM)
    if min(np.count_nonzero(region), np.count_nonzero(ring)) * PIXEL_MM2 < MIN_TRACE_MM2:
        return 0.0
    return float(patch.hu[ring].mean() - patch.hu[region].mean())


def _closed_level(smooth: Floats, core: Mask) -> Floats:
    """As `filled_level`, with gaps narrower than `2 * GAP_MM` closed; -1000 where no region needs it."""
    inside = np.where(core, smooth, np.float32(_OUTSIDE_HU)).astype(np.float32)
    raised = np.where(core, cv2.dilate(inside, _GAP), np.float32(_OUTSIDE_HU)).astype(np.float32)
    closed = filled_level(raised, core)
    # Only where a region wider than the gap stays: else every narrow cleft would count.
    wide = np.where(closed - raised >= MIN_CLOSED_HU, closed, np.float32(_OUTSIDE_HU))
    return np.asarray(cv2.dilate(wide.astype(np.float32), _GAP), dtype=np.float32)


def _hole(
    patch: ClotPatch, depth: Floats, tight: Floats, basin: Mask, core: Mask, sharp: Floats
) -> Hole:
    """A hole; its shape is that of what is enclosed without closing gaps, where that is most of it."""
    reached = _reached(depth, basin)
    alone = _reached(tight, basin)
    shape, most = (tight, alone) if alone >= 0.5 * reached else (depth, reached)
    wide, half, middle = (basin & (shape >= share * most) for share in (0.25, 0.5, 0.75))
    region = basin & (depth >= 0.5 * reached)
    beside = core & ~grown(wide, 1.0)
    clot = patch.hu[beside if beside.any() else core]
    row, column = np.argwhere(region).mean(axis=0) * GRID_MM
    return Hole(
        index=patch.index,
        centre_mm=(float(row) + patch.top_mm, float(column) + patch.left_mm),
        area_mm2=float(np.count_nonzero(region)) * PIXEL_MM2,
        depth_hu=reached,
        contrast_hu=float(np.percentile(clot, 75) - np.percentile(sharp[middle], 10)),
        border_mm=_radius_mm(wide) - _radius_mm(middle),
        solidity=_solidity(half),
    )


def _reached(depth: Floats, basin: Mask) -> float:
    """The depth that `MIN_HOLE_MM2` of a basin reach."""
    return float(np.sort(depth[basin])[-round(MIN_HOLE_MM2 / PIXEL_MM2)])


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
MIN_RIM_SHARE = 0.4
"""Of the clot's rim that the two parts hold; pieces beyond them are no part of a blend sign."""

MIN_OFFSET = 0.5
"""Between the parts' centres, in radii of the clot. Nearer, the dark one is a cap's shell."""

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
        contrast_hu: upper quartile of the high part less lower quartile of the low one, away from their
            border: a reader's regions of interest lie in the densest and the darkest of them.
        threshold_hu: Otsu's threshold.
    """

    low: Mask
    high: Mask
    difference_hu: float
    contrast_hu: float
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
    """Contrast of the slice's two parts, HU; 0 where they are no blend sign's parts.

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
    centres = [np.argwhere(part).mean(axis=0) for part in (parts.high, parts.low)]
    offset = float(np.hypot(*(centres[0] - centres[1])))
    radius = float(np.sqrt(np.count_nonzero(core) / np.pi))
    beside = offset >= MIN_OFFSET * radius and high + low >= MIN_RIM_SHARE and low > 0
    return parts.contrast_hu if beside else 0.0


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
    dense, dark = values[inner_high], values[inner_low]
    return Parts(
        low=low,
        high=high,
        difference_hu=float(np.median(dense) - np.median(dark)),
        contrast_hu=float(np.percentile(dense, 75) - np.percentile(dark, 25)),
        threshold_hu=threshold,
    )


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
