"""The classifier's loss: weighted binary cross-entropy over several labels (Eq. 2 of the paper)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

UNKNOWN = -1


def positive_weights(labels: Tensor, *, cap: float) -> Tensor:
    """Weight of each class's positive term: negatives / positives, within 1 / cap and cap.

    Args:
        labels: shape (samples, classes), 1 present, 0 absent, -1 not known (does not count).
        cap: keeps a rare class from drowning the others. A class without positives gets 1: its
            positive term never occurs.
    Returns:
        shape (classes,), float32.
    """
    positives = (labels == 1).sum(0).float()
    negatives = (labels == 0).sum(0).float()
    weights = (negatives / positives.clamp_min(1)).clamp(1 / cap, cap)
    return torch.where(positives > 0, weights, torch.ones_like(weights))


def weighted_bce(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Eq. 2: - mean of w_c y log p + (1 - y) log(1 - p) over all known labels.

    Args:
        logits: shape (N, C).
        labels: shape (N, C), 1, 0, or -1 for not known, which is left out of sum and count.
        weights: shape (C,), see `positive_weights`.
    Returns:
        a scalar; 0 where nothing is known.
    """
    known = labels != UNKNOWN
    terms = functional.binary_cross_entropy_with_logits(
        logits.float(), labels.clamp_min(0).float(), pos_weight=weights, reduction="none"
    )
    return (terms * known).sum() / known.sum().clamp_min(1)
