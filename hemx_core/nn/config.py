"""Sizes of the networks. Light: the command line reads them before torch is loaded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from hemx_core.errors import TrainingError


@dataclass(frozen=True, slots=True, kw_only=True)
class UNetConfig:
    """Sizes of the U-Net.

    Args:
        width: multiplies every channel count; 1.0 is EfficientNet-b3.
        depth: multiplies the encoder's number of blocks.
        decoder_channels: channels of the five decoder blocks at width 1.0, deep first.
        drop_path: stochastic depth in training.
    """

    width: float = 1.0
    depth: float = 1.0
    decoder_channels: tuple[int, int, int, int, int] = (256, 128, 64, 32, 16)
    drop_path: float = 0.1


Merge = Literal["project", "concat", "ll", "max"]

CHANNELS = (64, 128, 256, 512, 512)
"""Of VGG16's five blocks, at width 1.0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveletVGGConfig:
    """Sizes of the Wavelet VGG16.

    Args:
        width: multiplies every channel count (rounded to a multiple of 8).
        wavelet: any discrete wavelet of PyWavelets.
        merge: what becomes of the sub-bands: `concat` keeps all 4 C channels, `project` brings them
            back to C by a 1 x 1 convolution, `ll` keeps the low-pass band only, `max` is VGG16's
            own max pooling, for comparison.
    """

    width: float = 1.0
    wavelet: str = "haar"
    merge: Merge = "project"

    def __post_init__(self) -> None:
        if self.merge not in get_args(Merge) or self.width <= 0:
            raise TrainingError(
                f"merge {self.merge!r}, width {self.width}",
                expected=f"merge in {get_args(Merge)}, width above 0",
                remedy="choose another configuration",
            )

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of the five blocks."""
        return tuple(max(8, round(c * self.width / 8) * 8) for c in CHANNELS)


BASE = 4
"""Rows and columns of the smallest maps."""
MOST = 16
"""The deepest maps have at most this many times `width` channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SNGANConfig:
    """Sizes of both networks.

    Args:
        size: rows and columns of the pictures, 8 times a power of two or 8 itself.
        classes: number of conditions.
        latent: length of the noise vector.
        width: channels of the largest maps; they double at every halving, up to 16 times.
    """

    size: int = 64
    classes: int = 2
    latent: int = 128
    width: int = 32

    def __post_init__(self) -> None:
        power_of_two = self.size & (self.size - 1) == 0
        if not power_of_two or self.size < 2 * BASE or min(self.latent, self.width) < 1:
            raise TrainingError(
                f"pictures of {self.size} pixels, latent {self.latent}, width {self.width}",
                expected=f"a power of two from {2 * BASE} up, latent and width of at least 1",
                remedy="choose another configuration",
            )
        if self.classes < 1:
            raise TrainingError(f"{self.classes} classes", expected="at least one")

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of the maps, from `size` x `size` down to 4 x 4."""
        levels = int(math.log2(self.size // BASE))
        return tuple(self.width * min(2**level, MOST) for level in range(levels + 1))
