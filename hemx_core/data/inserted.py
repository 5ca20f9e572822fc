"""A cohort of phantom haematomas in real slices: exact masks and markers on real texture. Torch-free.

Every study is drawn, imaged at a virtual site (noise, kernel, thickness and window of another scanner) and
prepared. The cohort is kept in a folder like one of phantoms, and can be continued and enlarged.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.costs import Progress
from hemx_core.data import phe_sich
from hemx_core.data.cohort import (
    CohortSpec,
    be_nice,
    claim,
    fingerprint,
    missing_studies,
    patient_file,
    stored_studies,
)
from hemx_core.data.real_background import RealBackground, boxed_slices, read_background
from hemx_core.data.study import (
    SPLITS,
    UNKNOWN,
    PreparedStudy,
    StoredStudies,
    patient_truth,
    save_study,
)
from hemx_core.errors import DatasetError
from hemx_core.imaging.prepare import prepare_slice
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.phantoms import random_spec
from hemx_core.phantoms.background import grain
from hemx_core.phantoms.fields import Floats
from hemx_core.phantoms.insert import Inserted, insert_lesion, place

SITES = 12
WINDOWS_HU = ((-20.0, 100.0), (0.0, 80.0), (-10.0, 100.0), (0.0, 90.0))
SATURATED_HU = 1.0
"""Values this close to the window's ends are bone or air: they stay what they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualSite:
    """A change of slices that are there already.

    Args:
        name: the site's name.
        noise_sd_hu: standard deviation of the noise added.
        sharpness: kernel, -1 (smooth) to 1 (sharp, with edge enhancement); 0 changes nothing.
        offset_hu: calibration error.
        window_hu: the site's window; the answer is clipped to what it shares with the source's.
    """

    name: str
    noise_sd_hu: float
    sharpness: float
    offset_hu: float
    window_hu: tuple[float, float]


def draw_sites(seed: int, count: int = SITES) -> tuple[VirtualSite, ...]:
    """Draw sites: those of a smooth kernel get more noise, since smoothing takes some away."""
    rng = np.random.default_rng([seed, 47])
    sites = []
    for index in range(count):
        sharpness = float(rng.uniform(-0.8, 0.6))
        sites.append(
            VirtualSite(
                name=f"inserted-{index + 1:02d}",
                noise_sd_hu=float(rng.uniform(0.0, 2.5 - 1.0 * max(sharpness, 0))),
                sharpness=sharpness,
                offset_hu=float(rng.normal(0, 1.2)),
                window_hu=WINDOWS_HU[int(rng.integers(len(WINDOWS_HU)))],
            )
        )
    return tuple(sites)


def image_at(
    hu: NDArray[np.int16],
    site: VirtualSite,
    *,
    pixel_mm: float,
    window_hu: tuple[float, float],
    noise: Floats,
) -> tuple[NDArray[np.int16], tuple[float, float]]:
    """One slice as the site would show it: kernel, calibration, noise, window.

    Args:
        hu: shape (rows, columns), clipped to `window_hu`.
        site: the site.
        pixel_mm: pixel size.
        window_hu: the source's window.
        noise: of deviation 1, same shape, from `background.grain`.
    Returns:
        HU, same shape, and the window they are clipped to now.
    """
    lower = max(window_hu[0], site.window_hu[0])
    upper = min(window_hu[1], site.window_hu[1])
    picture = hu.astype(np.float32)
    if site.sharpness < 0:
        sigma = max(-0.6 * site.sharpness / pixel_mm, 0.05)
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    elif site.sharpness > 0:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.0 / pixel_mm)
        picture = picture + np.float32(0.6 * site.sharpness) * (picture - soft)
    picture += np.float32(site.offset_hu)
    picture += noise * np.float32(site.noise_sd_hu)
    # The true values of bone and air are lost: changed, they would read as tissue.
    ends = (hu <= window_hu[0] + SATURATED_HU) | (hu >= window_hu[1] - SATURATED_HU)
    changed = np.clip(np.where(ends, hu, np.rint(picture)), lower, upper).astype(np.int16)
    return changed, (lower, upper)


FORMAT = 1
BLOCK = 20
"""Every 20 consecutive numbers hold 12 for training, 4 for validation and 4 for testing."""
ATTEMPTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertedSpec:
    """What determines a cohort, to the last pixel.

    Args:
        seed: draws sites, lesions, places and the split of numbers.
        preprocessing: how slices are prepared.
        blood_free: slices without blood kept of each study, evenly spaced; None keeps all.
        sites: number i is imaged at site i modulo their number; empty draws twelve.
    """

    seed: int = 1
    preprocessing: PreprocessingSpec = field(default_factory=PreprocessingSpec)
    blood_free: int | None = 6
    sites: tuple[VirtualSite, ...] = ()

    def __post_init__(self) -> None:
        if not self.sites:
            object.__setattr__(self, "sites", draw_sites(self.seed))

    def split(self, number: int) -> str:
        """The split a number belongs to; it never changes when the cohort grows."""
        order = np.random.default_rng((self.seed, FORMAT, number // BLOCK)).permutation(BLOCK)
        place_ = order[number % BLOCK]
        return "train" if place_ < 12 else "validation" if place_ < 16 else "test"

    def backgrounds(self, number: int, patients: dict[str, list[str]]) -> list[str]:
        """Patients of the number's split, in the order in which they are tried."""
        split = self.split(number)
        pool = sorted(patients[split])
        before = sum(self.split(i) == split for i in range(number))
        lap, first = divmod(before, len(pool))
        order = np.random.default_rng((self.seed, FORMAT, 3, lap)).permutation(len(pool))
        turned = np.roll(order, -first)
        return [pool[int(i)] for i in turned]

    def expanded(self, number: int, markers: NDArray[np.int8]) -> int:
        """Whether the haematoma expands, drawn as `CohortSpec.expanded` draws it."""
        return CohortSpec(seed=self.seed).expanded(number, markers)


def draw_inserted(
    cohort: InsertedSpec, source: Path, number: int
) -> tuple[RealBackground, Inserted]:
    """The background and the lesion of a number; patients that serve no clot are passed over.

    Raises:
        DatasetError: no patient of the split has room for the lesion.
    """
    splits = source_index(source)[1]
    rng = np.random.default_rng((cohort.seed, FORMAT, 5, number))
    drawn = random_spec(rng)
    for patient in cohort.backgrounds(number, splits)[:ATTEMPTS]:
        real = _background(source, patient)
        if real is None or drawn.lesion is None:
            continue
        found = place(real.background, drawn.lesion, rng, seed=drawn.seed)
        if found is None or found.outside + found.fluid > 0.2:
            continue
        inserted = insert_lesion(real.background, found)
        if inserted.mask.any():
            return real, inserted
    raise DatasetError(
        f"no background for number {number} of split {cohort.split(number)}",
        expected="patients with lesion-free slices at the level of the basal ganglia",
        remedy="check the folder of phe_sich",
    )


def prepare_inserted(
    real: RealBackground, inserted: Inserted, cohort: InsertedSpec, number: int
) -> PreparedStudy:
    """Image the slices at the number's site and prepare those with blood and some without."""
    background = real.background
    site = cohort.sites[number % len(cohort.sites)]
    rng = np.random.default_rng((cohort.seed, FORMAT, 7, number))
    blood = np.flatnonzero(inserted.touched)
    other = np.flatnonzero(real.free & ~inserted.touched)
    if cohort.blood_free is not None:
        picks = np.linspace(0, len(other) - 1, min(cohort.blood_free, len(other)))
        other = other[np.unique(picks.round().astype(int))] if len(other) else other
    kept = np.sort(np.concatenate([blood, other]))
    pixel = background.pixel_mm
    noise = grain(rng, background.hu.shape[1:], pixel)
    images, masks = [], []
    for index in kept:
        # One field of noise for a study, moved about from slice to slice: drawing is slow.
        shifted = np.roll(noise, rng.integers(0, noise.shape), (0, 1))
        hu, window = image_at(
            inserted.hu(int(index)),
            site,
            pixel_mm=pixel,
            window_hu=background.window_hu,
            noise=shifted,
        )
        one = prepare_slice(
            hu,
            cohort.preprocessing,
            pixel_spacing_mm=(pixel, pixel),
            clipped_to_hu=window,
            index=int(index),
        )
        images.append((np.rint(one.image * 255) / 255).astype(np.float16))
        masks.append(one.transform.to_grid(inserted.mask[index]) >= 0.5)
    markers = inserted.slice_markers[kept]
    return PreparedStudy(
        patient_id=f"phe_sich-{real.patient}",
        site=site.name,
        location=inserted.placement.lesion.location,
        image=np.stack(images),
        mask=np.stack(masks),
        known=np.ones((len(kept), *images[0].shape), bool),
        slice_markers=markers,
        patient_markers=patient_truth(markers),
        expanded=UNKNOWN,
        slice_index=kept.astype(np.int16),
        haematoma_volume_ml=inserted.volume_ml,
    )


@lru_cache(maxsize=3)
def _background(source: Path, patient: str) -> RealBackground | None:
    """A patient's background, kept for the next number on it."""
    rows, _, boxed = source_index(source)
    return read_background(source, rows[patient], boxed)


@lru_cache(maxsize=2)
def source_index(
    source: Path,
) -> tuple[dict[str, list[phe_sich.SliceRow]], dict[str, list[str]], frozenset[tuple[str, int]]]:
    """Rows, splits and boxes of the source; in every split only patients with a reference mask."""
    rows = phe_sich.read_rows(source)
    bled = {patient for patient, found in rows.items() if any(r.haematoma_px for r in found)}
    splits = {
        name: [patient for patient in chosen if patient in bled]
        for name, chosen in phe_sich.split_patients(rows).items()
    }
    return rows, splits, boxed_slices(source)


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
