"""Pairs of scans with known growth in real slices: what `benchmarks.growth inserted` measures.

The haematomas are inserted into lesion-free slices of patients whom neither stage 2 nor a threshold has seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemx_core.data.inserted_study import source_index
from hemx_core.data.real_background import RealBackground, read_background
from hemx_core.errors import DatasetError
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from hemx_core.phantom import random_spec
from hemx_core.phantom.insert import Inserted, insert_pair
from hemx_core.phantom.place import place

SEED = 505
SPLIT = "test"
LARGEST_OUTSIDE = 0.2
"""A placement with more of the clot outside the brain or in fluid is drawn again."""
ATTEMPTS = 60
LEAST_SLICES = 5


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One scan and its truth: mask bool, shape (slices, rows, columns), and volume in mL."""

    volume: HUVolume
    mask: NDArray[np.bool_]
    true_ml: float


def scans_with_growth(index: int, source: Path) -> list[Scan]:
    """A patient's two scans: one in four without growth, else 0.8 to 2 times the volume.

    Raises:
        DatasetError: no patient has room for a haematoma and its growth.
    """
    rng = np.random.default_rng([SEED, index])
    factor = 1.0 if rng.random() < 0.25 else float(rng.uniform(0.8, 2.0))
    patients = source_index(source)[1][SPLIT]
    for _ in range(ATTEMPTS):
        patient = str(rng.choice(patients))
        real = _background(source, patient)
        drawn = random_spec(rng)
        if real is None or drawn.lesion is None:
            continue
        placed = place(real.background, drawn.lesion, rng, seed=drawn.seed)
        if placed is None or placed.outside + placed.fluid > LARGEST_OUTSIDE:
            continue
        pair = insert_pair(real.background, placed, factor, rng)
        if not all(one.mask.any() for one in pair):
            continue
        kept = clean_run(real.background.usable, pair[0].mask | pair[1].mask)
        if kept is not None:
            return [_scan(one, patient, kept) for one in pair]
    raise DatasetError(
        f"no room for pair {index} in the {SPLIT} patients",
        expected="patients with lesion-free slices at the level of the basal ganglia",
        remedy="check the folder of phe_sich",
    )


def clean_run(usable: NDArray[np.bool_], mask: NDArray[np.bool_]) -> slice | None:
    """The unbroken run of lesion-free slices round a clot; None where the clot leaves it or it is short.

    The patient's own haematoma is covered only where the reference knows it. On other slices a part of it
    can show, and a scan that holds these slices would have more blood than its truth.

    Args:
        usable: lesion-free slices, shape (slices,).
        mask: the clot, shape (slices, rows, columns).
    """
    bloody = np.flatnonzero(mask.any((1, 2)))
    first, last = int(bloody[0]), int(bloody[-1]) + 1
    if not usable[first:last].all():
        return None
    while first > 0 and usable[first - 1]:
        first -= 1
    while last < len(usable) and usable[last]:
        last += 1
    return slice(first, last) if last - first >= LEAST_SLICES else None


def _scan(inserted: Inserted, patient: str, kept: slice) -> Scan:
    background = inserted.background
    pixel = background.pixel_mm
    volume = HUVolume.from_array(
        np.stack([inserted.hu(index) for index in range(kept.start, kept.stop)]),
        spacing_mm=(background.slice_mm, pixel, pixel),
        clipped_to_hu=background.window_hu,
        identity=SeriesIdentity(patient_id=patient, source="inserted"),
    )
    return Scan(volume, inserted.mask[kept], inserted.volume_ml)


@lru_cache(maxsize=4)
def _background(source: Path, patient: str) -> RealBackground | None:
    rows, _, boxed = source_index(source)
    return read_background(source, rows[patient], boxed)
