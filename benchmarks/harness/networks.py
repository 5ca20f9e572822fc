"""The networks that are benchmarked, and their work.

The trained ones and narrow untrained ones for tests (`--tiny`); multiply-accumulates are counted from the
exported program.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn

from export.networks import (
    CLASSIFIER_WEIGHTS,
    DECISION_NAME,
    SEGMENTER_WEIGHTS,
    Decision,
    Networks,
    default_weights,
    load_networks,
)
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.manifest import MarkerSpec
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.config import UNetConfig, WaveletVGGConfig
from hemx_core.nn.efficientnet import ConvBN, SiLU
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet

aten = torch.ops.aten
CONVOLUTIONS = (aten.conv2d.default, aten.convolution.default, aten.conv_transpose2d.input)
PRODUCTS = (aten.linear.default, aten.addmm.default, aten.mm.default, aten.matmul.default)
TRANSPOSED = "transposed convolution"
DEPTHWISE, DENSE, PRODUCT = "depthwise convolution", "convolution", "matrix product"


def count_macs(module: nn.Module, inputs: tuple[Tensor, ...]) -> dict[str, int]:
    """Multiply-accumulates of one call, by kind of operator; elementwise work and means are not counted.

    A convolution does, for every element of its output, the inputs of a group times the kernel's size; a
    transposed one does that for every element of its input.

    Args:
        module: in evaluation mode.
        inputs: example inputs, which fix the shapes.
    """
    graph = torch.export.export(module, inputs).graph_module.graph
    found: Counter[str] = Counter()
    for node in graph.nodes:
        if node.op != "call_function":
            continue
        if node.target in CONVOLUTIONS:
            kind, macs = _convolution(node)
            found[kind] += macs
        elif node.target in PRODUCTS:
            found[PRODUCT] += _product(node)
    return dict(found)


def _convolution(node: fx.Node) -> tuple[str, int]:
    image, weight = _value(node.args[0]), _value(node.args[1])
    kernel = math.prod(weight.shape[2:])
    if node.target is aten.conv_transpose2d.input or (
        node.target is aten.convolution.default and node.args[6]
    ):
        # The weight is (inputs, outputs of a group, rows, columns).
        return TRANSPOSED, image.numel() * weight.shape[1] * kernel
    kind = (
        DEPTHWISE if weight.shape[1] == 1 and weight.shape[0] > 1 and image.shape[1] > 1 else DENSE
    )
    return kind, _value(node).numel() * weight.shape[1] * kernel


def _product(node: fx.Node) -> int:
    left = node.args[1] if node.target is aten.addmm.default else node.args[0]
    return int(_value(node).numel() * _value(left).shape[-1])


def _value(node: Any) -> Tensor:
    value: Tensor = node.meta["val"]
    return value


TINY_SIZE, TINY_CROP, TINY_PIXEL_MM = 64, 32, 3.6
TINY_UNET = UNetConfig(width=0.125, depth=0.1)
TINY_VGG_WIDTH = 0.02
SEED = 3


class Segmenter(nn.Module):
    """The trained segmenter with its sigmoid, so that every runtime does the same work."""

    def __init__(self, unet: UNet) -> None:
        super().__init__()
        self.unet = unet.eval()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (N, 1, S, S) to probabilities (N, 1, S, S) and features (N, C)."""
        logits, features = self.unet(image)
        return torch.sigmoid(logits), features


class PlainEncoder(nn.Module):
    """Five strided convolutions in place of EfficientNet's blocks, for tests: quick to lower."""

    def __init__(self, channels: list[int]) -> None:
        super().__init__()
        self.out_channels = channels
        self.stages = nn.ModuleList(
            ConvBN(a, b, kernel=3, stride=2) for a, b in pairwise([1, *channels])
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """Maps at strides 2 to 32, shallow first."""
        maps = []
        for stage in self.stages:
            image = stage(image)
            maps.append(image)
        return maps


def open_networks(weights: Path | None, *, tiny: bool) -> Networks:
    """The trained networks of a folder (by default the repository's), or narrow ones."""
    return narrow_networks() if tiny else load_networks(weights or default_weights())


def weights_digest(weights: Path | None, *, tiny: bool) -> str:
    """Changes whenever the networks do: what was prepared from others is not used again."""
    if tiny:
        return f"tiny-{SEED}"
    digest = hashlib.sha256()
    for name in (SEGMENTER_WEIGHTS, CLASSIFIER_WEIGHTS, DECISION_NAME):
        digest.update(((weights or default_weights()) / name).read_bytes())
    return digest.hexdigest()[:16]


def segmenter_digest(weights: Path | None, *, tiny: bool) -> str:
    """Changes whenever the segmenter, its input or its mask's threshold do; the classifier plays no part."""
    if tiny:
        return f"tiny-{SEED}"
    folder = weights or default_weights()
    decided = json.loads((folder / DECISION_NAME).read_text(encoding="utf-8"))
    rules = {name: decided[name] for name in ("preprocessing", "mask_threshold")}
    digest = hashlib.sha256((folder / SEGMENTER_WEIGHTS).read_bytes())
    digest.update(json.dumps(rules, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def narrow_networks() -> Networks:
    """Untrained networks of some thousand parameters on a grid of 64; about half of a slice is blood."""
    torch.manual_seed(SEED)
    unet = UNet(TINY_UNET)
    unet.encoder = PlainEncoder(unet.encoder.out_channels)
    unet.eval()
    with torch.no_grad():
        logits, _ = unet(torch.rand(4, 1, TINY_SIZE, TINY_SIZE))
        unet.head.bias -= logits.median()
    vgg = WaveletVGGConfig(width=TINY_VGG_WIDTH)
    return Networks(
        segmenter=unet,
        classifier=MarkerClassifier(vgg, unet.feature_channels).eval(),
        decision=Decision(
            preprocessing=PreprocessingSpec(size=TINY_SIZE, pixel_mm=TINY_PIXEL_MM),
            crop_size=TINY_CROP,
            mask_threshold=0.5,
            min_component_ml=0.1,
            markers=tuple(MarkerSpec(code, 1.0, 0.5) for code in MARKER_CODES),
        ),
    )


def stock(module: nn.Module) -> nn.Module:
    """The network as one would write it without knowing XNNPACK: `nn.SiLU` for every x * sigmoid(x)."""
    module = copy.deepcopy(module)
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, SiLU):
                setattr(parent, name, nn.SiLU())
    return module.eval()


def max_pool_classifier(like: MarkerClassifier) -> MarkerClassifier:
    """A plain max-pool VGG16 of the same width and input; untrained, for its time only."""
    torch.manual_seed(SEED)
    config = WaveletVGGConfig(width=like.config.width, merge="max")
    return MarkerClassifier(config, like.encoder_channels, like.head.out_features).eval()
