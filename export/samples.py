"""Prepared slices for calibration and verification: real ones, else phantoms."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemx_core.data import phe_sich
from hemx_core.errors import DatasetError
from hemx_core.imaging.prepare import GridTransform, PreparedSlice, prepare
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.phantoms import make_phantom, random_spec

DATA_VARIABLE = "HEMX_DATA"
REAL_FOLDER = "phe_sich"
CALIBRATION_PATIENTS = 16
PHANTOM_STUDIES = 8
BLOOD_SHARE = 0.6
"""Of the calibration slices: the ranges must cover blood, and the quiet slices too."""
CALIBRATION_SEED, PARITY_SEED = 11, 12


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Prepared slices.

    Args:
        images: shape (slices, size, size), float32, [0, 1].
        transforms: how each slice lies on the grid.
        blood: whether the reference shows blood, shape (slices,), bool.
        source: what they are, for the manifest.
    """

    images: NDArray[np.float32]
    transforms: tuple[GridTransform, ...]
    blood: NDArray[np.bool_]
    source: str

    def __len__(self) -> int:
        """Number of slices."""
        return len(self.images)

    def take(self, indices: Iterable[int]) -> Samples:
        """The slices of these indices."""
        chosen = list(indices)
        transforms = tuple(self.transforms[i] for i in chosen)
        return Samples(self.images[chosen], transforms, self.blood[chosen], self.source)

    def join(self, other: Samples) -> Samples:
        """These slices and then the other's."""
        return Samples(
            np.concatenate([self.images, other.images]),
            self.transforms + other.transforms,
            np.concatenate([self.blood, other.blood]),
            f"{self.source}; {other.source}",
        )


def load_samples(
    spec: PreprocessingSpec, *, data: Path | None, calibration: int
) -> tuple[Samples, Samples]:
    """Slices to calibrate on and, of other patients, slices to verify with.

    Args:
        spec: how the segmenter's slices are prepared.
        data: folder that holds `phe_sich`; by default HEMX_DATA; without either, phantoms.
        calibration: number of calibration slices, of each kind.
    Returns:
        (calibration, parity). Real slices: of training patients, and phantoms beside them; of
        test patients.
    Raises:
        DatasetError: `data` was given and holds no data set.
    """
    folder = _real_folder(data)
    if folder is None:
        pool = phantom_samples(spec, seed=CALIBRATION_SEED)
        parity = phantom_samples(spec, seed=PARITY_SEED)
    else:
        splits = phe_sich.split_patients(phe_sich.read_rows(folder))
        train = splits["train"]
        step = math.ceil(len(train) / CALIBRATION_PATIENTS)
        pool = real_samples(spec, folder, train[::step], "training")
        parity = real_samples(spec, folder, splits["test"], "test")
        # The classifier has learned its markers on phantoms: their activations must be in range too.
        phantoms = phantom_samples(spec, seed=CALIBRATION_SEED)
        chosen = pool.take(choose(pool.blood, calibration))
        return chosen.join(phantoms.take(choose(phantoms.blood, calibration))), parity
    return pool.take(choose(pool.blood, calibration)), parity


def choose(blood: NDArray[np.bool_], count: int) -> list[int]:
    """Evenly spaced slices, `BLOOD_SHARE` of them with blood as far as there are so many."""
    with_blood, without = np.flatnonzero(blood), np.flatnonzero(~blood)
    bloody = min(round(count * BLOOD_SHARE), len(with_blood))
    quiet = min(count - bloody, len(without))
    return sorted([*_spread(with_blood, bloody), *_spread(without, quiet)])


def real_samples(spec: PreprocessingSpec, folder: Path, patients: list[str], split: str) -> Samples:
    """All slices of patients of PHE-SICH-CT-IDS that are not blank."""
    rows = phe_sich.read_rows(folder)
    prepared = [phe_sich.prepare_patient(folder, rows[patient], spec) for patient in patients]
    samples = Samples(
        np.concatenate([patient.image for patient in prepared]).astype(np.float32),
        tuple(transform for patient in prepared for transform in patient.transforms),
        np.concatenate([patient.with_blood for patient in prepared]),
        f"PHE-SICH-CT-IDS, {len(patients)} {split} patients",
    )
    return samples.take(np.flatnonzero(samples.images.any((1, 2))))


def phantom_samples(
    spec: PreprocessingSpec, *, seed: int, studies: int = PHANTOM_STUDIES, matrix: int = 256
) -> Samples:
    """All slices of random phantoms that are not blank."""
    rng = np.random.default_rng(seed)
    slices: list[PreparedSlice] = []
    blood: list[bool] = []
    for _ in range(studies):
        phantom = make_phantom(random_spec(rng, matrix=matrix))
        slices += list(prepare(phantom.volume, spec))
        blood += np.any(phantom.mask, (1, 2)).tolist()
    samples = Samples(
        np.stack([slice_.image for slice_ in slices]),
        tuple(slice_.transform for slice_ in slices),
        np.array(blood),
        f"{studies} phantoms, seed {seed}",
    )
    return samples.take(np.flatnonzero(samples.images.any((1, 2))))


def _real_folder(data: Path | None) -> Path | None:
    if data is None:
        return phe_sich.data_folder() if os.environ.get(DATA_VARIABLE) else None
    folder = data / REAL_FOLDER
    if not (folder / "slices.csv").is_file():
        raise DatasetError(
            f"no {REAL_FOLDER}/slices.csv in {data}",
            expected="the folder that holds the data sets",
            remedy="correct --data, or leave it out to use phantoms",
        )
    return folder


def _spread(indices: NDArray[np.intp], count: int) -> list[int]:
    if not count:
        return []
    places = np.linspace(0, len(indices) - 1, count).round().astype(int)
    return [int(indices[place]) for place in places]
