"""Writing a data set's tables, each file whole or not at all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hemx_core.data.cells import UNKNOWN_WORD, TableSpec
from hemx_core.data.study import UNKNOWN
from hemx_core.data.tables import (
    PATIENT_MARKERS,
    PATIENTS,
    SLICE_MARKERS,
    STUDIES,
    DatasetInfo,
    MarkerRow,
    PatientRow,
    StudyRow,
)
from hemx_core.errors import DatasetError
from hemx_core.files import write_whole
from hemx_core.labels.folder import FORMAT, INFO_FILE
from hemx_core.markers import MARKER_CODES


def claim_folder(
    folder: Path, info: DatasetInfo, made_from: Mapping[str, Any] | None = None
) -> None:
    """Write `dataset.json` into a new folder, or make sure that the folder holds this data set.

    Args:
        folder: made if missing.
        info: what the file says for people.
        made_from: what determines the content; a folder made from something else is refused.
    Raises:
        DatasetError: the folder holds another data set, or files that are none.
    """
    text = json.dumps(
        {"format": FORMAT, **asdict(info), "made_from": made_from or {}},
        indent=2,
        ensure_ascii=False,
    )
    path = folder / INFO_FILE
    if path.exists():
        if path.read_text(encoding="utf-8") != text + "\n":
            raise DatasetError(
                f"{folder} holds another data set, or one made with other settings",
                expected="an empty folder, or the same data set to go on with",
                remedy="choose another folder, or delete this one",
            )
        return
    if folder.exists() and any(folder.iterdir()):
        raise DatasetError(
            f"{folder} is not empty and has no {INFO_FILE}",
            expected="a new or empty folder",
            remedy="choose another folder",
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, text + "\n")


def write_tables(
    folder: Path,
    *,
    patients: Sequence[PatientRow],
    studies: Sequence[StudyRow],
    slice_markers: Sequence[tuple[str, MarkerRow]] = (),
    patient_markers: Sequence[tuple[str, MarkerRow]] = (),
) -> None:
    """Write the four tables; a marker table without rows is left out.

    Args:
        folder: of the data set.
        patients, studies: their rows; `row` is not used.
        slice_markers: study id and row.
        patient_markers: patient id and row.
    """
    _write(folder, PATIENTS, (_patient(patient) for patient in patients))
    _write(folder, STUDIES, (_study(study) for study in studies))
    if slice_markers:
        _write(
            folder,
            SLICE_MARKERS,
            (
                {
                    "study": study,
                    "slice": row.slice_number,
                    "sop_instance_uid": row.sop_instance_uid,
                    **_markers(row),
                }
                for study, row in slice_markers
            ),
        )
    if patient_markers:
        _write(
            folder,
            PATIENT_MARKERS,
            ({"patient": p, "study": row.study, **_markers(row)} for p, row in patient_markers),
        )


def _write(folder: Path, spec: TableSpec, rows: Iterable[Mapping[str, Any]]) -> None:
    stream = io.StringIO(newline="")
    listed = list(rows)
    names = list(listed[0]) if listed else [*spec.required, *spec.optional]
    table = csv.DictWriter(stream, names, lineterminator="\n", extrasaction="raise")
    table.writeheader()
    table.writerows(listed)
    write_whole(folder / spec.file, stream.getvalue())


def _flag(value: int) -> str:
    return UNKNOWN_WORD if value == UNKNOWN else str(int(value))


def _markers(row: MarkerRow) -> dict[str, str]:
    return {code: _flag(value) for code, value in zip(MARKER_CODES, row.markers, strict=True)}


def _patient(row: PatientRow) -> dict[str, Any]:
    return {
        "patient": row.patient,
        "split": row.split,
        "site": row.site,
        "location": row.location,
        "expanded": _flag(row.expanded),
    }


def _study(row: StudyRow) -> dict[str, Any]:
    window = (row.window.lower, row.window.upper) if row.window else ("", "")
    clipped = row.clipped_to_hu or ("", "")
    return {
        "study": row.study,
        "patient": row.patient,
        "ct": row.ct,
        "acquired_at": row.acquired_at.isoformat() if row.acquired_at else "",
        "scanner": row.scanner,
        "series": row.series,
        "mask": row.mask,
        "mask_segment": row.mask_segment,
        "ignore_mask": row.ignore_mask,
        "window_lower": window[0],
        "window_upper": window[1],
        "clipped_lower": clipped[0],
        "clipped_upper": clipped[1],
        "spacing_assumed": "yes" if row.spacing_assumed else "no",
    }
