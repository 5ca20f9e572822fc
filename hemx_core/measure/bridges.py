"""Blood beside missing slices: how much of a volume is interpolated there, and how much it may be.

Across a gap the volume takes areas as straight between the two slices beside it. The upper figure takes
the root of the area as straight beyond each of them: parallel sections of a convex body have areas with
a concave root (Brunn and Minkowski), so that the body lies below the lines through the two slices on
either side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.spacing import MAX_BRIDGED_MM, Gap
from hemx_core.imaging.volume import VolumeGeometry

Floats = NDArray[np.float64]

MAX_AREA_MM2 = 5_000.0
"""A cross-section 80 mm wide; no larger one is extrapolated."""
_SAMPLES = 65


@dataclass(frozen=True, slots=True)
class Bridge:
    """A gap with blood beside it.

    Args:
        gap: where.
        interpolated_mm3: part of the volume that lies in it; 0 where it is too wide to be bridged.
        at_most_mm3: upper figure of this part.
    """

    gap: Gap
    interpolated_mm3: float
    at_most_mm3: float


def find_bridges(
    areas_mm2: Sequence[float] | Floats, geometry: VolumeGeometry
) -> tuple[Bridge, ...]:
    """The gaps that have blood on the slice below or above, feet to head.

    Args:
        areas_mm2: blood area of every slice.
        geometry: where the slices lie.
    """
    areas = np.asarray(areas_mm2, dtype=np.float64)
    steps = np.diff(geometry.slice_offsets_mm)
    bloody = [gap for gap in geometry.gaps if areas[gap.below : gap.below + 2].any()]
    return tuple(_bridge(gap, areas, steps) for gap in bloody)


def _bridge(gap: Gap, areas: Floats, steps: Floats) -> Bridge:
    low, high = float(areas[gap.below]), float(areas[gap.below + 1])
    seen = (low * gap.planned_mm[0] + high * gap.planned_mm[1]) / 2
    straight = (low + high) / 2 * gap.step_mm - seen if gap.bridged else 0.0
    root_low, slope_low = _edge(areas, steps, gap.below, -1)
    root_high, slope_high = _edge(areas, steps, gap.below + 1, 1)
    # A clot that ends unseen ends at least as steeply as one that ends between two planned slices.
    if not high:
        slope_high = max(slope_low, root_low / gap.planned_mm[1])
    if not low:
        slope_low = max(slope_high, root_high / gap.planned_mm[0])
    reach = min(gap.step_mm, MAX_BRIDGED_MM)
    along = np.linspace(0.0, reach, _SAMPLES)
    roots = np.minimum(root_low + slope_low * along, root_high + slope_high * (reach - along))
    sections = np.minimum(np.clip(roots, 0.0, None) ** 2, max(MAX_AREA_MM2, low, high))
    most = float(np.trapezoid(sections, along)) - seen
    return Bridge(gap, straight, max(most, straight, 0.0))


def _edge(areas: Floats, steps: Floats, index: int, outwards: int) -> tuple[float, float]:
    """Root of a slice's area, mm, and how it grows towards the gap, mm a mm; 0 at an end of the stack.

    Blood that begins on this slice began half way from the one before it.
    """
    root, outer = float(np.sqrt(areas[index])), index + outwards
    if not root or not 0 <= outer < len(areas):
        return root, 0.0
    run = float(steps[min(index, outer)]) * (1.0 if areas[outer] else 0.5)
    return root, (root - float(np.sqrt(areas[outer]))) / run
