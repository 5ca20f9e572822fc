"""Which arithmetic a machine trains and computes fastest in."""

from __future__ import annotations

import torch

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
