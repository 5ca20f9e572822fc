"""NIfTI volumes in HEMX's order: axes and RAS/LPS signs come from the affine and are never guessed.

NIfTI's world axes are RAS (+x to the patient's right, +y front, +z head), DICOM's and HEMX's are LPS
(+x left, +y back, +z head): x and y change their sign.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import DatasetError
from hemx_core.imaging.nifti import RAS_TO_LPS, nibabel_module
from hemx_core.imaging.volume import HUVolume, SeriesIdentity, VolumeGeometry

SUFFIXES = (".nii", ".nii.gz")


def is_nifti(path: Path) -> bool:
    """Whether a file's name says that it is NIfTI."""
    return path.name.lower().endswith(SUFFIXES)


def read_array(path: Path) -> tuple[NDArray[Any], VolumeGeometry]:
    """Values of a NIfTI file, shape (slices, rows, columns), feet to head, nose up, left on the right.

    Args:
        path: `.nii` or `.nii.gz`, three-dimensional.
    Returns:
        The values, scaled as the header says, and where they lie.
    Raises:
        DatasetError: not NIfTI, damaged, not three-dimensional, without a place in the patient.
        VolumeError: axes that are not orthogonal, or an impossible spacing.
    """
    nib = nibabel_module()
    try:
        image: Any = nib.load(path)
        if int(image.header.get("sform_code", 0)) == int(image.header.get("qform_code", 0)) == 0:
            raise _unreadable(path, "the header says nowhere how the axes lie in the patient")
        turn = nib.orientations.ornt_transform(
            nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(("L", "P", "S"))
        )
        values = np.asanyarray(image.dataobj)
    except DatasetError:
        raise
    except (
        Exception
    ) as error:  # a damaged file makes nibabel and its unpackers raise nearly anything
        raise _unreadable(path, str(error) or type(error).__name__) from error
    if values.ndim > 3 and values.shape[3:] == (1,) * (values.ndim - 3):
        values = values.reshape(values.shape[:3])
    if values.ndim != 3:
        raise _unreadable(path, f"it has the shape {values.shape}")
    affine = image.affine @ nib.orientations.inv_ornt_aff(turn, values.shape)
    turned = nib.orientations.apply_orientation(values, turn)
    stacked = np.ascontiguousarray(turned.transpose(2, 1, 0))
    return stacked, _geometry(RAS_TO_LPS @ affine, len(stacked))


def read_volume(path: Path, *, clipped_to_hu: tuple[float, float] | None = None) -> HUVolume:
    """A CT in NIfTI as a volume; values in HU, as dcm2niix and other converters write them.

    Raises:
        DatasetError: see `read_array`; also values that are not finite or beyond int16.
        VolumeError: see `read_array`.
    """
    values, geometry = read_array(path)
    if values.dtype != np.int16:
        rounded = np.rint(values.astype(np.float64, copy=False))
        if not np.isfinite(rounded).all() or np.abs(rounded).max(initial=0) > 32767:
            raise _unreadable(path, "it holds values that are not finite or beyond int16")
        values = rounded.astype(np.int16)
    identity = SeriesIdentity(source=str(path))
    return HUVolume(hu=values, geometry=geometry, identity=identity, clipped_to_hu=clipped_to_hu)


def _geometry(affine: NDArray[np.float64], slices: int) -> VolumeGeometry:
    """Geometry of voxels (column, row, slice) whose affine leads to LPS mm."""
    across, down, step = affine[:3, 0], affine[:3, 1], affine[:3, 2]
    dx, dy = float(np.linalg.norm(across)), float(np.linalg.norm(down))
    row, column = across / max(dx, 1e-9), down / max(dy, 1e-9)
    thickness = abs(float(step @ np.cross(row, column)))
    return VolumeGeometry(
        positions_mm=affine[:3, 3] + np.arange(slices)[:, None] * step,
        row_direction=row,
        column_direction=column,
        pixel_spacing_mm=(dy, dx),
        slice_thickness_mm=np.full(slices, thickness),
    )


def _unreadable(path: Path, why: str) -> DatasetError:
    return DatasetError(
        f"{path.name} cannot be read: {why}",
        expected="a three-dimensional NIfTI file with an affine",
        remedy="convert the study again, for example with dcm2niix",
    )
