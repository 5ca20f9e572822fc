"""A round brush on a mask in native pixels; no Kivy."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import VolumeGeometry
from mobile_app.store.records import BrushStroke

Mask = NDArray[np.bool_]
Point = tuple[float, float]
"""(row, column), native pixels, pixel centres at whole numbers."""


def sweep(
    mask: Mask,
    begin: Point,
    end: Point,
    radius: float,
    geometry: VolumeGeometry,
    *,
    blood: bool,
) -> None:
    """Set the pixels whose centres a round brush covers on its way between two points, in place.

    Args:
        mask: shape (rows, columns).
        begin, end: may lie outside.
        radius: in rows, as strokes keep it; the brush is round in millimetres. The pixel under it is reached
            however small it is.
        geometry: gives the pixel spacing.
        blood: what to set them to.
    """
    spacing = np.asarray(geometry.pixel_spacing_mm)
    reach_mm = max(radius * float(spacing[0]), float(np.hypot(*spacing)) / 2)
    ends = np.array([begin, end])
    low = np.maximum(np.floor(ends.min(0) - reach_mm / spacing).astype(int), 0)
    high = np.minimum(np.ceil(ends.max(0) + reach_mm / spacing).astype(int) + 1, mask.shape)
    if (low >= high).any():
        return
    start, way = ends[0] * spacing, (ends[1] - ends[0]) * spacing
    y = (np.arange(low[0], high[0]) * spacing[0] - start[0])[:, None]
    x = (np.arange(low[1], high[1]) * spacing[1] - start[1])[None, :]
    length = float(way @ way)
    share = np.clip((y * way[0] + x * way[1]) / length, 0, 1) if length > 0 else 0.0
    covered = (y - share * way[0]) ** 2 + (x - share * way[1]) ** 2 <= reach_mm**2
    mask[low[0] : high[0], low[1] : high[1]][covered] = blood


def replay(network: Mask, strokes: Iterable[BrushStroke], geometry: VolumeGeometry) -> Mask:
    """The mask that strokes make of the network's; a stored correction can be checked with it.

    Args:
        network: bool, shape (slices, rows, columns).
        strokes: in order.
        geometry: of the slices.
    """
    mask = network.copy()
    for stroke in strokes:
        one, blood = mask[stroke.slice_index], not stroke.erases
        for begin, end in zip((stroke.points[0], *stroke.points), stroke.points, strict=False):
            sweep(one, begin, end, stroke.radius, geometry, blood=blood)
    return mask
