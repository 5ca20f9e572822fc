"""Wavelet pooling folded into the convolution beside it.

A one-level transform with filters f_b (T x T, b a sub-band) is a convolution of stride 2: with the
input continued periodically by T/2 - 1 pixels,

    band_b[c](i) = sum_p f_b[p] x[c](2i + p - (T/2 - 1)).

**Merge kernel.** A k x k convolution W over the sub-bands (channel 4c + b is band b of channel c)
reads bands at i + u, hence pixels at 2i + 2u + p - ..., so both are one convolution of stride 2:

    M[o, c, 2u + p] = sum_b W[o, 4c + b, u] f_b[p],    size 2 (k - 1) + T.

`project` is k = 1: a T x T convolution of stride 2, exact for every wavelet, its bias kept. `ll` is
the same with one band, channel by channel.

**Borders of `concat`.** A 3 x 3 convolution of zero padding 1 reads *bands* that are 0 outside; the
folded one reads *pixels*. With Haar (T = 2) band -1 covers exactly pixels -2 and -1, which zero
padding by 2 makes 0: 6 x 6, stride 2, padding 2 is exact. With T > 2 a band outside still reaches
pixels inside, and periodic continuation is no zero padding: not exact, so refused.

**Last pooling and head.** The logits are H mean(pool(x)), linear in x. The mean runs over every i,
and x is periodic, so tap p only matters by its phase, the parity of p - (T/2 - 1):

    mean_i x(2i + p - ...) = mean of x on the phase's lattice.

Summing the taps of H's merge kernel by phase gives a 2 x 2 convolution of stride 2 with 4 outputs
and no padding, then the mean: exact for every wavelet, and 4 channels instead of hundreds.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.folding.norms import conv_from, inexact
from hemx_core.nn.wavelet_vgg import DWT2d, WaveletPool


def merge_kernel(filters: Tensor, weight: Tensor) -> Tensor:
    """The convolution of stride 2 that equals a convolution over a transform's sub-bands.

    Args:
        filters: shape (bands, T, T).
        weight: shape (outputs, channels * bands, k, k), channel `bands * c + b` for band b.
    Returns:
        Shape (outputs, channels, 2 (k - 1) + T, 2 (k - 1) + T), float64.
    """
    bands, taps = filters.shape[:2]
    outputs, merged, kernel = weight.shape[:3]
    split = weight.detach().double().reshape(outputs, merged // bands, bands, kernel, kernel)
    size = 2 * (kernel - 1) + taps
    folded = split.new_zeros(outputs, merged // bands, size, size)
    for u in range(kernel):
        for v in range(kernel):
            folded[:, :, 2 * u : 2 * u + taps, 2 * v : 2 * v + taps] += torch.einsum(
                "ocb,bpq->ocpq", split[..., u, v], filters.double()
            )
    return folded


def phase_kernel(kernel: Tensor) -> Tensor:
    """Sum the taps of a periodic stride-2 kernel by phase: (O, C, T, T) to (O, C, 2, 2)."""
    shift = (kernel.shape[-1] // 2 - 1) % 2
    kernel = kernel.roll((-shift, -shift), (2, 3))
    rows = torch.stack([kernel[:, :, a::2].sum(2) for a in (0, 1)], 2)
    return torch.stack([rows[..., a::2].sum(3) for a in (0, 1)], 3)


class PeriodicPad(nn.Module):
    """Continues a map periodically, in slices and concatenations, which the delegate takes."""

    def __init__(self, border: int) -> None:
        super().__init__()
        self.border = border

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, C, H, W) to (N, C, H + 2 border, W + 2 border)."""
        b = self.border
        x = torch.cat([x[:, :, -b:], x, x[:, :, :b]], 2)
        return torch.cat([x[..., -b:], x, x[..., :b]], 3)


def fold_pool(pool: WaveletPool) -> nn.Module:
    """The same pooling as one convolution (`project`, `ll`), or max pooling as it is.

    Raises:
        FoldError: `concat`, which folds into the next convolution: see `fold_concat`.
    """
    if pool.merge == "max":
        return nn.MaxPool2d(2)
    dwt: DWT2d = pool.dwt
    if pool.merge == "project":
        kernel = merge_kernel(dwt.filters, pool.project.weight)
        conv = conv_from(kernel, pool.project.bias, stride=2, padding=0)
    elif pool.merge == "ll":
        conv = nn.Conv2d(
            pool.out_channels,
            pool.out_channels,
            dwt.taps,
            stride=2,
            groups=pool.out_channels,
            bias=False,
        ).requires_grad_(False)
        conv.weight.copy_(dwt.filters.expand_as(conv.weight))
    else:
        raise inexact(f"a pooling with merge {pool.merge!r} on its own", pool)
    return nn.Sequential(PeriodicPad(dwt.taps // 2 - 1), conv) if dwt.taps > 2 else conv


def fold_concat(pool: WaveletPool, conv: nn.Conv2d) -> nn.Conv2d:
    """Transform and the 3 x 3 convolution over its sub-bands as one 6 x 6 of stride 2, padding 2.

    Raises:
        FoldError: the wavelet has more than two taps, or the convolution is another one.
    """
    if pool.dwt.taps != 2:
        raise inexact(f"concat with the {pool.dwt.taps} taps of {pool.dwt.wavelet}", pool)
    if conv.kernel_size != (3, 3) or conv.stride != (1, 1) or conv.padding != (1, 1):
        raise inexact("concat before a convolution other than 3 x 3 with padding 1", conv)
    return conv_from(merge_kernel(pool.dwt.filters, conv.weight), conv.bias, stride=2, padding=2)


class MeanHead(nn.Module):
    """The last pooling, the spatial mean and the linear head on it, as a 2 x 2 convolution.

    Args:
        pool: the last pooling.
        weight: the head's weight on the pooled features, shape (markers, pool.out_channels).
    """

    def __init__(self, pool: WaveletPool, weight: Tensor) -> None:
        super().__init__()
        weight = weight.detach().double()
        self.pool: nn.Module = nn.Identity()
        if pool.merge == "max":
            self.pool = nn.MaxPool2d(2)
            self.conv = conv_from(weight[:, :, None, None], None, stride=1, padding=0)
            return
        bias = None
        if pool.merge == "project":
            bias = weight @ pool.project.bias.detach().double()
            weight = weight @ pool.project.weight.detach().double().flatten(1)
        kernel = phase_kernel(merge_kernel(pool.dwt.filters, weight[:, :, None, None]))
        self.conv = conv_from(kernel, bias, stride=2, padding=0)

    def forward(self, maps: Tensor) -> Tensor:
        """Shape (N, C, H, W) to (N, markers)."""
        return self.conv(self.pool(maps)).mean((2, 3), keepdim=True).flatten(1)
