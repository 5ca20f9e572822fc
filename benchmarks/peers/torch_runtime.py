"""torch itself, eager and compiled, float32, channels last."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.peers.roster import Build, Model, as_arrays

FILE = "module.pt"


def start(threads: int) -> None:
    """Import torch and set its threads."""
    import torch

    torch.set_num_threads(threads)


def prepare(build: Build, folder: Path) -> None:
    """Keep the module; compiled code is kept beside it by the first measurement."""
    import torch

    torch.save(build.module, folder / FILE)


def open_model(folder: Path, threads: int, option: str) -> Model:
    """Load the module; with `compile` the compiler runs at the first call."""
    import torch

    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(folder / "compiled"))
    module: Any = torch.load(folder / FILE, weights_only=False)
    module = module.eval().to(memory_format=torch.channels_last)
    if option == "compile":
        module = torch.compile(module)

    def call(inputs: Any) -> Any:
        tensors = [torch.from_numpy(array) for array in inputs]
        shaped = [
            tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor
            for tensor in tensors
        ]
        with torch.inference_mode():
            return as_arrays([output.contiguous().numpy() for output in module(*shaped)])

    return call
