"""ncnn, converted by pnnx; with its default options."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.roster import Build, Model

PARAM, WEIGHTS, SHAPES = "model.ncnn.param", "model.ncnn.bin", "shapes.npz"


def start(threads: int) -> None:
    """Import the runtime."""
    import ncnn  # noqa: F401


def prepare(build: Build, folder: Path) -> None:
    """Trace and convert; pnnx writes more files than ncnn needs."""
    import pnnx
    import torch

    with chdir(folder), torch.no_grad():
        pnnx.export(build.module, "model.pt", build.example, fp16=False)
        outputs = build.module(*build.example)
    np.savez(folder / SHAPES, *[np.array(output.shape) for output in outputs])
    for path in folder.iterdir():
        if path.name not in (PARAM, WEIGHTS, SHAPES):
            path.unlink()


def open_model(folder: Path, threads: int, option: str) -> Model:
    """A net of so many threads; its tensors have no batch axis."""
    import ncnn

    net: Any = ncnn.Net()
    net.opt.num_threads = threads
    if net.load_param(str(folder / PARAM)) or net.load_model(str(folder / WEIGHTS)):
        raise RuntimeError("ncnn cannot load the model")
    with np.load(folder / SHAPES) as stored:
        shapes = [tuple(stored[key]) for key in stored.files]

    def call(inputs: Any) -> Any:
        with net.create_extractor() as run:
            for place, array in enumerate(inputs):
                run.input(f"in{place}", ncnn.Mat(np.ascontiguousarray(array[0])).clone())
            found = [np.array(run.extract(f"out{place}")[1]) for place in range(len(shapes))]
        return [output.reshape(shape) for output, shape in zip(found, shapes, strict=True)]

    return call
