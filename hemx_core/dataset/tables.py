"""The tables of a data set: `dataset.json`, patients, studies and markers.

`read_tables` reads all of them and collects every problem that the tables show by themselves; what needs
the pictures is in `hemx_core.dataset.check`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hemx_core.data.study import SPLITS
from hemx_core.dataset.cells import Cells, read_table
from hemx_core.dataset.problems import Findings
from hemx_core.dataset.rows import (
    FORMAT,
    INFO_FILE,
    NO_BLOOD,
    PATIENT_MARKERS,
    PATIENTS,
    SLICE_MARKERS,
    STUDIES,
    DatasetInfo,
    MarkerRow,
    PatientRow,
    StudyRow,
)
from hemx_core.imaging.spec import HUWindow
from hemx_core.markers import MARKER_CODES


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """All tables of a data set; rows without a usable key are left out and stand in `findings`."""

    folder: Path
    info: DatasetInfo
    patients: Mapping[str, PatientRow]
    studies: Mapping[str, StudyRow]
    slice_markers: Mapping[str, tuple[MarkerRow, ...]]
    patient_markers: Mapping[tuple[str, str], MarkerRow]
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
        found = [one for one in self.studies.values() if one.patient == patient]
        times = [one.acquired_at for one in found]
        if any(time is None for time in times) or len({t.tzinfo is None for t in times if t}) > 1:
            return found
        return sorted(found, key=lambda one: (one.acquired_at or datetime.min, one.row))


def read_tables(folder: Path) -> Tables:
    """Read a data set's tables; problems are collected in `findings`, nothing is raised."""
    findings = Findings()
    patients = _patients(folder, findings)
    studies = _studies(folder, findings)
    return Tables(
        folder=folder,
        info=_info(folder, findings),
        patients=patients,
        studies=studies,
        slice_markers=_slice_markers(folder, studies, findings),
        patient_markers=_patient_markers(folder, patients, studies, findings),
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
        one = PatientRow(
            row=cells.row,
            patient=cells.needed("patient"),
            split=split,
            site=cells.text("site"),
            location=cells.text("location"),
            expanded=cells.flag("expanded"),
        )
        if _is_new(one.patient, found, cells, "patient"):
            found[one.patient] = one
    return found


def _studies(folder: Path, findings: Findings) -> dict[str, StudyRow]:
    found: dict[str, StudyRow] = {}
    for cells in read_table(folder, STUDIES, findings):
        window = cells.interval("window_lower", "window_upper")
        one = StudyRow(
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
        for column, path in (("ct", one.ct), ("mask", one.mask), ("ignore_mask", one.ignore_mask)):
            _check_path(folder, cells, column, path)
        if _is_new(one.study, found, cells, "study"):
            found[one.study] = one
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
            one = MarkerRow(
                row=cells.row, study=study, markers=markers, slice_number=number,
                sop_instance_uid=uid,
            )  # fmt: skip
            found[study] = (*found.get(study, ()), one)
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
