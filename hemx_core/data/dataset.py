"""A data set as a source of training data: studies prepared once and kept in a cache folder.

Each study is windowed with its site's own window (Eq. 1 of the paper: a and b are the site's) where
`studies.csv` gives one: it replaces the preprocessing's window for that study; the other steps stay.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hemx_core.costs import Progress
from hemx_core.data.problems import refuse
from hemx_core.data.read import NativeStudy, read_study, stated_markers
from hemx_core.data.study import (
    UNKNOWN,
    StoredStudies,
    Study,
    check_split,
    kept_slices,
    save_study,
    stored_grey,
)
from hemx_core.data.tables import StudyRow, Tables, read_tables
from hemx_core.errors import DatasetError, InputError
from hemx_core.imaging.prepare import prepare
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.labels.folder import NO_BLOOD

CACHE_FORMAT = 2


@dataclass(frozen=True, slots=True, eq=False)
class DatasetSource:
    """A data set whose studies are prepared; a `StudySource`.

    Args:
        tables: the data set.
        preprocessing: how the slices were prepared, but for the sites' windows.
        files: the prepared study of every study id.
    """

    tables: Tables
    preprocessing: PreprocessingSpec
    files: dict[str, Path]

    @property
    def description(self) -> dict[str, Any]:
        """What the training card says of the data set."""
        tables = self.tables
        splits = Counter(patient.split for patient in tables.patients.values())
        return asdict(tables.info) | {
            "patients": len(tables.patients),
            "studies": len(tables.studies),
            "sites": len({patient.site for patient in tables.patients.values() if patient.site}),
            "patients_by_split": dict(sorted(splits.items())),
        }

    def patients(self, split: str | None = None) -> StoredStudies:
        """Studies of a split, or all of them; a patient's in order of time.

        Raises:
            DatasetError: no such split.
        """
        if split is not None:
            check_split(split)
        chosen = [p for p in self.tables.patients.values() if split in (None, p.split)]
        rows = [row for patient in chosen for row in self.tables.studies_of(patient.patient)]
        return StoredStudies([self.files[row.study] for row in rows])


def open_dataset(
    folder: Path,
    preprocessing: PreprocessingSpec,
    cache: Path,
    progress: Progress | None = None,
    *,
    blood_free: int | None = None,
) -> DatasetSource:
    """Open a data set; studies that the cache lacks are prepared and stored in it.

    A cached study is used as long as its files (path, size, time), its rows in the tables and the
    preprocessing stay what they were; the cache may be deleted at any time.

    Args:
        folder: holds `dataset.json` and the tables of docs/data_format.md.
        preprocessing: how slices are prepared; its window is replaced by that of a study's site.
        cache: folder for prepared studies; made if missing, may serve several data sets.
        progress: told after every study, stage `data`.
        blood_free: slices without blood kept of each study, evenly spaced over the head; None
            keeps all.
    Raises:
        DatasetError: the tables have errors, or a study cannot be read.
    """
    tables = read_tables(folder)
    refuse(tables.info.name or folder.name, tables.findings.errors)
    cache.mkdir(parents=True, exist_ok=True)
    files: dict[str, Path] = {}
    for done, row in enumerate(tables.studies.values(), 1):
        path = cache / f"{_key(tables, row, preprocessing, blood_free)}.npz"
        if not path.exists():
            save_study(path, _prepared(tables, row, preprocessing, blood_free))
        files[row.study] = path
        if progress:
            progress("data", done, len(tables.studies))
    return DatasetSource(tables, preprocessing, files)


def prepare_study(
    tables: Tables,
    study: NativeStudy,
    preprocessing: PreprocessingSpec,
    *,
    blood_free: int | None = None,
) -> Study:
    """Prepare a study's slices; for the arguments see `open_dataset`."""
    row = study.row
    patient = tables.patients[row.patient]
    spec = replace(preprocessing, window=row.window) if row.window else preprocessing
    prepared = prepare(study.volume, spec)
    blood = np.asarray(study.mask.any((1, 2)))
    kept = kept_slices(blood, ~blood, blood_free)
    images, masks, knowns = [], [], []
    for index in kept:
        ready = prepared[int(index)]
        images.append(stored_grey(ready.image))
        masks.append(ready.transform.to_grid(study.mask[index]) >= 0.5)
        # Outside the picture the reference is as known as inside: nothing is left open there.
        open_share = ready.transform.to_grid(~study.known[index], fill=float(not row.reference))
        knowns.append(open_share < 0.5)
    return Study(
        patient_id=row.patient,
        site=patient.site,
        location=patient.location,
        image=np.stack(images),
        mask=np.stack(masks),
        known=np.stack(knowns),
        slice_markers=study.slice_markers[kept],
        patient_markers=stated_markers(tables, study),
        # The label says what became of the first study's haematoma.
        expanded=patient.expanded if tables.is_first(row) else UNKNOWN,
        slice_index=kept.astype(np.int16),
        haematoma_volume_ml=study.haematoma_volume_ml,
    )


def _prepared(
    tables: Tables, row: StudyRow, preprocessing: PreprocessingSpec, blood_free: int | None
) -> Study:
    try:
        study = read_study(tables, row)
    except (InputError, DatasetError) as error:
        raise DatasetError(
            f"studies.csv, row {row.row}, study {row.study}: {error.found}",
            expected=error.expected,
            remedy=error.remedy or "run `hemx dev data check` on the folder",
        ) from error
    return prepare_study(tables, study, preprocessing, blood_free=blood_free)


def _key(
    tables: Tables, row: StudyRow, preprocessing: PreprocessingSpec, blood_free: int | None
) -> str:
    """What a prepared study depends on, hashed."""
    patient = tables.patients[row.patient]
    facts = {
        "format": CACHE_FORMAT,
        "preprocessing": preprocessing.to_json(),
        "blood_free": blood_free,
        "first": tables.is_first(row),
        "rows": [
            asdict(replace(row, row=0)),
            asdict(replace(patient, row=0)),
            [asdict(replace(marks, row=0)) for marks in tables.slice_markers.get(row.study, ())],
            getattr(tables.markers_of(row), "markers", None),
            [asdict(each.reading) for each in tables.readings.get(row.study, ())],
        ],
        "files": list(_stamps(tables, row)),
    }
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _stamps(tables: Tables, row: StudyRow) -> Iterator[tuple[str, int, int]]:
    """Path, size and time of every file that a study is read from."""
    for cell in (row.ct, *row.reference, row.ignored):
        if not cell or cell == NO_BLOOD:
            continue
        root = tables.path(cell)
        inside = (
            sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
        )
        for path in inside:
            stamp = path.stat()
            yield str(path.resolve()), stamp.st_size, stamp.st_mtime_ns
