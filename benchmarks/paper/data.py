"""The data of the experiments, all on one grid.

Cohorts with markers, real slices with masks, and their slices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.costs import Progress
from hemx_core.data import phe_sich
from hemx_core.data.study import (
    UNKNOWN,
    StoredStudies,
    Study,
    StudySource,
    check_split,
    save_study,
)
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.markers import MARKER_CODES

HELD_OUT = ("validation", "test")
"""Nothing is chosen on validation patients here (fixed thresholds, last weights), so both splits are
scored: twice the patients, narrower intervals."""


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Slices with the study and the patient they belong to.

    Args:
        image: shape (slices, S, S), float16.
        mask, known: same shape, bool.
        study: number of the slice's study, shape (slices,).
        patient: number of the slice's patient, shape (slices,); a patient may have several studies.
        location: of the patient's haematoma, shape (slices,).
    """

    image: NDArray[np.float16]
    mask: NDArray[np.bool_]
    known: NDArray[np.bool_]
    study: NDArray[np.int64]
    patient: NDArray[np.int64]
    location: NDArray[np.str_]

    def __len__(self) -> int:
        """Number of slices."""
        return len(self.image)

    def choose(self, keep: NDArray[Any]) -> Slices:
        """The slices of a bool or index array."""
        return Slices(*(getattr(self, field.name)[keep] for field in fields(self)))

    def join(self, other: Slices) -> Slices:
        """These slices and then others, whose studies and patients are numbered after these."""
        later = replace(
            other,
            study=other.study + int(self.study.max()) + 1,
            patient=other.patient + int(self.patient.max()) + 1,
        )
        pairs = ((getattr(self, f.name), getattr(later, f.name)) for f in fields(self))
        return Slices(*(np.concatenate(pair) for pair in pairs))


def gather(studies: Sequence[Study]) -> Slices:
    """All slices of studies, numbered in order; patients in order of appearance.

    Raises:
        DatasetError: no study.
    """
    kept = list(studies)
    if not kept:
        raise DatasetError(
            "no study", expected="at least one", remedy="build a larger cohort, or check the split"
        )
    counts = [len(study.image) for study in kept]
    return Slices(
        np.concatenate([study.image for study in kept]),
        np.concatenate([study.mask for study in kept]),
        np.concatenate([study.known for study in kept]),
        np.repeat(np.arange(len(kept)), counts),
        np.repeat(patient_numbers(kept), counts),
        np.repeat(np.array([study.location for study in kept], np.str_), counts),
    )


def patient_numbers(studies: Sequence[Study]) -> NDArray[np.int64]:
    """Number of each study's patient, in order of appearance, shape (studies,)."""
    names = list(dict.fromkeys(study.patient_id for study in studies))
    return np.array([names.index(study.patient_id) for study in studies], np.int64)


def coarser(study: Study, factor: int) -> Study:
    """A study with `factor` x `factor` pixels averaged into one; a mask pixel needs half of them."""
    if factor == 1:
        return study
    return replace(
        study,
        image=_average(study.image, factor).astype(np.float16),
        mask=_average(study.mask, factor) >= 0.5,
        known=_average(study.known, factor) >= 0.5,
    )


def _average(array: NDArray[Any], factor: int) -> NDArray[np.float32]:
    count, size, _ = array.shape
    small = size // factor
    blocks = array.astype(np.float32).reshape(count, small, factor, small, factor)
    return np.asarray(blocks.mean((2, 4)))


class Coarser:
    """A source on a coarser grid, read once and held in memory.

    Args:
        source: its grid must be a multiple of `size`.
        size: rows and columns wanted.
    Raises:
        DatasetError: it is not.
    """

    def __init__(self, source: StudySource, size: int) -> None:
        spec = source.preprocessing
        if spec.size % size:
            raise DatasetError(
                f"slices of {spec.size} pixels for a grid of {size}",
                expected="a multiple of the grid",
                remedy="build the cohort at 256 pixels, or choose another --scale",
            )
        self._source = source
        self._factor = spec.size // size
        self._held: dict[str, list[Study]] = {}

    @property
    def preprocessing(self) -> PreprocessingSpec:
        """How the slices were prepared, on the coarser grid."""
        spec = self._source.preprocessing
        return replace(spec, size=spec.size // self._factor, pixel_mm=spec.pixel_mm * self._factor)

    @property
    def description(self) -> dict[str, Any]:
        """That of the source."""
        return self._source.description

    def patients(self, split: str) -> Sequence[Study]:
        """Studies of a split."""
        if split not in self._held:
            studies = self._source.patients(split)
            self._held[split] = [coarser(study, self._factor) for study in studies]
        return self._held[split]


class RealSlices:
    """PHE-SICH on the grid, prepared once and kept in a folder outside the repository.

    Args:
        folder: the data set.
        cache: where prepared studies are kept.
        spec: preprocessing.
    """

    def __init__(self, folder: Path, cache: Path, spec: PreprocessingSpec) -> None:
        self._folder, self._cache, self._spec = folder, cache, spec
        self._rows = phe_sich.read_rows(folder)

    @property
    def preprocessing(self) -> PreprocessingSpec:
        """How the slices are prepared."""
        return self._spec

    @property
    def description(self) -> dict[str, Any]:
        """Name, licence and counts."""
        return {
            "name": "phe_sich",
            "licence": "research use, non-commercial",
            "attribution": phe_sich.ATTRIBUTION,
            "patients": len(self._rows),
            "reference": "derived, unsure pixels left out; spacing assumed 5 x 0.45 x 0.45 mm",
        }

    def patients(self, split: str) -> Sequence[Study]:
        """Studies of a split."""
        check_split(split)
        names = phe_sich.split_patients(self._rows)[split]
        return StoredStudies([self._stored(name) for name in names])

    def _stored(self, name: str) -> Path:
        path = self._cache / f"{name}.npz"
        if not path.exists():
            self._cache.mkdir(parents=True, exist_ok=True)
            prepared = phe_sich.prepare_patient(self._folder, self._rows[name], self._spec)
            save_study(path, _as_study(prepared))
        return path


def _as_study(patient: phe_sich.PreparedPatient) -> Study:
    count = len(patient.image)
    return Study(
        patient_id=patient.patient,
        site="",
        location="",
        image=patient.image,
        mask=patient.mask,
        known=patient.known,
        slice_markers=np.full((count, len(MARKER_CODES)), UNKNOWN, np.int8),
        patient_markers=np.full(len(MARKER_CODES), UNKNOWN, np.int8),
        expanded=UNKNOWN,
        slice_index=np.arange(count, dtype=np.int16),
        haematoma_volume_ml=float("nan"),
    )


def held_out(source: StudySource) -> list[Study]:
    """Studies of the splits `HELD_OUT` of a source."""
    return [study for split in HELD_OUT for study in source.patients(split)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """A data set as the experiments see it.

    Args:
        name: for folders and tables, for example `inserted` or `phe_sich`.
        title: for tables, in words.
        source: prepared with all three steps.
        unprepared: gives the same studies with the window only; None where that is not at hand.
    """

    name: str
    title: str
    source: StudySource
    unprepared: Callable[[], StudySource] | None = None

    def held_out(self) -> list[Study]:
        """Studies of the splits `HELD_OUT`."""
        return held_out(self.source)


def real_material(cache: Path, spec: PreprocessingSpec, bare: PreprocessingSpec) -> Material:
    """PHE-SICH from `HEMX_DATA`.

    Raises:
        DatasetError: it is not there.
    """
    folder = phe_sich.data_folder()
    return Material(
        name="phe_sich",
        title="PHE-SICH, real slices, derived reference",
        source=RealSlices(folder, cache / f"phe_sich-{spec.size}", spec),
        unprepared=lambda: RealSlices(folder, cache / f"phe_sich-{bare.size}-window", bare),
    )


def cohort_material(
    folder: Path, *, patients: int, seed: int, size: int, workers: int, progress: Progress | None
) -> Material:
    """Phantom haematomas: in real slices where `HEMX_DATA` is set, else in drawn heads."""
    try:
        backgrounds = phe_sich.data_folder()
    except DatasetError:
        return phantom_material(
            folder, patients=patients, seed=seed, size=size, workers=workers, progress=progress
        )
    from hemx_core.data.inserted import build_inserted_cohort

    cohort = build_inserted_cohort(
        folder / "inserted",
        patients=patients,
        seed=seed,
        source_folder=backgrounds,
        workers=workers,
        progress=progress,
    )
    return Material(
        name="inserted",
        title="phantom haematomas in real slices",
        source=Coarser(cohort, size),
    )


def phantom_material(
    folder: Path, *, patients: int, seed: int, size: int, workers: int, progress: Progress | None
) -> Material:
    """Phantom haematomas in drawn heads."""
    from hemx_core.data.cohort import build_cohort

    cohort = build_cohort(
        folder / "cohort", patients=patients, seed=seed, workers=workers, progress=progress
    )
    return Material(name="phantoms", title="phantoms", source=Coarser(cohort, size))


def dataset_material(
    folder: Path,
    cache: Path,
    spec: PreprocessingSpec,
    bare: PreprocessingSpec,
    *,
    progress: Progress | None,
) -> Material:
    """A data set in HEMX's format."""
    from hemx_core.data.dataset import open_dataset

    def opened(wanted: PreprocessingSpec, name: str) -> StudySource:
        return open_dataset(folder, wanted, cache / name, progress)

    return Material(
        name=folder.name,
        title=f"data set {folder.name}",
        source=opened(spec, f"{folder.name}-{spec.size}"),
        unprepared=lambda: opened(bare, f"{folder.name}-{bare.size}-window"),
    )
