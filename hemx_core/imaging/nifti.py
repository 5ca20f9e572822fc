"""Arrays on a volume's voxels as NIfTI; `hemx_core.data.nifti` reads.

NIfTI's world axes are RAS (+x to the patient's right, +y front, +z head), DICOM's and HEMX's are LPS
(+x left, +y back, +z head): x and y change their sign.
"""

from __future__ import annotations

import gzip
import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import BackendError, InputError
from hemx_core.files import write_whole
from hemx_core.imaging.volume import VolumeGeometry

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
MOST_OFF_MM = 0.02
"""How far a step from slice to slice may be from the others."""


def write_array(path: Path, values: NDArray[np.generic], geometry: VolumeGeometry) -> Path:
    """Write values, shape (slices, rows, columns), int16 or bool, whole or not at all.

    Args:
        path: `.nii` or `.nii.gz`.
        values: on the voxels of the geometry. Gantry tilt stays in the affine, as a shear.
        geometry: where they lie.
    Returns:
        The path.
    Raises:
        InputError: the slices are not evenly spaced along one line, which NIfTI cannot say.
        BackendError: nibabel is not installed.
        OutputError: the disk refuses.
    """
    nib = nibabel_module()
    stored = values.astype(np.uint8 if values.dtype == np.bool_ else np.int16, copy=False)
    image = nib.Nifti1Image(stored.transpose(2, 1, 0), RAS_TO_LPS @ _affine(geometry))
    image.header.set_xyzt_units("mm")
    content = image.to_bytes()
    # The lowest level, as nibabel's own: the values hardly get smaller, and the others take long.
    return write_whole(
        path, gzip.compress(content, 1, mtime=0) if path.suffix == ".gz" else content
    )


def _affine(geometry: VolumeGeometry) -> NDArray[np.float64]:
    """Voxel (column, row, slice) to LPS mm."""
    positions = geometry.positions_mm
    steps = np.diff(positions, axis=0)
    step = steps.mean(0) if len(steps) else geometry.normal * geometry.slice_thickness_mm[0]
    if len(steps) and np.abs(steps - step).max() > MOST_OFF_MM:
        raise InputError("nifti_uneven")
    dy, dx = geometry.pixel_spacing_mm
    affine = np.eye(4)
    affine[:3, 0] = geometry.row_direction * dx
    affine[:3, 1] = geometry.column_direction * dy
    affine[:3, 2] = step
    affine[:3, 3] = positions[0]
    return affine


def nibabel_module() -> Any:
    """nibabel, imported where it is needed: it is an extra.

    Raises:
        BackendError: it is not installed.
    """
    try:
        return importlib.import_module("nibabel")
    except ImportError as error:
        raise BackendError("no_nibabel", reason=str(error)) from error
