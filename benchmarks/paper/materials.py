"""The data sets as the experiments take them: a cohort with markers, or real slices with masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.paper.studies import Coarser, RealSlices, held_out
from hemx_core.costs import Progress
from hemx_core.data import phe_sich
from hemx_core.data.study import PreparedStudy, StudySource
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec


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

    def held_out(self) -> list[PreparedStudy]:
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
    from hemx_core.data.inserted_cohort import build_inserted_cohort

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
    from hemx_core.data.phantom_cohort import build_cohort

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
    from hemx_core.dataset.source import open_dataset

    def opened(wanted: PreprocessingSpec, name: str) -> StudySource:
        return open_dataset(folder, wanted, cache / name, progress)

    return Material(
        name=folder.name,
        title=f"data set {folder.name}",
        source=opened(spec, f"{folder.name}-{spec.size}"),
        unprepared=lambda: opened(bare, f"{folder.name}-{bare.size}-window"),
    )
