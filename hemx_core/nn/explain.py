"""Grad-CAM by autograd, for any layer: the desk's reference for the map that the device computes.

Sources: Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2; for masks Vinogradova et al.,
Seg-Grad-CAM, AAAI 2020, equation 3: the logit is summed over a region. The classifier's second output is
the same map without autograd (`hemx_core.nn.joint`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from hemx_core.errors import TrainingError
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet

LAST_MARKER_LAYER = "trunk.blocks.4"
"""The thirteenth convolution with its ReLU: the layer of the device's own map."""
LAST_MASK_LAYER = "decoder.4"


def grad_cam(run: Callable[[], Tensor], layer: nn.Module, output: int) -> Tensor:
    """Gradient-weighted class activation map, signed (before Grad-CAM's ReLU).

    Args:
        run: runs the model and returns its logits, shape (N, outputs); samples must be independent
            of each other (evaluation mode).
        layer: its output, shape (N, C, h, w), is explained.
        output: index of the logit.
    Returns:
        shape (N, h, w): the sum over channels of the maps, each weighted by the mean over
        positions of the logit's gradient.
    Raises:
        TrainingError: the layer did not run, or has no maps as output.
    """
    maps: list[Tensor] = []

    def keep(module: nn.Module, inputs: object, result: Tensor) -> Tensor:
        if not isinstance(result, Tensor) or result.ndim != 4:
            raise _no_maps(f"the layer {type(module).__name__} has no maps as output")
        # A clone, so that an in-place activation behind the layer cannot change what is explained.
        maps.append(result if result.requires_grad else result.detach().requires_grad_())
        return maps[-1].clone()

    handle = layer.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            logits = run()
    finally:
        handle.remove()
    if len(maps) != 1:
        raise _no_maps(f"the layer ran {len(maps)} times")
    (gradient,) = torch.autograd.grad(logits[:, output].sum(), maps[0], allow_unused=True)
    if gradient is None:
        raise _no_maps("the layer has no part in this output")
    weights = gradient.mean((2, 3), keepdim=True)
    return (weights * maps[0]).sum(1).detach()


def explain_marker(
    classifier: MarkerClassifier,
    crop: Tensor,
    features: Tensor,
    *,
    output: int,
    layer: str = LAST_MARKER_LAYER,
) -> Tensor:
    """Grad-CAM of a marker in any layer, on the crop.

    Args:
        classifier: in evaluation mode.
        crop, features: see `MarkerClassifier.forward`.
        output: index of the marker.
        layer: a name of `explainable_layers`.
    Returns:
        shape (N, K, K), signed, bilinear from the layer's maps.
    Raises:
        TrainingError: no such layer, or it has no maps.
    """
    cam = grad_cam(lambda: classifier(crop, features)[0], named_layer(classifier, layer), output)
    return on_picture(cam, crop.shape[-1])


def explain_mask(
    unet: UNet, image: Tensor, *, region: Tensor | None = None, layer: str = LAST_MASK_LAYER
) -> Tensor:
    """Seg-Grad-CAM: what in a layer speaks for blood, on the slice.

    Args:
        unet: in evaluation mode.
        image: shape (N, 1, S, S).
        region: pixels whose logits are summed, bool, same shape; those taken for blood if None.
        layer: a name of `explainable_layers`.
    Returns:
        shape (N, S, S), signed, bilinear from the layer's maps; zeros where the region is empty.
    Raises:
        TrainingError: no such layer, or it has no maps.
    """

    def run() -> Tensor:
        logits = unet(image)[0]
        inside = (logits > 0) if region is None else region
        return (logits * inside).sum((2, 3))

    return on_picture(grad_cam(run, named_layer(unet, layer), 0), image.shape[-1])


def named_layer(model: nn.Module, name: str) -> nn.Module:
    """The layer of a dotted name.

    Raises:
        TrainingError: there is none.
    """
    layers = dict(model.named_modules())
    if not name or name not in layers:
        raise TrainingError(
            f"no layer {name!r} in {type(model).__name__}",
            expected="a name of `explainable_layers`, for example "
            + ", ".join([other for other in layers if other][-3:]),
            remedy="correct the name",
        )
    return layers[name]


def explainable_layers(model: nn.Module, run: Callable[[], object]) -> list[str]:
    """Names of the layers that run once and give maps of shape (N, C, h, w), in order.

    Args:
        model: to look into.
        run: runs it once.
    """
    found: dict[str, int] = {}

    def note(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(module: nn.Module, inputs: object, result: object) -> None:
            maps = isinstance(result, Tensor) and result.ndim == 4
            found[name] = found.get(name, 0) + (1 if maps else 2)

        return hook

    handles = [
        layer.register_forward_hook(note(name)) for name, layer in model.named_modules() if name
    ]
    try:
        with torch.no_grad():
            run()
    finally:
        for handle in handles:
            handle.remove()
    return [name for name, count in found.items() if count == 1]


def on_picture(cam: Tensor, size: int) -> Tensor:
    """Maps (N, h, w) on the picture they explain, (N, size, size), bilinear by pixel areas."""
    wide = functional.interpolate(cam[:, None], (size, size), mode="bilinear", align_corners=False)
    return wide[:, 0]


def _no_maps(found: str) -> TrainingError:
    return TrainingError(
        found,
        expected="one output of shape (N, C, h, w) that the logit depends on",
        remedy="choose a convolution or a block that runs once, see `explainable_layers`",
    )


def heatmap(cam: Tensor) -> Tensor:
    """For display: Grad-CAM's ReLU, then each map divided by its largest value.

    Args:
        cam: shape (..., h, w).
    Returns:
        the same shape, in [0, 1]; zeros where nothing is positive.
    """
    positive = cam.clamp_min(0)
    peak = positive.amax((-2, -1), keepdim=True)
    return positive / peak.clamp_min(torch.finfo(cam.dtype).tiny)
