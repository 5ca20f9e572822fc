"""One study of a cohort of inserted haematomas: drawn, imaged at its site, prepared. Torch-free.

Each number is drawn from (cohort seed, number). Its background patient is of the number's split, in the
split of `phe_sich.split_patients`, so patients never cross; studies on one background share its patient.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemx_core.data import phe_sich
from hemx_core.data.phantom_cohort import CohortSpec
from hemx_core.data.real_background import RealBackground, boxed_slices, read_background
from hemx_core.data.study import UNKNOWN, PreparedStudy, patient_truth
from hemx_core.data.virtual_site import VirtualSite, draw_sites, image_at
from hemx_core.errors import DatasetError
from hemx_core.imaging.prepare import prepare_slice
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.phantom import random_spec
from hemx_core.phantom.background import grain
from hemx_core.phantom.insert import Inserted, insert_lesion
from hemx_core.phantom.place import place

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
