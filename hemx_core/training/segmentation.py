"""Stage 1: the U-Net learns to segment haematomas on real slices mixed with phantoms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import lightning
import numpy as np
import torch
from monai.losses import DiceLoss
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from hemx_core.data.augment import Augmentation, grey_values, random_affine, warp
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.nn.unet import UNet, UNetConfig
from hemx_core.training.loop import Batch, one_cycle


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationTraining:
    """Settings of a stage-1 run.

    Args:
        steps: optimiser steps.
        peak_lr: of the one-cycle schedule.
        real_blood, real_other, phantom_blood, phantom_other: slices of each kind in a batch; the
            phantom part is drawn from real slices where there are no phantoms, and the reverse.
        seed: of weights, batches and augmentation.
    """

    steps: int = 2000
    peak_lr: float = 2e-3
    weight_decay: float = 0.01
    real_blood: int = 4
    real_other: int = 2
    phantom_blood: int = 1
    phantom_other: int = 1
    seed: int = 1
    network: UNetConfig = field(default_factory=UNetConfig)
    preprocessing: PreprocessingSpec = field(default_factory=PreprocessingSpec)
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True, slots=True, eq=False)
class SlicePool:
    """Slices to draw from: image float16, mask and known bool, all (slices, size, size)."""

    image: NDArray[np.float16]
    mask: NDArray[np.bool_]
    known: NDArray[np.bool_]

    def __len__(self) -> int:
        """Number of slices."""
        return len(self.image)

    def choose(self, keep: NDArray[np.bool_]) -> SlicePool:
        """The slices where `keep` is True."""
        return SlicePool(self.image[keep], self.mask[keep], self.known[keep])

    @property
    def with_blood(self) -> NDArray[np.bool_]:
        """Slices whose mask is not empty, shape (slices,)."""
        return self.mask.any((1, 2))


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
        rng = np.random.default_rng((self.config.seed, step))
        drawn = [
            self._sample(rng, pool, int(rng.integers(len(pool))))
            for pool, count in self.parts
            for _ in range(count)
        ]
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


class SegmentationModule(lightning.LightningModule):
    """BCE plus soft Dice over the batch, both without the pixels that the reference leaves open."""

    def __init__(self, config: SegmentationTraining) -> None:
        super().__init__()
        self.config = config
        self.network = UNet(config.network).to(memory_format=torch.channels_last)
        self.dice = DiceLoss(batch=True)

    def loss(self, logits: Tensor, mask: Tensor, known: Tensor) -> Tensor:
        """Scalar loss of logits, mask and known, each (N, 1, S, S)."""
        logits = logits.float()
        bce = functional.binary_cross_entropy_with_logits(logits, mask, weight=known)
        # MONAI's masked Dice applies the sigmoid after masking, which turns open pixels into 0.5.
        return bce + self.dice(torch.sigmoid(logits) * known, mask * known)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Loss of a batch."""
        image = batch["image"].to(memory_format=torch.channels_last)
        loss = self.loss(self.network(image)[0], batch["mask"], batch["known"])
        self.log("loss", loss, prog_bar=True)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Forget the sums of the last validation."""
        self._sums: dict[int, NDArray[np.float64]] = {}

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Add a batch (image, mask, known, patient) to the patients' sums."""
        image, mask, known, patient = batch
        logits, _features = self.network(image.float().to(memory_format=torch.channels_last))
        found = (logits > 0) & known
        truth = mask & known
        empty = ~mask.flatten(1).any(1)
        for i, who in enumerate(patient.tolist()):
            false = int(found[i].sum()) if empty[i] else 0
            row = [
                int((found[i] & truth[i]).sum()),
                int(found[i].sum()),
                int(truth[i].sum()),
                false,
            ]
            self._sums[who] = self._sums.get(who, np.zeros(4)) + row

    def on_validation_epoch_end(self) -> None:
        """Log mean and worst Dice per patient and false blood per patient in pixels, on the grid."""
        sums = np.stack(list(self._sums.values()))
        dice = 2 * sums[:, 0] / np.maximum(sums[:, 1] + sums[:, 2], 1)
        self.log("val_dice", float(dice.mean()), prog_bar=True)
        self.log("val_dice_worst", float(dice.min()))
        self.log("val_false_px", float(sums[:, 3].mean()))

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW, one cycle."""
        config = self.config
        return one_cycle(
            self, steps=config.steps, peak=config.peak_lr, weight_decay=config.weight_decay
        )


def validation_loader(pools: list[SlicePool]) -> DataLoader[Any]:
    """Batches of (image, mask, known, patient number) over the patients' slices."""
    patient = np.concatenate([np.full(len(pool), i) for i, pool in enumerate(pools)])
    tensors = [
        torch.from_numpy(np.concatenate([getattr(pool, name) for pool in pools])[:, None])
        for name in ("image", "mask", "known")
    ]
    return DataLoader(TensorDataset(*tensors, torch.from_numpy(patient)), batch_size=8)
