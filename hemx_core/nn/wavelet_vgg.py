"""Wavelet VGG16: VGG16's 13 convolutions, each pooling replaced by a one-level wavelet transform.

The transform is a fixed strided convolution, made from pywt's filters, and continues its input
periodically.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import pywt
import torch
from torch import Tensor, nn
from torch.nn import functional

from hemx_core.errors import TrainingError
from hemx_core.nn.config import WaveletVGGConfig

SUB_BANDS = ("LL", "LH", "HL", "HH")
CONVOLUTIONS = (2, 2, 3, 3, 3)
LL_GAIN = 2.0
QUIET = 1e-4
"""Least standard deviation of a band: a flat batch must not blow up what is behind it."""


class DWT2d(nn.Module):
    """One-level 2-D discrete wavelet transform: (N, C, H, W) to (N, 4 C, H / 2, W / 2).

    Equals `pywt.dwt2(image, wavelet, mode="periodization")`: the image is continued periodically,
    so the output has exactly half the size. A two-tap filter (Haar) never reaches past the border:
    it has no padding at all and is one grouped 2 x 2 convolution of stride 2.

    Args:
        wavelet: name of a discrete wavelet of `pywt.wavelist(kind="discrete")`.
        channels: C, fixed at construction so that the kernels are a constant of the graph.
        low_only: only LL, so the output has C channels.

    Each band has a fixed factor, 1 until `rescale` sets it. It is part of the kernels, so it folds
    exactly, and it is stored with the weights.
    Raises:
        TrainingError: no such discrete wavelet.
    """

    weight: Tensor
    """Kernels of the grouped convolution, shape (bands * C, 1, taps, taps)."""
    scale: Tensor
    """Factor of each band, shape (bands,)."""

    def __init__(self, wavelet: str = "haar", *, channels: int = 1, low_only: bool = False) -> None:
        super().__init__()
        if wavelet not in pywt.wavelist(kind="discrete"):
            raise TrainingError(
                f"no discrete wavelet {wavelet!r}",
                expected="a name of pywt.wavelist(kind='discrete')",
                remedy="choose for example haar, db2, sym4 or bior2.2",
            )
        bank = pywt.Wavelet(wavelet)
        # conv2d is a cross-correlation: the filters are reversed. Outer product: (rows, columns).
        low = torch.tensor(bank.dec_lo, dtype=torch.float64).flip(0)
        high = torch.tensor(bank.dec_hi, dtype=torch.float64).flip(0)
        ll, lh = torch.outer(low, low), torch.outer(high, low)
        hl, hh = torch.outer(low, high), torch.outer(high, high)
        bands = torch.stack([ll] if low_only else [ll, lh, hl, hh]).float()
        self.register_buffer("weight", bands[:, None].repeat(channels, 1, 1, 1), persistent=False)
        self.register_buffer("scale", torch.ones(len(bands)))
        self.wavelet = wavelet
        self.channels = channels
        self.bands = len(bands)
        self.taps = len(low)

    @torch.no_grad()
    def rescale(self, scale: Tensor) -> None:
        """Give each band another factor, shape (bands,), all above 0."""
        ratio = (scale / self.scale).repeat(self.channels)
        self.weight.mul_(ratio[:, None, None, None])
        self.scale.copy_(scale)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *others: Any, **named: Any
    ) -> None:
        """Read the factors, which files of before 2026-12 lack, and put them into the kernels."""
        scale = state_dict.setdefault(f"{prefix}scale", torch.ones_like(self.scale))
        self.rescale(scale.to(self.scale))
        super()._load_from_state_dict(state_dict, prefix, *others, **named)

    @property
    def filters(self) -> Tensor:
        """Kernels of the sub-bands of one channel, shape (bands, taps, taps)."""
        return self.weight[: self.bands, 0]

    def forward(self, image: Tensor) -> Tensor:
        """Transform (N, C, H, W) to (N, bands * C, H / 2, W / 2).

        Raises:
            TrainingError: H or W is odd, or the filter reaches round the image more than once.
        """
        height, width = image.shape[2:]
        border = self.taps // 2 - 1
        if height % 2 or width % 2 or border > min(height, width):
            raise TrainingError(
                f"a map of {height} x {width} for the {self.taps} taps of {self.wavelet}",
                expected=f"even sizes of at least {border}",
                remedy="choose a larger crop or a shorter wavelet",
            )
        if border:
            image = functional.pad(image, (border, border, border, border), mode="circular")
        return functional.conv2d(image, self.weight, stride=2, groups=self.channels)

    def extra_repr(self) -> str:
        """What `print(module)` shows."""
        return f"{self.wavelet}, channels={self.channels}, bands={self.bands}"


class ConvBNReLU(nn.Sequential):
    """3 x 3 convolution without bias, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class WaveletPool(nn.Module):
    """Halves a map: (N, C, H, W) to (N, out_channels, H / 2, W / 2).

    `project` has no batch normalisation or activation of its own: it stays linear, so with Haar
    the transform and the projection fold into one 2 x 2 convolution of stride 2.
    """

    def __init__(self, channels: int, config: WaveletVGGConfig) -> None:
        super().__init__()
        self.merge = config.merge
        self.out_channels = channels * len(SUB_BANDS) if config.merge == "concat" else channels
        if config.merge != "max":
            self.dwt = DWT2d(config.wavelet, channels=channels, low_only=config.merge == "ll")
        if config.merge == "project":
            self.project = nn.Conv2d(channels * len(SUB_BANDS), channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Pool the maps."""
        if self.merge == "max":
            return functional.max_pool2d(maps, 2)
        bands = self.dwt(maps)
        return self.project(bands) if self.merge == "project" else bands

    def mean_weight(self, weight: Tensor) -> Tensor:
        """How a linear layer on the spatial mean of the output weighs the mean of each input map.

        The mean of LH, HL and HH does not depend on the mean of the input, and the mean of LL is
        `LL_GAIN` times the band's factor times it. Max pooling is not linear; each of its outputs
        passes its gradient to one input, so the weight itself takes the same place in Grad-CAM.

        Args:
            weight: shape (outputs, out_channels).
        Returns:
            shape (outputs, C).
        """
        if self.merge == "max":
            return weight
        if self.merge == "project":
            weight = weight @ self.project.weight.flatten(1)
        gain = LL_GAIN * self.dwt.scale[0]
        return gain * (weight if self.merge == "ll" else weight[:, :: len(SUB_BANDS)])


class WaveletVGG(nn.Module):
    """Thirteen convolutions in five blocks, a wavelet pooling after each."""

    def __init__(self, config: WaveletVGGConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or WaveletVGGConfig()
        blocks, pools = [], []
        inputs = 1
        for count, channels in zip(CONVOLUTIONS, config.channels, strict=True):
            sizes = [inputs, *[channels] * count]
            blocks.append(nn.Sequential(*(ConvBNReLU(a, b) for a, b in pairwise(sizes))))
            pools.append(WaveletPool(channels, config))
            inputs = pools[-1].out_channels
        self.blocks = nn.ModuleList(blocks)
        self.pools = nn.ModuleList(pools)
        self.out_channels = inputs
        self.map_channels = config.channels[-1]
        self.apply(_initialise)

    @torch.no_grad()
    def even_bands(self, crop: Tensor) -> None:
        """Set the factor of every band so that all four are as loud as the mean over 2 x 2 pixels.

        The high bands of a trained-from-scratch network carry a fraction of LL's amplitude, and weights
        behind them learn as much slower. Call it once, before training, in training mode.

        Args:
            crop: a batch, shape (N, 1, K, K), in [0, 1].
        """
        maps = crop
        for block, pool in zip(self.blocks, self.pools, strict=True):
            maps = block(maps)
            if pool.merge != "max":
                dwt = pool.dwt
                bands = dwt(maps).unflatten(1, (dwt.channels, dwt.bands)) / dwt.scale[:, None, None]
                loudness = bands.std((0, 1, 3, 4)).clamp_min(QUIET)
                dwt.rescale(loudness[0] / LL_GAIN / loudness)
            maps = pool(maps)

    @property
    def last_pool(self) -> WaveletPool:
        """The pooling after the thirteenth convolution."""
        return cast(WaveletPool, self.pools[-1])

    def forward(self, crop: Tensor) -> tuple[Tensor, Tensor]:
        """Features of a crop.

        Args:
            crop: shape (N, 1, K, K), in [0, 1], K divisible by 32.
        Returns:
            the maps of the thirteenth convolution, (N, map_channels, K / 16, K / 16), and the
            spatial mean of the last pooling, (N, out_channels).
        """
        maps = pooled = crop
        for block, pool in zip(self.blocks, self.pools, strict=True):
            maps = block(pooled)
            pooled = pool(maps)
        # With keepdim the mean is XNNPACK's global average pooling; without, it stays outside.
        return maps, pooled.mean((2, 3), keepdim=True).flatten(1)


def _initialise(module: nn.Module) -> None:
    """He initialisation: of ReLU layers for 3 x 3 convolutions, of linear ones for projections."""
    if isinstance(module, nn.Conv2d):
        gain = "relu" if module.kernel_size == (3, 3) else "linear"
        nn.init.kaiming_normal_(module.weight, nonlinearity=gain)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
