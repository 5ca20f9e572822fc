"""Nearest x2 upsampling, concatenation and a 3 x 3 convolution as two convolutions added.

A decoder block computes `merge([up(deep), skip])`. A convolution is linear in its input channels:
with merge's weight split into W (deep channels) and V (skip channels)

    merge([up(deep), skip]) = W * up(deep) + V * skip + bias.

The first term, in one dimension: output pixel 2i + a (a = 0, 1) reads through tap k = 0, 1, 2 the
upsampled pixel 2i + a + k - 1, which is deep pixel i + floor((a + k - 1) / 2):

    a = 0:   W[0] deep[i-1]  +  (W[1] + W[2]) deep[i]
    a = 1:   (W[0] + W[1]) deep[i]  +  W[2] deep[i+1]

A transposed convolution with 4 taps, stride 2 and padding 1 adds T[t] deep[j] to output 2j - 1 + t:

    a = 0:   T[3] deep[i-1]  +  T[1] deep[i]
    a = 1:   T[2] deep[i]    +  T[0] deep[i+1]

and both agree for T = (W[2], W[1] + W[2], W[0] + W[1], W[0]): T = SPREAD W, and in two dimensions
SPREAD W SPREAD^T. Zero padding agrees too: deep pixels -1 and H are 0 in both. An output costs 4
multiply-accumulates for each deep channel instead of 9, and the upsampled map is never written.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.folding.norms import assert_no_norms, conv_from, fold_norms, folded_parameters, inexact
from hemx_core.nn.efficientnet import ConvBN
from hemx_core.nn.unet import DecoderBlock

SPREAD = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0))
"""Rows: taps of the transposed convolution; columns: taps of the 3 x 3 convolution."""


def transposed_kernel(weight: Tensor) -> Tensor:
    """The 4 x 4 transposed kernel that equals a 3 x 3 convolution after nearest x2 upsampling.

    Args:
        weight: shape (outputs, inputs, 3, 3).
    Returns:
        Shape (inputs, outputs, 4, 4), as `nn.ConvTranspose2d` stores it; stride 2, padding 1.
    """
    spread = torch.tensor(SPREAD, dtype=weight.dtype)
    return torch.einsum("tk,oikl,ul->iotu", spread, weight, spread)


class FoldedDecoderBlock(nn.Module):
    """A decoder block without upsampling and concatenation; the same inputs and output.

    Raises:
        FoldError: the block's `merge` is not a 3 x 3 convolution of stride 1 and zero padding 1.
    """

    def __init__(self, block: DecoderBlock) -> None:
        super().__init__()
        weight, bias, activation = _merge_parameters(block.merge)
        inputs = block.deep_channels + block.skip_channels
        if tuple(weight.shape[1:]) != (inputs, 3, 3):
            raise inexact(f"a merge kernel of shape {tuple(weight.shape)}", block.merge)
        deep = block.deep_channels
        self.rise = nn.ConvTranspose2d(deep, len(weight), 4, stride=2, padding=1)
        with torch.no_grad():
            self.rise.weight.copy_(transposed_kernel(weight[:, :deep]))
            self.rise.bias.copy_(bias)
        self.side = conv_from(weight[:, deep:], None, stride=1, padding=1)
        self.activation = activation
        self.refine = fold_norms(block.refine)
        assert_no_norms(self)
        self.requires_grad_(False).eval()

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        """Shapes (N, deep, H, W) and (N, skip, 2H, 2W) to (N, outputs, 2H, 2W)."""
        return self.refine(self.activation(self.rise(deep) + self.side(skip)))


def _merge_parameters(merge: ConvBN) -> tuple[Tensor, Tensor, nn.Module]:
    conv, norm, *rest = merge
    plain = (
        isinstance(conv, nn.Conv2d)
        and isinstance(norm, nn.BatchNorm2d)
        and conv.stride == (1, 1)
        and conv.padding == (1, 1)
        and conv.dilation == (1, 1)
        and conv.groups == 1
        and conv.padding_mode == "zeros"
    )
    if not plain:
        raise inexact("a merge that is no plain 3 x 3 convolution", merge)
    weight, bias = folded_parameters(conv, norm)
    return weight, bias, nn.Sequential(*rest)
