"""A cohort of haematomas that pass for real ones: real outlines and texture, exact labels. Torch-free.

Drawn on the prepared grid, so that a slice takes milliseconds. Kept in a folder like a cohort of phantoms.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from hemx_core.costs import Progress
from hemx_core.data import phe_sich
from hemx_core.data.cohort import Cohort, build, draw_expanded, fingerprint
from hemx_core.data.lesion_drawing import draw_lesion
from hemx_core.data.lesion_material import Material, read_material
from hemx_core.data.study import SPLITS, Study, patient_truth, stored_grey
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.phantoms.resynthesis import Rates

FORMAT = 1
BLOCK = 20
"""Every 20 consecutive numbers hold 14 for training, 3 for validation and 3 for testing."""
EXAMPLE_PATIENTS = 6
LICENCE = "research use, non-commercial (outlines, texture, backgrounds: PHE-SICH-CT-IDS)"
_PLACE = {"train": 0, "validation": 14, "test": 17}


@dataclass(frozen=True, slots=True, kw_only=True)
class RealLesionMaker:
    """Makes a cohort of resynthesised haematomas; its fields determine it to the last pixel.

    Args:
        seed: draws lesions, places and the split of numbers.
        preprocessing: how slices are prepared.
        rates: of the kinds.
        fold: cross-validation over all patients: those of the fold, on whom the networks are scored,
            make the studies for validation and test, all others those for training. None: the studies
            of a split are made of the patients that phe_sich's split has there.
        blood_free: slices that never showed blood, kept of each study.
        source: folder of phe_sich, whose table of slices is part of what determines the cohort.
    """

    stage: ClassVar[str] = "real lesions"
    same: ClassVar[str] = (
        "the same seed, rates, preprocessing, source and version of the resynthesis"
    )

    seed: int = 1
    preprocessing: PreprocessingSpec = field(default_factory=PreprocessingSpec)
    rates: Rates = field(default_factory=Rates)
    fold: phe_sich.Fold | None = None
    blood_free: int = 2
    source: Path

    def split(self, number: int) -> str:
        """The split a number belongs to; it never changes when the cohort grows."""
        order = np.random.default_rng((self.seed, FORMAT, number // BLOCK)).permutation(BLOCK)
        place = order[number % BLOCK]
        return max((name for name in SPLITS if _PLACE[name] <= place), key=_PLACE.__getitem__)

    def groups(self, numbers: Sequence[int]) -> list[list[int]]:
        """Numbers of a split, some hundred together: their material is read once."""
        groups = []
        for split in SPLITS:
            own = [number for number in numbers if self.split(number) == split]
            groups += [own[start : start + 100] for start in range(0, len(own), 100)]
        return groups

    def make(self, number: int) -> Study:
        """Draw a study; it expands as a phantom of its seed and number would."""
        return self.study(number, _material(self.source, self.sources(number), self.preprocessing))

    def sources(self, number: int) -> tuple[str, ...]:
        """Patients that a number's study is made of."""
        rows = _rows(self.source)
        splits = (
            phe_sich.split_by_fold(rows, self.fold) if self.fold else phe_sich.split_patients(rows)
        )
        return tuple(splits[self.split(number)])

    def study(self, number: int, material: Material) -> Study:
        """The study of a number from given material."""
        rng = np.random.default_rng((self.seed, FORMAT, 5, number))
        pixel = self.preprocessing.pixel_mm
        drawn = draw_lesion(rng, material, pixel_mm=pixel, rates=self.rates)
        image, mask, known = drawn.hu / 80, drawn.mask, drawn.known
        markers, index = drawn.markers, drawn.ground.number[drawn.index]
        free = np.flatnonzero(drawn.ground.never_bled)
        free = free[np.linspace(0, len(free) - 1, min(self.blood_free, len(free))).astype(int)]
        if len(free):
            plain = drawn.ground.image[free].astype(np.float32) / 255
            image = np.concatenate([image, plain])
            mask = np.concatenate([mask, np.zeros(plain.shape, np.bool_)])
            known = np.concatenate([known, np.ones(plain.shape, np.bool_)])
            markers = np.concatenate([markers, np.zeros((len(free), 4), np.int8)])
            index = np.concatenate([index, drawn.ground.number[free]])
        order = np.argsort(index)
        patient = patient_truth(markers)
        return Study(
            patient_id=f"phe_sich-{drawn.ground.patient}",
            site="",
            location="",
            image=stored_grey(image[order].astype(np.float32)),
            mask=mask[order],
            known=known[order],
            slice_markers=markers[order],
            patient_markers=patient,
            expanded=draw_expanded(self.seed, number, patient),
            slice_index=index[order].astype(np.int16),
            haematoma_volume_ml=float(
                mask.sum() * pixel**2 * phe_sich.ASSUMED_SPACING_MM[0] / 1000
            ),
        )

    def made_from(self) -> dict[str, Any]:
        """The fields, and the SHA-256 of the source's table with a study as this version makes it."""
        table = (self.source / "slices.csv").read_bytes()
        rows = _rows(self.source)
        some = [p for p in self.sources(self._first()) if any(r.haematoma_px for r in rows[p])]
        few = _material(self.source, tuple(some[:EXAMPLE_PATIENTS]), self.preprocessing)
        example = fingerprint(self.study(0, few), table)
        fields = {name: value for name, value in asdict(self).items() if name != "source"}
        return {"format": FORMAT, "resynthesised": example, **fields}

    def describe(self, patients: int) -> dict[str, Any]:
        """See `Maker`."""
        return {
            "name": "haematomas resynthesised from real ones",
            "licence": LICENCE,
            "attribution": phe_sich.ATTRIBUTION,
            "patients": patients,
            "seed": self.seed,
        }

    def _first(self) -> int:
        """The first number for training."""
        return next(number for number in range(BLOCK) if self.split(number) == "train")


def patient_folds(patients: Sequence[str], folds: int) -> list[tuple[str, ...]]:
    """The patients of each fold; the same patients and number of folds give the same ones.

    Raises:
        DatasetError: fewer than three folds (to score, to validate, to train on), or too few patients.
    """
    if folds < 3 or len(patients) < folds:
        raise DatasetError(
            f"{folds} folds of {len(patients)} patients",
            expected="at least three folds, and a patient for each",
            remedy="choose another number of folds",
        )
    order = np.random.default_rng((FORMAT, 11, folds)).permutation(len(patients))
    ordered = sorted(patients)
    return [tuple(sorted(ordered[i] for i in order[k::folds])) for k in range(folds)]


@lru_cache(maxsize=3)
def _material(source: Path, patients: tuple[str, ...], spec: PreprocessingSpec) -> Material:
    """Material, kept for the next number of the split: reading it takes longer than a hundred studies."""
    return read_material(source, patients, spec)


@lru_cache(maxsize=2)
def _rows(source: Path) -> dict[str, list[phe_sich.SliceRow]]:
    return phe_sich.read_rows(source)


def build_real_lesion_cohort(
    folder: Path,
    *,
    patients: int,
    seed: int = 1,
    spec: PreprocessingSpec | None = None,
    source_folder: Path | None = None,
    fold: phe_sich.Fold | None = None,
    workers: int = 1,
    splits: Collection[str] = SPLITS,
    progress: Progress | None = None,
) -> Cohort:
    """A cohort of resynthesised haematomas: for the arguments see `RealLesionMaker` and `cohort.build`.

    Args:
        folder: outside the repository: it shows real slices.
        source_folder: of phe_sich; None finds it through `HEMX_DATA`.
    Raises:
        DatasetError: the source is missing, a split does not exist, or the folder holds another cohort.
    """
    maker = RealLesionMaker(
        seed=seed,
        preprocessing=spec or PreprocessingSpec(),
        fold=fold,
        source=source_folder or phe_sich.data_folder(),
    )
    return build(
        folder, maker, patients=patients, workers=workers, splits=splits, progress=progress
    )
