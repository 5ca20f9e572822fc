"""Inference of a trained network on prepared slices, in the machine's fastest arithmetic."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from hemx_core.nn.unet import UNet

AUTO = "auto"


def has_bfloat16(device: str) -> bool:
    """Whether a device computes in bfloat16 by itself.

    PyTorch emulates it on CPUs that do not: a training step of the U-Net then takes 55 s instead of 5 s
    in float32 (AMD EPYC with AVX2 only).

    Args:
        device: `cpu` or `cuda`.
    """
    if device == "cuda":
        return torch.cuda.is_bf16_supported()
    return any(on for name, on in torch.cpu.get_capabilities().items() if "bf16" in name)


def resolve_precision(precision: str) -> str:
    """`auto` as Lightning's `bf16-mixed` where the machine has it, else `32-true`; others as they are."""
    if precision != AUTO:
        return precision
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return "bf16-mixed" if has_bfloat16(device) else "32-true"


BATCH = 8
Array = NDArray[np.float32]
Features = NDArray[np.float32]


@torch.inference_mode()
def encode(unet: UNet, image: NDArray[np.floating]) -> Features:
    """Pooled encoder features of slices, (slices, S, S) to (slices, channels)."""
    with _autocast(unet):
        parts = [unet.encode(part)[-1].mean((2, 3)) for part in _batches(unet, image)]
    return np.concatenate([part.float().cpu().numpy() for part in parts])


@torch.inference_mode()
def segment(
    unet: UNet, image: NDArray[np.floating], *, exact: bool = False
) -> tuple[Array, Features]:
    """Probabilities (slices, S, S) and pooled encoder features (slices, channels).

    Args:
        unet: in evaluation mode.
        image: prepared slices, shape (slices, S, S).
        exact: in float32, whatever the machine computes fastest in.
    """
    probabilities, features = [], []
    with _autocast(unet, enabled=not exact):
        for part in _batches(unet, image):
            logits, pooled = unet(part)
            probabilities.append(torch.sigmoid(logits.float())[:, 0].cpu().numpy())
            features.append(pooled.float().cpu().numpy())
    return np.concatenate(probabilities), np.concatenate(features)


def segment_slice(unet: UNet, image: Array) -> tuple[Array, Features]:
    """One slice in float32, as `Models.segment` answers: (S, S) to (S, S) and (channels,)."""
    probabilities, features = segment(unet, image[None], exact=True)
    return probabilities[0], features[0]


@torch.inference_mode()
def classify_crop(network: torch.nn.Module, crop: Array, features: Features) -> tuple[Array, Array]:
    """One crop in float32, as `Models.classify` answers: logits (markers,) and maps (markers, …)."""
    logits, maps = network(torch.from_numpy(crop)[None, None], torch.from_numpy(features)[None])
    return logits[0].numpy(), maps[0].numpy()


def _batches(unet: UNet, image: NDArray[np.floating]) -> Iterator[torch.Tensor]:
    for start in range(0, len(image), BATCH):
        part = torch.from_numpy(image[start : start + BATCH].astype(np.float32))[:, None]
        yield part.to(_device(unet)).contiguous(memory_format=torch.channels_last)


def _autocast(unet: UNet, *, enabled: bool = True) -> torch.autocast:
    device = _device(unet).type
    return torch.autocast(device, dtype=torch.bfloat16, enabled=enabled and has_bfloat16(device))


def _device(unet: torch.nn.Module) -> torch.device:
    return next((p.device for p in unet.parameters()), torch.device("cpu"))
