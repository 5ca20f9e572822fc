"""Truth of markers on one slice, judged on its picture without noise: what a reader could see there.

Every rule has a clear yes, a clear no and a grey zone between them (-1, not decidable):

| marker      | 1                                            | 0                                    |
| ----------- | -------------------------------------------- | ------------------------------------ |
| hypodensity | enclosed, >= 6 HU below over >= 7 mm2        | no enclosed basin of 3 HU over 4 mm2 |
| irregular   | solidity of the contour <= 0.895             | solidity >= 0.935                    |
| blend       | >= 18 HU, smaller part >= 30 mm2, 12 %, open | < 12 HU, or smaller part < 10 mm2    |
| fluid level | as blend                                     | as blend                             |

Outlines and parts have the limits of `hemx_core.phantoms.truth`. Hypodensity has not: published
definitions (Boulouis 2016) ask for an enclosed region of any density and size, so here what shows counts: a
basin is what water would fill if densities were heights. A region that is nearly enclosed, an enclosed low
part and a large cleft are left undecided where they could be read as the other marker.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.markers import MARKER_CODES
from hemx_core.phantoms.fields import Floats
from hemx_core.phantoms.resynthesis import Section
from hemx_core.phantoms.truth import SMALLEST_CLOT_MM2, irregular

BRAIN_HU = 33.0
SEEN_PX = 0.7
"""Standard deviation of the blur before basins are filled: what is finer drowns in noise."""
BASIN_HU, BASIN_MM2 = 6.0, 7.0
TRACE_HU, TRACE_MM2 = 3.0, 4.0
NEARLY_HU = 5.0
PARTS_HU, FAINT_HU = 18.0, 12.0
PARTS_MM2, PARTS_SHARE, NO_PART_MM2 = 30.0, 0.12, 10.0
ENCLOSED = 0.93
"""Share of a low part off the border, from which it is a hypodensity rather than a blend sign."""


def judge_section(
    section: Section, *, pixel_mm: float, beside: Floats | None = None
) -> NDArray[np.int8]:
    """Markers of one slice.

    Args:
        section: of a drawn haematoma.
        pixel_mm: of the grid.
        beside: cover of blood in ventricles; where it changes the outline's answer, there is none.
    Returns:
        Shape (4,), order MARKER_CODES: 1 present, 0 absent, -1 not decidable. All -1 where the slice
        shows under 60 mm2, all 0 where it shows nothing.
    """
    mask = section.cover >= 0.5
    area = float(np.count_nonzero(mask)) * pixel_mm**2
    if area == 0:
        return np.zeros(len(MARKER_CODES), np.int8)
    if area < SMALLEST_CLOT_MM2:
        return np.full(len(MARKER_CODES), -1, np.int8)
    hole = _hypodense(section, mask, pixel_mm)
    fluid = _two_parts(section.hu, mask & (section.upper > 0.5), mask, pixel_mm)
    blend = _blend(section, mask, pixel_mm)
    if fluid and blend == 0 and (section.upper > 0.5).any():
        blend = -1  # a level is two parts as well
    shape = irregular(section.cover, pixel_mm)
    if beside is not None and beside.any():
        both = irregular(np.maximum(section.cover, beside), pixel_mm)
        shape = shape if both == shape else -1
    return np.array([hole, shape, blend, fluid], np.int8)


def filled(height: Floats) -> Floats:
    """Heights with every basin that does not drain over the edge filled, shape as given."""
    level = np.full_like(height, height.max())
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        level[edge] = height[edge]
    kernel = np.ones((3, 3), np.uint8)
    while True:
        before = level
        for _ in range(4):
            level = np.maximum(cv2.erode(level, kernel), height)
        if np.array_equal(before, level):
            return level


def _hypodense(section: Section, mask: NDArray[np.bool_], pixel_mm: float) -> int:
    seen = section.hu * section.cover + np.float32(BRAIN_HU) * (1 - section.cover)
    seen = np.where(section.cover > 0.02, seen, np.float32(BRAIN_HU)).astype(np.float32)
    ideal = cv2.GaussianBlur(seen, (0, 0), SEEN_PX)
    basin = filled(ideal) - ideal
    if _largest(basin >= BASIN_HU) * pixel_mm**2 >= BASIN_MM2:
        return 1
    if np.count_nonzero(basin >= TRACE_HU) * pixel_mm**2 >= TRACE_MM2:
        return -1
    return -1 if _nearly_enclosed(section.drop, mask, pixel_mm) else 0


def _nearly_enclosed(drop: Floats, mask: NDArray[np.bool_], pixel_mm: float) -> bool:
    """A lowered region that lies mostly inside of the filled outline, yet drains somewhere."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(whole, contours, -1, (1,), cv2.FILLED)
    deep = cv2.erode(whole, np.ones((5, 5), np.uint8)) > 0
    lowered = ((drop >= NEARLY_HU) & (whole > 0)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(lowered)
    return any(
        stats[label, cv2.CC_STAT_AREA] * pixel_mm**2 >= BASIN_MM2
        and float(deep[labels == label].mean()) > 0.7
        for label in range(1, count)
    )


def _blend(section: Section, mask: NDArray[np.bool_], pixel_mm: float) -> int:
    low = mask & (section.high < 0.5)
    found = _two_parts(section.hu, low, mask, pixel_mm)
    if found != 0:
        inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) > 0
        for part in (low, mask & ~low):
            if float(inner[part].mean()) > ENCLOSED:
                return -1  # one part inside of the other
        if _softness(section.high, mask) > 0.5:
            return -1 if found == 1 else 0
    if found == 0:
        cleft = np.count_nonzero(mask & (section.drop >= FAINT_HU))
        if cleft * pixel_mm**2 >= PARTS_MM2 and cleft >= PARTS_SHARE * np.count_nonzero(mask):
            return -1
    return found


def _two_parts(hu: Floats, low: NDArray[np.bool_], mask: NDArray[np.bool_], pixel_mm: float) -> int:
    """Whether two parts are both large enough and far enough apart in density."""
    high = mask & ~low
    smaller = min(np.count_nonzero(low), np.count_nonzero(high))
    if smaller * pixel_mm**2 < NO_PART_MM2:
        return 0
    apart = float(hu[high].mean() - hu[low].mean())
    if apart < FAINT_HU:
        return 0
    large = smaller * pixel_mm**2 >= PARTS_MM2 and smaller >= PARTS_SHARE * np.count_nonzero(mask)
    return 1 if large and apart >= PARTS_HU else -1


def _softness(high: Floats, mask: NDArray[np.bool_]) -> float:
    """Share of the haematoma that belongs clearly to neither part: a blend sign's border is sharp."""
    between = mask & (high > 0.15) & (high < 0.85)
    return float(np.count_nonzero(between)) / float(np.count_nonzero(mask))


def _largest(mask: NDArray[np.bool_]) -> int:
    """Pixels of the largest piece."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return int(stats[1:, cv2.CC_STAT_AREA].max(initial=0))
