from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from export.folding.upsampling import FoldedDecoderBlock, transposed_kernel
from hemx_core.errors import FoldError
from hemx_core.nn.unet import DecoderBlock
from tests.export.networks import lively


@settings(max_examples=25, deadline=None)
@given(
    channels=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    seed=st.integers(0, 999),
)
def test_transposed_kernel_equals_upsampling_and_convolution(
    channels: tuple[int, int], height: int, width: int, seed: int
) -> None:
    torch.manual_seed(seed)
    inputs, outputs = channels
    weight = torch.randn(outputs, inputs, 3, 3)
    x = torch.randn(2, inputs, height, width)
    expected = functional.conv2d(
        functional.interpolate(x, scale_factor=2.0, mode="nearest"), weight, padding=1
    )
    folded = functional.conv_transpose2d(x, transposed_kernel(weight), stride=2, padding=1)
    torch.testing.assert_close(folded, expected, rtol=1e-5, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(
    deep=st.integers(1, 6),
    skip=st.integers(1, 4),
    outputs=st.integers(1, 5),
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    seed=st.integers(0, 9),
)
def test_folded_block_equals_the_trained_one(
    deep: int, skip: int, outputs: int, size: tuple[int, int], seed: int
) -> None:
    torch.manual_seed(seed)
    block = lively(DecoderBlock(deep, skip, outputs), seed)
    height, width = size
    low, high = torch.randn(1, deep, height, width), torch.randn(1, skip, 2 * height, 2 * width)
    with torch.no_grad():
        expected = block(low, high)
        torch.testing.assert_close(
            FoldedDecoderBlock(block)(low, high), expected, rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(3, 4, 5, padding=1),
        nn.Conv2d(3, 4, 3, padding=0),
        nn.Conv2d(3, 4, 3, padding=1, stride=2),
        nn.Conv2d(3, 4, 3, padding=1, dilation=2),
        nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"),
    ],
)
def test_refuses_another_merge(conv: nn.Conv2d) -> None:
    block = DecoderBlock(2, 1, 4)
    block.merge[0] = conv
    with pytest.raises(FoldError):
        FoldedDecoderBlock(block)
