"""U-Net with an EfficientNet-b3 encoder (Ronneberger 2015; Tan and Le 2019), one input channel.

Five skip connections: the encoder's maps at strides 2, 4, 8 and 16, and the image at stride 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hemx_core.nn.config import UNetConfig
from hemx_core.nn.efficientnet import ConvBN, EfficientNetEncoder, scale_channels


class DecoderBlock(nn.Module):
    """Nearest x2 upsampling of the deep map, concatenation of the skip, two 3x3 convolutions.

    Channel order of `merge`'s input: the upsampled deep map first, then the skip. The export folds
    upsampling, concatenation and `merge` into a transposed and a plain convolution.
    """

    def __init__(self, deep: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.deep_channels = deep
        self.skip_channels = skip
        self.merge = ConvBN(deep + skip, outputs, kernel=3)
        self.refine = ConvBN(outputs, outputs, kernel=3)

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        """Shapes (N, deep, H, W) and (N, skip, 2H, 2W) to (N, outputs, 2H, 2W)."""
        upsampled = functional.interpolate(deep, scale_factor=2.0, mode="nearest")
        return self.refine(self.merge(torch.cat([upsampled, skip], 1)))


class UNet(nn.Module):
    """Haematoma segmentation of prepared slices."""

    def __init__(self, config: UNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or UNetConfig()
        self.encoder = EfficientNetEncoder(
            width=config.width, depth=config.depth, drop_path=config.drop_path
        )
        *skips, deepest = self.encoder.out_channels
        channels = [scale_channels(c, config.width) for c in config.decoder_channels]
        inputs = [deepest, *channels[:-1]]
        sides = [*reversed(skips), 1]
        self.decoder = nn.ModuleList(
            DecoderBlock(deep, skip, out)
            for deep, skip, out in zip(inputs, sides, channels, strict=True)
        )
        self.head = nn.Conv2d(channels[-1], 1, 3, padding=1)
        self.feature_channels = deepest
        self.apply(_initialise)

    def encode(self, image: Tensor) -> list[Tensor]:
        """Encoder maps, shallow first; see `EfficientNetEncoder.forward`."""
        maps: list[Tensor] = self.encoder(image)
        return maps

    def decode(self, image: Tensor, features: list[Tensor]) -> Tensor:
        """Mask logits, shape (N, 1, S, S), from the image and the encoder's maps."""
        *skips, x = features
        for block, skip in zip(self.decoder, [*reversed(skips), image], strict=True):
            x = block(x, skip)
        return self.head(x)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Segment prepared slices.

        Args:
            image: shape (N, 1, S, S), in [0, 1], S divisible by 32.
        Returns:
            mask logits (N, 1, S, S), and the deepest encoder map averaged over the slice,
            shape (N, feature_channels), which the classifier takes.
        """
        features = self.encode(image)
        return self.decode(image, features), features[-1].mean((2, 3))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
        if module.groups > 1:
            nn.init.normal_(module.weight, std=(2.0 / module.kernel_size[0] ** 2) ** 0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
