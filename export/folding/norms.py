"""Batch normalisation into the convolution before it.

In evaluation mode batch normalisation is affine in each channel, with the running statistics m, v:

    y = g (x - m) / sqrt(v + eps) + b = s x + (b - s m),    s = g / sqrt(v + eps).

Where x = W * z + c is a convolution, so is y = (s W) * z + (s (c - m) + b), with s for each output
channel.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from hemx_core.errors import FoldError


def inexact(found: str, module: nn.Module) -> FoldError:
    """A `FoldError` that names the module which cannot be rewritten exactly."""
    text = str(module).splitlines()[0]
    return FoldError(
        f"{found} ({text})",
        expected="a form the export folds exactly: see the derivations in export/fold_*.py",
        remedy="export another configuration, or add a folding pass with its derivation and test",
    )


def normalisation(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Scale and shift of each channel, float64: `norm(x) == scale * x + shift`.

    Raises:
        FoldError: the statistics are of the batch, not running ones.
    """
    if norm.running_mean is None or norm.running_var is None:
        raise inexact("batch normalisation without running statistics", norm)
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    shift = -norm.running_mean.double() * scale
    if norm.affine:
        weight, bias = norm.weight.detach().double(), norm.bias.detach().double()
        scale, shift = scale * weight, shift * weight + bias
    return scale, shift


def folded_parameters(conv: nn.Conv2d, norm: nn.BatchNorm2d | None) -> tuple[Tensor, Tensor]:
    """Weight and bias, float64, of a convolution with its normalisation, if any, folded in."""
    weight = conv.weight.detach().double()
    bias = weight.new_zeros(len(weight)) if conv.bias is None else conv.bias.detach().double()
    if norm is None:
        return weight, bias
    if norm.num_features != conv.out_channels:
        raise inexact("a normalisation of other channels than the convolution's", norm)
    scale, shift = normalisation(norm)
    return weight * scale[:, None, None, None], bias * scale + shift


def fold_norm(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """The convolution that equals `norm(conv(x))` in evaluation mode."""
    weight, bias = folded_parameters(conv, norm)
    folded = copy.deepcopy(conv)
    folded.weight = nn.Parameter(weight.float(), requires_grad=False)
    folded.bias = nn.Parameter(bias.float(), requires_grad=False)
    return folded


def fold_norms(module: nn.Module) -> nn.Module:
    """A copy of a module in which every convolution swallows the normalisation after it.

    Only inside `nn.Sequential`, where the order of execution is the order of the children; anywhere
    else a normalisation stays, and `fold_unet` and `fold_classifier` refuse to return it.
    """
    folded = copy.deepcopy(module).eval()
    for sequence in [m for m in folded.modules() if isinstance(m, nn.Sequential)]:
        for index in range(len(sequence) - 1):
            conv, norm = sequence[index], sequence[index + 1]
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                sequence[index] = fold_norm(conv, norm)
                sequence[index + 1] = nn.Identity()
    return folded


def assert_no_norms(module: nn.Module) -> None:
    """Refuse a module that still holds a batch normalisation.

    Raises:
        FoldError: naming it.
    """
    for name, child in module.named_modules():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            raise inexact(f"batch normalisation {name!r} that does not follow a convolution", child)


@torch.no_grad()
def conv_from(weight: Tensor, bias: Tensor | None, *, stride: int, padding: int) -> nn.Conv2d:
    """A plain convolution with given parameters, shape (O, I, k, k) and (O,)."""
    conv = nn.Conv2d(
        weight.shape[1],
        weight.shape[0],
        tuple(weight.shape[2:]),
        stride=stride,
        padding=padding,
        bias=bias is not None,
    )
    conv.weight.copy_(weight)
    if bias is not None and conv.bias is not None:
        conv.bias.copy_(bias)
    return conv.requires_grad_(False).eval()
