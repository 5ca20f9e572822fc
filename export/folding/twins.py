"""The inference twins: the trained networks rewritten exactly into what one delegate takes.

    BatchNorm2d                        into the convolution before it       norms
    upsample + concat + 3 x 3          transposed 4 x 4 + 3 x 3             upsampling
    wavelet pooling                    into the convolution beside it       wavelets
    last pooling + mean + linear head  2 x 2 convolution + mean             wavelets
    standardisation of the features    into the linear head                 StaticClassifier

Parameters are combined in float64; the twins agree with the trained networks to float32 rounding.
`hemx benchmark fold-gain` measures what each pass gains.

Also exact, and left out because they cost more than they save (multiply-accumulates, counted):

- `project` folded once more into the 3 x 3 convolution that follows it: with C channels in and 2 C out
  4 C^2 + 18 C^2 an output pixel become 36 * 2 C^2 for the 6 x 6 kernel, 3.3 times as many. (`concat` has
  the same kernel at no more cost than 9 * 4 C * 2 C as written, and saves the transform.)
- The last projection of a stage folded into the next expansion (both 1 x 1, nothing between): with 6 C
  inside, 6 C^2 + 6 C^2 become 36 C^2, and the stage's map is needed anyway, as skip or for the residual.
- Squeeze-and-excitation's gate cannot go into the projection's weights: it depends on the picture.
- The input needs no normalisation to fold (slices are prepared to [0, 1]). The sigmoid of the mask stays in
  the graph: there it is one int8 table, on the device it would be a float pass over every pixel.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from export.folding.norms import assert_no_norms, conv_from, fold_norms
from export.folding.upsampling import FoldedDecoderBlock
from export.folding.wavelets import MeanHead, fold_concat, fold_pool
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet
from hemx_core.nn.wavelet_vgg import WaveletPool


class GlobalMean(nn.Module):
    """Spatial mean, (N, C, H, W) to (N, C), in the form of XNNPACK's global average pooling."""

    def forward(self, x: Tensor) -> Tensor:
        """Average over rows and columns."""
        return x.mean((2, 3), keepdim=True).flatten(1)


class FoldedUNet(nn.Module):
    """The segmenter as exported: sigmoid inside, features pooled.

    Raises:
        FoldError: a part of the network that no pass rewrites exactly.
    """

    float_modules = ("pool_features",)
    """What int8 recipes leave in float32: a mean needs finer steps than the map it averages."""

    def __init__(self, unet: UNet) -> None:
        super().__init__()
        self.encoder = fold_norms(unet.encoder)
        self.pool_features = GlobalMean()
        self.decoder = nn.ModuleList(FoldedDecoderBlock(block) for block in unet.decoder)
        self.head = copy.deepcopy(unet.head)
        self.feature_channels = unet.feature_channels
        self.requires_grad_(False).eval()
        assert_no_norms(self)

    def logits(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Mask logits (N, 1, S, S) and features (N, C): what `UNet.forward` returns."""
        *skips, x = self.encoder(image)
        features = self.pool_features(x)
        for block, skip in zip(self.decoder, [*reversed(skips), image], strict=True):
            x = block(x, skip)
        return self.head(x), features

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (N, 1, S, S) to probabilities (N, 1, S, S) and features (N, C)."""
        logits, features = self.logits(image)
        return torch.sigmoid(logits), features


class JointHead(nn.Module):
    """Logits from the last VGG maps and the segmenter's features: both linear, added."""

    def __init__(self, pool: WaveletPool, head: nn.Linear) -> None:
        super().__init__()
        split = pool.out_channels
        self.wavelet = MeanHead(pool, head.weight[:, :split])
        self.encoder = nn.Linear(head.in_features - split, head.out_features)
        self.encoder.weight.copy_(head.weight[:, split:])
        self.encoder.bias.copy_(head.bias)

    def forward(self, maps: Tensor, features: Tensor) -> Tensor:
        """Shapes (N, maps, h, w) and (N, C) to logits (N, markers)."""
        return self.wavelet(maps) + self.encoder(features)


class FoldedClassifier(nn.Module):
    """The marker classifier as exported: logits and class activation maps.

    Raises:
        FoldError: a part of the network that no pass rewrites exactly.
    """

    float_modules = ("head", "cam")
    """What int8 recipes leave in float32: little work, and the logits' whole precision."""

    def __init__(self, model: MarkerClassifier) -> None:
        super().__init__()
        static = copy.deepcopy(model).eval().static()
        *pools, last = static.trunk.pools
        blocks = [_without_inplace(fold_norms(block)) for block in static.trunk.blocks]
        steps = [blocks[0]]
        for pool, block in zip(pools, blocks[1:], strict=True):
            if pool.merge == "concat":
                block[0][0] = fold_concat(pool, block[0][0])
            else:
                steps.append(fold_pool(pool))
            steps.append(block)
        self.trunk = nn.Sequential(*steps)
        self.head = JointHead(last, static.head)
        self.cam = conv_from(static.cam.weight.detach(), None, stride=1, padding=0)
        self.requires_grad_(False).eval()
        assert_no_norms(self)

    def forward(self, crop: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """As `MarkerClassifier.forward`: logits (N, 4) and cam (N, 4, K / 16, K / 16)."""
        maps = self.trunk(crop)
        return self.head(maps, features), self.cam(maps)


@torch.no_grad()
def fold_unet(unet: UNet) -> FoldedUNet:
    """The segmenter's inference twin; the trained network is left as it is."""
    return FoldedUNet(unet)


@torch.no_grad()
def fold_classifier(model: MarkerClassifier) -> FoldedClassifier:
    """The classifier's inference twin; the trained network is left as it is."""
    return FoldedClassifier(model)


def _without_inplace(module: nn.Module) -> nn.Module:
    """In-place activations made ordinary ones: the exported graph is functional anyway."""
    for child in module.modules():
        if isinstance(child, nn.ReLU):
            child.inplace = False
    return module
