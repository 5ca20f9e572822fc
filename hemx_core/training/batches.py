"""Batches as a function of the step, shared out between processes and loader workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import lightning
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from hemx_core.errors import TrainingError

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
