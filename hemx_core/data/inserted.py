"""A cohort of phantom haematomas in real slices: exact masks and markers on real texture. Torch-free.

Every study is drawn, imaged at a virtual site (noise, kernel, thickness and window of another scanner) and
prepared. The cohort is kept in a folder like one of phantoms, and can be continued and enlarged.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.costs import Progress
from hemx_core.data import phe_sich
from hemx_core.data.cohort import Cohort, build, draw_expanded, fingerprint
from hemx_core.data.real_background import RealBackground, boxed_slices, read_background
from hemx_core.data.study import SPLITS, UNKNOWN, Study, kept_slices, patient_truth, stored_grey
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
LICENCE = "research use, non-commercial (backgrounds: PHE-SICH-CT-IDS)"


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertedMaker:
    """Makes a cohort of haematomas in real slices; its fields determine it to the last pixel.

    Args:
        seed: draws sites, lesions, places and the split of numbers.
        preprocessing: how slices are prepared.
        blood_free: slices without blood kept of each study, evenly spaced; None keeps all.
        sites: number i is imaged at site i modulo their number; empty draws twelve.
        source: folder of phe_sich, whose table of slices is part of what determines the cohort.
    """

    stage: ClassVar[str] = "inserted"
    same: ClassVar[str] = "the same seed, sites, preprocessing, source and version of the insertion"

    seed: int = 1
    preprocessing: PreprocessingSpec = field(default_factory=PreprocessingSpec)
    blood_free: int | None = 6
    sites: tuple[VirtualSite, ...] = ()
    source: Path

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

    def groups(self, numbers: Sequence[int]) -> list[list[int]]:
        """Numbers that start on one background, together: reading it takes longer than a lesion."""
        splits = source_index(self.source)[1]
        groups: dict[str, list[int]] = {}
        for number in numbers:
            groups.setdefault(self.backgrounds(number, splits)[0], []).append(number)
        return list(groups.values())

    def make(self, number: int) -> Study:
        """Insert and prepare a study; it expands as a phantom of its seed and number would."""
        study = prepare_inserted(*self.draw(number), self, number)
        expanded = draw_expanded(self.seed, number, study.patient_markers)
        return replace(study, expanded=expanded)

    def made_from(self) -> dict[str, Any]:
        """The fields, and the SHA-256 of the source's table with a study as this version makes it."""
        table = (self.source / "slices.csv").read_bytes()
        example = fingerprint(prepare_inserted(*self.draw(0), self, 0), table)
        fields = {name: value for name, value in asdict(self).items() if name != "source"}
        return {"format": FORMAT, "inserted": example, **fields}

    def describe(self, patients: int) -> dict[str, Any]:
        """See `Maker`."""
        return {
            "name": "phantom haematomas in real slices",
            "licence": LICENCE,
            "attribution": phe_sich.ATTRIBUTION,
            "patients": patients,
            "sites": len(self.sites),
            "seed": self.seed,
        }

    def draw(self, number: int) -> tuple[RealBackground, Inserted]:
        """The background and the lesion of a number; patients that serve no clot are passed over.

        Raises:
            DatasetError: no patient of the split has room for the lesion.
        """
        splits = source_index(self.source)[1]
        rng = np.random.default_rng((self.seed, FORMAT, 5, number))
        drawn = random_spec(rng)
        for patient in self.backgrounds(number, splits)[:ATTEMPTS]:
            real = _background(self.source, patient)
            if real is None or drawn.lesion is None:
                continue
            found = place(real.background, drawn.lesion, rng, seed=drawn.seed)
            if found is None or found.outside + found.fluid > 0.2:
                continue
            inserted = insert_lesion(real.background, found)
            if inserted.mask.any():
                return real, inserted
        raise DatasetError(
            f"no background for number {number} of split {self.split(number)}",
            expected="patients with lesion-free slices at the level of the basal ganglia",
            remedy="check the folder of phe_sich",
        )


def prepare_inserted(
    real: RealBackground, inserted: Inserted, maker: InsertedMaker, number: int
) -> Study:
    """Image the slices at the number's site and prepare those with blood and some without."""
    background = real.background
    site = maker.sites[number % len(maker.sites)]
    rng = np.random.default_rng((maker.seed, FORMAT, 7, number))
    kept = kept_slices(inserted.touched, real.free & ~inserted.touched, maker.blood_free)
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
        ready = prepare_slice(
            hu,
            maker.preprocessing,
            pixel_spacing_mm=(pixel, pixel),
            clipped_to_hu=window,
            index=int(index),
        )
        images.append(stored_grey(ready.image))
        masks.append(ready.transform.to_grid(inserted.mask[index]) >= 0.5)
    markers = inserted.slice_markers[kept]
    return Study(
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
) -> Cohort:
    """A cohort in real slices: for the arguments see `InsertedMaker` and `cohort.build`.

    Args:
        folder: outside the repository: it shows real slices.
        source_folder: of phe_sich; None finds it through `HEMX_DATA`.
    Raises:
        DatasetError: the source is missing, a split does not exist, or the folder holds another cohort.
    """
    maker = InsertedMaker(
        seed=seed,
        preprocessing=spec or PreprocessingSpec(),
        blood_free=blood_free,
        source=source_folder or phe_sich.data_folder(),
    )
    return build(
        folder, maker, patients=patients, workers=workers, splits=splits, progress=progress
    )
