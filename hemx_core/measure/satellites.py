"""Satellites (Shimoda 2017): small dense spots near a haematoma and separate from it, found in the CT values.

A mask seldom holds them: they are faint, and small pieces are dropped from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.clot import BONE_HU, TISSUE_HU, Floats, Mask, label_pieces, largest_piece
from hemx_core.measure.volume import check_mask

SPOT_GRID_MM = 0.75
MAX_SATELLITE_MM = 10.0
REACH_MM = (2.0, 20.0)
"""From the main haematoma without what hangs on by less than `BRIDGE_MM`; nearer is a ragged margin."""

BRIDGE_MM = 2.0
"""About what eroding by one pixel of the grid cuts."""

MIN_WIDTH_MM = 4.0
"""Narrower spots are vessels, noise and specks of calcium."""

MAX_SPOT_HU = 80.0
"""What is denser at one point is calcium."""

MIN_PROMINENCE_HU = 9.0
"""Above the level at which a spot joins the haematoma or grows beyond `MAX_SATELLITE_MM`."""

BONE_AWAY_MM = 10.0
"""Nearer to the skull lie sinuses, tentorium and partial volume."""

_LEVELS_HU = tuple(range(8, 44, 3))
_MIN_LIFT_HU = 10.0
_MIN_AREA_MM2, _MAX_AREA_MM2 = 5.0, 90.0
_MIN_BONE_MM2 = 100.0
_SMOOTHING_MM = 0.9
_BRAIN_HU = (15.0, 60.0)
_BRAIN_AWAY_MM = (3.0, 20.0)
_MIN_BRAIN_MM2 = 20.0
_PAD_MM = 28.0
_BRIDGE = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Surroundings:
    """One slice round the haematoma: CT values, main haematoma and distances, on a square grid."""

    hu: Floats
    smooth: Floats
    main: Mask
    from_main_mm: Floats
    from_bone_mm: Floats
    standing_out: Mask
    brain_hu: float


def satellite_contrasts(volume: HUVolume, mask: Mask) -> Iterator[tuple[float, int]]:
    """Of every slice with blood the contrast of its densest satellite with the brain, HU, and the slice.

    0 where there is none. A spot is separate on a level of density that neither joins it to the haematoma
    nor widens it beyond `MAX_SATELLITE_MM`.

    Args:
        volume: CT values and geometry.
        mask: the haematoma, shape (slices, rows, columns).
    Raises:
        VolumeError: the mask does not fit the volume.
    """
    check_mask(mask, volume.geometry)
    clipped = volume.clipped_to_hu
    top = TISSUE_HU[1] if clipped is None else min(clipped[1], TISSUE_HU[1])
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        around = _around(
            volume.hu[index], mask[index], volume.geometry.pixel_spacing_mm, min(BONE_HU, top - 2)
        )
        yield (0.0 if around is None else _densest(around, min(MAX_SPOT_HU, top)), int(index))


def _around(
    hu: NDArray[np.int16], pixels: Mask, spacing_mm: tuple[float, float], bone_hu: float
) -> _Surroundings | None:
    rows, columns = (
        _span(np.flatnonzero(pixels.any(axis=1 - axis)), round(_PAD_MM / spacing_mm[axis]))
        for axis in (0, 1)
    )
    part = hu[rows, columns]
    size = (
        round(part.shape[1] * spacing_mm[1] / SPOT_GRID_MM),
        round(part.shape[0] * spacing_mm[0] / SPOT_GRID_MM),
    )
    values = cv2.resize(np.clip(part.astype(np.float32), *TISSUE_HU), size)
    blood = cv2.resize(pixels[rows, columns].astype(np.float32), size) >= 0.5
    smooth = cv2.GaussianBlur(values, (0, 0), _SMOOTHING_MM / SPOT_GRID_MM)
    # No square of this side fits into a satellite: what opening leaves of the picture lacks it.
    square = np.ones((round(MAX_SATELLITE_MM * 1.2 / SPOT_GRID_MM),) * 2, np.uint8)
    standing_out = smooth - cv2.morphologyEx(smooth, cv2.MORPH_OPEN, square) >= MIN_PROMINENCE_HU
    from_bone = _distance_mm(_skull(values, blood, bone_hu))
    main = _thick(blood)
    if main is None:
        return None
    standing_out &= (from_bone >= BONE_AWAY_MM) & ~(cv2.dilate(main.astype(np.uint8), _BRIDGE) > 0)
    if not standing_out.any():
        return None
    from_blood = _distance_mm(blood)
    near, far = _BRAIN_AWAY_MM
    brain = (from_blood > near) & (from_blood <= far) & (from_bone > near)
    brain &= (values > _BRAIN_HU[0]) & (values < _BRAIN_HU[1])
    if np.count_nonzero(brain) * SPOT_GRID_MM**2 < _MIN_BRAIN_MM2:
        return None
    return _Surroundings(
        hu=np.asarray(values, dtype=np.float32),
        smooth=np.asarray(smooth, dtype=np.float32),
        main=main,
        from_main_mm=_distance_mm(main),
        from_bone_mm=from_bone,
        standing_out=np.asarray(standing_out),
        brain_hu=float(np.median(smooth[brain])),
    )


def _skull(values: Floats, blood: Mask, bone_hu: float) -> Mask:
    """Large bright pieces that are not the haematoma itself, which saturates in a narrow window."""
    labels, stats = label_pieces(values > bone_hu)
    large = stats[:, cv2.CC_STAT_AREA] * SPOT_GRID_MM**2 >= _MIN_BONE_MM2
    large[0] = False
    large[labels[cv2.erode(blood.astype(np.uint8), _BRIDGE) > 0]] = False
    return np.asarray(large[labels])


def _thick(blood: Mask) -> Mask | None:
    """The main haematoma without what hangs on by less than `BRIDGE_MM`."""
    piece = largest_piece(blood)
    if piece is None:
        return None
    thick = largest_piece(cv2.erode(piece.astype(np.uint8), _BRIDGE) > 0)
    return piece if thick is None else thick


def _densest(around: _Surroundings, limit_hu: float) -> float:
    """The largest contrast of a satellite with the brain, HU."""
    lifted = around.smooth - around.brain_hu
    near, far = REACH_MM
    reached = (around.from_main_mm >= near) & (around.from_main_mm <= far + MAX_SATELLITE_MM)
    possible = reached & (lifted >= _MIN_LIFT_HU) & (around.from_bone_mm >= BONE_AWAY_MM)
    possible &= around.standing_out
    best = 0.0
    seen = np.zeros_like(possible)
    for level in _LEVELS_HU:
        if not (possible & ~seen).any():
            break
        labels, stats = label_pieces((lifted >= level) & (around.from_bone_mm > near))
        areas = stats[:, cv2.CC_STAT_AREA] * SPOT_GRID_MM**2
        joined = np.zeros(len(stats), bool)
        joined[0] = True
        joined[labels[around.main | seen]] = True
        open_ones = ~joined & (areas >= _MIN_AREA_MM2) & (areas <= _MAX_AREA_MM2)
        for label in sorted(set(labels[possible & ~seen].tolist())):
            if not open_ones[label]:
                continue
            spot = labels == label
            length, width = _extents_mm(spot)
            if length > MAX_SATELLITE_MM:
                continue
            seen |= spot
            contrast = float(lifted[spot].max())
            if (
                width >= MIN_WIDTH_MM
                and contrast - level >= MIN_PROMINENCE_HU
                and near <= float(around.from_main_mm[spot].min()) <= far
                and float(around.from_bone_mm[spot].min()) >= BONE_AWAY_MM
                and float(around.hu[spot].max()) < limit_hu
            ):
                best = max(best, contrast)
    return best


def _extents_mm(spot: Mask) -> tuple[float, float]:
    """Length and width of a spot's smallest rectangle."""
    points = np.argwhere(spot)[:, ::-1].astype(np.float32)
    _, sides, _ = cv2.minAreaRect(points)
    return (max(sides) + 1) * SPOT_GRID_MM, (min(sides) + 1) * SPOT_GRID_MM


def _distance_mm(region: Mask) -> Floats:
    """Distance of every pixel from a region, mm; far where it is empty."""
    if not region.any():
        return np.full(region.shape, np.float32(1e3))
    distance = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(distance * np.float32(SPOT_GRID_MM), dtype=np.float32)


def _span(occupied: NDArray[np.intp], pad: int) -> slice:
    return slice(max(int(occupied[0]) - pad, 0), int(occupied[-1]) + pad + 1)
