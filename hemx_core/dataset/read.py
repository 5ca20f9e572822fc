"""One study of a data set in native voxels: CT, mask, pixels left open, and slice markers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hemx_core.data.study import UNKNOWN
from hemx_core.dataset.masks import read_mask
from hemx_core.dataset.nifti import is_nifti, read_volume
from hemx_core.dataset.rows import NO_BLOOD, SLICE_MARKERS, MarkerRow, StudyRow
from hemx_core.dataset.tables import Tables
from hemx_core.errors import DatasetError
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import HUVolume
from hemx_core.markers import MARKER_CODES
from hemx_core.measure.volume import slice_areas_mm2, volume_ml


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
        return bool(self.row.mask)

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
    mask = np.zeros(volume.shape, np.bool_)
    known = np.full(volume.shape, bool(row.mask))
    if row.mask and row.mask != NO_BLOOD:
        mask = read_mask(tables.path(row.mask), volume, segment=row.mask_segment)
    if row.ignore_mask:
        known &= ~read_mask(tables.path(row.ignore_mask), volume)
    rows = tables.slice_markers.get(row.study, ()) if markers else ()
    labels = _markers(rows, volume, mask, known)
    return NativeStudy(row=row, volume=volume, mask=mask, known=known, slice_markers=labels)


def stated_markers(tables: Tables, study: NativeStudy) -> NDArray[np.int8]:
    """Markers of a whole study, shape (4,): the table's word; slices fill what it leaves open."""
    markers = study.markers_from_slices
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
