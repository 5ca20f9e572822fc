"""OpenVINO: float32, and int8 by NNCF's post-training quantization with its defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.peers.roster import Build, Model, as_arrays

FILE = "model.xml"


def start(threads: int) -> None:
    """Import the runtime."""
    import openvino  # noqa: F401


def prepare(build: Build, folder: Path) -> None:
    """Convert with fixed shapes; for int8 quantize with all calibration inputs."""
    import openvino

    shapes: Any = [tuple(array.shape) for array in build.example]
    model = openvino.convert_model(build.module, example_input=build.example, input=shapes)
    if build.precision == "int8":
        import nncf

        rows = [list(image) for image in build.calibration]
        model = nncf.quantize(model, nncf.Dataset(rows), subset_size=len(rows))
    openvino.save_model(model, folder / FILE, compress_to_fp16=False)


def open_model(folder: Path, threads: int, option: str) -> Model:
    """A model compiled for latency with so many threads."""
    import openvino

    compiled = openvino.Core().compile_model(
        folder / FILE, "CPU", {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    )
    request = compiled.create_infer_request()
    outputs = list(compiled.outputs)

    def call(inputs: Any) -> Any:
        found = request.infer(list(inputs))
        return as_arrays(found[output] for output in outputs)

    return call
