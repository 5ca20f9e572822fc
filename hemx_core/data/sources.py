"""The studies of a training run: phantoms, inserted lesions, a data set."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from hemx_core.errors import DatasetError

if TYPE_CHECKING:
    from hemx_core.costs import Progress
    from hemx_core.data.study import StudySource
    from hemx_core.imaging.spec import PreprocessingSpec


def _option(help: str, **more: Any) -> dict[str, Any]:
    return {"option": {"help": help, **more}}


PHANTOMS = 400
REAL_LESIONS = 1800
Lesions = Literal["drawn", "real"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to train on. Fields with metadata are options of the commands (`commands.settings`).

    Args:
        phantoms: patients of the phantom cohort; 0 leaves it out, None takes `PHANTOMS` where nothing
            else is asked for.
        inserted: studies of haematomas in the real slices of `HEMX_DATA`; 0 leaves them out.
        lesions: what is inserted: `drawn`, phantom haematomas; `real`, those resynthesised from real ones.
        fold: of `real`, as "0/5": patients of this fold are held out (cross-validation over all); "all":
            nobody is; empty: phe_sich's own split.
        dataset: folder of a data set in HEMX's format.
        phantom_folder, inserted_folder, dataset_cache: where prepared studies are kept.
        workers: processes that build cohorts.
        splits: of the cohorts, what is needed, all where empty; scoring needs no training studies.
    Raises:
        DatasetError: `lesions` is neither.
    """

    phantoms: int | None = field(
        default=None,
        metadata=_option(f"Phantom patients; {PHANTOMS}, or 0 with --data or --inserted.", min=0),
    )
    inserted: int = field(
        default=0,
        metadata=_option("Studies of haematomas in real slices (HEMX_DATA).", min=0),
    )
    lesions: Lesions = field(
        default="drawn",
        metadata=_option(
            f"Inserted: drawn phantoms, or real ones resynthesised ({REAL_LESIONS} if no number)."
        ),
    )
    fold: str = field(
        default="",
        metadata=_option(
            "Of --lesions real: hold a fold of patients out, as 0/5, or `all`: nobody.",
            name="lesion_fold",
        ),
    )
    dataset: Path | None = field(
        default=None,
        metadata=_option(
            "Folder of a data set in HEMX's format (docs/data_format.md).", name="data"
        ),
    )
    phantom_folder: Path = field(
        default=Path("runs/cohort"),
        metadata=_option("Folder of the phantom cohort's cache.", name="cohort"),
    )
    inserted_folder: Path = field(
        default=Path("runs/inserted"),
        metadata=_option(
            "Folder of the inserted cohort; it shows real slices.", name="inserted_cohort"
        ),
    )
    dataset_cache: Path = field(
        default=Path("runs/data_cache"),
        metadata=_option("Folder of the data set's prepared studies.", name="data_cache"),
    )
    workers: int = field(default=1, metadata=_option("Processes that build phantoms."))
    splits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.lesions not in get_args(Lesions):
            raise DatasetError(
                f"lesions {self.lesions!r}",
                expected=f"one of {get_args(Lesions)}",
                remedy="correct the setting",
            )


def open_sources(
    asked: Asked, preprocessing: PreprocessingSpec, *, progress: Progress | None = None
) -> StudySource | None:
    """Everything asked for as one source, built or prepared if need be; None where nothing was.

    Of several processes of a run one builds while the others wait, then all read the same files.

    Raises:
        DatasetError: a folder holds another cohort, or the data set has errors.
    """
    from hemx_core.data.study import SPLITS, CombinedSource

    sources: list[StudySource] = []
    splits = asked.splits or SPLITS
    inserted = asked.inserted or (REAL_LESIONS if asked.lesions == "real" else 0)
    phantoms = asked.phantoms
    if phantoms is None:
        phantoms = 0 if asked.dataset or inserted else PHANTOMS
    if asked.dataset:
        from hemx_core.data.dataset import open_dataset

        with _alone(asked.dataset_cache):
            sources.append(
                open_dataset(asked.dataset, preprocessing, asked.dataset_cache, progress)
            )
    if inserted:
        with _alone(asked.inserted_folder):
            sources.append(_inserted(asked, inserted, preprocessing, splits, progress))
    if phantoms:
        from hemx_core.data.cohort import build_cohort

        with _alone(asked.phantom_folder):
            sources.append(
                build_cohort(
                    asked.phantom_folder,
                    patients=phantoms,
                    spec=preprocessing,
                    workers=asked.workers,
                    splits=splits,
                    progress=progress,
                )
            )
    if len(sources) < 2:
        return sources[0] if sources else None
    return CombinedSource(sources)


def _inserted(
    asked: Asked,
    count: int,
    preprocessing: PreprocessingSpec,
    splits: tuple[str, ...],
    progress: Progress | None,
) -> StudySource:
    """Haematomas in real slices.

    Raises:
        DatasetError: the folder holds another cohort, or the fold is none.
    """
    shared: dict[str, Any] = {
        "patients": count,
        "spec": preprocessing,
        "workers": asked.workers,
        "splits": splits,
        "progress": progress,
    }
    if asked.lesions == "real":
        from hemx_core.data.phe_sich import read_fold
        from hemx_core.data.real_lesions import build_real_lesion_cohort

        return build_real_lesion_cohort(asked.inserted_folder, fold=read_fold(asked.fold), **shared)
    from hemx_core.data.inserted import build_inserted_cohort

    return build_inserted_cohort(asked.inserted_folder, **shared)


def _alone(folder: Path) -> AbstractContextManager[Any]:
    from filelock import FileLock

    folder.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(folder.with_name(f"{folder.name}.lock"))
