"""Narrow networks with lively statistics, so that a fold that forgets a term shows."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from export.networks import Decision, Networks
from export.samples import Samples
from hemx_core.imaging.prepare import GridTransform
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.manifest import MarkerSpec
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.config import UNetConfig, WaveletVGGConfig
from hemx_core.nn.efficientnet import ConvBN
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet

M = TypeVar("M", bound=nn.Module)
SIZE, CROP = 64, 32


def lively(module: M, seed: int = 0) -> M:
    """Random running statistics and affine parameters in every normalisation; evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    for child in module.modules():
        if isinstance(child, nn.BatchNorm2d):
            child.running_mean.normal_(0, 0.3, generator=generator)
            child.running_var.uniform_(0.5, 2.0, generator=generator)
            nn.init.uniform_(child.weight, 0.5, 1.5, generator=generator)
            nn.init.normal_(child.bias, 0, 0.3, generator=generator)
    return module.eval()


def narrow_unet(seed: int = 0) -> UNet:
    """The U-Net of 8 channels or so, one block a stage."""
    torch.manual_seed(seed)
    return lively(UNet(UNetConfig(width=0.125, depth=0.1)), seed)


class TinyEncoder(nn.Module):
    """Five strided convolutions in place of EfficientNet's blocks: lowering takes a tenth."""

    def __init__(self, channels: list[int]) -> None:
        super().__init__()
        self.out_channels = channels
        sizes = [1, *channels]
        self.stages = nn.ModuleList(ConvBN(a, b, kernel=3, stride=2) for a, b in pairwise(sizes))

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        features = []
        for stage in self.stages:
            image = stage(image)
            features.append(image)
        return features


def tiny_unet(seed: int = 0) -> UNet:
    """The U-Net's decoder on `TinyEncoder`; about half the pixels of a random image are blood."""
    unet = narrow_unet(seed)
    unet.encoder = lively(TinyEncoder(unet.encoder.out_channels), seed)
    with torch.no_grad():
        logits, _ = unet(torch.from_numpy(random_images(4))[:, None])
        unet.head.bias -= logits.median()
    return unet


def narrow_classifier(seed: int = 0, *, channels: int = 48, **config: object) -> MarkerClassifier:
    """A classifier of 8 channels or so."""
    torch.manual_seed(seed)
    model = lively(MarkerClassifier(WaveletVGGConfig(width=0.02, **config), channels), seed)  # type: ignore[arg-type]
    nn.init.normal_(model.head.weight, 0, 0.1)
    model.standardise.fit(torch.rand(16, channels))
    return model


def tiny_networks() -> Networks:
    """`tiny_unet` and a narrow classifier, with decision rules for a grid of 64 pixels."""
    unet = tiny_unet()
    return Networks(
        segmenter=unet,
        classifier=narrow_classifier(channels=unet.feature_channels),
        decision=Decision(
            preprocessing=PreprocessingSpec(size=SIZE, pixel_mm=3.6),
            crop_size=CROP,
            mask_threshold=0.5,
            min_component_ml=0.1,
            markers=tuple(MarkerSpec(code, 1.5, 0.4) for code in MARKER_CODES),
            accuracy={"auc": 0.5},
        ),
        training={"segmenter": {"steps": 0}, "classifier": {"steps": 0}},
    )


def random_samples(count: int, seed: int = 1) -> Samples:
    """Random pictures as slices whose native pixels are the grid's."""
    whole = GridTransform((SIZE, SIZE), (SIZE, SIZE), 0, 0, SIZE)
    images = random_images(count, seed=seed)
    return Samples(images, (whole,) * count, np.ones(count, bool), "random pictures")


def random_images(count: int, size: int = SIZE, seed: int = 0) -> np.ndarray:
    """Smooth random pictures, shape (count, size, size), float32, [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 1, 8, 8, generator=generator)
    return nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")[:, 0].numpy()
