"""Checks of one study: files, grids, spacing, densities, masks and markers, each reported with its place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hemx_core.data.problems import Findings
from hemx_core.data.read import (
    NativeStudy,
    read_cell,
    read_ct,
    read_mask,
    slice_of,
    stated_markers,
    with_truth,
)
from hemx_core.data.readers import fill_slices
from hemx_core.data.tables import SLICE_MARKERS, STUDIES, StudyRow, Tables
from hemx_core.errors import DatasetError, InputError, NotHeadError
from hemx_core.imaging.skull import check_skull
from hemx_core.imaging.survey import survey
from hemx_core.imaging.volume import HUVolume
from hemx_core.labels.folder import NO_BLOOD
from hemx_core.measure.volume import mean_hu
from hemx_core.words import tell

PIXEL_MM, SLICE_MM = (0.2, 1.2), (0.3, 12.0)
WIDTH_MM, HEIGHT_MM = (120.0, 400.0), (50.0, 350.0)
BONE_HU, AIR_HU = 300, -200
"""Every head CT in full HU reaches beyond both."""
CLOT_HU = (25.0, 95.0)
"""Range of a clot's mean; denser is bone or metal, less dense is brain or an offset."""
CLIP_TOLERANCE_HU = 1.0
LOST_SLICES = ("duplicate_slices_differ", "unreadable_slices")
"""The reader's notes that tell of slices it had to leave out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyFacts:
    """What the checks over all studies need of one.

    Args:
        row: its row in `studies.csv`.
        dicom_patient_id, study_uid: of the DICOM header; empty where unknown.
        slice_hashes: of every slice that is not one single value.
        slices_with_blood: their number.
        volume_ml: of the mask, NaN without a reference.
        patient_markers: 1, 0 or -1, shape (4,).
        blood_markers: the same of every slice with blood, shape (slices, 4).
    """

    row: StudyRow
    dicom_patient_id: str
    study_uid: str
    slice_hashes: frozenset[bytes]
    slices_with_blood: int
    volume_ml: float
    patient_markers: NDArray[np.int8]
    blood_markers: NDArray[np.int8]


def check_study(tables: Tables, row: StudyRow, findings: Findings) -> StudyFacts | None:
    """Check one study whose row is sound.

    Returns:
        Its facts, None where the CT cannot be read.
    """
    note = _Notes(findings, row)
    try:
        volume = read_ct(tables, row)
    except (InputError, DatasetError) as error:
        note.error("ct", f"{error.found}; expected: {error.expected}")
        return None
    _check_header(row, volume, note)
    _check_spacing(volume, note)
    _check_densities(row, volume, note)
    study = _with_masks(tables, row, volume, note)
    _check_markers(tables, study, findings)
    hashes = (_hash(picture) for picture in volume.hu if picture.min() != picture.max())
    blood = np.asarray(study.mask.any((1, 2)))
    return StudyFacts(
        row=row,
        dicom_patient_id=volume.identity.patient_id,
        study_uid=volume.identity.study_uid,
        slice_hashes=frozenset(hashes),
        slices_with_blood=int(blood.sum()),
        volume_ml=study.haematoma_volume_ml,
        patient_markers=stated_markers(tables, study),
        blood_markers=study.slice_markers[blood],
    )


@dataclass(frozen=True, slots=True)
class _Notes:
    """Notes problems of one row of `studies.csv`."""

    findings: Findings
    row: StudyRow

    def error(self, column: str, message: str) -> None:
        self.findings.error(STUDIES.file, message, row=self.row.row, column=column)

    def warn(self, column: str, message: str) -> None:
        self.findings.warn(STUDIES.file, message, row=self.row.row, column=column)


def _check_header(row: StudyRow, volume: HUVolume, note: _Notes) -> None:
    known, stated = volume.identity.acquired_at, row.acquired_at
    if known and stated:
        apart = abs((known.replace(tzinfo=None) - stated.replace(tzinfo=None)).total_seconds())
        if apart > 60:
            note.warn("acquired_at", f"{stated} is not the time in the DICOM header, {known}")
    for told in volume.notes:
        if told.code in LOST_SLICES:
            note.warn("ct", tell(told))


def _check_spacing(volume: HUVolume, note: _Notes) -> None:
    dz, dy, dx = volume.geometry.spacing_mm
    slices, rows, columns = volume.shape
    for name, value, (low, high) in (
        ("row spacing", dy, PIXEL_MM),
        ("column spacing", dx, PIXEL_MM),
        ("slice spacing", dz, SLICE_MM),
        ("picture width", columns * dx, WIDTH_MM),
        ("picture height", rows * dy, WIDTH_MM),
        ("height of the scan", slices * dz, HEIGHT_MM),
    ):
        if not low <= value <= high:
            note.warn("ct", f"implausible {name} of {value:.3g} mm (usual: {low:g} to {high:g} mm)")


def _check_densities(row: StudyRow, volume: HUVolume, note: _Notes) -> None:
    low, high = int(volume.hu.min()), int(volume.hu.max())
    if row.clipped_to_hu is not None:
        lower, upper = row.clipped_to_hu
        if low < lower - CLIP_TOLERANCE_HU or high > upper + CLIP_TOLERANCE_HU:
            note.error(
                "clipped_lower", f"values from {low} to {high} HU leave {lower:g} to {upper:g} HU"
            )
        window = row.window
        if window and not (lower <= window.lower and window.upper <= upper):
            note.warn("window_lower", "the site's window reaches beyond the range of the CT")
    elif high < BONE_HU or low > AIR_HU:
        note.warn(
            "ct",
            f"values from {low} to {high} HU lack bone or air: are they HU, and were they clipped? "
            "Then clipped_lower and clipped_upper must say so",
        )
    try:
        check_skull(survey(volume))
    except NotHeadError as error:
        note.warn("ct", error.found)


def _with_masks(tables: Tables, row: StudyRow, volume: HUVolume, note: _Notes) -> NativeStudy:
    """The study with the masks that can be read; one that cannot counts as unknown."""
    # Paths that lead nowhere have been told with the tables.
    cells = [c for c in row.reference if c == NO_BLOOD or tables.path(c).exists()]
    if not tables.path(row.ignored).exists():
        row = replace(row, ignore_mask="")
    readable = []
    for cell in cells:
        mask = _try(lambda cell=cell: read_cell(tables, row, cell, volume))  # type: ignore[misc]
        if isinstance(mask, DatasetError):
            note.error("mask", f"{mask.found}; expected: {mask.expected}")
            continue
        readable.append(cell)
        if cell != NO_BLOOD:
            _check_mask(volume, mask, note)
    whole = tuple(readable) == row.reference
    # What is left of several masks is the reference of a check that goes on.
    row = row if whole else replace(row, mask=readable[0] if readable else "", drawn=())
    if row.ignored:
        ignored = _try(lambda: read_mask(tables.path(row.ignored), volume))
        if isinstance(ignored, DatasetError):
            note.error("ignore_mask", f"{ignored.found}; expected: {ignored.expected}")
            row = replace(row, ignore_mask="")
        elif not ignored.any():
            note.warn("ignore_mask", "is empty")
    return with_truth(tables, row, volume, markers=False)


def _check_mask(volume: HUVolume, mask: NDArray[np.bool_], note: _Notes) -> None:
    if not mask.any():
        note.warn("mask", f"is empty; where the study shows no blood, write {NO_BLOOD}")
        return
    density = mean_hu(volume, mask)
    if density is not None and not CLOT_HU[0] <= density <= CLOT_HU[1]:
        note.warn("mask", f"lies on a mean of {density:.0f} HU: not the density of a clot")


def _try(read: Callable[[], NDArray[np.bool_]]) -> NDArray[np.bool_] | DatasetError:
    try:
        return read()
    except DatasetError as error:
        return error
    except InputError as error:
        return DatasetError(error.found, expected=error.expected, remedy=error.remedy)


def _check_markers(tables: Tables, study: NativeStudy, findings: Findings) -> None:
    """Note rows that fit no slice, or that contradict the mask; the others enter the study."""
    seen: set[int] = set()
    blood = np.asarray(study.mask.any((1, 2)))
    surely_none = np.asarray(study.known.all((1, 2))) & ~blood
    for row in tables.slice_markers.get(study.row.study, ()):
        place = slice_of(row, study.volume)
        name = row.sop_instance_uid or row.slice_number
        if place is None or place in seen:
            why = "is not in the CT" if place is None else "stands there twice"
            findings.error(
                SLICE_MARKERS.file,
                f"slice {name} of study {row.study} {why} ({len(blood)} slices from 0)",
                row=row.row,
                column="slice",
            )
            continue
        seen.add(place)
        if 1 in row.markers and surely_none[place]:
            findings.error(
                SLICE_MARKERS.file,
                f"a marker on slice {name} of study {row.study}, where the mask is empty",
                row=row.row,
                column="slice",
            )
        elif 1 in row.markers and not blood[place]:
            findings.warn(
                SLICE_MARKERS.file,
                f"a marker on slice {name} of study {row.study}, which has no mask",
                row=row.row,
                column="slice",
            )
        study.slice_markers[place] = row.markers
    rows = tables.readings.get(study.row.study, ())
    for reading in rows:
        for code, slices in reading.reading.slices.items():
            outside = [index for index in slices if index >= len(blood)]
            bare = [index for index in slices if index not in outside and not blood[index]]
            if outside:
                message = f"slice {outside[0]} of study {reading.study} is not in the CT"
                findings.error(reading.file, message, row=reading.row, column=f"{code}_slices")
            if bare and study.has_reference:
                message = f"slice {bare[0]} of study {reading.study} has no mask"
                findings.warn(reading.file, message, row=reading.row, column=f"{code}_slices")
    study.slice_markers[:] = fill_slices(study.slice_markers, rows, blood)


def _hash(pixels: NDArray[np.int16]) -> bytes:
    digest = hashlib.blake2b(str(pixels.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.digest()
