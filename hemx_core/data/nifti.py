"""NIfTI volumes in HEMX's order, and back: axes and RAS/LPS signs come from the affine and are never guessed.

NIfTI's world axes are RAS (+x to the patient's right, +y front, +z head), DICOM's and HEMX's are LPS
(+x left, +y back, +z head): x and y change their sign.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import DatasetError
from hemx_core.files import write_whole
from hemx_core.imaging.volume import HUVolume, SeriesIdentity, VolumeGeometry

SUFFIXES = (".nii", ".nii.gz")
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


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
    nib = _nibabel()
    try:
        image: Any = nib.load(path)
        if int(image.header.get("sform_code", 0)) == int(image.header.get("qform_code", 0)) == 0:
            raise _unreadable(path, "the header says nowhere how the axes lie in the patient")
        turn = nib.orientations.ornt_transform(
            nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(("L", "P", "S"))
        )
        values = np.asanyarray(image.dataobj)
    except (OSError, ValueError, EOFError, nib.filebasedimages.ImageFileError) as error:
        raise _unreadable(path, str(error)) from error
    if values.ndim > 3 and values.shape[3:] == (1,) * (values.ndim - 3):
        values = values.reshape(values.shape[:3])
    if values.ndim != 3:
        raise _unreadable(path, f"it has the shape {values.shape}")
    affine = image.affine @ nib.orientations.inv_ornt_aff(turn, values.shape)
    turned = nib.orientations.apply_orientation(values, turn)
    stacked = np.ascontiguousarray(turned.transpose(2, 1, 0))
    return stacked, _geometry(_RAS_TO_LPS @ affine, len(stacked))


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


def write_array(path: Path, values: NDArray[np.generic], geometry: VolumeGeometry) -> None:
    """Write values, shape (slices, rows, columns), int16 or bool, whole or not at all.

    Raises:
        DatasetError: the slices are not evenly spaced along one line, which NIfTI cannot say.
    """
    nib = _nibabel()
    stored = values.astype(np.uint8 if values.dtype == np.bool_ else np.int16, copy=False)
    image = nib.Nifti1Image(stored.transpose(2, 1, 0), _RAS_TO_LPS @ _affine(path, geometry))
    image.header.set_xyzt_units("mm")
    content = image.to_bytes()
    # The lowest level, as nibabel's own: the values hardly get smaller, and the others take long.
    write_whole(path, gzip.compress(content, 1, mtime=0) if path.suffix == ".gz" else content)


def _affine(path: Path, geometry: VolumeGeometry) -> NDArray[np.float64]:
    """Voxel (column, row, slice) to LPS mm."""
    positions = geometry.positions_mm
    steps = np.diff(positions, axis=0)
    step = steps.mean(0) if len(steps) else geometry.normal * geometry.slice_thickness_mm[0]
    if len(steps) and np.abs(steps - step).max() > 0.02:
        raise DatasetError(
            f"slices of {path.name} are not evenly spaced",
            expected="one step from slice to slice: NIfTI has a single affine",
            remedy="keep this study as DICOM",
        )
    dy, dx = geometry.pixel_spacing_mm
    affine = np.eye(4)
    affine[:3, 0] = geometry.row_direction * dx
    affine[:3, 1] = geometry.column_direction * dy
    affine[:3, 2] = step
    affine[:3, 3] = positions[0]
    return affine


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


def _nibabel() -> Any:
    try:
        import nibabel
    except ModuleNotFoundError as error:
        raise DatasetError(
            "nibabel is not installed",
            expected="it, to read and write NIfTI",
            remedy="pip install hemx[train]",
        ) from error
    return nibabel


def _unreadable(path: Path, why: str) -> DatasetError:
    return DatasetError(
        f"{path.name} cannot be read: {why}",
        expected="a three-dimensional NIfTI file with an affine",
        remedy="convert the study again, for example with dcm2niix",
    )
