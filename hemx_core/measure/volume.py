"""Areas, voxel volume, diameter and density of a haematoma mask."""

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
        raise VolumeError(
            f"a mask of shape {mask.shape} and type {mask.dtype}",
            expected=f"bool (slices, rows, columns) with {slices} slices",
            remedy="give the mask in native pixels, for example probabilities >= threshold",
        )


def copy_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A copy whose empty slices take no memory, because they are never written."""
    # Not zeros_like, which writes its zeros: the system gives pages of zeros when they are first written.
    copied = np.zeros(mask.shape, dtype=np.bool_)
    for index, one in enumerate(mask):
        if one.any():
            copied[index] = one
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
    counts = np.array([np.count_nonzero(one) for one in mask], dtype=np.float64)
    return counts * geometry.pixel_area_mm2


def volume_ml(areas_mm2: NDArray[np.float64], geometry: VolumeGeometry) -> float:
    """Voxel volume, mL: each slice's area times the length along the normal it stands for.

    Unequal spacing and gaps are respected through `VolumeGeometry.slice_extents_mm`.

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
        diameter_mm(boundary_points_mm(one, geometry.pixel_spacing_mm))[0]
        for one in mask
        if one.any()
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
