"""The marker classifier: Wavelet VGG16 features and U-Net encoder features, one linear layer.

The head is a spatial mean and a linear layer, so Grad-CAM needs no autograd. Let A_c be the maps of
the thirteenth convolution (h x w), and v = `cam_weight()` the head's weights brought back through
the last pooling. The gradient of a marker's logit with respect to A_c, averaged over positions, is
v_c / (h w), for every merge and wavelet (see `WaveletPool.mean_weight`). Hence, before the ReLU and
any normalisation,

    cam = sum_c v_c A_c = (h w) * Grad-CAM,

and for the linear merges the mean of `cam` is the low-pass part of the marker's logit.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from hemx_core.markers import MARKER_CODES
from hemx_core.nn.config import WaveletVGGConfig
from hemx_core.nn.unet import UNet
from hemx_core.nn.wavelet_vgg import WaveletVGG

STD_FLOOR = 1e-3
"""Encoder features that hardly vary are not blown up (and their scale stays within fp16)."""


class Standardise(nn.Module):
    """(features - mean) * scale, fixed once from training features; folds into the linear layer."""

    mean: Tensor
    scale: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))

    @torch.no_grad()
    def fit(self, features: Tensor) -> None:
        """Take mean and standard deviation from training features, shape (samples, channels).

        Divided by the root of the number of channels as well: the vector has length one on average,
        so hundreds of features at once do not outrun the wavelet branch in every step.
        """
        spread = features.std(0, correction=0).clamp_min(STD_FLOOR)
        self.mean.copy_(features.mean(0))
        self.scale.copy_((spread * features.shape[1] ** 0.5).reciprocal())

    @torch.no_grad()
    def silence(self) -> None:
        """Answer 0 whatever the features: a classifier that sees its crop only."""
        self.scale.zero_()

    def forward(self, features: Tensor) -> Tensor:
        """Standardise features, shape (N, channels)."""
        return (features - self.mean) * self.scale


class MarkerClassifier(nn.Module):
    """One logit per marker, and where the network looked.

    Args:
        config: sizes of the Wavelet VGG16.
        encoder_channels: length of the U-Net's pooled features.
        outputs: logits; four in the order of `MARKER_CODES` unless trained for something else.
    """

    def __init__(
        self,
        config: WaveletVGGConfig | None = None,
        encoder_channels: int = 384,
        outputs: int = len(MARKER_CODES),
    ) -> None:
        super().__init__()
        self.trunk = WaveletVGG(config)
        self.standardise = Standardise(encoder_channels)
        self.encoder_channels = encoder_channels
        self.head = nn.Linear(self.trunk.out_channels + encoder_channels, outputs)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    @property
    def config(self) -> WaveletVGGConfig:
        """Sizes of the Wavelet VGG16."""
        return self.trunk.config

    def forward(self, crop: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Classify crops round a haematoma.

        Args:
            crop: shape (N, 1, K, K), in [0, 1], K divisible by 32, on the segmenter's grid.
            features: the U-Net's pooled features of the whole slice, shape (N, encoder_channels).
        Returns:
            logits (N, outputs), and cam (N, outputs, K / 16, K / 16): the contribution of
            each position, signed and not normalised (module docstring).
        """
        maps, wavelet_features = self.trunk(crop)
        logits = self.head(torch.cat([wavelet_features, self.standardise(features)], 1))
        return logits, functional.conv2d(maps, self.cam_weight())

    def cam_weight(self) -> Tensor:
        """Weights of the class activation map, shape (outputs, map_channels, 1, 1)."""
        weight = self.head.weight[:, : self.trunk.out_channels]
        return self.trunk.last_pool.mean_weight(weight)[:, :, None, None]

    def static(self) -> StaticClassifier:
        """The same function with constant weights only, in evaluation mode, for the export."""
        return StaticClassifier(self)


class StaticClassifier(nn.Module):
    """`MarkerClassifier` with the standardisation folded into the linear layer and a fixed CAM.

    Every weight is a parameter (delegates take no computed weights). Exact:
    W ((f - m) s) + b = (W s) f + (b - W (s m)).
    """

    def __init__(self, source: MarkerClassifier) -> None:
        super().__init__()
        self.trunk = copy.deepcopy(source.trunk)
        self.head = nn.Linear(source.head.in_features, source.head.out_features)
        self.cam = nn.Conv2d(source.trunk.map_channels, source.head.out_features, 1, bias=False)
        split = source.trunk.out_channels
        with torch.no_grad():
            encoder = source.head.weight[:, split:] * source.standardise.scale
            self.head.weight.copy_(torch.cat([source.head.weight[:, :split], encoder], 1))
            self.head.bias.copy_(source.head.bias - encoder @ source.standardise.mean)
            self.cam.weight.copy_(source.cam_weight())
        self.eval()

    def forward(self, crop: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """As `MarkerClassifier.forward`."""
        maps, wavelet_features = self.trunk(crop)
        return self.head(torch.cat([wavelet_features, features], 1)), self.cam(maps)


class JointModel(nn.Module):
    """The frozen U-Net and the classifier in one module, for the desk."""

    def __init__(self, unet: UNet, classifier: MarkerClassifier) -> None:
        super().__init__()
        self.unet = unet.requires_grad_(False).eval()
        self.classifier = classifier

    def train(self, mode: bool = True) -> JointModel:
        """Set the mode of the classifier; the U-Net stays in evaluation mode."""
        super().train(mode)
        self.unet.eval()
        return self

    def forward(self, image: Tensor, crop: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mask logits (N, 1, S, S), marker logits (N, outputs) and cam, of slices and their crops."""
        with torch.no_grad():
            mask_logits, features = self.unet(image)
        return mask_logits, *self.classifier(crop, features)
