"""Rows and columns of a data set's tables, as docs/data_format.md describes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hemx_core.dataset.cells import TableSpec
from hemx_core.imaging.spec import HUWindow
from hemx_core.markers import MARKER_CODES

FORMAT = "hemx-dataset/1"
INFO_FILE = "dataset.json"
NO_BLOOD = "none"
"""Stands in the column `mask` of a study whose reference marks no blood."""
PATIENTS = TableSpec(
    file="patients.csv", required=("patient", "split"), optional=("site", "location", "expanded")
)
STUDIES = TableSpec(
    file="studies.csv",
    required=("study", "patient", "ct"),
    optional=(
        "acquired_at", "scanner", "series", "mask", "mask_segment", "ignore_mask",
        "window_lower", "window_upper", "clipped_lower", "clipped_upper", "spacing_assumed",
    ),
)  # fmt: skip
SLICE_MARKERS = TableSpec(
    file="slice_markers.csv",
    required=("study", *MARKER_CODES),
    optional=("slice", "sop_instance_uid"),
)
PATIENT_MARKERS = TableSpec(
    file="patient_markers.csv", required=("patient", *MARKER_CODES), optional=("study",)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """What `dataset.json` says; empty where it says nothing."""

    name: str = ""
    licence: str = ""
    attribution: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRow:
    """One row of `patients.csv`; empty and -1 where unknown."""

    row: int
    patient: str
    split: str
    site: str
    location: str
    expanded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """One row of `studies.csv`; None or empty where unknown.

    Args:
        row: line in the table.
        ct: path of the CT, as the table gives it.
        series: which DICOM series under the path; empty for the best one.
        mask: path of the reference mask, `none` for no blood, empty for unknown.
        mask_segment: label of a mask with several.
        ignore_mask: path of a mask of pixels that the reference leaves open.
        window: the site's display window.
        clipped_to_hu: range that the CT was clipped to before it came here.
        spacing_assumed: whether the spacing is an assumption.
    """

    row: int
    study: str
    patient: str
    ct: str
    series: str = ""
    acquired_at: datetime | None = None
    scanner: str = ""
    mask: str = ""
    mask_segment: str = ""
    ignore_mask: str = ""
    window: HUWindow | None = None
    clipped_to_hu: tuple[float, float] | None = None
    spacing_assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerRow:
    """One row of a marker table.

    Args:
        row: line in the table.
        study: whose markers they are; in `patient_markers.csv` empty for the patient's first study.
        markers: 1, 0 or -1, order MARKER_CODES.
        slice_number: from 0, as HEMX reads the volume; None where the UID is given.
        sop_instance_uid: of the slice; empty where the number is given.
    """

    row: int
    study: str
    markers: tuple[int, ...]
    slice_number: int | None = None
    sop_instance_uid: str = ""
