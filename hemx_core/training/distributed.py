"""Training in several processes: one loss over the batch of all of them.

Each process runs the network on its share of the batch; the outputs are gathered, and every process
computes the loss of the whole batch. The gather's backward sums over the W processes and DDP divides
by W, so the gradient is that of one process with the whole batch, for any loss, Dice included.
"""

from __future__ import annotations

import os

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.nn import functional as dist_functional


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
