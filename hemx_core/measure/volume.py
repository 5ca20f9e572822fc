"""Measure a mask: areas, volume, diameter, density, ABC/2, and their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import VolumeError
from hemx_core.imaging.volume import HUVolume, VolumeGeometry
from hemx_core.measure.bridges import find_bridges

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


ACCURACY_BOUNDARY_MM = 1.46
"""Between a mask and the truth; large because the segmenter leaves some clots' dark parts out."""

REPEAT_BOUNDARY_MM = 0.05
"""Between two studies of one head at two sites. Both are of the shipped segmenter, from
benchmarks/results/repeatability.json (a test holds them to it): calibrate again with every new one."""

Z_90 = 1.645
"""Half width of a two-sided 90 % interval in standard deviations: 5 % on each side, so that a "yes" or "no"
is a one-sided test at 5 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeEstimate:
    """A volume with what limits its accuracy.

    Args:
        volume_ml: voxel volume.
        surface_mm2: surface of the mask as a stack of slabs: sides, and steps between slices. Up to a
            third more than the smooth body's; the calibrated constants belong to it.
        sampling_sd_ml: standard deviation from the slices' spacing and from missing slices.
    """

    volume_ml: float
    surface_mm2: float
    sampling_sd_ml: float

    def sd_ml(self, boundary_mm: float) -> float:
        """Standard deviation with a boundary uncertainty, mL."""
        return float(np.hypot(self.surface_mm2 * boundary_mm / MM3_PER_ML, self.sampling_sd_ml))

    @property
    def interval_ml(self) -> tuple[float, float]:
        """90 % interval of the true volume."""
        half = Z_90 * self.sd_ml(ACCURACY_BOUNDARY_MM)
        return max(self.volume_ml - half, 0.0), self.volume_ml + half


def estimate_volume(mask: NDArray[np.bool_], geometry: VolumeGeometry) -> VolumeEstimate:
    """Measure a mask's volume and the components of its uncertainty.

    Args:
        mask: bool, shape (slices, rows, columns).
        geometry: spacing; unequal slices are respected.
    Raises:
        VolumeError: the mask does not fit the geometry.
    """
    areas = slice_areas_mm2(mask, geometry)
    extents = geometry.slice_extents_mm
    volumes = areas * extents / MM3_PER_ML
    return VolumeEstimate(
        volume_ml=float(volumes.sum()),
        surface_mm2=_surface_mm2(mask, areas, extents, geometry),
        sampling_sd_ml=float(np.hypot(_sampling_sd(volumes), _missing_sd(areas, geometry))),
    )


def _sampling_sd(volumes: NDArray[np.float64]) -> float:
    lags = [float(volumes[: len(volumes) - lag] @ volumes[lag:]) for lag in range(3)]
    return float(np.sqrt(max(3 * lags[0] - 4 * lags[1] + lags[2], 0.0) / 240))


def _missing_sd(areas: NDArray[np.float64], geometry: VolumeGeometry) -> float:
    """Where slices are missing, any volume from nothing to the upper figure there is as likely."""
    spans = [bridge.at_most_mm3 / MM3_PER_ML for bridge in find_bridges(areas, geometry)]
    return float(np.linalg.norm(spans) / np.sqrt(12)) if spans else 0.0


def _surface_mm2(
    mask: NDArray[np.bool_],
    areas: NDArray[np.float64],
    extents: NDArray[np.float64],
    geometry: VolumeGeometry,
) -> float:
    """Sides (perimeter times extent) and the steps from slice to slice."""
    dy, dx = geometry.pixel_spacing_mm
    sides = 0.0
    for pixels, extent in zip(mask, extents, strict=True):
        if pixels.any():
            contours, _ = cv2.findContours(
                pixels.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )
            sides += sum(_length_mm(contour, dy, dx) for contour in contours) * float(extent)
    steps = np.abs(np.diff(np.concatenate([[0.0], areas, [0.0]]))).sum()
    return float(sides + steps)


def _length_mm(contour: cv2.typing.MatLike, dy: float, dx: float) -> float:
    points = np.asarray(contour, dtype=np.float64).reshape(-1, 2) * (dx, dy)
    return float(np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1).sum())
