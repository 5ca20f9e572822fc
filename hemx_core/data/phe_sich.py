"""The PHE-SICH-CT-IDS slices as a training set: 79 patients, derived reference masks.

Source: Ma et al. 2023, arXiv 2308.10521, figshare 23957937, non-commercial use. The folder is not part of
HEMX; it is found through the environment variable `HEMX_DATA`.
"""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.data.reference_check import Fault, check_reference
from hemx_core.errors import DatasetError
from hemx_core.imaging.prepare import GridTransform, prepare_slice
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.imaging.volume import HUVolume, SeriesIdentity

ASSUMED_SPACING_MM = (5.0, 0.45, 0.45)
"""(dz, dy, dx); the source records neither."""
VALIDATION_PATIENTS = 16
TEST_PATIENTS = 16
SPLIT_SEED = 2026
TEST_SEED = 2027
SPLITS = ("train", "validation", "test")
ATTRIBUTION = "PHE-SICH-CT-IDS (Ma et al. 2023, arXiv 2308.10521), non-commercial use"


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One row of `slices.csv`."""

    patient: str
    index: int
    window_lower: float
    window_upper: float
    haematoma_px: int


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPatient:
    """A patient's slices on the network's grid, with what brings masks back.

    `image` float16 in [0, 1], `mask` and `known` bool, all (slices, size, size); `known` is False on
    the pixels that the reference leaves open.
    """

    patient: str
    image: NDArray[np.float16]
    mask: NDArray[np.bool_]
    known: NDArray[np.bool_]
    transforms: tuple[GridTransform, ...]

    @property
    def with_blood(self) -> NDArray[np.bool_]:
        """Slices whose reference mask is not empty, shape (slices,)."""
        return np.asarray(self.mask.any((1, 2)))


@dataclass(frozen=True, slots=True)
class Fold:
    """A fold of the cross-validation over all patients.

    Args:
        number: of the fold that is held out, from 0; None holds nobody out.
        folds: how many there are.
    """

    number: int | None
    folds: int = 0


def data_folder() -> Path:
    """The folder `phe_sich` below `HEMX_DATA`.

    Raises:
        DatasetError: the variable is unset or the folder is missing.
    """
    root = os.environ.get("HEMX_DATA", "")
    folder = Path(root) / "phe_sich"
    if not root or not (folder / "slices.csv").is_file():
        raise DatasetError(
            f"HEMX_DATA is {root!r}" if root else "HEMX_DATA is not set",
            expected="a folder that holds phe_sich/slices.csv",
            remedy="set HEMX_DATA to the folder with the data sets, or train on phantoms only",
        )
    return folder


def read_rows(folder: Path) -> dict[str, list[SliceRow]]:
    """Rows of `slices.csv` by patient, in slice order."""
    rows: dict[str, list[SliceRow]] = defaultdict(list)
    with (folder / "slices.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            level, width = float(row["window_level"]), float(row["window_width"])
            rows[row["patient"]].append(
                SliceRow(
                    row["patient"],
                    int(row["slice"]),
                    level - width / 2,
                    level + width / 2,
                    int(row["haematoma_px"]),
                )
            )
    return {patient: sorted(found, key=lambda row: row.index) for patient, found in rows.items()}


def split_patients(rows: dict[str, list[SliceRow]]) -> dict[str, list[str]]:
    """Patients of each split: training, validation (settings are chosen there) and test (scored only).

    Validation and test each hold one patient of each of 16 groups of like volume, drawn by fixed
    seeds. Patients without a reference mask are trained on (as blood-free or unsure) only.
    """
    volumes = {p: sum(row.haematoma_px for row in found) for p, found in rows.items()}
    ordered = sorted((p for p, v in volumes.items() if v), key=lambda p: (volumes[p], p))
    validation = _one_of_each(ordered, VALIDATION_PATIENTS, SPLIT_SEED)
    others = [patient for patient in ordered if patient not in validation]
    test = _one_of_each(others, TEST_PATIENTS, TEST_SEED)
    train = sorted(set(rows) - set(validation) - set(test))
    return {"train": train, "validation": validation, "test": test}


def split_by_fold(rows: dict[str, list[SliceRow]], fold: Fold) -> dict[str, list[str]]:
    """The splits where a fold of all patients is held out: it validates and tests, the rest trains.

    Folds hold as many patients of each of several groups of like volume; they ignore
    `split_patients`. All patients train where `fold.number` is None: then nobody is held out.

    Raises:
        DatasetError: fewer than two folds, or fewer patients than folds.
    """
    if fold.number is None:
        return {"train": sorted(rows), "validation": [], "test": []}
    if fold.folds < 2 or len(rows) < fold.folds or not 0 <= fold.number < fold.folds:
        raise DatasetError(
            f"fold {fold.number} of {fold.folds} of {len(rows)} patients",
            expected="at least two folds, a patient for each, and numbers from 0",
            remedy="choose another fold",
        )
    volumes = {p: sum(row.haematoma_px for row in found) for p, found in rows.items()}
    ordered = sorted(rows, key=lambda p: (volumes[p], p))
    rng = np.random.default_rng((SPLIT_SEED, fold.folds))
    held = []
    for start in range(0, len(ordered), fold.folds):
        group = rng.permutation(ordered[start : start + fold.folds])
        # A group that is not full gives its patients to folds at random, not always to the first.
        dealt = rng.permutation(fold.folds)[: len(group)]
        held += [str(p) for p, k in zip(group, dealt, strict=True) if k == fold.number]
    held = sorted(held)
    return {"train": sorted(set(rows) - set(held)), "validation": held, "test": held}


def read_fold(text: str) -> Fold | None:
    """A fold as it is written on the command line: `0/5`, `all` (nobody is held out) or nothing.

    Raises:
        DatasetError: it is none of these.
    """
    if not text:
        return None
    if text == "all":
        return Fold(None)
    which, _, folds = text.partition("/")
    if not (which.isdecimal() and folds.isdecimal() and int(which) < int(folds) >= 2):
        raise DatasetError(
            f"fold {text!r}",
            expected="a number from 0 and the number of folds, as 0/5; or `all`",
            remedy="correct --lesion-fold",
        )
    return Fold(int(which), int(folds))


def _one_of_each(ordered: Sequence[str], groups: int, seed: int) -> list[str]:
    """One patient of each of as many equal groups of the ordered patients."""
    rng = np.random.default_rng(seed)
    return sorted(str(rng.choice(group)) for group in np.array_split(np.array(ordered), groups))


def read_hu(folder: Path, row: SliceRow) -> NDArray[np.int16]:
    """HU of one slice, clipped to the source's window, shape (rows, columns)."""
    grey = _read_image(folder / "images" / f"{row.patient}_{row.index:02d}.png")
    scale = (row.window_upper - row.window_lower) / 255
    hu = np.rint(row.window_lower + grey.astype(np.float32) * scale)
    return np.asarray(hu, dtype=np.int16)


def read_mask(folder: Path, kind: str, row: SliceRow) -> NDArray[np.bool_]:
    """A mask (`haematoma`, `oedema`, `unsure`) of one slice; empty where there is no file."""
    path = folder / kind / f"{row.patient}_{row.index:02d}.png"
    if not path.exists():
        return np.zeros((512, 512), bool)
    return _read_image(path) > 0


def read_volume(folder: Path, rows: Sequence[SliceRow]) -> HUVolume:
    """A patient's slices as a volume with the assumed spacing."""
    return HUVolume(
        np.stack([read_hu(folder, row) for row in rows]),
        spacing_mm=ASSUMED_SPACING_MM,
        clipped_to_hu=(rows[0].window_lower, rows[0].window_upper),
        identity=SeriesIdentity(patient_id=rows[0].patient, source="phe_sich"),
    )


def read_reference(
    folder: Path, rows: Sequence[SliceRow], volume: HUVolume, *, checked: bool = True
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], tuple[Fault, ...]]:
    """A patient's reference mask and where it may be relied on.

    Args:
        folder: the data set.
        rows: of the patient.
        volume: the patient's, from `read_volume`.
        checked: also leave open where the mask contradicts the picture (`reference_check`).
    Returns:
        mask and known, both (slices, 512, 512), and the faults found.
    """
    mask, unsure = (
        np.stack([read_mask(folder, kind, row) for row in rows]) for kind in ("haematoma", "unsure")
    )
    if not checked:
        return mask, ~unsure, ()
    opened, faults = check_reference(volume, mask, unsure)
    return mask, ~(unsure | opened), faults


def prepare_patient(
    folder: Path, rows: Sequence[SliceRow], spec: PreprocessingSpec
) -> PreparedPatient:
    """Prepare all slices and masks of a patient."""
    images, masks, knowns, transforms = [], [], [], []
    volume = read_volume(folder, rows)
    reference, known, _ = read_reference(folder, rows, volume)
    for place, row in enumerate(rows):
        prepared = prepare_slice(
            volume.hu[place],
            spec,
            pixel_spacing_mm=ASSUMED_SPACING_MM[1:],
            clipped_to_hu=(row.window_lower, row.window_upper),
            index=row.index,
        )
        to_grid = prepared.transform.to_grid
        images.append(prepared.image.astype(np.float16))
        masks.append(to_grid(reference[place]) >= 0.5)
        knowns.append(to_grid(~known[place]) < 0.5)
        transforms.append(prepared.transform)
    return PreparedPatient(
        rows[0].patient, np.stack(images), np.stack(masks), np.stack(knowns), tuple(transforms)
    )


def load_patients(
    spec: PreprocessingSpec, *, split: str, folder: Path | None = None, fold: Fold | None = None
) -> list[PreparedPatient]:
    """Prepared patients of a split, `train`, `validation` or `test`; with a fold, of `split_by_fold`.

    Raises:
        DatasetError: the data is missing or the split is unknown.
    """
    folder = folder or data_folder()
    rows = read_rows(folder)
    if split not in SPLITS:
        raise DatasetError(
            f"split {split!r}", expected=f"one of {SPLITS}", remedy="correct the name"
        )
    chosen = (split_by_fold(rows, fold) if fold else split_patients(rows))[split]
    return [prepare_patient(folder, rows[patient], spec) for patient in chosen]


def _read_image(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise DatasetError(
            f"{path.name} is missing or not a picture",
            expected="an 8-bit PNG of 512 x 512 pixels",
            remedy="copy the data set again",
        )
    return np.asarray(image, dtype=np.uint8)
