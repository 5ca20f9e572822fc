"""Pools of slices that stage 1 draws its batches from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hemx_core.data.phe_sich import PreparedPatient
from hemx_core.data.study import PreparedStudy, StudySource
from hemx_core.errors import DatasetError


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
        return self.mask.any((1, 2))


class Pools(NamedTuple):
    """The two pools that a batch is mixed from, whatever their sources; one may be missing.

    `real` fills the parts `real_blood` and `real_other` of a batch, `phantom` the other two.
    """

    real: SlicePool | None
    phantom: SlicePool | None


def pool_of(studies: Sequence[PreparedStudy] | Sequence[PreparedPatient]) -> SlicePool:
    """All slices of prepared studies.

    Raises:
        DatasetError: there is no study.
    """
    kept = list(studies)
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
    patients: dict[str, list[PreparedStudy]] = {}
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
