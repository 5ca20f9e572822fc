"""Multiply-accumulates, counted by hand."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.macs import DENSE, DEPTHWISE, PRODUCT, TRANSPOSED, count_macs


def macs(module: nn.Module, *shape: int) -> dict[str, int]:
    return count_macs(module.eval(), (torch.zeros(*shape),))


def test_a_convolution() -> None:
    # 5 outputs of 4 x 4 pixels (stride 2), each of 3 inputs times 3 x 3.
    assert macs(nn.Conv2d(3, 5, 3, stride=2, padding=1), 1, 3, 8, 8) == {DENSE: 5 * 16 * 27}


def test_a_depthwise_convolution() -> None:
    assert macs(nn.Conv2d(6, 6, 5, padding=2, groups=6), 1, 6, 4, 4) == {DEPTHWISE: 6 * 16 * 25}


def test_the_first_convolution_of_a_picture_is_not_depthwise() -> None:
    assert macs(nn.Conv2d(1, 4, 3, padding=1), 1, 1, 4, 4) == {DENSE: 4 * 16 * 9}


def test_a_transposed_convolution() -> None:
    # Every one of 2 x 9 input values goes into 4 outputs times 4 x 4.
    module = nn.ConvTranspose2d(2, 4, 4, stride=2, padding=1)
    assert macs(module, 1, 2, 3, 3) == {TRANSPOSED: 2 * 9 * 4 * 16}


def test_a_linear_layer_and_a_batch() -> None:
    assert macs(nn.Linear(7, 3), 2, 7) == {PRODUCT: 2 * 7 * 3}
    assert macs(nn.Conv2d(1, 1, 1), 4, 1, 2, 2) == {DENSE: 16}


def test_kinds_are_kept_apart() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(8, 1))
    assert macs(module, 1, 1, 2, 2) == {DENSE: 8, PRODUCT: 8}
