"""Cohorts: studies made once, prepared for the network and kept in a folder. Torch-free.

What is drawn depends on the maker: phantoms here, haematomas in real slices in `data.inserted`. Each study
is drawn from (cohort seed, number), so a cohort can be continued after an interruption and enlarged later
without changing the studies in it.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.costs import Progress
from hemx_core.data.study import (
    SPLITS,
    UNKNOWN,
    StoredStudies,
    Study,
    check_split,
    kept_slices,
    patient_truth,
    save_study,
    stored_grey,
)
from hemx_core.errors import DatasetError
from hemx_core.files import write_whole
from hemx_core.imaging.prepare import prepare
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.markers import MARKER_CODES
from hemx_core.phantoms import (
    Phantom,
    PhantomSpec,
    SiteSpec,
    make_phantom,
    random_site,
    random_spec,
)


class Maker(Protocol):
    """Makes the studies of a cohort, each from the cohort's seed and its own number alone."""

    stage: ClassVar[str]
    """Its name in progress messages."""
    same: ClassVar[str]
    """What has to be the same when a folder is continued, in words."""

    @property
    def preprocessing(self) -> PreprocessingSpec:
        """How slices are prepared."""

    def made_from(self) -> dict[str, Any]:
        """JSON values that determine the cohort to the last pixel."""

    def describe(self, patients: int) -> dict[str, Any]:
        """What the training card says of a cohort of so many."""

    def split(self, number: int) -> str:
        """The split a study belongs to; it never changes when the cohort grows."""

    def groups(self, numbers: Sequence[int]) -> list[list[int]]:
        """Numbers that one process had better make together."""

    def make(self, number: int) -> Study:
        """Draw and prepare a study."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """A cohort in a folder; a `StudySource`."""

    folder: Path
    maker: Maker
    count: int

    @property
    def preprocessing(self) -> PreprocessingSpec:
        """How the slices were prepared."""
        return self.maker.preprocessing

    @property
    def description(self) -> dict[str, Any]:
        """What the training card says of the cohort."""
        return self.maker.describe(self.count)

    def patients(self, split: str | None = None) -> StoredStudies:
        """Studies of a split, or all of them.

        Raises:
            DatasetError: no such split.
        """
        if split is not None:
            check_split(split)
        return StoredStudies(
            [
                study_file(self.folder, number)
                for number in range(self.count)
                if split in (None, self.maker.split(number))
            ]
        )


def build(
    folder: Path,
    maker: Maker,
    *,
    patients: int,
    workers: int = 1,
    splits: Collection[str] = SPLITS,
    progress: Progress | None = None,
) -> Cohort:
    """Make the studies that a folder lacks, at low priority, and return the cohort.

    Args:
        folder: the cohort's folder; an interrupted or smaller cohort in it is continued.
        maker: of the studies.
        patients: number of studies.
        workers: processes.
        splits: what is needed now: studies of other splits are not made.
        progress: told as studies are stored, at the maker's stage.
    Raises:
        DatasetError: a split does not exist, or the folder holds another cohort.
    """
    _claim(folder, maker)
    for split in splits:
        check_split(split)
    missing = [
        number
        for number in range(patients)
        if maker.split(number) in splits and not study_file(folder, number).exists()
    ]
    done = patients - len(missing)
    groups = maker.groups(missing) if missing else []
    for made in in_processes(store, [(folder, maker, group) for group in groups], max(1, workers)):
        done += made
        if progress:
            progress(maker.stage, done, patients)
    return Cohort(folder, maker, patients)


def study_file(folder: Path, number: int) -> Path:
    """Where a study is stored."""
    return folder / f"{number:06d}.npz"


def store(folder: Path, maker: Maker, numbers: Sequence[int]) -> int:
    """Make and store studies, each whole or not at all; how many there were."""
    for number in numbers:
        save_study(study_file(folder, number), maker.make(number))
    return len(numbers)


def in_processes(
    work: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], workers: int
) -> Iterator[Any]:
    """What `work` returns for the arguments of each task, in the order in which they are done.

    Args:
        work: a function at the top of its module.
        tasks: arguments of each call.
        workers: processes of low priority; 0 calls it here, in turn.
    """
    if not workers:
        yield from (work(*task) for task in tasks)
    elif tasks:
        spawn = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        with ProcessPoolExecutor(workers, spawn, initializer=_be_nice) as pool:
            for done in as_completed([pool.submit(work, *task) for task in tasks]):
                yield done.result()


def _be_nice() -> None:
    """Low priority and one thread of OpenCV, for a process that builds."""
    os.nice(10)
    cv2.setNumThreads(1)


def _claim(folder: Path, maker: Maker) -> None:
    """Write what determines the cohort into its folder, or compare it with what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = json.dumps(maker.made_from(), indent=2)
    path = folder / "cohort.json"
    if not path.exists():
        write_whole(path, wanted)
    elif path.read_text(encoding="utf-8") != wanted:
        raise DatasetError(
            f"{folder} holds another cohort",
            expected=maker.same,
            remedy="choose another folder, or delete this one",
        )


def fingerprint(study: Study, start: bytes = b"") -> str:
    """SHA-256 of a study as this version makes it: no cohort mixes versions."""
    digest = hashlib.sha256(start)
    for array in (study.image, study.mask, study.slice_markers):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


FORMAT = 2
SITES = 12
EXPANSION_RATE = {"hypodensity": 0.202, "irregular": 0.14, "blend": 0.35}
"""Share of haematomas that expand, by marker: the paper's figures (section 1)."""
BASE_EXPANSION_RATE = 0.08
"""Without a marker: an assumption, the paper gives none."""
_PLACE = {code: place for place, code in enumerate(MARKER_CODES)}
BLOCK = 20
"""Every 20 consecutive patients hold 14 for training, 3 for validation and 3 for testing."""


def draw_expanded(seed: int, number: int, markers: NDArray[np.int8]) -> int:
    """Whether the haematoma of a number expands: drawn from `EXPANSION_RATE`, 1 or 0."""
    rates = [rate for code, rate in EXPANSION_RATE.items() if markers[_PLACE[code]] == 1]
    chance = np.random.default_rng((seed, FORMAT, number, 1)).random()
    return int(chance < max(rates, default=BASE_EXPANSION_RATE))


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomMaker:
    """Makes a cohort of phantoms from twelve sites; its fields determine it to the last pixel.

    Args:
        seed: draws sites, patients and the split.
        preprocessing: how slices are prepared.
        blood_free: slices without blood kept of each patient, evenly spaced over the head; None
            keeps all.
        sites: the scanners; patient i was scanned at site i modulo their number.
    """

    stage: ClassVar[str] = "phantoms"
    same: ClassVar[str] = "the same seed, sites, preprocessing and version of the phantoms"

    seed: int = 1
    preprocessing: PreprocessingSpec = field(default_factory=PreprocessingSpec)
    blood_free: int | None = 6
    sites: tuple[SiteSpec, ...] = ()

    def __post_init__(self) -> None:
        if not self.sites:
            rng = np.random.default_rng((self.seed, FORMAT))
            drawn = [random_site(rng) for _ in range(SITES)]
            named = (replace(site, name=f"site-{i + 1:02d}") for i, site in enumerate(drawn))
            object.__setattr__(self, "sites", tuple(named))

    def phantom(self, number: int) -> PhantomSpec:
        """The specification of a patient."""
        rng = np.random.default_rng((self.seed, FORMAT, number))
        drawn = random_spec(rng, site=self.sites[number % len(self.sites)])
        return replace(drawn, patient_id=f"PHANTOM-{number:06d}")

    def split(self, number: int) -> str:
        """The split a patient belongs to; it never changes when the cohort grows."""
        order = np.random.default_rng((self.seed, number // BLOCK)).permutation(BLOCK)
        place = order[number % BLOCK]
        return "train" if place < 14 else "validation" if place < 17 else "test"

    def expanded(self, number: int, markers: NDArray[np.int8]) -> int:
        """Whether the patient's haematoma expands, see `draw_expanded`."""
        return draw_expanded(self.seed, number, markers)

    def groups(self, numbers: Sequence[int]) -> list[list[int]]:
        """Every patient alone."""
        return [[number] for number in numbers]

    def make(self, number: int) -> Study:
        """Make and prepare a patient."""
        study = prepare_phantom(make_phantom(self.phantom(number)), self)
        return replace(study, expanded=self.expanded(number, study.patient_markers))

    def made_from(self) -> dict[str, Any]:
        """The fields, and the SHA-256 of a small phantom as this version makes it."""
        site = replace(self.sites[0], matrix=64, slices=5, slice_spacing_mm=15.0)
        phantom = make_phantom(replace(self.phantom(0), site=site))
        example = fingerprint(prepare_phantom(phantom, replace(self, blood_free=None)))
        return {"format": FORMAT, "phantom": example, **asdict(self)}

    def describe(self, patients: int) -> dict[str, Any]:
        """See `Maker`."""
        return {
            "name": "phantoms",
            "licence": "Apache-2.0",
            "patients": patients,
            "sites": len(self.sites),
            "seed": self.seed,
        }


def build_cohort(
    folder: Path,
    *,
    patients: int,
    seed: int = 1,
    spec: PreprocessingSpec | None = None,
    workers: int = 1,
    blood_free: int | None = 6,
    sites: tuple[SiteSpec, ...] = (),
    splits: Collection[str] = SPLITS,
    progress: Progress | None = None,
) -> Cohort:
    """A cohort of phantoms: for the arguments see `PhantomMaker` and `build`.

    Raises:
        DatasetError: a split does not exist, or the folder holds another cohort.
    """
    maker = PhantomMaker(
        seed=seed, preprocessing=spec or PreprocessingSpec(), blood_free=blood_free, sites=sites
    )
    return build(
        folder, maker, patients=patients, workers=workers, splits=splits, progress=progress
    )


def prepare_phantom(phantom: Phantom, maker: PhantomMaker) -> Study:
    """Prepare a phantom's slices with blood and some of those without."""
    blood = np.asarray(phantom.mask.any((1, 2)))
    kept = kept_slices(blood, ~blood, maker.blood_free)
    prepared = prepare(phantom.volume, maker.preprocessing)
    images, masks = [], []
    for index in kept:
        ready = prepared[int(index)]
        images.append(stored_grey(ready.image))
        masks.append(ready.transform.to_grid(phantom.mask[index]) >= 0.5)
    lesion = phantom.spec.lesion
    slice_markers = phantom.slice_markers[kept]
    return Study(
        patient_id=phantom.spec.patient_id,
        site=phantom.spec.site.name,
        location=lesion.location if lesion else "",
        image=np.stack(images),
        mask=np.stack(masks),
        known=np.ones((len(kept), *images[0].shape), bool),
        slice_markers=slice_markers,
        patient_markers=patient_truth(slice_markers),
        expanded=UNKNOWN,
        slice_index=kept.astype(np.int16),
        haematoma_volume_ml=phantom.haematoma_volume_ml,
    )
