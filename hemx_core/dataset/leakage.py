"""Leakage between splits: the same pictures or the same person under two patient ids."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from hemx_core.dataset.problems import Findings
from hemx_core.dataset.rows import STUDIES
from hemx_core.dataset.study_check import StudyFacts
from hemx_core.dataset.tables import Tables

PLACEHOLDER_SHARE = 0.5
"""A DICOM PatientID that more than this share of all patients has is a de-identifier's placeholder."""
_PLACEHOLDER_PATIENTS = 3


def check_leakage(tables: Tables, studies: Sequence[StudyFacts], findings: Findings) -> None:
    """Compare all studies: pixels slice by slice, StudyInstanceUID and DICOM PatientID."""
    _check_pixels(tables, studies, findings)
    by_uid = _grouped((one.study_uid, one) for one in studies)
    by_person = _grouped((one.dicom_patient_id, one) for one in studies)
    for uid, group in by_uid.items():
        _tell_shared(tables, group, f"StudyInstanceUID {uid}", findings)
    people = len({one.row.patient for one in studies})
    for person, group in by_person.items():
        sharing = len({one.row.patient for one in group})
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
    for key, one in pairs:
        if key:
            groups[key].append(one)
    return {key: group for key, group in groups.items() if len(group) > 1}


def _check_pixels(tables: Tables, studies: Sequence[StudyFacts], findings: Findings) -> None:
    holders: dict[bytes, list[int]] = defaultdict(list)
    for index, one in enumerate(studies):
        for digest in one.slice_hashes:
            holders[digest].append(index)
    shared: Counter[tuple[int, int]] = Counter()
    for indices in holders.values():
        shared.update((indices[0], later) for later in indices[1:])
    for (first, later), count in sorted(shared.items()):
        one, other = studies[first], studies[later]
        what = f"{count} of {len(other.slice_hashes)} slices"
        _tell(tables, one, other, f"the pixels of {what}", findings)


def _tell_shared(
    tables: Tables, group: Sequence[StudyFacts], what: str, findings: Findings
) -> None:
    """Tell each study of another patient than the group's first one."""
    for other in group[1:]:
        if other.row.patient != group[0].row.patient:
            _tell(tables, group[0], other, what, findings)


def _tell(
    tables: Tables, one: StudyFacts, other: StudyFacts, what: str, findings: Findings
) -> None:
    splits = [tables.patients[each.row.patient].split for each in (one, other)]
    message = (
        f"shares {what} with study {one.row.study} (row {one.row.row}): patient "
        f"{one.row.patient} is in {splits[0]}, {other.row.patient} in {splits[1]}"
    )
    if splits[0] != splits[1]:
        message = f"LEAKAGE between splits: {message}"
        findings.error(STUDIES.file, message, row=other.row.row, column="ct")
    else:
        findings.warn(STUDIES.file, message, row=other.row.row, column="ct")
