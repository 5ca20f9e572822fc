"""The segmenter's program for a fixed number of slices in a call."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.material import read_inputs
from benchmarks.process import run_fresh
from benchmarks.settings import Settings
from hemx_core.manifest import ProgramSpec


def prepare_batch(settings: Settings, folder: Path, batch: int) -> None:
    """Export the segmenter for a fixed batch, unless that was done for these networks."""
    path, stamp = folder / f"segmenter_{batch}.pte", folder / f"segmenter_{batch}.key"
    if path.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == settings.key():
        return
    settings.tell(f"exporting the segmenter for {batch} slices a call")
    folder.mkdir(parents=True, exist_ok=True)
    arguments = {
        "path": str(path),
        "batch": batch,
        "material": str(settings.material()),
        "weights": str(settings.weights) if settings.weights else None,
        "tiny": settings.tiny,
    }
    run_fresh(write_batch_program, arguments)
    stamp.write_text(settings.key(), encoding="utf-8")


def batch_spec(spec: ProgramSpec, path: Path, batch: int) -> ProgramSpec:
    """The segmenter's specification with another batch size and file."""
    content = path.read_bytes()

    def sized(tensors: Any) -> Any:
        return tuple(replace(one, shape=(batch, *one.shape[1:])) for one in tensors)

    return ProgramSpec(
        path.name,
        hashlib.sha256(content).hexdigest(),
        len(content),
        sized(spec.inputs),
        sized(spec.outputs),
    )


def write_batch_program(
    path: str, batch: int, material: str, weights: str | None, tiny: bool
) -> None:
    """Export the segmenter for a fixed batch, calibrated as the bundle's; runs in a fresh process."""
    import torch

    from benchmarks.networks import open_networks
    from export.fold import fold_unet
    from export.lower import lower
    from export.quantize import quantize

    networks = open_networks(Path(weights) if weights else None, tiny=tiny)
    images = [one[0] for one in read_inputs(Path(material), "segmenter", "calibration")]
    groups = [
        np.concatenate(images[i : i + batch]) for i in range(0, len(images) - batch + 1, batch)
    ]
    inputs = [(torch.from_numpy(group),) for group in groups]
    twin = fold_unet(networks.segmenter)
    # The narrow bundle is float32, and outputs must agree.
    graph = twin if tiny else quantize(twin, inputs)
    draft = Path(path).with_suffix(".tmp")
    draft.write_bytes(lower(graph, (torch.zeros_like(inputs[0][0]),)).pte)
    draft.replace(path)
