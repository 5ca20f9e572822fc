"""EfficientNet-b3 as a U-Net encoder: five feature maps at strides 2, 4, 8, 16 and 32.

Source: Tan and Le, EfficientNet, ICML 2019 (MBConv from Sandler et al. 2018; squeeze-and-excitation from
Hu et al. 2018). Symmetric padding, and SiLU written as ``x * sigmoid(x)``: XNNPACK's quantizer sees that
form and fuses it into one int8 lookup table.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of MBConv blocks: the first has the stride, the others keep the resolution."""

    expansion: int
    channels: int
    blocks: int
    stride: int
    kernel: int


B3_STEM = 40
B3_STAGES = (
    Stage(1, 24, 2, 1, 3),
    Stage(6, 32, 3, 2, 3),
    Stage(6, 48, 3, 2, 5),
    Stage(6, 96, 5, 2, 3),
    Stage(6, 136, 5, 1, 5),
    Stage(6, 232, 6, 2, 5),
    Stage(6, 384, 2, 1, 3),
)
"""Table 1 of the paper at b3's width 1.2 and depth 1.4, without the classification head."""

BN_MOMENTUM = 0.03
"""Batches are small (8): slower running statistics than torch's 0.1 make validation steadier."""


def scale_channels(channels: int, width: float) -> int:
    """Channels times width, rounded to a multiple of 8 and at least 8."""
    return max(8, round(channels * width / 8) * 8)


class SiLU(nn.Module):
    """x * sigmoid(x), in the form XNNPACK turns into one table (nn.SiLU stays in float32)."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape in, the same shape out."""
        return x * torch.sigmoid(x)


class ConvBN(nn.Sequential):
    """Convolution without bias, batch normalisation and, unless switched off, SiLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activate: bool = True,
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, momentum=BN_MOMENTUM),
        ]
        if activate:
            layers.append(SiLU())
        super().__init__(*layers)


class SqueezeExcite(nn.Module):
    """Channel gate from the global average."""

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, reduced, 1)
        self.act = SiLU()
        self.expand = nn.Conv2d(reduced, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, C, H, W) in and out."""
        gate = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.expand(self.act(self.reduce(gate))))


class MBConv(nn.Module):
    """Inverted residual block with squeeze-and-excitation and, in training, stochastic depth."""

    def __init__(
        self, inputs: int, outputs: int, *, expansion: int, kernel: int, stride: int, drop: float
    ) -> None:
        super().__init__()
        middle = inputs * expansion
        self.expand = ConvBN(inputs, middle) if expansion > 1 else nn.Identity()
        self.depthwise = ConvBN(middle, middle, kernel=kernel, stride=stride, groups=middle)
        self.squeeze = SqueezeExcite(middle, max(4, inputs // 4))
        self.project = ConvBN(middle, outputs, activate=False)
        self.residual = stride == 1 and inputs == outputs
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        y = self.project(self.squeeze(self.depthwise(self.expand(x))))
        if not self.residual:
            return y
        if self.training and self.drop > 0:
            keep = torch.rand(len(y), 1, 1, 1, device=y.device) >= self.drop
            y = y * keep / (1 - self.drop)
        return x + y


class EfficientNetEncoder(nn.Module):
    """EfficientNet-b3 without its head.

    Args:
        width: multiplies every channel count (1.0 is b3).
        depth: multiplies every number of blocks (1.0 is b3).
        drop_path: stochastic depth of the last block, growing linearly from 0.
    """

    def __init__(self, *, width: float = 1.0, depth: float = 1.0, drop_path: float = 0.1) -> None:
        super().__init__()
        stem = scale_channels(B3_STEM, width)
        self.stem = ConvBN(1, stem, kernel=3, stride=2)
        counts = [max(1, round(stage.blocks * depth)) for stage in B3_STAGES]
        total, built, inputs = sum(counts), 0, stem
        stages: list[nn.Module] = []
        self.out_channels = [stem]
        for stage, count in zip(B3_STAGES, counts, strict=True):
            outputs = scale_channels(stage.channels, width)
            blocks: list[nn.Module] = []
            for index in range(count):
                blocks.append(
                    MBConv(
                        inputs if index == 0 else outputs,
                        outputs,
                        expansion=stage.expansion,
                        kernel=stage.kernel,
                        stride=stage.stride if index == 0 else 1,
                        drop=drop_path * (built + index) / total,
                    )
                )
            stages.append(nn.Sequential(*blocks))
            built, inputs = built + count, outputs
        self.stages = nn.ModuleList(stages)
        # A skip is what the last stage of each resolution gives, before the next one strides.
        self.taps = [i for i, (_, after) in enumerate(pairwise(B3_STAGES)) if after.stride == 2]
        self.taps = [tap for tap in self.taps if tap > 0] + [len(B3_STAGES) - 1]
        self.out_channels += [scale_channels(B3_STAGES[tap].channels, width) for tap in self.taps]

    def forward(self, image: Tensor) -> list[Tensor]:
        """Feature maps of shape (N, out_channels[i], S / 2**(i+1), S / 2**(i+1)), shallow first."""
        x = self.stem(image)
        features = [x]
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in self.taps:
                features.append(x)
        return features
