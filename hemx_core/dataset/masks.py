"""Masks of a study on its CT's voxels: NIfTI, DICOM SEG or a folder of PNG pictures."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.dataset.nifti import is_nifti, read_array
from hemx_core.dataset.seg import read_seg
from hemx_core.errors import DatasetError
from hemx_core.imaging.volume import HUVolume, VolumeGeometry

_NUMBER = re.compile(r"(\d+)$")
POSITION_TOLERANCE_MM = 1.0
SPACING_TOLERANCE = 0.02
"""Share by which a mask's spacing may differ from the CT's: header values are rounded."""


def read_mask(path: Path, volume: HUVolume, *, segment: str = "") -> NDArray[np.bool_]:
    """A mask that lies on the voxels of a CT.

    Args:
        path: a NIfTI file, a DICOM SEG file, or a folder of PNG pictures.
        volume: the CT.
        segment: which label is meant: its value (NIfTI), its number or name (SEG).
    Returns:
        Shape (slices, rows, columns) as the volume.
    Raises:
        DatasetError: unreadable, of another grid or place than the CT, or several labels and none named.
    """
    if path.is_dir():
        return _read_pictures(path, volume)
    if is_nifti(path):
        values, geometry = read_array(path)
        _same_shape(path, values.shape, volume.shape)
        _same_place(path, geometry, volume.geometry)
        return _choose_label(path, values, segment)
    return read_seg(path, volume, segment=segment)


def _choose_label(path: Path, values: NDArray[np.generic], segment: str) -> NDArray[np.bool_]:
    if segment:
        try:
            return np.asarray(values == float(segment))
        except ValueError as error:
            raise _misfit(path, f"has no label {segment!r}", "a number") from error
    labels = np.unique(values)
    labels = labels[labels != 0]
    if len(labels) > 1:
        raise _misfit(
            path,
            f"holds the labels {labels[:6].tolist()}",
            "one label, or its value in mask_segment",
        )
    return np.asarray(values != 0)


def _read_pictures(folder: Path, volume: HUVolume) -> NDArray[np.bool_]:
    """PNG pictures named by their slice (`7.png`, `patient_07.png`); a slice without one is empty."""
    mask = np.zeros(volume.shape, np.bool_)
    seen: dict[int, str] = {}
    for path in sorted(folder.glob("*.png")):
        found = _NUMBER.search(path.stem)
        number = int(found[1]) if found else -1
        if not 0 <= number < len(mask):
            raise _misfit(path, "names no slice of its CT", f"a number from 0 to {len(mask) - 1}")
        if number in seen:
            raise _misfit(path, f"names the slice of {seen[number]} again", "one picture a slice")
        seen[number] = path.name
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise _misfit(path, "is not a picture", "an 8-bit PNG, 0 outside the haematoma")
        _same_shape(path, picture.shape, volume.shape[1:])
        mask[number] = np.asarray(picture) > 0
    if not seen:
        raise _misfit(folder, "holds no PNG picture", "pictures named by their slice number")
    return mask


def _same_shape(path: Path, found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if tuple(found) != wanted:
        raise _misfit(path, f"has the shape {tuple(found)}", f"the shape of its CT, {wanted}")


def _same_place(path: Path, mask: VolumeGeometry, ct: VolumeGeometry) -> None:
    """The mask's voxels are the CT's: a flipped or shifted mask must not pass for a right one."""
    for found, wanted in zip(mask.spacing_mm, ct.spacing_mm, strict=True):
        if abs(found - wanted) > SPACING_TOLERANCE * wanted:
            sizes = "{:.3g} x {:.3g} x {:.3g}".format(*mask.spacing_mm)
            expected = "the spacing of its CT, {:.3g} x {:.3g} x {:.3g}".format(*ct.spacing_mm)
            raise _misfit(path, f"has a spacing of {sizes} mm", expected + " mm")
    away = float(np.linalg.norm(mask.positions_mm - ct.positions_mm, axis=1).max())
    if away > POSITION_TOLERANCE_MM:
        raise _misfit(
            path, f"lies up to {away:.1f} mm away from its CT", "the affine (sform) of its CT"
        )
    turned = mask.row_direction @ ct.row_direction, mask.column_direction @ ct.column_direction
    if min(turned) < 0.999:
        raise _misfit(path, "is turned against its CT", "the affine (sform) of its CT")


def _misfit(path: Path, found: str, expected: str) -> DatasetError:
    return DatasetError(
        f"{path.name} {found}", expected=expected, remedy="draw or export the mask on its CT's grid"
    )
