"""What a data set holds: counts by site, location and split, label coverage, marker co-occurrence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np

from hemx_core.data.study import SPLITS
from hemx_core.dataset.problems import Findings
from hemx_core.dataset.rows import NO_BLOOD, PATIENTS, PatientRow
from hemx_core.dataset.study_check import StudyFacts
from hemx_core.dataset.tables import Tables
from hemx_core.markers import MARKER_CODES

UNKNOWN_NAME = "unknown"
_LABELS = {1: "present", 0: "absent", -1: UNKNOWN_NAME}


def summarise(tables: Tables, studies: Sequence[StudyFacts]) -> dict[str, Any]:
    """Counts as JSON values; patients' markers are those of their first study."""
    patients = list(tables.patients.values())
    first = {one.row.patient: one for one in studies if tables.is_first(one.row)}
    return {
        "patients": len(patients),
        "studies": len(tables.studies),
        "studies_with_mask": sum(row.mask not in ("", NO_BLOOD) for row in tables.studies.values()),
        "studies_without_blood": sum(row.mask == NO_BLOOD for row in tables.studies.values()),
        "studies_with_assumed_spacing": sum(row.spacing_assumed for row in tables.studies.values()),
        "slices_with_blood": sum(one.slices_with_blood for one in studies),
        "median_volume_ml": _median_volume(studies),
        "by_split": _count(one.split for one in patients),
        "by_site": _count(one.site or UNKNOWN_NAME for one in patients),
        "by_location": _count(one.location or UNKNOWN_NAME for one in patients),
        "coverage": _coverage(patients, first),
        "co_occurrence": _co_occurrence(first.values(), studies),
    }


def warn_of_gaps(tables: Tables, summary: dict[str, Any], findings: Findings) -> None:
    """Warn of splits without patients, and of labelled markers that a split cannot score."""
    for split in SPLITS:
        if not summary["by_split"].get(split):
            findings.warn(PATIENTS.file, f"no patient in the split {split}", column="split")
            continue
        cells = [one for one in summary["coverage"] if one["split"] == split]
        for code in (*MARKER_CODES, "expanded"):
            present = sum(one[code]["present"] for one in cells)
            absent = sum(one[code]["absent"] for one in cells)
            if (present + absent) and not (present and absent):
                lacking = "without" if present else "with"
                message = f"no patient {lacking} {code} in {split}: not estimable there"
                findings.warn(PATIENTS.file, message, column="split")


def _median_volume(studies: Sequence[StudyFacts]) -> float | None:
    volumes = [one.volume_ml for one in studies if one.volume_ml > 0]
    return round(float(np.median(volumes)), 2) if volumes else None


def _count(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _coverage(patients: Sequence[PatientRow], first: dict[str, StudyFacts]) -> list[dict[str, Any]]:
    """One entry for each split and site that has patients."""
    rows = []
    for split, site in sorted({(one.split, one.site) for one in patients}):
        group = [one for one in patients if (one.split, one.site) == (split, site)]
        read = [first[one.patient] for one in group if one.patient in first]
        entry: dict[str, Any] = {
            "split": split,
            "site": site or UNKNOWN_NAME,
            "patients": len(group),
            "masks": sum(bool(one.row.mask) for one in read),
            "expanded": _labels(one.expanded for one in group),
        }
        for place, code in enumerate(MARKER_CODES):
            known = [int(one.patient_markers[place]) for one in read]
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
    patients = Counter(tuple(one.patient_markers.tolist()) for one in first)
    slices: Counter[tuple[int, ...]] = Counter()
    for one in studies:
        slices.update(tuple(markers) for markers in one.blood_markers.tolist())
    rows = []
    for pattern in product((0, 1), repeat=len(MARKER_CODES)):
        shown = [code for code, value in zip(MARKER_CODES, pattern, strict=True) if value]
        counts = {"patients": patients.pop(pattern, 0), "slices": slices.pop(pattern, 0)}
        rows.append({"markers": shown, "known": True, **counts})
    left = {"patients": sum(patients.values()), "slices": sum(slices.values())}
    return [*rows, {"markers": [], "known": False, **left}]
