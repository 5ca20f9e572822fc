"""How far a measured volume may be off: boundary, slice sampling, and both together.

| part | formula | source |
| --- | --- | --- |
| boundary | surface x `boundary_mm`: the whole outline a little too far out or in | calibrated |
| sampling | Var = (3 C0 - 4 C1 + C2) / 240, C_k = sum of v_i v_(i+k), v_i: volume of slice i | see below |

The second part is the Cavalieri estimator's variance for systematic sections (Gundersen, Jensen, Kieu and
Nielsen, J Microsc 1999;193:199-211): what the caps between slices may hold. `boundary_mm` is calibrated
with the shipped segmenter on phantom studies of known volume (`python -m benchmarks.growth calibrate`): once
against the truth, for a volume by itself, and once between two studies of the same head, for growth, where
what the segmenter always does (a mask a little too large) cancels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.measure.volume import MM3_PER_ML, slice_areas_mm2

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
        sampling_sd_ml: standard deviation from the slices' spacing.
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
    """Measure a mask's volume and what its uncertainty is made of.

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
        sampling_sd_ml=_sampling_sd(volumes),
    )


def _sampling_sd(volumes: NDArray[np.float64]) -> float:
    lags = [float(volumes[: len(volumes) - lag] @ volumes[lag:]) for lag in range(3)]
    return float(np.sqrt(max(3 * lags[0] - 4 * lags[1] + lags[2], 0.0) / 240))


def _surface_mm2(
    mask: NDArray[np.bool_],
    areas: NDArray[np.float64],
    extents: NDArray[np.float64],
    geometry: VolumeGeometry,
) -> float:
    """Sides (perimeter times extent) and the steps from slice to slice."""
    dy, dx = geometry.pixel_spacing_mm
    sides = 0.0
    for one, extent in zip(mask, extents, strict=True):
        if one.any():
            contours, _ = cv2.findContours(
                one.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )
            sides += sum(_length_mm(contour, dy, dx) for contour in contours) * float(extent)
    steps = np.abs(np.diff(np.concatenate([[0.0], areas, [0.0]]))).sum()
    return float(sides + steps)


def _length_mm(contour: cv2.typing.MatLike, dy: float, dx: float) -> float:
    points = np.asarray(contour, dtype=np.float64).reshape(-1, 2) * (dx, dy)
    return float(np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1).sum())
