"""A cohort of phantoms from twelve sites, made once, prepared for the network and kept in a folder.

Torch-free. Each patient is drawn from (cohort seed, patient number), so a cohort can be continued
after an interruption and enlarged later without changing the patients in it. The folder (claimed,
numbered, fingerprinted) has the same layout for every kind of cohort.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Collection
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.costs import Progress
from hemx_core.data.study import (
    SPLITS,
    UNKNOWN,
    PreparedStudy,
    StoredStudies,
    check_split,
    patient_truth,
    save_study,
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


def patient_file(folder: Path, number: int) -> Path:
    """Where a study is stored."""
    return folder / f"{number:06d}.npz"


def stored_studies(
    folder: Path, count: int, split_of: Callable[[int], str], split: str | None
) -> StoredStudies:
    """Studies of a split, or all of them.

    Raises:
        DatasetError: no such split.
    """
    if split is not None:
        check_split(split)
    numbers = [number for number in range(count) if split in (None, split_of(number))]
    return StoredStudies([patient_file(folder, number) for number in numbers])


def missing_studies(
    folder: Path, count: int, split_of: Callable[[int], str], splits: Collection[str]
) -> list[int]:
    """Numbers below `count`, of the splits, that have no file yet.

    Raises:
        DatasetError: no such split.
    """
    for split in splits:
        check_split(split)
    return [
        number
        for number in range(count)
        if split_of(number) in splits and not patient_file(folder, number).exists()
    ]


def claim(folder: Path, made_from: dict[str, Any], *, expected: str) -> None:
    """Write what determines a cohort into its folder, or compare it with what is there.

    Args:
        folder: made if missing.
        made_from: JSON values.
        expected: what has to be the same, for the error.
    Raises:
        DatasetError: the folder holds another cohort.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = json.dumps(made_from, indent=2)
    path = folder / "cohort.json"
    if not path.exists():
        write_whole(path, wanted)
    elif path.read_text(encoding="utf-8") != wanted:
        raise DatasetError(
            f"{folder} holds another cohort",
            expected=expected,
            remedy="choose another folder, or delete this one",
        )


def fingerprint(study: PreparedStudy, start: bytes = b"") -> str:
    """SHA-256 of a study as this version makes it: no cohort mixes versions."""
    digest = hashlib.sha256(start)
    for array in (study.image, study.mask, study.slice_markers):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def be_nice() -> None:
    """Low priority and one thread of OpenCV, for a process that builds."""
    os.nice(10)
    cv2.setNumThreads(1)


FORMAT = 2
SITES = 12
EXPANSION_RATE = {"hypodensity": 0.202, "irregular": 0.14, "blend": 0.35}
"""Share of haematomas that expand, by marker: the paper's figures (section 1)."""
BASE_EXPANSION_RATE = 0.08
"""Without a marker: an assumption, the paper gives none."""
_PLACE = {code: place for place, code in enumerate(MARKER_CODES)}
BLOCK = 20
"""Every 20 consecutive patients hold 14 for training, 3 for validation and 3 for testing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortSpec:
    """What determines a cohort's patients, to the last pixel.

    Args:
        seed: draws sites, patients and the split.
        preprocessing: how slices are prepared.
        blood_free: slices without blood kept of each patient, evenly spaced over the head; None
            keeps all.
        sites: the scanners; patient i was scanned at site i modulo their number.
    """

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
        """Whether the patient's haematoma expands: drawn from `EXPANSION_RATE`, 1 or 0."""
        rates = [rate for code, rate in EXPANSION_RATE.items() if markers[_PLACE[code]] == 1]
        chance = np.random.default_rng((self.seed, FORMAT, number, 1)).random()
        return int(chance < max(rates, default=BASE_EXPANSION_RATE))


@dataclass(frozen=True, slots=True)
class Cohort:
    """A cohort in a folder."""

    folder: Path
    spec: CohortSpec
    count: int

    @property
    def preprocessing(self) -> PreprocessingSpec:
        """How the slices were prepared."""
        return self.spec.preprocessing

    @property
    def description(self) -> dict[str, Any]:
        """What the training card says of the cohort."""
        return {
            "name": "phantoms",
            "licence": "Apache-2.0",
            "patients": self.count,
            "sites": len(self.spec.sites),
            "seed": self.spec.seed,
        }

    def patients(self, split: str | None = None) -> StoredStudies:
        """Patients of a split, or all of them.

        Raises:
            DatasetError: no such split.
        """
        return stored_studies(self.folder, self.count, self.spec.split, split)


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
    """Make the patients that a folder lacks, at low priority, and return the cohort.

    Args:
        folder: the cohort's folder; an interrupted or smaller cohort in it is continued.
        patients: number of patients.
        seed, blood_free, sites: see `CohortSpec`.
        spec: preprocessing; None takes the default one.
        workers: processes.
        splits: what is needed now: patients of other splits are not made.
        progress: told after every patient, stage `phantoms`.
    Raises:
        DatasetError: a split does not exist, or the folder holds another cohort.
    """
    preprocessing = spec or PreprocessingSpec()
    cohort = CohortSpec(seed=seed, preprocessing=preprocessing, blood_free=blood_free, sites=sites)
    claim(
        folder,
        {"format": FORMAT, "phantom": _fingerprint(cohort), **asdict(cohort)},
        expected="the same seed, sites, preprocessing and version of the phantoms",
    )
    missing = missing_studies(folder, patients, cohort.split, splits)
    if missing:
        spawn = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        with ProcessPoolExecutor(max(1, workers), spawn, initializer=be_nice) as pool:
            tasks = [pool.submit(make_patient, folder, cohort, number) for number in missing]
            for done, task in enumerate(as_completed(tasks), patients - len(missing) + 1):
                task.result()
                if progress:
                    progress("phantoms", done, patients)
    return Cohort(folder, cohort, patients)


def make_patient(folder: Path, cohort: CohortSpec, number: int) -> None:
    """Make, prepare and store one patient, whole or not at all."""
    patient = prepare_phantom(make_phantom(cohort.phantom(number)), cohort)
    expanded = cohort.expanded(number, patient.patient_markers)
    save_study(patient_file(folder, number), replace(patient, expanded=expanded))


def prepare_phantom(phantom: Phantom, cohort: CohortSpec) -> PreparedStudy:
    """Prepare a phantom's slices with blood and some of those without."""
    blood = np.flatnonzero(phantom.mask.any((1, 2)))
    other = np.flatnonzero(~phantom.mask.any((1, 2)))
    if cohort.blood_free is not None:
        picks = np.linspace(0, len(other) - 1, min(cohort.blood_free, len(other)))
        other = other[np.unique(picks.round().astype(int))] if len(other) else other
    prepared = prepare(phantom.volume, cohort.preprocessing)
    kept = np.sort(np.concatenate([blood, other]))
    images, masks = [], []
    for index in kept:
        one = prepared[int(index)]
        images.append((np.rint(one.image * 255) / 255).astype(np.float16))
        masks.append(one.transform.to_grid(phantom.mask[index]) >= 0.5)
    lesion = phantom.spec.lesion
    slice_markers = phantom.slice_markers[kept]
    return PreparedStudy(
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


def _fingerprint(cohort: CohortSpec) -> str:
    """SHA-256 of a small phantom as this version makes it: no cohort mixes versions."""
    site = replace(cohort.sites[0], matrix=64, slices=5, slice_spacing_mm=15.0)
    phantom = make_phantom(replace(cohort.phantom(0), site=site))
    return fingerprint(prepare_phantom(phantom, replace(cohort, blood_free=None)))
