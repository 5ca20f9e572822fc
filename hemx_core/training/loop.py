"""The one training loop: Lightning with checkpoints, resume, a log and bf16.

Batches are a function of the step alone, so a resumed run sees what an uninterrupted one would have.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, IterableDataset

from hemx_core.errors import TrainingError

Batch = dict[str, torch.Tensor]


class StepBatches(IterableDataset[Batch]):
    """Endless batches, each made from its step number.

    Args:
        make_batch: step to batch; must draw all its randomness from the step and a fixed seed.
        start: first step.
    """

    def __init__(self, make_batch: Callable[[int], Batch], *, start: int) -> None:
        self.make_batch = make_batch
        self.start = start

    def __iter__(self) -> Iterator[Batch]:
        """Batches of the steps `start`, `start + 1`, …"""
        step = self.start
        while True:
            yield self.make_batch(step)
            step += 1


def latest_checkpoint(run_dir: Path) -> Path | None:
    """The newest checkpoint of a run, by step; None where there is none."""
    found = [
        (int(path.stem.split("=")[-1]), path)
        for path in (run_dir / "checkpoints").glob("step=*.ckpt")
    ]
    return max(found)[1] if found else None


def checkpoint_step(path: Path | None) -> int:
    """Optimiser steps done at a checkpoint."""
    return int(path.stem.split("=")[-1]) if path else 0


def fit(
    module: lightning.LightningModule,
    make_batch: Callable[[int], Batch],
    *,
    run_dir: Path,
    max_steps: int,
    validation: DataLoader[Any] | None = None,
    validate_every: int = 200,
    checkpoint_every: int = 100,
    resume: bool = False,
    precision: str = "bf16-mixed",
) -> None:
    """Train a module for a number of optimiser steps.

    Args:
        module: knows its loss and optimiser.
        make_batch: step to batch, see `StepBatches`.
        run_dir: `checkpoints/`, and `log/from_step_N/metrics.csv` for each start, go here.
        max_steps: optimiser steps in all, resumed ones included.
        validation: batches of the validation set.
        validate_every: steps between validations.
        checkpoint_every: steps between checkpoints; only the newest is kept.
        resume: continue the newest checkpoint in `run_dir`.
        precision: of Lightning; `bf16-mixed` trains twice as fast on CPUs that have it.
    Raises:
        TrainingError: the run exists and `resume` is not set, or the loss is not finite.
    """
    newest = latest_checkpoint(run_dir)
    if newest and not resume:
        raise TrainingError(
            f"{run_dir} already holds a run at step {checkpoint_step(newest)}",
            expected="an empty run folder",
            remedy="add --resume to go on, or choose another folder",
        )
    start = checkpoint_step(newest)
    batches = StepBatches(make_batch, start=start)
    callbacks: list[lightning.Callback] = [
        ModelCheckpoint(
            run_dir / "checkpoints",
            filename="{step}",
            every_n_train_steps=checkpoint_every,
            save_top_k=1,
            monitor="step",
            mode="max",
        ),
        LearningRateMonitor("step"),
        StopOnBadLoss(),
    ]
    interactive = sys.stderr.isatty()
    if interactive:
        callbacks.append(RichProgressBar())
    trainer = lightning.Trainer(
        accelerator="auto",
        devices=1,
        precision=precision,  # type: ignore[arg-type]
        max_steps=max_steps,
        val_check_interval=validate_every,
        check_val_every_n_epoch=None,
        limit_val_batches=1.0 if validation is not None else 0,
        num_sanity_val_steps=0,
        gradient_clip_val=1.0,
        log_every_n_steps=20,
        callbacks=callbacks,
        # A log of its own for each start: Lightning empties a log folder that exists.
        logger=CSVLogger(
            run_dir, name="log", version=f"from_step_{start}", flush_logs_every_n_steps=20
        ),
        enable_progress_bar=interactive,
        enable_model_summary=False,
    )
    trainer.fit(
        module,
        DataLoader(batches, batch_size=None),
        validation,
        ckpt_path=str(newest) if newest else None,
        weights_only=False,
    )
    end = run_dir / "checkpoints" / f"step={trainer.global_step}.ckpt"
    if not end.exists():
        trainer.save_checkpoint(end)


class StopOnBadLoss(lightning.Callback):
    """A loss that is not finite ends the run at once, with the step."""

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Raise TrainingError where the loss is not finite."""
        loss = outputs["loss"] if isinstance(outputs, dict) else outputs
        if loss is not None and not torch.isfinite(loss).all():
            raise TrainingError(
                f"the loss is {float(loss)} at step {trainer.global_step}",
                expected="a finite loss",
                remedy="lower the learning rate and resume from the last checkpoint",
            )


def one_cycle(
    module: torch.nn.Module, *, steps: int, peak: float, weight_decay: float
) -> dict[str, Any]:
    """AdamW with a one-cycle schedule per step, as Lightning wants it from `configure_optimizers`.

    Weight decay is kept off biases and normalisation (one-dimensional parameters).
    """
    trained = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=peak)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=peak, total_steps=max(steps, 2), pct_start=min(0.3, max(0.1, 100 / steps))
    )
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
