"""Measure a mask: areas, volume, diameter, density, ABC/2."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import VolumeError
from hemx_core.imaging.volume import HUVolume, VolumeGeometry

MM3_PER_ML = 1000.0


def check_mask(mask: NDArray[Any], geometry: VolumeGeometry) -> None:
    """Check that a mask can be measured with a geometry.

    Raises:
        VolumeError: the mask is not bool (slices, rows, columns) with one slice for each position.
    """
    slices = len(geometry.positions_mm)
    if mask.ndim != 3 or mask.dtype != np.bool_ or len(mask) != slices:
        raise VolumeError("mask_type", shape=str(mask.shape), dtype=str(mask.dtype), slices=slices)


def copy_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A copy whose empty slices take no memory, because they are never written."""
    # Not zeros_like, which writes its zeros: the system gives pages of zeros when they are first written.
    copied = np.zeros(mask.shape, dtype=np.bool_)
    for index, pixels in enumerate(mask):
        if pixels.any():
            copied[index] = pixels
    return copied


def slice_areas_mm2(mask: NDArray[np.bool_], geometry: VolumeGeometry) -> NDArray[np.float64]:
    """Blood area of every slice, mm².

    Args:
        mask: bool, shape (slices, rows, columns).
        geometry: gives the pixel area.
    Returns:
        Shape (slices,).
    """
    check_mask(mask, geometry)
    counts = np.array([np.count_nonzero(pixels) for pixels in mask], dtype=np.float64)
    return counts * geometry.pixel_area_mm2


def volume_ml(areas_mm2: NDArray[np.float64], geometry: VolumeGeometry) -> float:
    """Voxel volume, mL: each slice's area times the length along the normal it stands for.

    Distance decides and no label of thickness: see `VolumeGeometry.slice_extents_mm`. Where slices are
    missing, that interpolates.

    Args:
        areas_mm2: shape (slices,).
        geometry: gives the extents.
    """
    return float(areas_mm2 @ geometry.slice_extents_mm / MM3_PER_ML)


def boundary_points_mm(
    mask: NDArray[np.bool_], pixel_spacing_mm: tuple[float, float]
) -> NDArray[np.float64]:
    """Corners of the convex hull of a slice's mask, mm, counting every pixel as a full rectangle.

    Args:
        mask: bool, shape (rows, columns), at least one pixel set.
        pixel_spacing_mm: (dy, dx).
    Returns:
        Shape (corners, 2), as (y, x).
    """
    ys, xs = np.nonzero(mask)
    centres = cv2.convexHull(np.stack([xs, ys], axis=1).astype(np.int32)).reshape(-1, 1, 2)
    half = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]])
    corners = cv2.convexHull((centres + half).reshape(-1, 2).astype(np.float32)).reshape(-1, 2)
    points: NDArray[np.float64] = corners[:, ::-1].astype(np.float64) * np.asarray(pixel_spacing_mm)
    return points


def diameter_mm(points_mm: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Largest distance between two points, mm, and the unit vector between them.

    Args:
        points_mm: shape (points, 2), at least two different points.
    Returns:
        The distance and the direction, shape (2,), as (y, x).
    """
    differences = points_mm[:, None] - points_mm[None]
    lengths = np.linalg.norm(differences, axis=-1)
    first, second = np.unravel_index(int(lengths.argmax()), lengths.shape)
    length = float(lengths[first, second])
    return length, differences[first, second] / length


def max_diameter_mm(mask: NDArray[np.bool_], geometry: VolumeGeometry) -> float:
    """Largest in-plane diameter on any slice, mm; 0 for an empty mask.

    In the plane, as it is read on the screen: across 5 mm slices a diameter would be coarse.
    """
    check_mask(mask, geometry)
    diameters = [
        diameter_mm(boundary_points_mm(pixels, geometry.pixel_spacing_mm))[0]
        for pixels in mask
        if pixels.any()
    ]
    return max(diameters, default=0.0)


def mean_hu(volume: HUVolume, mask: NDArray[np.bool_]) -> float | None:
    """Mean of the CT values inside the mask, HU; None for an empty mask."""
    check_mask(mask, volume.geometry)
    total, count = 0, 0
    for hu, inside in zip(volume.hu, mask, strict=True):
        if inside.any():
            total += int(hu[inside].sum(dtype=np.int64))
            count += int(np.count_nonzero(inside))
    return total / count if count else None


FULL_SLICE = 0.75
HALF_SLICE = 0.25


def slice_weights(areas: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much each slice counts for C.

    1 where the area is more than 75 % of the largest slice's, 0.5 from 25 % to 75 %, 0 below.

    Args:
        areas: blood area of every slice, shape (slices,), at least one positive.
    """
    share = areas / areas.max()
    weights: NDArray[np.float64] = np.select(
        [share > FULL_SLICE, share >= HALF_SLICE], [1.0, 0.5], 0.0
    )
    return weights


def abc2_ml(mask: NDArray[np.bool_], geometry: VolumeGeometry) -> float:
    """A·B·C/2 of one component, mL; 0 for an empty mask.

    A is the largest diameter on the slice with the largest area, B the extent at right angles to it
    on the same slice, C the weighted sum of the slices' lengths along the normal (Kothari's number
    of slices times their thickness, for slices that need not be equally spaced).

    Args:
        mask: bool, shape (slices, rows, columns), one component.
        geometry: spacing of pixels and slices.
    """
    areas = slice_areas_mm2(mask, geometry)
    if not areas.any():
        return 0.0
    points = boundary_points_mm(mask[int(areas.argmax())], geometry.pixel_spacing_mm)
    a_mm, direction = diameter_mm(points)
    across = points @ np.array([-direction[1], direction[0]])
    b_mm = float(np.ptp(across))
    c_mm = float(slice_weights(areas) @ geometry.slice_extents_mm)
    return a_mm * b_mm * c_mm / 2 / MM3_PER_ML
