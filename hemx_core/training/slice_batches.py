"""The batches of stage 1: augmented slices of two pools."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from hemx_core.data.augment import grey_values, random_affine, warp
from hemx_core.errors import DatasetError
from hemx_core.training.batches import Batch
from hemx_core.training.segmentation_config import SegmentationTraining
from hemx_core.training.slice_pools import SlicePool


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
        return np.stack([image, mask.astype(np.float32), known])
