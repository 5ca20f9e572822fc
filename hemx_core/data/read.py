"""One study of a data set in native voxels: CT, mask, pixels left open, and slice markers.

Masks lie on their CT's voxels, whether they come as NIfTI, DICOM SEG or a folder of PNG pictures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.data.nifti import is_nifti, read_array, read_volume
from hemx_core.data.readers import agreed_markers, fill_slices
from hemx_core.data.seg import read_seg
from hemx_core.data.study import UNKNOWN
from hemx_core.data.tables import SLICE_MARKERS, MarkerRow, StudyRow, Tables
from hemx_core.errors import DatasetError
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import HUVolume, VolumeGeometry
from hemx_core.labels.folder import NO_BLOOD
from hemx_core.markers import MARKER_CODES
from hemx_core.measure.volume import slice_areas_mm2, volume_ml

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


@dataclass(frozen=True, kw_only=True, eq=False)
class NativeStudy:
    """A study as its files give it, all arrays (slices, rows, columns).

    Args:
        row: its row in `studies.csv`.
        volume: the CT.
        mask: the haematoma; empty where there is no reference.
        known: False on pixels that the reference leaves open; all False where there is no reference.
        slice_markers: 1, 0 or -1, shape (slices, 4).
    """

    row: StudyRow
    volume: HUVolume
    mask: NDArray[np.bool_]
    known: NDArray[np.bool_]
    slice_markers: NDArray[np.int8]

    @property
    def has_reference(self) -> bool:
        """Whether the study has a reference mask, or is known to show no blood."""
        return bool(self.row.reference)

    @property
    def haematoma_volume_ml(self) -> float:
        """Volume of the native mask, NaN without a reference."""
        if not self.has_reference:
            return float("nan")
        geometry = self.volume.geometry
        return volume_ml(slice_areas_mm2(self.mask, geometry), geometry)

    @property
    def markers_from_slices(self) -> NDArray[np.int8]:
        """What the slices say of the study, shape (4,).

        1 where any slice shows the marker, 0 where none does and none is unknown, else -1.
        """
        present, absent = (self.slice_markers == 1).any(0), (self.slice_markers == 0).all(0)
        return np.where(present, 1, np.where(absent, 0, UNKNOWN)).astype(np.int8)


def read_ct(tables: Tables, row: StudyRow) -> HUVolume:
    """The CT of a study.

    Raises:
        InputError: the series cannot be read (see `imaging.reader.read_series`).
        DatasetError: the NIfTI file cannot be read.
    """
    path = tables.path(row.ct)
    if is_nifti(path):
        return read_volume(path, clipped_to_hu=row.clipped_to_hu)
    volume = read_series(path, series=row.series or None)
    return replace(volume, clipped_to_hu=row.clipped_to_hu) if row.clipped_to_hu else volume


def read_study(tables: Tables, row: StudyRow) -> NativeStudy:
    """A study with its truth.

    Raises:
        InputError: the CT cannot be read.
        DatasetError: a mask cannot be read or lies elsewhere, or a marker row names no slice.
    """
    return with_truth(tables, row, read_ct(tables, row))


def with_truth(
    tables: Tables, row: StudyRow, volume: HUVolume, *, markers: bool = True
) -> NativeStudy:
    """A study whose CT is read already.

    Args:
        tables: the data set.
        row: the study.
        volume: its CT.
        markers: read the slices' markers as well, not only what the masks say of them.
    Raises:
        DatasetError: see `read_study`.
    """
    mask, known = _reference(tables, row, volume)
    if row.ignored:
        known &= ~read_mask(tables.path(row.ignored), volume)
    rows = tables.slice_markers.get(row.study, ()) if markers else ()
    labels = _markers(rows, volume, mask, known)
    if markers:
        labels = fill_slices(
            labels, tables.readings.get(row.study, ()), np.asarray(mask.any((1, 2)))
        )
    return NativeStudy(row=row, volume=volume, mask=mask, known=known, slice_markers=labels)


def read_cell(tables: Tables, row: StudyRow, cell: str, volume: HUVolume) -> NDArray[np.bool_]:
    """A mask of the reference; `none` is an empty one.

    Raises:
        DatasetError: see `read_mask`.
    """
    if cell == NO_BLOOD:
        return np.zeros(volume.shape, np.bool_)
    segment = row.mask_segment if cell == row.mask else ""
    return read_mask(tables.path(cell), volume, segment=segment)


def _reference(
    tables: Tables, row: StudyRow, volume: HUVolume
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Mask and what is known: where several masks differ, nothing is."""
    if not row.reference:
        return np.zeros(volume.shape, np.bool_), np.zeros(volume.shape, np.bool_)
    first, *others = (read_cell(tables, row, cell, volume) for cell in row.reference)
    all_say, any_says = first, first
    for mask in others:
        all_say, any_says = all_say & mask, any_says | mask
    return all_say.copy(), all_say == any_says


def stated_markers(tables: Tables, study: NativeStudy) -> NDArray[np.int8]:
    """Markers of a whole study, shape (4,): the table's word, then the readers', then that of the slices."""
    said = agreed_markers(tables.readings.get(study.row.study, ()))
    pairs = zip(said, study.markers_from_slices.tolist(), strict=True)
    # Readers who do not agree leave the marker unknown, whatever the slices say.
    markers = np.array([known if word is None else word for word, known in pairs], np.int8)
    row = tables.markers_of(study.row)
    if row is None:
        return markers
    stated = np.array(row.markers, np.int8)
    return np.where(stated == UNKNOWN, markers, stated)


def slice_of(row: MarkerRow, volume: HUVolume) -> int | None:
    """The slice that a marker row means; None where the volume has no such slice."""
    if row.sop_instance_uid:
        uids = volume.identity.sop_instance_uids
        found = uids.index(row.sop_instance_uid) if row.sop_instance_uid in uids else None
        return found if row.slice_number in (None, found) else None
    number = row.slice_number
    return number if number is not None and number < len(volume.hu) else None


def _markers(
    rows: tuple[MarkerRow, ...],
    volume: HUVolume,
    mask: NDArray[np.bool_],
    known: NDArray[np.bool_],
) -> NDArray[np.int8]:
    """Markers of every slice; a slice that surely shows no blood shows no marker."""
    markers = np.full((len(mask), len(MARKER_CODES)), UNKNOWN, np.int8)
    markers[known.all((1, 2)) & ~mask.any((1, 2))] = 0
    listed = np.zeros(len(mask), np.bool_)
    for row in rows:
        place = slice_of(row, volume)
        if place is None or listed[place]:
            name = row.sop_instance_uid or row.slice_number
            raise DatasetError(
                f"{SLICE_MARKERS.file}, row {row.row}: slice {name} of study {row.study} "
                + ("is not in its CT" if place is None else "stands there twice"),
                expected=f"one row a slice, 0 to {len(mask) - 1} or a UID of the series",
                remedy="number slices from 0 at the feet, as `hemx` reads the series",
            )
        markers[place], listed[place] = row.markers, True
    return markers
