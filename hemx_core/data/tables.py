"""The tables of a data set (docs/data_format.md): `dataset.json`, patients, studies, markers, readings.

Reading goes on after a bad cell; every bad cell is reported with its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from hemx_core.data.cells import Cells, TableSpec, read_table
from hemx_core.data.problems import Findings
from hemx_core.data.readers import CallRow, ReadingRow, read_network, read_readings
from hemx_core.data.study import SPLITS
from hemx_core.imaging.spec import HUWindow
from hemx_core.labels.folder import FORMAT, INFO_FILE, NETWORK_FILE, NO_BLOOD
from hemx_core.markers import MARKER_CODES

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
        drawn: masks of readers, as their tables give them; where there are any, they are the reference.
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
    drawn: tuple[str, ...] = ()

    @property
    def reference(self) -> tuple[str, ...]:
        """Cells of the masks that together are the reference; empty where there is none."""
        return self.drawn or ((self.mask,) if self.mask else ())

    @property
    def has_mask(self) -> bool:
        """Whether a mask of the reference shows blood, as far as the tables say."""
        return any(cell != NO_BLOOD for cell in self.reference)

    @property
    def ignored(self) -> str:
        """The ignore mask; it belongs to the table's own mask and not to those of readers."""
        return self.ignore_mask if not self.drawn or self.mask in self.drawn else ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """All tables of a data set; rows without a usable key are left out and reported in `findings`."""

    folder: Path
    info: DatasetInfo
    patients: Mapping[str, PatientRow]
    studies: Mapping[str, StudyRow]
    slice_markers: Mapping[str, tuple[MarkerRow, ...]]
    patient_markers: Mapping[tuple[str, str], MarkerRow]
    readings: Mapping[str, tuple[ReadingRow, ...]]
    network: tuple[CallRow, ...]
    findings: Findings

    def path(self, cell: str) -> Path:
        """Where a path in a table points to."""
        return self.folder / cell

    def is_first(self, study: StudyRow) -> bool:
        """Whether a study is its patient's first."""
        return self.studies_of(study.patient)[0].study == study.study

    def markers_of(self, study: StudyRow) -> MarkerRow | None:
        """What `patient_markers.csv` says of a study; a row that names no study means the first."""
        stated = self.patient_markers.get((study.patient, study.study))
        if stated is None and self.is_first(study):
            return self.patient_markers.get((study.patient, ""))
        return stated

    def studies_of(self, patient: str) -> list[StudyRow]:
        """A patient's studies in order of time; in order of the table where a time is missing."""
        found = [row for row in self.studies.values() if row.patient == patient]
        times = [row.acquired_at for row in found]
        if any(time is None for time in times) or len({t.tzinfo is None for t in times if t}) > 1:
            return found
        return sorted(found, key=lambda row: (row.acquired_at or datetime.min, row.row))


def read_tables(folder: Path) -> Tables:
    """Read a data set's tables; problems are collected in `findings`, nothing is raised."""
    findings = Findings()
    patients = _patients(folder, findings)
    readings = read_readings(folder, findings)
    network = read_network(folder, findings)
    studies = _with_readings(folder, _studies(folder, findings), readings, findings)
    for call in network:
        if call.study not in studies:
            findings.error(NETWORK_FILE, f"{call.study!r} is not in {STUDIES.file}", column="study")
    return Tables(
        folder=folder,
        info=_info(folder, findings),
        patients=patients,
        studies=studies,
        slice_markers=_slice_markers(folder, studies, findings),
        patient_markers=_patient_markers(folder, patients, studies, findings),
        readings=readings,
        network=network,
        findings=_cross_check(patients, studies, findings),
    )


def _info(folder: Path, findings: Findings) -> DatasetInfo:
    try:
        values = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        findings.error(INFO_FILE, f"cannot be read as JSON ({error})")
        return DatasetInfo()
    if not isinstance(values, dict):
        findings.error(INFO_FILE, "is not a JSON object")
        return DatasetInfo()
    if values.get("format") != FORMAT:
        findings.error(INFO_FILE, f"{values.get('format')!r} is not {FORMAT!r}", column="format")
    texts = {}
    for key in ("name", "licence", "attribution", "version"):
        value = values.get(key, "")
        if not isinstance(value, str):
            findings.error(INFO_FILE, f"{value!r} is not a text", column=key)
        elif not value:
            findings.warn(INFO_FILE, "is missing", column=key)
        texts[key] = value if isinstance(value, str) else ""
    return DatasetInfo(**texts)


def _patients(folder: Path, findings: Findings) -> dict[str, PatientRow]:
    found: dict[str, PatientRow] = {}
    for cells in read_table(folder, PATIENTS, findings):
        split = cells.needed("split")
        if split and split not in SPLITS:
            cells.error("split", f"{split!r} is not one of {', '.join(SPLITS)}")
        row = PatientRow(
            row=cells.row,
            patient=cells.needed("patient"),
            split=split,
            site=cells.text("site"),
            location=cells.text("location"),
            expanded=cells.flag("expanded"),
        )
        if _is_new(row.patient, found, cells, "patient"):
            found[row.patient] = row
    return found


def _studies(folder: Path, findings: Findings) -> dict[str, StudyRow]:
    found: dict[str, StudyRow] = {}
    for cells in read_table(folder, STUDIES, findings):
        window = cells.interval("window_lower", "window_upper")
        row = StudyRow(
            row=cells.row,
            study=cells.needed("study"),
            patient=cells.needed("patient"),
            ct=cells.needed("ct"),
            series=cells.text("series"),
            acquired_at=cells.time("acquired_at"),
            scanner=cells.text("scanner"),
            mask=cells.text("mask"),
            mask_segment=cells.text("mask_segment"),
            ignore_mask=cells.text("ignore_mask"),
            window=HUWindow(*window) if window else None,
            clipped_to_hu=cells.interval("clipped_lower", "clipped_upper"),
            spacing_assumed=cells.flag("spacing_assumed") == 1,
        )
        for column, path in (("ct", row.ct), ("mask", row.mask), ("ignore_mask", row.ignore_mask)):
            _check_path(folder, cells, column, path)
        if _is_new(row.study, found, cells, "study"):
            found[row.study] = row
    return found


def _with_readings(
    folder: Path,
    studies: Mapping[str, StudyRow],
    readings: Mapping[str, tuple[ReadingRow, ...]],
    findings: Findings,
) -> dict[str, StudyRow]:
    """Studies with the masks of their readers, each once."""
    found = dict(studies)
    for study, rows in readings.items():
        for row in rows:
            if study not in found:
                message = f"{study!r} is not in {STUDIES.file}"
                findings.error(row.file, message, row=row.row, column="study")
            elif row.mask and row.mask != NO_BLOOD and not (folder / row.mask).exists():
                message = f"there is nothing at {row.mask}"
                findings.error(row.file, message, row=row.row, column="mask")
        if study in found:
            drawn = tuple(dict.fromkeys(row.mask for row in rows if row.mask))
            found[study] = replace(found[study], drawn=drawn)
    return found


def _check_path(folder: Path, cells: Cells, column: str, path: str) -> None:
    if not path or (column == "mask" and path == NO_BLOOD):
        return
    if Path(path).is_absolute():
        cells.warn(column, f"{path} is absolute: the folder cannot be moved with it")
    if not (folder / path).exists():
        cells.error(column, f"there is nothing at {path}")


def _slice_markers(
    folder: Path, studies: Mapping[str, StudyRow], findings: Findings
) -> dict[str, tuple[MarkerRow, ...]]:
    found: dict[str, tuple[MarkerRow, ...]] = {}
    if not (folder / SLICE_MARKERS.file).exists():
        return found
    seen: set[tuple[str, object]] = set()
    for cells in read_table(folder, SLICE_MARKERS, findings):
        study, number = cells.needed("study"), cells.index("slice")
        uid = cells.text("sop_instance_uid")
        if number is None and not uid:
            cells.error("slice", "is empty; give the slice or its sop_instance_uid")
            continue
        if study not in studies:
            cells.error("study", f"{study!r} is not in {STUDIES.file}")
        elif (study, uid or number) in seen:
            cells.error("slice", f"slice {uid or number} of study {study} stands there twice")
        else:
            markers = tuple(cells.flag(code) for code in MARKER_CODES)
            row = MarkerRow(
                row=cells.row, study=study, markers=markers, slice_number=number,
                sop_instance_uid=uid,
            )  # fmt: skip
            found[study] = (*found.get(study, ()), row)
            seen.add((study, uid or number))
    return found


def _patient_markers(
    folder: Path,
    patients: Mapping[str, PatientRow],
    studies: Mapping[str, StudyRow],
    findings: Findings,
) -> dict[tuple[str, str], MarkerRow]:
    found: dict[tuple[str, str], MarkerRow] = {}
    if not (folder / PATIENT_MARKERS.file).exists():
        return found
    for cells in read_table(folder, PATIENT_MARKERS, findings):
        patient, study = cells.needed("patient"), cells.text("study")
        markers = tuple(cells.flag(code) for code in MARKER_CODES)
        if patient and patient not in patients:
            cells.error("patient", f"{patient!r} is not in {PATIENTS.file}")
        elif study and (study not in studies or studies[study].patient != patient):
            cells.error("study", f"{study!r} is no study of patient {patient}")
        elif (patient, study) in found:
            cells.error("patient", f"{patient!r} stands there twice")
        elif patient:
            found[patient, study] = MarkerRow(row=cells.row, study=study, markers=markers)
    return found


def _is_new(key: str, found: Mapping[str, object], cells: Cells, column: str) -> bool:
    if key in found:
        cells.error(column, f"{key!r} stands there twice")
    return bool(key) and key not in found


def _cross_check(
    patients: Mapping[str, PatientRow], studies: Mapping[str, StudyRow], findings: Findings
) -> Findings:
    for study in studies.values():
        if study.patient and study.patient not in patients:
            message = f"{study.patient!r} is not in {PATIENTS.file}"
            findings.error(STUDIES.file, message, row=study.row, column="patient")
    with_study = {study.patient for study in studies.values()}
    for patient in patients.values():
        if patient.patient not in with_study:
            findings.warn(PATIENTS.file, "no study of this patient", row=patient.row)
    return findings
