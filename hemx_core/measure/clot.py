"""One slice of a clot on a grid of square pixels, and the shape of its outline.

Irregular margin (Barras 2009) and island sign (Li 2017).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.volume import check_mask

GRID_MM = 0.5
"""Pixel of the grid; native pixels are 0.4 to 0.9 mm."""

PIXEL_MM2 = GRID_MM**2
MIN_CLOT_MM2 = 60.0
"""Smaller cross-sections are the clot's caps: partial volume, not structure (Li 2015 and Barras 2009 read
the slices that show the clot well)."""

TISSUE_HU = (-10.0, 110.0)
BONE_HU = 95.0
"""Clot reaches 88 HU (clinic.md); what is brighter over `MIN_BONE_MM2` is skull that the mask touches."""

MIN_BONE_MM2 = 10.0
_BONE_RIM_MM = 2.0
OUTLINE_SMOOTHING_MM = 1.0
_PAD_MM = 4.0

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClotPatch:
    """A slice's clot on the square grid, with a margin of a few millimetres.

    Args:
        index: the slice.
        hu: CT values, shape (rows, columns), float32; rows run to the back of the head.
        outline: the largest piece of the clot on this slice, its outline smoothed.
        inside: the same without bone that the mask touches.
        pieces: everything that the mask shows here, outline as it is.
        top_mm: distance of the grid's first row from the upper edge of the picture.
        left_mm: distance of its first column from the left edge.
    """

    index: int
    hu: Floats
    outline: Mask
    inside: Mask
    pieces: Mask
    top_mm: float
    left_mm: float

    @property
    def area_mm2(self) -> float:
        """Area of the clot on this slice."""
        return float(np.count_nonzero(self.inside)) * PIXEL_MM2

    def blurred(self, sigma_mm: float) -> Floats:
        """CT values smoothed within the clot alone; the mean of the clot outside it."""
        sigma = sigma_mm / GRID_MM
        weights = self.inside.astype(np.float32)
        mean = float(self.hu[self.inside].mean())
        weighted = cv2.GaussianBlur((self.hu - np.float32(mean)) * weights, (0, 0), sigma)
        norm = np.maximum(cv2.GaussianBlur(weights, (0, 0), sigma), np.float32(1e-3))
        smooth = np.where(self.inside, weighted / norm, 0) + np.float32(mean)
        return np.asarray(smooth, dtype=np.float32)

    def core(self, margin_mm: float) -> Mask:
        """The clot without a rim of `margin_mm`, where partial volume rules."""
        distance = cv2.distanceTransform(self.inside.astype(np.uint8), cv2.DIST_L2, 5)
        return np.asarray(distance * GRID_MM > margin_mm)


def clot_patches(volume: HUVolume, mask: Mask) -> Iterator[ClotPatch]:
    """The slices that show at least `MIN_CLOT_MM2` of clot in one piece, feet to head.

    Args:
        volume: CT values and geometry; each slice seen with the nose up.
        mask: the haematoma with its holes filled, shape (slices, rows, columns).
    Raises:
        VolumeError: the mask does not fit the volume.
    """
    check_mask(mask, volume.geometry)
    for index, pixels in enumerate(mask):
        if not pixels.any():
            continue
        patch = _patch(index, volume.hu[index], pixels, volume.geometry.pixel_spacing_mm)
        if patch is not None and patch.area_mm2 >= MIN_CLOT_MM2:
            yield patch


def _patch(
    index: int, hu: NDArray[np.int16], pixels: Mask, spacing_mm: tuple[float, float]
) -> ClotPatch | None:
    rows, columns = (
        _span(np.asarray(pixels.any(axis=1 - axis)), round(_PAD_MM / spacing_mm[axis]) + 1)
        for axis in (0, 1)
    )
    dy, dx = spacing_mm
    part = pixels[rows, columns].astype(np.float32)
    size = (round(part.shape[1] * dx / GRID_MM), round(part.shape[0] * dy / GRID_MM))
    # Bone, calcium or air that the mask touches would outweigh the clot's own differences.
    values = np.clip(hu[rows, columns].astype(np.float32), *TISSUE_HU)
    values = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
    soft = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
    smooth = cv2.GaussianBlur(soft, (0, 0), OUTLINE_SMOOTHING_MM / GRID_MM)
    outline = largest_piece(smooth >= 0.5)
    if outline is None:
        return None
    inside = largest_piece(outline & ~_bone(values))
    if inside is None:
        return None
    return ClotPatch(
        index=index,
        hu=values,
        outline=outline,
        inside=inside,
        pieces=soft >= 0.5,
        top_mm=rows.start * dy,
        left_mm=columns.start * dx,
    )


def disk(radius_mm: float) -> NDArray[np.uint8]:
    """A disk on the grid, for dilating and eroding."""
    reach = round(radius_mm / GRID_MM)
    rows, columns = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(np.hypot(rows, columns) <= reach, dtype=np.uint8)


def grown(region: Mask, margin_mm: float) -> Mask:
    """The region and everything within `margin_mm` of it; empty stays empty."""
    if not region.any():
        return region
    distance = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(distance * GRID_MM <= margin_mm)


def _bone(values: Floats) -> Mask:
    """Bone and its partial volume."""
    labels, stats = label_pieces(values > BONE_HU)
    large = stats[:, cv2.CC_STAT_AREA] * PIXEL_MM2 >= MIN_BONE_MM2
    large[0] = False
    return grown(np.asarray(large[labels]), _BONE_RIM_MM)


def _span(occupied: Mask, pad: int) -> slice:
    found = np.flatnonzero(occupied)
    return slice(max(int(found[0]) - pad, 0), int(found[-1]) + pad + 1)


def largest_piece(region: Mask) -> Mask | None:
    """The largest 8-connected piece of a region; None where it is empty."""
    pieces, stats = label_pieces(region)
    if len(stats) < 2:
        return None
    return np.asarray(pieces == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))


def label_pieces(region: Mask) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Labels of the 8-connected pieces from 1 up, and OpenCV's statistics of each (row 0: outside)."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=8)
    return np.asarray(labels, dtype=np.int32), np.asarray(stats, dtype=np.int32)


BRIDGE_MM = 4.0
"""A small haematoma that hangs on by less than this is connected, yet a piece of its own."""

MIN_PIECE_MM2 = 10.0
ISLAND_SHARE = 0.25
"""A "small" haematoma has at most this share of the main one's area."""


def solidity(patch: ClotPatch) -> float:
    """Area over the area of the convex hull, of the smoothed outline: lobes and bays lower it."""
    contours, _ = cv2.findContours(
        patch.outline.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    outline = max(contours, key=cv2.contourArea)
    hull = cv2.contourArea(cv2.convexHull(outline))
    return float(cv2.contourArea(outline) / hull) if hull > 0 else 1.0


def count_islands(patch: ClotPatch) -> int:
    """The island sign's count: separate small haematomas, or all small ones less one if more.

    Li 2017 asks for three that are all separate, or four of which some or all are connected; so
    three of this count is the sign.
    """
    labels, stats = label_pieces(patch.pieces)
    main = _main(stats)
    limit = ISLAND_SHARE * float(stats[main, cv2.CC_STAT_AREA])
    areas = stats[1:, cv2.CC_STAT_AREA]
    separate = int(((areas * PIXEL_MM2 >= MIN_PIECE_MM2) & (areas <= limit)).sum())
    thin = _distance_mm(~(labels == main)) > BRIDGE_MM / 2
    _, kept = label_pieces(thin)
    bridged = max(int((kept[1:, cv2.CC_STAT_AREA] <= limit).sum()), 0)
    return max(separate, separate + bridged - 1)


def _main(stats: np.ndarray) -> int:
    return 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def _distance_mm(region: Mask) -> np.ndarray:
    """Distance of every pixel outside a region from it, mm; 0 inside."""
    distance = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(distance * np.float32(GRID_MM))
