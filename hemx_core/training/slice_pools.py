"""Pools of slices, and the augmented batches that stage 1 draws from two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from hemx_core.data.phe_sich import PreparedPatient
from hemx_core.data.study import Study, StudySource
from hemx_core.errors import DatasetError
from hemx_core.training.augment import grey_values, random_affine, warp
from hemx_core.training.config import SegmentationTraining
from hemx_core.training.loop import Batch


@dataclass(frozen=True, slots=True, eq=False)
class SlicePool:
    """Slices to draw from: image float16, mask and known bool, all (slices, size, size)."""

    image: NDArray[np.float16]
    mask: NDArray[np.bool_]
    known: NDArray[np.bool_]

    def __len__(self) -> int:
        """Number of slices."""
        return len(self.image)

    def choose(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> SlicePool:
        """The slices of a bool or index array."""
        return SlicePool(self.image[keep], self.mask[keep], self.known[keep])

    @property
    def with_blood(self) -> NDArray[np.bool_]:
        """Slices whose mask is not empty, shape (slices,)."""
        return np.asarray(self.mask.any((1, 2)))


class Pools(NamedTuple):
    """The two pools that a batch is mixed from, whatever their sources; one may be missing.

    `real` fills the parts `real_blood` and `real_other` of a batch, `phantom` the other two.
    """

    real: SlicePool | None
    phantom: SlicePool | None


def pool_of(studies: Sequence[Study] | Sequence[PreparedPatient]) -> SlicePool:
    """All slices of prepared studies.

    Raises:
        DatasetError: there is no study.
    """
    kept: list[Study | PreparedPatient] = list(studies)
    if not kept:
        raise DatasetError(
            "no study to take slices from",
            expected="at least one",
            remedy="check splits and locations, or add studies",
        )
    return SlicePool(
        np.concatenate([study.image for study in kept]),
        np.concatenate([study.mask for study in kept]),
        np.concatenate([study.known for study in kept]),
    )


def source_pools(source: StudySource, split: str, *, location: str = "") -> list[SlicePool]:
    """One pool for each patient of a source's split.

    Args:
        source: of the studies.
        split: `train`, `validation` or `test`.
        location: take studies of haematomas there only; empty takes all.
    """
    patients: dict[str, list[Study]] = {}
    for study in source.patients(split):
        if location in ("", study.location):
            patients.setdefault(study.patient_id, []).append(study)
    return [pool_of(studies) for studies in patients.values()]


def join(pools: Sequence[SlicePool]) -> SlicePool | None:
    """Several pools as one; None where there is none."""
    if not pools:
        return None
    parts = ([getattr(pool, name) for pool in pools] for name in ("image", "mask", "known"))
    return SlicePool(*(np.concatenate(part) for part in parts))


def split_by_slice(pools: Sequence[SlicePool], *, seed: int) -> list[SlicePool]:
    """Deal the slices of all pools out anew at random; every pool keeps its number of slices.

    This is the random split of the paper's first experiment: slices of one patient get into
    training and test, so its scores are too good. It is there to show by how much.
    """
    everything = join(pools)
    if everything is None:
        return []
    order = np.random.default_rng((seed, len(everything))).permutation(len(everything))
    ends = np.cumsum([len(pool) for pool in pools])[:-1]
    return [everything.choose(np.sort(part)) for part in np.split(order, ends)]


class BatchMaker:
    """Makes the batch of a step from real and phantom slices; the same step gives the same batch.

    Raises:
        DatasetError: there is no slice with blood, or none without.
    """

    def __init__(
        self, config: SegmentationTraining, *, real: SlicePool | None, phantom: SlicePool | None
    ) -> None:
        self.config = config
        self.parts: list[tuple[SlicePool, int]] = []
        first, second = real or phantom, phantom or real
        if first is None or second is None:
            raise DatasetError(
                "neither real nor phantom slices",
                expected="at least one of them",
                remedy="set HEMX_DATA or build a phantom cohort",
            )
        counts = (
            (first, config.real_blood, config.real_other),
            (second, config.phantom_blood, config.phantom_other),
        )
        for pool, blood, other in counts:
            for keep, count in ((pool.with_blood, blood), (~pool.with_blood, other)):
                if count and not keep.any():
                    raise DatasetError(
                        "a data set without slices with blood, or without slices without",
                        expected="both kinds",
                        remedy="add studies, or set that part of the batch to 0",
                    )
                self.parts.append((pool.choose(keep), count))

    def __call__(self, step: int) -> Batch:
        """Batch of a step: image, mask and known, each (N, 1, S, S), float32."""
        return self.share(step, 0, 1)

    def share(self, step: int, rank: int, world: int) -> Batch:
        """Every `world`-th sample of the step's batch from `rank` on."""
        wanted = [pool for pool, count in self.parts for _ in range(count)]
        drawn = []
        for number in range(rank, len(wanted), world):
            rng = np.random.default_rng((self.config.seed, step, number))
            pool = wanted[number]
            drawn.append(self._sample(rng, pool, int(rng.integers(len(pool)))))
        stacked = np.stack(drawn)[:, :, None]
        image, mask, known = (torch.from_numpy(stacked[:, i].copy()) for i in range(3))
        return {"image": image, "mask": mask, "known": known}

    def _sample(self, rng: np.random.Generator, pool: SlicePool, index: int) -> NDArray[np.float32]:
        size = pool.image.shape[-1]
        matrix = random_affine(rng, size, self.config.augmentation)
        image = warp(pool.image[index].astype(np.float32), matrix)
        mask = warp(pool.mask[index].astype(np.float32), matrix) >= 0.5
        known = warp(pool.known[index].astype(np.float32), matrix, nearest=True)
        known[warp(np.ones_like(image), matrix, nearest=True) == 0] = 1.0
        image = grey_values(rng, image, self.config.augmentation)
        sample = np.stack([image, mask.astype(np.float32), known])
        patch = self.config.patch
        return sample[(..., *_patch(rng, mask, patch))] if patch else sample


def _patch(rng: np.random.Generator, mask: NDArray[np.bool_], side: int) -> tuple[slice, slice]:
    """A window at random; where there is blood, one that holds a blood pixel drawn at random."""
    last = np.array(mask.shape) - side
    first = np.zeros(2, int)
    blood = np.argwhere(mask)
    if len(blood):
        pixel = blood[rng.integers(len(blood))]
        first, last = np.maximum(first, pixel - side + 1), np.minimum(last, pixel)
    row, column = rng.integers(first, last + 1)
    return slice(row, row + side), slice(column, column + side)
