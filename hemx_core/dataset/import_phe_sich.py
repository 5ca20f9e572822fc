"""PHE-SICH-CT-IDS in HEMX's format: PNG slices and derived masks become NIfTI. Source: see data.phe_sich."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hemx_core.costs import Progress
from hemx_core.data import phe_sich
from hemx_core.data.study import UNKNOWN
from hemx_core.dataset.nifti import write_array
from hemx_core.dataset.rows import NO_BLOOD, DatasetInfo, PatientRow, StudyRow
from hemx_core.dataset.write import claim_folder, write_tables
from hemx_core.errors import DatasetError

INFO = DatasetInfo(
    name="PHE-SICH-CT-IDS",
    licence="non-commercial use",
    attribution=phe_sich.ATTRIBUTION,
    version="figshare 23957937, HEMX derived masks",
)


def import_phe_sich(
    source: Path,
    out: Path,
    *,
    patients: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> int:
    """Write the data set; patients that are there already are kept.

    The CT becomes int16 HU (clipped as in the source), the derived haematoma masks become masks, the
    pixels that these leave open become ignore masks. Splits are those of `phe_sich.split_patients`. Site,
    location and markers are not recorded in the source; the spacing is an assumption.

    Args:
        source: the folder with `slices.csv`.
        out: the data set's folder.
        patients: only these, with the splits that they have among all; None takes all.
        progress: told after every patient, stage `import`.
    Returns:
        Number of patients in the data set.
    Raises:
        DatasetError: a picture or patient is missing, or `out` holds something else.
    """
    if not (source / "slices.csv").is_file():
        raise DatasetError(
            f"{source} holds no slices.csv",
            expected="the folder phe_sich as docs/data.md describes it",
            remedy="give that folder",
        )
    rows = phe_sich.read_rows(source)
    chosen = sorted(rows) if patients is None else list(patients)
    unknown = sorted(set(chosen) - set(rows))
    if unknown:
        raise DatasetError(
            f"no patient {unknown[0]!r}", expected="patients of slices.csv", remedy="correct the id"
        )
    split_of = {p: split for split, found in phe_sich.split_patients(rows).items() for p in found}
    claim_folder(out, INFO, {"patients": chosen} if patients is not None else None)
    patient_rows, study_rows = [], []
    for done, patient in enumerate(chosen, 1):
        study_rows.append(_import_patient(source, out, rows[patient]))
        patient_rows.append(
            PatientRow(
                row=0, patient=patient, split=split_of[patient], site="", location="",
                expanded=UNKNOWN,
            )
        )  # fmt: skip
        if progress:
            progress("import", done, len(chosen))
    write_tables(out, patients=patient_rows, studies=study_rows)
    return len(chosen)


def _import_patient(source: Path, out: Path, rows: Sequence[phe_sich.SliceRow]) -> StudyRow:
    patient = rows[0].patient
    windows = {(row.window_lower, row.window_upper) for row in rows}
    if len(windows) > 1:
        raise DatasetError(
            f"slices of patient {patient} were clipped to different windows: {sorted(windows)}",
            expected="one window for a patient",
            remedy="correct slices.csv",
        )
    masks = {
        kind: np.stack([phe_sich.read_mask(source, kind, row) for row in rows])
        for kind in ("haematoma", "unsure")
    }
    paths = {name: f"studies/{patient}_{name}.nii.gz" for name in ("ct", "haematoma", "unsure")}
    # The CT is written last: where it is, the study is complete.
    if not (out / paths["ct"]).exists():
        volume = phe_sich.read_volume(source, rows)
        for kind, mask in masks.items():
            if mask.any():
                write_array(out / paths[kind], mask, volume.geometry)
        write_array(out / paths["ct"], volume.hu, volume.geometry)
    return StudyRow(
        row=0,
        study=patient,
        patient=patient,
        ct=paths["ct"],
        mask=paths["haematoma"] if masks["haematoma"].any() else NO_BLOOD,
        ignore_mask=paths["unsure"] if masks["unsure"].any() else "",
        clipped_to_hu=next(iter(windows)),
        spacing_assumed=True,
    )
