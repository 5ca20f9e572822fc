"""From a specification to a volume with its truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import HUVolume, SeriesIdentity, VolumeGeometry
from hemx_core.markers import MARKER_CODES
from hemx_core.phantom.acquisition import Scanner
from hemx_core.phantom.dicom import make_uids
from hemx_core.phantom.spec import PhantomSpec
from hemx_core.phantom.truth import judge_slice


@dataclass(frozen=True, kw_only=True, eq=False)
class Phantom:
    """A synthetic study and what is true of it.

    Args:
        spec: what it was made from.
        volume: HU and geometry, feet to head, nose up.
        mask: the whole haematoma with its hypodense parts, without oedema, shape
            (slices, rows, columns).
        slice_markers: per slice and marker (order MARKER_CODES) 1 present, 0 absent,
            -1 not decidable, shape (slices, 4); rules in `hemx_core.phantom.truth`.
    """

    spec: PhantomSpec
    volume: HUVolume
    mask: NDArray[np.bool_]
    slice_markers: NDArray[np.int8]

    @property
    def patient_markers(self) -> NDArray[np.bool_]:
        """Whether any slice shows the marker, shape (4,)."""
        return np.asarray((self.slice_markers == 1).any(axis=0))

    @property
    def haematoma_volume_ml(self) -> float:
        """Volume of the mask."""
        geometry = self.volume.geometry
        areas = self.mask.sum(axis=(1, 2)) * geometry.pixel_area_mm2
        return float(areas @ geometry.slice_extents_mm) / 1000


def make_phantom(spec: PhantomSpec) -> Phantom:
    """Make a phantom; the same specification gives the same pixels."""
    scanner = Scanner(spec)
    matrix = spec.site.matrix
    hu = np.empty((scanner.slices, matrix, matrix), np.int16)
    mask = np.zeros(hu.shape, np.bool_)
    markers = np.zeros((scanner.slices, len(MARKER_CODES)), np.int8)
    for index in range(scanner.slices):
        hu[index], shares, window = scanner.acquire(index)
        if shares is None or spec.lesion is None:
            continue
        clot = np.zeros((scanner.work, scanner.work), np.float32)
        clot[window] = shares.clot
        if matrix != scanner.work:
            clot = cv2.resize(clot, (matrix, matrix), interpolation=cv2.INTER_LINEAR)
        mask[index] = clot >= 0.5
        markers[index] = judge_slice(shares, spec.lesion, scanner.pixel_mm)
    volume = HUVolume(hu=hu, geometry=_geometry(spec, scanner), identity=_identity(spec, len(hu)))
    return Phantom(spec=spec, volume=volume, mask=mask, slice_markers=markers)


def _geometry(spec: PhantomSpec, scanner: Scanner) -> VolumeGeometry:
    site = spec.site
    pixel = site.field_of_view_mm / site.matrix
    axial = VolumeGeometry.axial(
        scanner.slices, spacing_mm=(site.slice_spacing_mm, pixel, pixel), tilt_deg=site.tilt_deg
    )
    corner = -(site.matrix - 1) / 2 * pixel * (axial.row_direction + axial.column_direction)
    positions = np.zeros((scanner.slices, 3))
    positions[:, 2] = scanner.heights_mm()
    return VolumeGeometry(
        positions_mm=positions + corner,
        row_direction=axial.row_direction,
        column_direction=axial.column_direction,
        pixel_spacing_mm=(pixel, pixel),
        slice_thickness_mm=np.full(scanner.slices, site.slice_thickness_mm),
    )


def _identity(spec: PhantomSpec, slices: int) -> SeriesIdentity:
    """Identity with UIDs that the specification alone determines."""
    return replace(
        make_uids(slices, repr(spec)),
        patient_id=spec.patient_id,
        patient_name="HEMX^PHANTOM",
        acquired_at=spec.acquired_at,
        site=spec.site.name,
        scanner="HEMX phantom",
        source="phantom",
    )
