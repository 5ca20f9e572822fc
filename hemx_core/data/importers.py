"""Convert other data sets to HEMX's format: PHE-SICH-CT-IDS, and phantoms of many patients and sites.

PHE-SICH's PNG slices and derived masks become NIfTI (source: see `data.phe_sich`). Phantoms of the same
seed are the same patients and splits as in `data.cohort`; a patient is complete when its truth file is
there, so an interrupted run is continued and a data set can be enlarged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from hemx_core.costs import Progress
from hemx_core.data import cohort as phantom_cohort
from hemx_core.data import phe_sich
from hemx_core.data.cohort import PhantomMaker, in_processes
from hemx_core.data.study import UNKNOWN, patient_truth
from hemx_core.data.tables import DatasetInfo, MarkerRow, PatientRow, StudyRow
from hemx_core.data.write import claim_folder, write_tables
from hemx_core.errors import DatasetError
from hemx_core.files import write_whole
from hemx_core.imaging.nifti import write_array
from hemx_core.imaging.spec import HUWindow
from hemx_core.labels.folder import NO_BLOOD
from hemx_core.phantoms import (
    Phantom,
    SiteSpec,
    grow,
    make_phantom,
    random_site,
    write_dicom_series,
)

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


FORMAT = 1
GROWTH = {1: (1.4, 2.4), 0: (1.0, 1.2)}
"""Factors of volume that a follow-up is drawn from, expanded or not: assumptions, clear of the 30 %."""
EXPANSION = 1.3
INTERVAL_HOURS = (6.0, 36.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomSet:
    """What determines a data set of phantoms.

    Args:
        seed: draws sites, patients, splits, expansion and growth.
        sites: number of scanners; patient i was scanned at site i modulo it.
        matrix: rows and columns.
        slices: number of slices; None covers the head.
        follow_up: a second study of every patient.
        dicom: CT as DICOM folders, else as NIfTI.
    """

    seed: int = 1
    sites: int = 12
    matrix: int = 512
    slices: int | None = None
    follow_up: bool = False
    dicom: bool = False
    cohort: PhantomMaker = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.sites < 1:
            raise DatasetError(
                f"{self.sites} sites", expected="at least one", remedy="give --sites"
            )
        # Drawn as PhantomMaker draws its sites, so the first twelve are the same.
        rng = np.random.default_rng((self.seed, phantom_cohort.FORMAT))
        drawn = [random_site(rng) for _ in range(self.sites)]
        named = tuple(self._site(site, number) for number, site in enumerate(drawn, 1))
        object.__setattr__(self, "cohort", PhantomMaker(seed=self.seed, sites=named))

    def _site(self, drawn: SiteSpec, number: int) -> SiteSpec:
        name = f"site-{number:02d}"
        return replace(drawn, name=name, matrix=self.matrix, slices=self.slices)

    @property
    def settings(self) -> dict[str, Any]:
        """JSON values that must agree when a data set is continued."""
        names = ("seed", "sites", "matrix", "slices", "follow_up", "dicom")
        own = {name: getattr(self, name) for name in names}
        return {"phantoms": [FORMAT, phantom_cohort.FORMAT], "example": self._fingerprint(), **own}

    def _fingerprint(self) -> str:
        """SHA-256 of a small phantom as this version makes it: no data set mixes versions."""
        spec = self.cohort.phantom(0)
        site = replace(spec.site, matrix=64, slices=5, slice_spacing_mm=15.0)
        phantom = make_phantom(replace(spec, site=site))
        pixels = phantom.volume.hu.tobytes() + phantom.mask.tobytes()
        return hashlib.sha256(pixels).hexdigest()


def make_dataset(
    out: Path,
    settings: PhantomSet,
    *,
    patients: int,
    workers: int = 1,
    progress: Progress | None = None,
) -> None:
    """Make the patients that a folder lacks, then write the tables.

    Args:
        out: the data set's folder; an interrupted or smaller one in it is continued.
        settings: what to make.
        patients: number of patients.
        workers: processes; 1 makes them in this one.
        progress: told after every patient, stage `phantoms`.
    Raises:
        DatasetError: the folder holds another data set.
        OutputError: a file cannot be written.
    """
    info = DatasetInfo(
        name="HEMX phantoms",
        licence="Apache-2.0",
        attribution="made by hemx data phantom",
        version=f"seed {settings.seed}",
    )
    claim_folder(out, info, settings.settings)
    missing = [number for number in range(patients) if not _truth_file(out, number).exists()]
    tasks = [(out, settings, number) for number in missing]
    made = in_processes(make_patient, tasks, workers if workers > 1 else 0)
    for done, _ in enumerate(made, patients - len(missing) + 1):
        if progress:
            progress("phantoms", done, patients)
    # A folder with more patients than asked for keeps them all in its tables.
    truths = sorted((out / "truth").glob("*.json"))
    _write_tables(out, [json.loads(path.read_text(encoding="utf-8")) for path in truths])


def make_patient(out: Path, settings: PhantomSet, number: int) -> None:
    """Make and write one patient; the truth file comes last and says that all is there."""
    cohort = settings.cohort
    first = make_phantom(cohort.phantom(number))
    expanded = cohort.expanded(number, patient_truth(first.slice_markers))
    phantoms = [first]
    if settings.follow_up and first.spec.lesion is not None:
        later = _follow_up(first, expanded, settings.seed, number)
        # Skull and falx may cut a grown clot: then the masks' word counts, not the draw.
        expanded = int(later.haematoma_volume_ml >= EXPANSION * first.haematoma_volume_ml)
        phantoms.append(later)
    spec = first.spec
    truth = {
        "patient": spec.patient_id,
        "split": cohort.split(number),
        "site": spec.site.name,
        "location": spec.lesion.location if spec.lesion else "",
        "expanded": expanded,
        "studies": [_write_study(out, settings, phantom) for phantom in phantoms],
    }
    write_whole(_truth_file(out, number), json.dumps(truth, indent=1) + "\n")


def _follow_up(first: Phantom, expanded: int, seed: int, number: int) -> Phantom:
    rng = np.random.default_rng((seed, FORMAT, number, 2))
    factor, hours = rng.uniform(*GROWTH[expanded]), rng.uniform(*INTERVAL_HOURS)
    return make_phantom(grow(first.spec, float(factor), hours=round(float(hours), 2)))


def _write_study(out: Path, settings: PhantomSet, phantom: Phantom) -> dict[str, Any]:
    """Write CT and mask; the truth of the study as JSON values."""
    spec, volume = phantom.spec, phantom.volume
    name = f"{spec.patient_id}-{spec.time_point}"
    ct = f"studies/{name}" + ("" if settings.dicom else ".nii.gz")
    if settings.dicom:
        write_dicom_series(volume, out / ct, window_hu=spec.site.window_hu)
    else:
        write_array(out / ct, volume.hu, volume.geometry)
    mask = f"masks/{name}.nii.gz" if phantom.mask.any() else NO_BLOOD
    if phantom.mask.any():
        write_array(out / mask, phantom.mask, volume.geometry)
    # Slices without blood show no marker by the format's own rule; the others are listed.
    listed = np.flatnonzero(phantom.mask.any((1, 2)) | (phantom.slice_markers != 0).any(1))
    return {
        "study": name,
        "ct": ct,
        "mask": mask,
        "acquired_at": spec.acquired_at.isoformat(),
        "scanner": volume.identity.scanner,
        "window": list(spec.site.window_hu),
        "volume_ml": round(phantom.haematoma_volume_ml, 4),
        "slices": {int(index): phantom.slice_markers[index].tolist() for index in listed},
        "markers": patient_truth(phantom.slice_markers).tolist(),
    }


def _write_tables(out: Path, truths: list[dict[str, Any]]) -> None:
    patients, studies = [], []
    slice_markers, patient_markers = [], []
    for truth in truths:
        patient = truth["patient"]
        facts = {key: truth[key] for key in ("patient", "split", "site", "location", "expanded")}
        patients.append(PatientRow(row=0, **facts))
        for known in truth["studies"]:
            studies.append(
                StudyRow(
                    row=0,
                    study=known["study"],
                    patient=patient,
                    ct=known["ct"],
                    acquired_at=datetime.fromisoformat(known["acquired_at"]),
                    scanner=known["scanner"],
                    mask=known["mask"],
                    window=HUWindow(*known["window"]),
                )
            )
            for index, markers in known["slices"].items():
                row = MarkerRow(
                    row=0, study=known["study"], markers=tuple(markers), slice_number=int(index)
                )
                slice_markers.append((known["study"], row))
            row = MarkerRow(row=0, study=known["study"], markers=tuple(known["markers"]))
            patient_markers.append((patient, row))
    write_tables(
        out,
        patients=patients,
        studies=studies,
        slice_markers=slice_markers,
        patient_markers=patient_markers,
    )


def _truth_file(out: Path, number: int) -> Path:
    return out / "truth" / f"{number:06d}.json"
