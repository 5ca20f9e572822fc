"""ExecuTorch: our programs as shipped, and what the stock recipe makes of the trained network."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.peers.roster import STOCK_GRAPH, Build, Model
from hemx_core.files import write_whole
from hemx_core.manifest import ProgramSpec, TensorSpec

FILE, SPEC = "program.pte", "program.json"


def start(threads: int) -> None:
    """Import the runtime as the product does, and set its threads."""
    from hemx_core.runtime.desktop import DesktopBackend

    DesktopBackend(threads=threads)


def prepare(build: Build, folder: Path) -> None:
    """Take the bundle's program, or export one."""
    if build.program is not None:
        shutil.copyfile(build.program, folder / FILE)
    elif build.graph == STOCK_GRAPH:
        (folder / FILE).write_bytes(_stock_recipe(build))
    else:
        from export.lower import lower
        from export.quantize import quantize

        graph = quantize(build.module, [build.tensors(image) for image in build.calibration])
        (folder / FILE).write_bytes(lower(graph, build.example).pte)
    spec = asdict(_spec(build, (folder / FILE).read_bytes()))
    write_whole(folder / SPEC, json.dumps(spec))


def open_model(folder: Path, threads: int, option: str) -> Model:
    """Open with the product's own backend: hash, magic and shapes are checked, as in a triage."""
    from hemx_core.runtime.desktop import DesktopBackend

    values = json.loads((folder / SPEC).read_text(encoding="utf-8"))
    tensors = {
        side: tuple(TensorSpec(**{**spec, "shape": tuple(spec["shape"])}) for spec in values[side])
        for side in ("inputs", "outputs")
    }
    spec = ProgramSpec(values["file"], values["sha256"], values["bytes"], **tensors)
    program = DesktopBackend(threads=threads).open(folder / FILE, spec)
    return lambda inputs: list(program(inputs))


def _stock_recipe(build: Build) -> bytes:
    """The recipe of ExecuTorch's documentation: XNNPACKQuantizer, convert, lower; nothing of ours."""
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from executorch.exir import to_edge_transform_and_lower
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        quantizer = XNNPACKQuantizer()
        quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True))
        prepared = prepare_pt2e(
            torch.export.export(build.module, build.example).module(), quantizer
        )
        for image in build.calibration:
            prepared(*build.tensors(image))
        exported = torch.export.export(convert_pt2e(prepared), build.example)
        edge = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
        return bytes(edge.to_executorch().buffer)


def _spec(build: Build, content: bytes) -> ProgramSpec:
    import torch

    with torch.no_grad():
        outputs = build.module(*build.example)
    return ProgramSpec(
        FILE,
        hashlib.sha256(content).hexdigest(),
        len(content),
        _tensors(build.input_names, build.example),
        _tensors(build.output_names, outputs),
    )


def _tensors(names: tuple[str, ...], tensors: Any) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(name, tuple(tensor.shape), "float32", "batch, …")
        for name, tensor in zip(names, tensors, strict=True)
    )
