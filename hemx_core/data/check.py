"""`hemx dev data check`: every problem of a data set, and a summary of its contents.

Leakage: the same pictures or the same person under two patient ids. The summary counts by site, location
and split, with label coverage and marker co-occurrence.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from hemx_core.costs import Progress
from hemx_core.data.problems import ERROR, Findings, Problem
from hemx_core.data.readers import reader_counts
from hemx_core.data.study import SPLITS
from hemx_core.data.study_check import StudyFacts, check_study
from hemx_core.data.tables import PATIENTS, STUDIES, PatientRow, Tables, read_tables
from hemx_core.labels.folder import NO_BLOOD
from hemx_core.markers import MARKER_CODES

PLACEHOLDER_SHARE = 0.5
"""A DICOM PatientID that more than this share of all patients has is a de-identifier's placeholder."""
_PLACEHOLDER_PATIENTS = 3


def check_leakage(tables: Tables, studies: Sequence[StudyFacts], findings: Findings) -> None:
    """Compare all studies: pixels slice by slice, StudyInstanceUID and DICOM PatientID."""
    _check_pixels(tables, studies, findings)
    by_uid = _grouped((study.study_uid, study) for study in studies)
    by_person = _grouped((study.dicom_patient_id, study) for study in studies)
    for uid, group in by_uid.items():
        _tell_shared(tables, group, f"StudyInstanceUID {uid}", findings)
    people = len({study.row.patient for study in studies})
    for person, group in by_person.items():
        sharing = len({study.row.patient for study in group})
        if sharing >= _PLACEHOLDER_PATIENTS and sharing > PLACEHOLDER_SHARE * people:
            message = (
                f"{sharing} patients have the DICOM PatientID {person!r}: taken for a "
                "placeholder, so the same person under two ids would not be noticed by it"
            )
            findings.warn(STUDIES.file, message, column="ct")
        else:
            _tell_shared(tables, group, f"DICOM PatientID {person!r}", findings)


def _grouped(pairs: Iterable[tuple[str, StudyFacts]]) -> dict[str, list[StudyFacts]]:
    groups: dict[str, list[StudyFacts]] = defaultdict(list)
    for key, study in pairs:
        if key:
            groups[key].append(study)
    return {key: group for key, group in groups.items() if len(group) > 1}


def _check_pixels(tables: Tables, studies: Sequence[StudyFacts], findings: Findings) -> None:
    holders: dict[bytes, list[int]] = defaultdict(list)
    for index, study in enumerate(studies):
        for digest in study.slice_hashes:
            holders[digest].append(index)
    shared: Counter[tuple[int, int]] = Counter()
    for indices in holders.values():
        shared.update((indices[0], later) for later in indices[1:])
    for (first, later), count in sorted(shared.items()):
        first_study, other = studies[first], studies[later]
        what = f"{count} of {len(other.slice_hashes)} slices"
        _tell(tables, first_study, other, f"the pixels of {what}", findings)


def _tell_shared(
    tables: Tables, group: Sequence[StudyFacts], what: str, findings: Findings
) -> None:
    """Report each study of another patient than the group's first one."""
    for other in group[1:]:
        if other.row.patient != group[0].row.patient:
            _tell(tables, group[0], other, what, findings)


def _tell(
    tables: Tables, first: StudyFacts, other: StudyFacts, what: str, findings: Findings
) -> None:
    splits = [tables.patients[study.row.patient].split for study in (first, other)]
    message = (
        f"shares {what} with study {first.row.study} (row {first.row.row}): patient "
        f"{first.row.patient} is in {splits[0]}, {other.row.patient} in {splits[1]}"
    )
    if splits[0] != splits[1]:
        message = f"LEAKAGE between splits: {message}"
        findings.error(STUDIES.file, message, row=other.row.row, column="ct")
    else:
        findings.warn(STUDIES.file, message, row=other.row.row, column="ct")


UNKNOWN_NAME = "unknown"
_LABELS = {1: "present", 0: "absent", -1: UNKNOWN_NAME}


def summarise(tables: Tables, studies: Sequence[StudyFacts]) -> dict[str, Any]:
    """Counts as JSON values; patients' markers are those of their first study."""
    patients = list(tables.patients.values())
    first = {study.row.patient: study for study in studies if tables.is_first(study.row)}
    return {
        "patients": len(patients),
        "studies": len(tables.studies),
        "studies_with_mask": sum(row.has_mask for row in tables.studies.values()),
        "studies_without_blood": sum(
            row.reference == (NO_BLOOD,) for row in tables.studies.values()
        ),
        "studies_with_assumed_spacing": sum(row.spacing_assumed for row in tables.studies.values()),
        "slices_with_blood": sum(study.slices_with_blood for study in studies),
        "median_volume_ml": _median_volume(studies),
        "readers": reader_counts(tables.readings),
        "by_split": _count(patient.split for patient in patients),
        "by_site": _count(patient.site or UNKNOWN_NAME for patient in patients),
        "by_location": _count(patient.location or UNKNOWN_NAME for patient in patients),
        "coverage": _coverage(patients, first),
        "co_occurrence": _co_occurrence(first.values(), studies),
    }


def warn_of_gaps(summary: dict[str, Any], findings: Findings) -> None:
    """Warn of splits without patients, and of labelled markers that a split cannot score."""
    for split in SPLITS:
        if not summary["by_split"].get(split):
            findings.warn(PATIENTS.file, f"no patient in the split {split}", column="split")
            continue
        cells = [row for row in summary["coverage"] if row["split"] == split]
        for code in (*MARKER_CODES, "expanded"):
            present = sum(row[code]["present"] for row in cells)
            absent = sum(row[code]["absent"] for row in cells)
            if (present + absent) and not (present and absent):
                lacking = "without" if present else "with"
                message = f"no patient {lacking} {code} in {split}: not estimable there"
                findings.warn(PATIENTS.file, message, column="split")


def _median_volume(studies: Sequence[StudyFacts]) -> float | None:
    volumes = [study.volume_ml for study in studies if study.volume_ml > 0]
    return round(float(np.median(volumes)), 2) if volumes else None


def _count(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _coverage(patients: Sequence[PatientRow], first: dict[str, StudyFacts]) -> list[dict[str, Any]]:
    """One entry for each split and site that has patients."""
    rows = []
    for split, site in sorted({(patient.split, patient.site) for patient in patients}):
        group = [patient for patient in patients if (patient.split, patient.site) == (split, site)]
        read = [first[patient.patient] for patient in group if patient.patient in first]
        entry: dict[str, Any] = {
            "split": split,
            "site": site or UNKNOWN_NAME,
            "patients": len(group),
            "masks": sum(bool(study.row.reference) for study in read),
            "expanded": _labels(patient.expanded for patient in group),
        }
        for place, code in enumerate(MARKER_CODES):
            known = [int(study.patient_markers[place]) for study in read]
            entry[code] = _labels(known + [-1] * (len(group) - len(read)))
        rows.append(entry)
    return rows


def _labels(values: Iterable[int]) -> dict[str, int]:
    counts = Counter(values)
    return {name: counts[value] for value, name in _LABELS.items()}


def _co_occurrence(
    first: Iterable[StudyFacts], studies: Sequence[StudyFacts]
) -> list[dict[str, Any]]:
    """All 16 combinations, and those not fully known, in patients and in slices with blood."""
    patients = Counter(tuple(study.patient_markers.tolist()) for study in first)
    slices: Counter[tuple[int, ...]] = Counter()
    for study in studies:
        slices.update(tuple(markers) for markers in study.blood_markers.tolist())
    rows = []
    for pattern in product((0, 1), repeat=len(MARKER_CODES)):
        shown = [code for code, value in zip(MARKER_CODES, pattern, strict=True) if value]
        counts = {"patients": patients.pop(pattern, 0), "slices": slices.pop(pattern, 0)}
        rows.append({"markers": shown, "known": True, **counts})
    left = {"patients": sum(patients.values()), "slices": sum(slices.values())}
    return [*rows, {"markers": [], "known": False, **left}]


REPORT_FORMAT = "hemx-dataset-check/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Result of a check.

    Args:
        folder: the data set.
        name: its name.
        problems: all of them, in the order of the files.
        summary: see `hemx_core.data.check.summarise`.
    """

    folder: str
    name: str
    problems: tuple[Problem, ...]
    summary: dict[str, Any]

    @property
    def errors(self) -> int:
        """Number of errors."""
        return sum(problem.severity == ERROR for problem in self.problems)

    @property
    def warnings(self) -> int:
        """Number of warnings."""
        return len(self.problems) - self.errors

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "format": REPORT_FORMAT,
            "folder": self.folder,
            "name": self.name,
            "errors": self.errors,
            "warnings": self.warnings,
            "problems": [asdict(problem) for problem in self.problems],
            "summary": self.summary,
        }


def check_dataset(folder: Path, progress: Progress | None = None) -> CheckReport:
    """Check tables and files; all problems are collected, none is raised.

    Args:
        folder: holds `dataset.json` and the tables.
        progress: told after every study, stage `check`.
    """
    tables = read_tables(folder)
    studies = _check_studies(tables, progress)
    check_leakage(tables, studies, tables.findings)
    summary = summarise(tables, studies)
    warn_of_gaps(summary, tables.findings)
    ordered = sorted(
        tables.findings.problems,
        key=lambda problem: (problem.file, problem.row or 0, problem.column),
    )
    return CheckReport(
        folder=str(folder), name=tables.info.name, problems=tuple(ordered), summary=summary
    )


def _check_studies(tables: Tables, progress: Progress | None) -> list[StudyFacts]:
    # A study of an unknown patient has been told; it has no split to be compared by.
    rows = [row for row in tables.studies.values() if row.patient in tables.patients]
    facts = []
    for done, row in enumerate(rows, 1):
        # What is not there has been told with the tables; reading it would tell it again.
        there = row.ct and tables.path(row.ct).exists()
        found = check_study(tables, row, tables.findings) if there else None
        if found is not None:
            facts.append(found)
        if progress:
            progress("check", done, len(rows))
    return facts
