"""Stage 1: the U-Net learns to segment haematomas on real slices mixed with phantoms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from monai.losses import DiceLoss
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from hemx_core.errors import TrainingError
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights import load_segmenter
from hemx_core.training.config import SegmentationTraining
from hemx_core.training.loop import Batch, fit, freeze_batch_norm, one_cycle, whole_batch
from hemx_core.training.scoring.masks import Counts, pixel_counts
from hemx_core.training.slice_pools import BatchMaker, Pools, SlicePool


def loudness(features: list[Tensor], *, limit: float) -> Tensor:
    """Mean squared excess of the two deepest encoder maps over a limit.

    Without it single slices (vertex, skull base) drive these maps to 80 times the usual peak; an int8
    step wide enough for those is wider than an ordinary slice's signal.

    Args:
        features: encoder maps, shallow first, each (N, C, H, W).
        limit: magnitude that costs nothing.
    """
    excess = [functional.relu(maps.float().abs() - limit).square().mean() for maps in features[-2:]]
    return torch.stack(excess).sum()


class SegmentationModule(lightning.LightningModule):
    """BCE plus soft Dice over the batch, both without the pixels that the reference leaves open."""

    def __init__(self, config: SegmentationTraining) -> None:
        super().__init__()
        self.config = config
        self.network = _start(config).to(memory_format=torch.channels_last)
        self.dice = DiceLoss(batch=True)
        self.train()  # Lightning starts with the mode that it finds

    def loss(self, logits: Tensor, mask: Tensor, known: Tensor) -> Tensor:
        """Scalar loss over the batch of all processes; logits, mask and known are (N, 1, S, S)."""
        logits, mask, known = (whole_batch(part) for part in (logits.float(), mask, known))
        bce = functional.binary_cross_entropy_with_logits(logits, mask, weight=known)
        # MONAI's masked Dice applies the sigmoid after masking, which turns open pixels into 0.5.
        return bce + self.dice(torch.sigmoid(logits) * known, mask * known)

    def train(self, mode: bool = True) -> SegmentationModule:
        """Set the mode; frozen batch normalisation stays as it is."""
        super().train(mode)
        if self.config.frozen_batch_norm:
            freeze_batch_norm(self.network)
        return self

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Loss of a batch."""
        image = batch["image"].to(memory_format=torch.channels_last)
        features = self.network.encode(image)
        loss = self.loss(self.network.decode(image, features), batch["mask"], batch["known"])
        loud = loudness(features, limit=self.config.loudness_limit)
        self.log("loss", loss, prog_bar=True)
        self.log("loudness", loud)
        return loss + self.config.loudness_weight * loud

    def on_validation_epoch_start(self) -> None:
        """Forget the sums of the last validation."""
        self._sums: dict[int, Counts] = {}

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Add a batch (image, mask, known, patient) to the patients' sums."""
        image, mask, known, patient = batch
        logits, _features = self.network(image.float().to(memory_format=torch.channels_last))
        rows = pixel_counts(*(part[:, 0].cpu().numpy() for part in (logits > 0, mask, known)))
        for who, row in zip(patient.tolist(), rows, strict=True):
            self._sums[who] = self._sums.get(who, 0) + row

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


def fit_segmenter(
    config: SegmentationTraining,
    train: SlicePool | Pools,
    validation: Sequence[SlicePool],
    *,
    run_dir: Path,
    resume: bool = False,
    initial: Path | None = None,
) -> UNet:
    """Train a U-Net; writes checkpoints and logs into `run_dir` and nothing else.

    Args:
        config: settings; `preprocessing`, `location` and `split_by` were applied by whoever made
            the pools.
        train: slices to learn from.
        validation: a pool for each patient, scored during training; may be empty.
        run_dir: of this run alone.
        resume: go on from the newest checkpoint in `run_dir`.
        initial: weights to start from, instead of `config.initial`.
    Returns:
        The trained network in float32, on the CPU, in evaluation mode.
    Raises:
        DatasetError: no slices with blood, or none without.
        TrainingError: the folder holds a run and `resume` is not set, or `initial` does not fit.
    """
    config = config if initial is None else replace(config, initial=initial)
    pools = Pools(train, None) if isinstance(train, SlicePool) else train
    lightning.seed_everything(config.seed, verbose=False)
    batches = BatchMaker(config, real=pools.real, phantom=pools.phantom)
    module = SegmentationModule(config)
    fit(
        module,
        batches,
        run_dir=run_dir,
        max_steps=config.steps,
        validation=validation_loader(list(validation)) if validation else None,
        resume=resume,
        precision=config.precision,
        compute=config.compute,
        seed=config.seed,
    )
    return module.network.float().cpu().eval()


def _start(config: SegmentationTraining) -> UNet:
    network = UNet(config.network)
    if config.initial is None:
        return network
    try:
        network.load_state_dict(load_segmenter(config.initial).state_dict())
    except RuntimeError as error:
        raise TrainingError(
            f"{config.initial.name} holds another network than {config.network}",
            expected="weights of the same width and depth",
            remedy="give the width of the weights to start from",
        ) from error
    return network
