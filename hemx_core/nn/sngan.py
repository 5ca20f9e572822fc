"""Conditional SNGAN: a class-conditional generator against a projection discriminator.

Sources: Miyato et al. 2018 (spectral normalisation, arXiv:1802.05957, residual networks of its
appendix B); Miyato and Koyama 2018 (projection discriminator, arXiv:1802.05637); de Vries et al.
2017 (conditional batch normalisation). A class is a number; a marker's absence and presence are the
classes 0 and 1, and several markers are the combinations 0 … 2^m - 1.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from hemx_core.nn.config import BASE, SNGANConfig


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose gain and offset are looked up by class; gain 1, offset 0 at first."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain = nn.Embedding(classes, channels)
        self.offset = nn.Embedding(classes, channels)
        nn.init.ones_(self.gain.weight)
        nn.init.zeros_(self.offset.weight)

    def forward(self, maps: Tensor, classes: Tensor) -> Tensor:
        """Normalise maps (N, C, H, W), each sample with the gain and offset of its class (N,)."""
        gain, offset = self.gain(classes), self.offset(classes)
        return self.norm(maps) * gain[:, :, None, None] + offset[:, :, None, None]


class UpBlock(nn.Module):
    """Residual block of the generator: twice the rows and columns."""

    def __init__(self, inputs: int, outputs: int, classes: int) -> None:
        super().__init__()
        self.norm1 = ConditionalBatchNorm(inputs, classes)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2 = ConditionalBatchNorm(outputs, classes)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, maps: Tensor, classes: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, 2 H, 2 W)."""
        inner = self.conv1(_double(functional.relu(self.norm1(maps, classes))))
        inner = self.conv2(functional.relu(self.norm2(inner, classes)))
        return inner + _double(self.shortcut(maps))


class DownBlock(nn.Module):
    """Residual block of the discriminator, every convolution spectrally normalised.

    Args:
        inputs: channels.
        outputs: channels.
        first: the picture comes in, so no ReLU before the first convolution.
        last: the maps keep their size.
    """

    def __init__(self, inputs: int, outputs: int, *, first: bool, last: bool) -> None:
        super().__init__()
        self.first, self.last = first, last
        self.conv1 = spectral_norm(nn.Conv2d(inputs, outputs, 3, padding=1))
        self.conv2 = spectral_norm(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.shortcut = spectral_norm(nn.Conv2d(inputs, outputs, 1))

    def forward(self, maps: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / 2, W / 2), or to H x W where `last`."""
        inner = self.conv1(maps if self.first else functional.relu(maps))
        inner = self.conv2(functional.relu(inner))
        # Pooling and a 1 x 1 convolution commute; pooled first, the convolution is cheaper.
        if self.last:
            return inner + self.shortcut(maps)
        return functional.avg_pool2d(inner, 2) + self.shortcut(functional.avg_pool2d(maps, 2))


class Generator(nn.Module):
    """Noise and class to a picture in [0, 1]."""

    def __init__(self, config: SNGANConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SNGANConfig()
        channels = config.channels[::-1]
        self.dense = nn.Linear(config.latent, channels[0] * BASE * BASE)
        self.blocks = nn.ModuleList(UpBlock(a, b, config.classes) for a, b in pairwise(channels))
        self.norm = nn.BatchNorm2d(channels[-1])
        self.out = nn.Conv2d(channels[-1], 1, 3, padding=1)
        self.apply(_initialise)

    def forward(self, noise: Tensor, classes: Tensor) -> Tensor:
        """Pictures of classes.

        Args:
            noise: standard normal, shape (N, latent).
            classes: shape (N,), int64, below `config.classes`.
        Returns:
            shape (N, 1, size, size), in [0, 1].
        """
        maps = self.dense(noise).unflatten(1, (-1, BASE, BASE))
        for block in self.blocks:
            maps = block(maps, classes)
        return torch.sigmoid(self.out(functional.relu(self.norm(maps))))


class Discriminator(nn.Module):
    """Scores how real a picture is as one of its class: D(x, y) = psi(phi(x)) + v_y · phi(x).

    phi is the sum over positions of the last maps, psi a linear layer and v_y the embedding of the
    class; every layer is spectrally normalised.
    """

    def __init__(self, config: SNGANConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SNGANConfig()
        channels = config.channels
        steps = list(pairwise((1, *channels)))
        self.blocks = nn.ModuleList(
            DownBlock(a, b, first=i == 0, last=i == len(steps) - 1)
            for i, (a, b) in enumerate(steps)
        )
        self.linear = spectral_norm(nn.Linear(channels[-1], 1))
        self.embedding = spectral_norm(nn.Embedding(config.classes, channels[-1]))

    def features(self, pictures: Tensor) -> Tensor:
        """phi of pictures (N, 1, size, size) in [0, 1]: shape (N, channels)."""
        maps = pictures * 2 - 1
        for block in self.blocks:
            maps = block(maps)
        return functional.relu(maps).float().sum((2, 3))

    def forward(self, pictures: Tensor, classes: Tensor) -> Tensor:
        """D(x, y) of pictures (N, 1, size, size) in [0, 1] and their classes (N,): shape (N,)."""
        features = self.features(pictures)
        return self.linear(features)[:, 0] + (self.embedding(classes) * features).sum(1)

    def class_scores(self, pictures: Tensor) -> Tensor:
        """D(x, y) for every class y: shape (N, classes)."""
        features = self.features(pictures)
        return self.linear(features) + features @ self.embedding.weight.T


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """mean max(0, 1 - D(real)) + mean max(0, 1 + D(fake)), Miyato et al. 2018, Eq. 16."""
    return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """- mean D(fake), Miyato et al. 2018, Eq. 17."""
    return -fake.mean()


def _double(maps: Tensor) -> Tensor:
    return functional.interpolate(maps, scale_factor=2, mode="nearest")


def _initialise(module: nn.Module) -> None:
    """Orthogonal weights, so that the untrained generator keeps the variance of its noise."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.orthogonal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
