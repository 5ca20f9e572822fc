"""The one training loop: Lightning with checkpoints, resume, a log and bf16, in one process or several.

Batches are a function of the step alone, so a resumed run sees what an uninterrupted one would have. Each
process runs the network on its share of the batch; the outputs are gathered, and every process computes
the loss of the whole batch. The gather's backward sums over the W processes and DDP divides by W, so the
gradient is that of one process with the whole batch, for any loss, Dice included.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import lightning
import numpy as np
import torch
import torch.distributed as dist
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch import Tensor
from torch.distributed.nn import functional as dist_functional
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from hemx_core.errors import TrainingError
from hemx_core.nn.inference import AUTO, resolve_precision
from hemx_core.training.config import Compute, Precision


def world_size() -> int:
    """Number of training processes; 1 where training is not distributed."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def is_first() -> bool:
    """Whether this process writes the results (rank 0, or the only one)."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank() == 0
    return True


def launched_processes() -> tuple[int, int] | None:
    """(processes on this node, nodes) as torchrun set them; None where it did not start us."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return None
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    return here, int(os.environ["WORLD_SIZE"]) // here


def whole_batch(share: Tensor) -> Tensor:
    """The shares of all processes joined along the first axis, with gradients; itself where alone.

    Args:
        share: this process's part, shape (N, …); every process must have as many samples.
    """
    if world_size() == 1:
        return share
    share = share.contiguous()
    if share.requires_grad and torch.is_grad_enabled():
        return torch.cat(dist_functional.all_gather(share))
    parts = [torch.empty_like(share) for _ in range(world_size())]
    dist.all_gather(parts, share)
    return torch.cat(parts)


Batch = dict[str, torch.Tensor]


@runtime_checkable
class Shares(Protocol):
    """A maker of batches that can make one process's share without the rest."""

    def share(self, step: int, rank: int, world: int) -> Batch:
        """Every `world`-th sample of the step's batch from `rank` on."""


class StepBatches(IterableDataset[Batch]):
    """Endless batches, each made from its step number.

    Args:
        make_batch: step to batch; must draw all its randomness from the step and a fixed seed.
        start: first step.
        rank: this process's number among `world`; its batch is every `world`-th sample.
        world: processes that train together.
    """

    def __init__(
        self, make_batch: Callable[[int], Batch], *, start: int, rank: int = 0, world: int = 1
    ) -> None:
        self.make_batch = make_batch
        self.start = start
        self.rank, self.world = rank, world

    def __iter__(self) -> Iterator[Batch]:
        """Batches of the steps `start`, `start + 1`, …"""
        worker = get_worker_info()  # the loader takes turns, so worker i of n makes every n-th step
        step, stride = (
            (self.start, 1) if worker is None else (self.start + worker.id, worker.num_workers)
        )
        while True:
            yield self.batch(step)
            step += stride

    def batch(self, step: int) -> Batch:
        """This process's share of a step's batch."""
        if self.world == 1:
            return self.make_batch(step)
        if isinstance(self.make_batch, Shares):
            return self.make_batch.share(step, self.rank, self.world)
        return {k: v[self.rank :: self.world] for k, v in self.make_batch(step).items()}


class Batches(lightning.LightningDataModule):
    """Makes the loaders in each process, once its rank is known."""

    def __init__(
        self,
        make_batch: Callable[[int], Batch],
        *,
        start: int,
        validation: DataLoader[Any] | None,
        workers: int,
    ) -> None:
        super().__init__()
        self.make_batch, self.start, self.workers = make_batch, start, workers
        self.validation = validation

    def train_dataloader(self) -> DataLoader[Any]:
        """Endless batches from the first step on.

        Raises:
            TrainingError: the batch cannot be shared out evenly.
        """
        world = self.trainer.world_size
        batches = StepBatches(
            self.make_batch, start=self.start, rank=self.trainer.global_rank, world=world
        )
        if world > 1:
            samples = len(next(iter(self.make_batch(self.start).values())))
            if samples % world:
                raise TrainingError(
                    f"a batch of {samples} for {world} processes",
                    expected="a batch that they can share evenly",
                    remedy="change the batch or the number of processes",
                )
        return DataLoader(
            batches,
            batch_size=None,
            num_workers=self.workers,
            pin_memory=torch.cuda.is_available(),
        )

    def val_dataloader(self) -> DataLoader[Any] | list[Any]:
        """The whole validation set in every process, so that its scores need no gathering."""
        return self.validation if self.validation is not None else []


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
    precision: Precision | str = AUTO,
    gradient_clip: float | None = 1.0,
    compute: Compute | None = None,
    seed: int = 1,
) -> None:
    """Train a module for a number of optimiser steps.

    Args:
        module: knows its loss and optimiser.
        make_batch: step to batch, see `StepBatches`.
        run_dir: `checkpoints/`, and for each start `log/from_step_N/metrics.csv` and
            `tensorboard/from_step_N/`, go here.
        max_steps: optimiser steps in all, resumed ones included.
        validation: batches of the validation set.
        validate_every: steps between validations.
        checkpoint_every: steps between checkpoints; only the newest is kept.
        resume: continue the newest checkpoint in `run_dir`.
        precision: of Lightning, or `auto`, see `resolve_precision`.
        gradient_clip: largest norm of the gradient; None, as manual optimisation demands, clips none.
        compute: processes and loader; batch normalisation is synchronised between GPUs only.
        seed: of what a network draws itself (stochastic depth), anew at every step.
    Raises:
        TrainingError: the run exists and `resume` is not set, the loss is not finite, or the batch
            cannot be shared out evenly.
    """
    compute = compute or Compute()
    newest = latest_checkpoint(run_dir)
    if newest and not resume:
        raise TrainingError(
            f"{run_dir} already holds a run at step {checkpoint_step(newest)}",
            expected="an empty run folder",
            remedy="add --resume to go on, or choose another folder",
        )
    start = checkpoint_step(newest)
    trainer = lightning.Trainer(
        **_machine(compute),
        precision=resolve_precision(precision),
        max_steps=max_steps,
        val_check_interval=validate_every,
        check_val_every_n_epoch=None,
        limit_val_batches=1.0 if validation is not None else 0,
        num_sanity_val_steps=0,
        gradient_clip_val=gradient_clip,
        log_every_n_steps=min(20, max(1, max_steps // 100)),
        callbacks=_callbacks(run_dir, checkpoint_every, seed),
        # Logs of their own for each start: Lightning empties a log folder that exists.
        logger=[
            CSVLogger(
                run_dir, name="log", version=f"from_step_{start}", flush_logs_every_n_steps=20
            ),
            TensorBoardLogger(run_dir, name="tensorboard", version=f"from_step_{start}"),
        ],
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.fit(
        module,
        datamodule=Batches(
            make_batch, start=start, validation=validation, workers=compute.loader_workers
        ),
        ckpt_path=str(newest) if newest else None,
        weights_only=False,
    )
    end = run_dir / "checkpoints" / f"step={trainer.global_step}.ckpt"
    if not trainer.strategy.broadcast(end.exists()):  # all processes save together or none does
        trainer.save_checkpoint(end)


def _callbacks(run_dir: Path, checkpoint_every: int, seed: int) -> list[lightning.Callback]:
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
        SeedEachStep(seed),
    ]
    return [*callbacks, RichProgressBar()] if sys.stderr.isatty() else callbacks


def _machine(compute: Compute) -> dict[str, Any]:
    """Lightning's arguments for a number of processes."""
    devices, nodes = launched_processes() or (compute.devices, compute.nodes)
    several = devices * nodes > 1
    return {
        "accelerator": "auto",
        "devices": devices,
        "num_nodes": nodes,
        "strategy": "ddp" if several else "auto",
        "sync_batchnorm": several and torch.cuda.is_available(),
    }


class SeedEachStep(lightning.Callback):
    """Seeds torch from step and rank, so that a resumed run drops the paths that it would have."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int
    ) -> None:
        """Seed the step."""
        key = (self.seed, trainer.global_step, trainer.global_rank)
        torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1))


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


def freeze_batch_norm(network: torch.nn.Module) -> None:
    """Put all batch normalisation into evaluation mode: it uses and keeps its statistics."""
    for layer in network.modules():
        if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
            layer.eval()


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
