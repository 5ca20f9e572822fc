"""Grad-CAM by autograd, for any layer: the desk's reference for the map that the device computes.

Source: Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2. The classifier's second output is
the same map without autograd (`hemx_core.nn.joint`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from hemx_core.errors import TrainingError


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
        # A clone, so that an in-place activation behind the layer cannot change what is explained.
        maps.append(result if result.requires_grad else result.detach().requires_grad_())
        return maps[-1].clone()

    handle = layer.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            logits = run()
    finally:
        handle.remove()
    if len(maps) != 1 or maps[0].ndim != 4:
        raise TrainingError(
            f"the layer gave {[tuple(item.shape) for item in maps]}",
            expected="one output of shape (N, C, h, w)",
            remedy="choose a convolution or a block that runs once",
        )
    (gradient,) = torch.autograd.grad(logits[:, output].sum(), maps[0])
    weights = gradient.mean((2, 3), keepdim=True)
    return (weights * maps[0]).sum(1).detach()


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
