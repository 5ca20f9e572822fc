"""A cohort of phantom haematomas in real slices: exact masks and markers on real texture. Torch-free.

Kept in a folder as a cohort of phantoms is: it can be continued after an interruption and enlarged later.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hemx_core.costs import Progress
from hemx_core.data import phe_sich
from hemx_core.data.cohort_folder import (
    be_nice,
    claim,
    fingerprint,
    missing_studies,
    patient_file,
    stored_studies,
)
from hemx_core.data.inserted_study import (
    FORMAT,
    InsertedSpec,
    draw_inserted,
    prepare_inserted,
    source_index,
)
from hemx_core.data.study import SPLITS, StoredStudies, save_study
from hemx_core.imaging.spec import PreprocessingSpec

LICENCE = "research use, non-commercial (backgrounds: PHE-SICH-CT-IDS)"


@dataclass(frozen=True, slots=True)
class InsertedCohort:
    """A cohort in a folder; a `StudySource`."""

    folder: Path
    spec: InsertedSpec
    count: int

    @property
    def preprocessing(self) -> PreprocessingSpec:
        """How the slices were prepared."""
        return self.spec.preprocessing

    @property
    def description(self) -> dict[str, Any]:
        """What the training card says of the cohort."""
        return {
            "name": "phantom haematomas in real slices",
            "licence": LICENCE,
            "attribution": phe_sich.ATTRIBUTION,
            "patients": self.count,
            "sites": len(self.spec.sites),
            "seed": self.spec.seed,
        }

    def patients(self, split: str | None = None) -> StoredStudies:
        """Studies of a split, or all of them.

        Raises:
            DatasetError: no such split.
        """
        return stored_studies(self.folder, self.count, self.spec.split, split)


def build_inserted_cohort(
    folder: Path,
    *,
    patients: int,
    seed: int = 1,
    spec: PreprocessingSpec | None = None,
    source_folder: Path | None = None,
    workers: int = 1,
    blood_free: int | None = 6,
    splits: Collection[str] = SPLITS,
    progress: Progress | None = None,
) -> InsertedCohort:
    """Make the studies that a folder lacks, at low priority, and return the cohort.

    Args:
        folder: the cohort's folder, outside the repository (it shows real slices); an interrupted
            or smaller cohort in it is continued.
        patients: number of studies.
        seed, blood_free: see `InsertedSpec`.
        spec: preprocessing; None takes the default one.
        source_folder: of phe_sich; None finds it through `HEMX_DATA`.
        workers: processes.
        splits: what is needed now: studies of other splits are not made.
        progress: told after every background patient, stage `inserted`.
    Raises:
        DatasetError: the source is missing, a split does not exist, or the folder holds another cohort.
    """
    source = source_folder or phe_sich.data_folder()
    cohort = InsertedSpec(
        seed=seed, preprocessing=spec or PreprocessingSpec(), blood_free=blood_free
    )
    claim(
        folder,
        {"format": FORMAT, "inserted": _fingerprint(cohort, source), **asdict(cohort)},
        expected="the same seed, sites, preprocessing, source and version of the insertion",
    )
    missing = missing_studies(folder, patients, cohort.split, splits)
    if missing:
        spawn = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        with ProcessPoolExecutor(max(1, workers), spawn, initializer=be_nice) as pool:
            groups = _by_background(cohort, source, missing)
            tasks = [pool.submit(_make_studies, folder, cohort, source, one) for one in groups]
            done = patients - len(missing)
            for task in as_completed(tasks):
                done += task.result()
                if progress:
                    progress("inserted", done, patients)
    return InsertedCohort(folder, cohort, patients)


def _by_background(cohort: InsertedSpec, source: Path, numbers: list[int]) -> list[list[int]]:
    """Numbers that start on one background, together: reading it takes longer than a lesion."""
    splits = source_index(source)[1]
    groups: dict[str, list[int]] = {}
    for number in numbers:
        groups.setdefault(cohort.backgrounds(number, splits)[0], []).append(number)
    return list(groups.values())


def _make_studies(folder: Path, cohort: InsertedSpec, source: Path, numbers: list[int]) -> int:
    for number in numbers:
        make_study(folder, cohort, source, number)
    return len(numbers)


def make_study(folder: Path, cohort: InsertedSpec, source: Path, number: int) -> None:
    """Insert, prepare and store one study, whole or not at all."""
    real, inserted = draw_inserted(cohort, source, number)
    study = prepare_inserted(real, inserted, cohort, number)
    expanded = cohort.expanded(number, study.patient_markers)
    save_study(patient_file(folder, number), replace(study, expanded=expanded))


def _fingerprint(cohort: InsertedSpec, source: Path) -> str:
    """SHA-256 of the source's table and of one study as this version makes it."""
    real, inserted = draw_inserted(cohort, source, 0)
    table = (source / "slices.csv").read_bytes()
    return fingerprint(prepare_inserted(real, inserted, cohort, 0), table)
