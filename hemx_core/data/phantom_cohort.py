"""A cohort of phantoms from twelve sites, made once, prepared for the network and kept in a folder.

Torch-free. Each patient is drawn from (cohort seed, patient number), so a cohort can be continued
after an interruption and enlarged later; the patients that exist stay what they are.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.costs import Progress
from hemx_core.errors import DatasetError
from hemx_core.imaging.prepare import prepare
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.phantom import Phantom, PhantomSpec, SiteSpec, make_phantom, random_site, random_spec

FORMAT = 1
SITES = 12
SPLITS = ("train", "val", "test")
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
        return "train" if place < 14 else "val" if place < 17 else "test"


@dataclass(frozen=True, slots=True, eq=False)
class PhantomPatient:
    """Prepared slices of one phantom with their truth.

    Args:
        patient_id: as in the phantom's identity.
        site: name of the site.
        image: shape (slices, size, size), float16 in [0, 1] (kept in 255 steps on disk).
        mask: haematoma on the grid, same shape, bool.
        slice_markers: 1 present, 0 absent, -1 not decidable, shape (slices, 4), int8.
        slice_index: number of each kept slice in its volume, shape (slices,).
        haematoma_volume_ml: of the native mask.
    """

    patient_id: str
    site: str
    image: NDArray[np.float16]
    mask: NDArray[np.bool_]
    slice_markers: NDArray[np.int8]
    slice_index: NDArray[np.int16]
    haematoma_volume_ml: float

    @property
    def with_blood(self) -> NDArray[np.bool_]:
        """Slices whose mask is not empty, shape (slices,)."""
        return np.asarray(self.mask.any((1, 2)))

    @property
    def patient_markers(self) -> NDArray[np.int8]:
        """The patient's truth, shape (4,), int8.

        1 where any slice shows the marker; else -1 where a slice lies in that marker's grey zone
        (slices too small for any marker do not count); else 0.
        """
        judged = self.slice_markers[(self.slice_markers >= 0).any(1)]
        grey = np.where((judged == -1).any(0), np.int8(-1), np.int8(0))
        return np.where((judged == 1).any(0), np.int8(1), grey)


class CohortPatients(Sequence[PhantomPatient]):
    """Patients of a split, each read from its file when asked for."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(files)

    def __len__(self) -> int:
        """Number of patients."""
        return len(self._files)

    def __iter__(self) -> Iterator[PhantomPatient]:
        """Patients in order of their number."""
        return (load_patient(path) for path in self._files)

    def __getitem__(self, index: int) -> PhantomPatient:  # type: ignore[override]
        """Read one patient."""
        return load_patient(self._files[index])


@dataclass(frozen=True, slots=True)
class Cohort:
    """A cohort in a folder."""

    folder: Path
    spec: CohortSpec
    count: int

    def patients(self, split: str | None = None) -> CohortPatients:
        """Patients of a split (`train`, `val`, `test`), or all of them.

        Raises:
            DatasetError: no such split.
        """
        if split is not None and split not in SPLITS:
            raise DatasetError(
                f"split {split!r}", expected=f"one of {SPLITS}", remedy="correct the name"
            )
        numbers = [i for i in range(self.count) if split in (None, self.spec.split(i))]
        return CohortPatients([patient_file(self.folder, number) for number in numbers])


def build_cohort(
    folder: Path,
    *,
    patients: int,
    seed: int = 1,
    spec: PreprocessingSpec | None = None,
    workers: int = 1,
    blood_free: int | None = 6,
    sites: tuple[SiteSpec, ...] = (),
    progress: Progress | None = None,
) -> Cohort:
    """Make the patients that a folder lacks, at low priority, and return the cohort.

    Args:
        folder: the cohort's folder; an interrupted or smaller cohort in it is continued.
        patients: number of patients.
        seed, blood_free, sites: see `CohortSpec`.
        spec: preprocessing; None takes the default one.
        workers: processes.
        progress: told after every patient, stage `phantoms`.
    Raises:
        DatasetError: the folder holds another cohort.
    """
    preprocessing = spec or PreprocessingSpec()
    cohort = CohortSpec(seed=seed, preprocessing=preprocessing, blood_free=blood_free, sites=sites)
    _claim(folder, cohort)
    missing = [i for i in range(patients) if not patient_file(folder, i).exists()]
    if missing:
        spawn = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        with ProcessPoolExecutor(max(1, workers), spawn, initializer=_be_nice) as pool:
            tasks = [pool.submit(make_patient, folder, cohort, number) for number in missing]
            for done, task in enumerate(as_completed(tasks), patients - len(missing) + 1):
                task.result()
                if progress:
                    progress("phantoms", done, patients)
    return Cohort(folder, cohort, patients)


def make_patient(folder: Path, cohort: CohortSpec, number: int) -> None:
    """Make, prepare and store one patient, whole or not at all."""
    patient = prepare_phantom(make_phantom(cohort.phantom(number)), cohort)
    path = patient_file(folder, number)
    draft = path.with_suffix(".tmp")
    fields = {name: getattr(patient, name) for name in PhantomPatient.__slots__}
    fields["image"] = np.rint(patient.image * np.float32(255)).astype(np.uint8)
    fields["mask"] = np.packbits(patient.mask, axis=-1)
    with draft.open("wb") as stream:
        np.savez(stream, **fields)
    draft.replace(path)


def prepare_phantom(phantom: Phantom, cohort: CohortSpec) -> PhantomPatient:
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
    return PhantomPatient(
        patient_id=phantom.spec.patient_id,
        site=phantom.spec.site.name,
        image=np.stack(images),
        mask=np.stack(masks),
        slice_markers=phantom.slice_markers[kept],
        slice_index=kept.astype(np.int16),
        haematoma_volume_ml=phantom.haematoma_volume_ml,
    )


def patient_file(folder: Path, number: int) -> Path:
    """Where a patient is stored."""
    return folder / f"{number:06d}.npz"


def load_patient(path: Path) -> PhantomPatient:
    """Read one patient.

    Raises:
        DatasetError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            values: dict[str, Any] = {name: stored[name] for name in stored.files}
        values["image"] = (values["image"] / np.float32(255)).astype(np.float16)
        size = values["image"].shape[-1]
        values["mask"] = np.unpackbits(values["mask"], axis=-1, count=size).astype(bool)
        for name in ("patient_id", "site", "haematoma_volume_ml"):
            values[name] = values[name].item()
        return PhantomPatient(**values)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise DatasetError(
            f"{path.name} cannot be read: {error}",
            expected="a patient that build_cohort wrote",
            remedy="delete the file and build the cohort again",
        ) from error


def _claim(folder: Path, cohort: CohortSpec) -> None:
    """Write the cohort's description into its folder, or compare it with the one there."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = json.dumps(
        {"format": FORMAT, "phantom": _fingerprint(cohort), **asdict(cohort)}, indent=2
    )
    path = folder / "cohort.json"
    if not path.exists():
        draft = path.with_suffix(".tmp")
        draft.write_text(wanted, encoding="utf-8")
        draft.replace(path)
    elif path.read_text(encoding="utf-8") != wanted:
        raise DatasetError(
            f"{folder} holds another cohort",
            expected="the same seed, sites, preprocessing and version of the phantoms",
            remedy="choose another folder, or delete this one",
        )


def _fingerprint(cohort: CohortSpec) -> str:
    """SHA-256 of a small phantom as this version makes it: no cohort mixes versions."""
    site = replace(cohort.sites[0], matrix=64, slices=5, slice_spacing_mm=15.0)
    phantom = make_phantom(replace(cohort.phantom(0), site=site))
    patient = prepare_phantom(phantom, replace(cohort, blood_free=None))
    digest = hashlib.sha256()
    for array in (patient.image, patient.mask, patient.slice_markers):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _be_nice() -> None:
    os.nice(10)
    cv2.setNumThreads(1)
