"""Ground truth of markers per slice, measured on the clot's noise-free picture.

Every rule has a clear yes, a clear no and a grey zone between them (-1, not decidable):

| marker      | 1                                       | 0                                 |
| ----------- | --------------------------------------- | --------------------------------- |
| hypodensity | >= 15 mm2, >= 15 HU below, enclosed     | < 4 mm2 that is >= 8 HU below     |
| irregular   | solidity of the contour <= 0.895        | solidity >= 0.935                 |
| blend       | >= 18 HU, smaller part >= 30 mm2, 12 %  | < 18 HU, or smaller part < 10 mm2 |
| fluid level | as blend                                | as blend                          |

Slices with under 60 mm2 of clot are -1 throughout, slices without clot 0 throughout.
Solidity = area / area of the convex hull, on a 0.5 mm grid, contour at half cover after smoothing by a
Gaussian of 1 mm (lobes and bays count, fine raggedness does not).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.markers import MARKER_CODES
from hemx_core.phantoms.fields import Floats
from hemx_core.phantoms.lesion import ClotShares
from hemx_core.phantoms.spec import LesionSpec

GRID_MM = 0.5
SMALLEST_CLOT_MM2 = 60.0
SMOOTHING_MM = 1.0
BLEND_MIN_HU = 18.0
IRREGULAR_SOLIDITY, REGULAR_SOLIDITY = 0.895, 0.935


def judge_slice(shares: ClotShares, lesion: LesionSpec, pixel_mm: float) -> NDArray[np.int8]:
    """Markers of one slice.

    Args:
        shares: the clot's shares averaged through the slice, a window round the clot is enough.
        lesion: what was drawn.
        pixel_mm: pixel size of the shares.
    Returns:
        Shape (4,), order MARKER_CODES: 1 present, 0 absent, -1 not decidable.
    """
    scale = pixel_mm / GRID_MM
    clot, hypo, blend, fluid = (
        cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        for part in (shares.clot, shares.hypodensity, shares.blend, shares.fluid)
    )
    inside = clot >= 0.5
    area = float(np.count_nonzero(inside)) * GRID_MM**2
    if area == 0:
        return np.zeros(len(MARKER_CODES), np.int8)
    if area < SMALLEST_CLOT_MM2:
        return np.full(len(MARKER_CODES), -1, np.int8)
    blend_hu = lesion.blend.contrast_hu if lesion.blend else 0.0
    fluid_hu = lesion.fluid_level.contrast_hu if lesion.fluid_level else 0.0
    parts = (blend > 0.5 * blend_hu) & (blend_hu > 0) | (fluid > 0.5 * fluid_hu) & (fluid_hu > 0)
    return np.array(
        [
            _hypodense(hypo, inside, parts if max(blend_hu, fluid_hu) >= BLEND_MIN_HU else None),
            _irregular(clot),
            _two_parts(blend, inside, blend_hu),
            _two_parts(fluid, inside, fluid_hu),
        ],
        np.int8,
    )


def _hypodense(hypo: Floats, inside: NDArray[np.bool_], parts: NDArray[np.bool_] | None) -> int:
    """A region well below the clot, a millimetre away from its outside and its other parts."""
    trace = float(np.count_nonzero((hypo >= 8) & inside)) * GRID_MM**2
    if trace < 4:
        return 0
    bright = inside if parts is None else inside & ~parts
    core = cv2.erode(bright.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats((hypo >= 15).astype(np.uint8))
    for label in range(1, count):
        large = stats[label, cv2.CC_STAT_AREA] * GRID_MM**2 >= 15
        if large and bool(core[labels == label].all()):
            return 1
    return -1


def solidity(inside: NDArray[np.bool_]) -> float:
    """Area of the largest piece over the area of its convex hull."""
    contours, _ = cv2.findContours(
        inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    largest = max(contours, key=cv2.contourArea)
    hull = cv2.contourArea(cv2.convexHull(largest))
    return cv2.contourArea(largest) / hull if hull > 0 else 1.0


def irregular(cover: Floats, pixel_mm: float) -> int:
    """Whether an outline is irregular.

    Args:
        cover: share of each pixel that is haematoma, shape (rows, columns).
        pixel_mm: pixel size.
    Returns:
        1, 0, or -1 in the grey zone.
    """
    scale = pixel_mm / GRID_MM
    return _irregular(cv2.resize(cover, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR))


def _irregular(clot: Floats) -> int:
    """Lobes and bays count, fine raggedness does not: the contour is smoothed first."""
    smooth = cv2.GaussianBlur(clot, (0, 0), SMOOTHING_MM / GRID_MM) >= 0.5
    if not smooth.any():
        return -1
    value = solidity(smooth)
    if value <= IRREGULAR_SOLIDITY:
        return 1
    return 0 if value >= REGULAR_SOLIDITY else -1


def _two_parts(drop: Floats, inside: NDArray[np.bool_], contrast_hu: float) -> int:
    """Both the lowered part and the rest large enough to see, and far enough apart."""
    if contrast_hu < BLEND_MIN_HU:
        return 0
    low = inside & (drop > 0.5 * contrast_hu)
    area = float(np.count_nonzero(inside)) * GRID_MM**2
    smaller = min(float(np.count_nonzero(low)) * GRID_MM**2, area)
    smaller = min(smaller, area - smaller)
    if smaller >= 30 and smaller >= 0.12 * area:
        return 1
    return 0 if smaller < 10 else -1
