"""The studies of a training run: phantoms, inserted lesions, a data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from hemx_core.costs import Progress
from hemx_core.data.study import SPLITS, CombinedSource, StudySource
from hemx_core.imaging.spec import PreprocessingSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to train on.

    Args:
        phantoms: patients of the phantom cohort; 0 leaves it out.
        inserted: studies of phantom haematomas in the real slices of `HEMX_DATA`; 0 leaves them out.
        dataset: folder of a data set in HEMX's format.
        phantom_folder, inserted_folder, dataset_cache: where prepared studies are kept.
        workers: processes that build cohorts.
        splits: of the cohorts, what is needed; scoring needs no training studies.
    """

    phantoms: int
    inserted: int
    dataset: Path | None
    phantom_folder: Path
    inserted_folder: Path
    dataset_cache: Path
    workers: int = 1
    splits: tuple[str, ...] = SPLITS


def open_sources(
    asked: Asked, preprocessing: PreprocessingSpec, *, progress: Progress | None = None
) -> StudySource | None:
    """Everything asked for as one source, built or prepared if need be; None where nothing was.

    Of several processes of a run one builds while the others wait, then all read the same files.

    Raises:
        DatasetError: a folder holds another cohort, or the data set has errors.
    """
    sources: list[StudySource] = []
    if asked.dataset:
        from hemx_core.data.dataset import open_dataset

        with _alone(asked.dataset_cache):
            sources.append(
                open_dataset(asked.dataset, preprocessing, asked.dataset_cache, progress)
            )
    if asked.inserted:
        from hemx_core.data.inserted import build_inserted_cohort

        with _alone(asked.inserted_folder):
            sources.append(
                build_inserted_cohort(
                    asked.inserted_folder,
                    patients=asked.inserted,
                    spec=preprocessing,
                    workers=asked.workers,
                    splits=asked.splits,
                    progress=progress,
                )
            )
    if asked.phantoms:
        from hemx_core.data.cohort import build_cohort

        with _alone(asked.phantom_folder):
            sources.append(
                build_cohort(
                    asked.phantom_folder,
                    patients=asked.phantoms,
                    spec=preprocessing,
                    workers=asked.workers,
                    splits=asked.splits,
                    progress=progress,
                )
            )
    if len(sources) < 2:
        return sources[0] if sources else None
    return CombinedSource(sources)


def _alone(folder: Path) -> FileLock:
    folder.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(folder.with_name(f"{folder.name}.lock"))
