r"""LiteRT (TensorFlow Lite): float32, and static int8 by its own quantizer.

Its converter pins an old typing-extensions through xdsl, so it stands in no extra; beside the others it works
when installed without dependencies:

    pip install "ai-edge-litert==2.3.0" backports.strenum
    pip install --no-deps litert-torch==0.10.0 litert-converter==0.5.0 ai-edge-quantizer==0.10.0 \
        xdsl==0.28.0 immutabledict==4.2.1 lark jax jaxlib opt_einsum jaxtyping wadler_lindig multipledispatch
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.roster import Build, Model, as_arrays

FILE = "model.tflite"


def start(threads: int) -> None:
    """Import the runtime."""
    from ai_edge_litert import interpreter  # noqa: F401


def prepare(build: Build, folder: Path) -> None:
    """Convert; for int8 calibrate and quantize weights and activations."""
    import litert_torch

    plain = folder / ("fp32.tmp.tflite" if build.precision == "int8" else FILE)
    litert_torch.convert(build.module, build.example).export(str(plain))
    if build.precision == "fp32":
        return
    from ai_edge_quantizer import quantizer, recipe

    work = quantizer.Quantizer(str(plain), recipe.static_wi8_ai8())
    names = input_names(plain)
    rows = [dict(zip(names, image, strict=True)) for image in build.calibration]
    found = work.calibrate({"serving_default": rows}, num_threads=1)
    work.quantize(found).export_model(str(folder / FILE), overwrite=True)
    plain.unlink()


def open_model(folder: Path, threads: int, option: str) -> Model:
    """An interpreter of so many threads; its XNNPACK delegate is on by default."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / FILE), num_threads=threads)
    run = interpreter.get_signature_runner()
    given, taken = run.get_input_details(), run.get_output_details()
    names, outputs = sorted(given), sorted(taken)

    def call(inputs: Any) -> Any:
        rows = zip(names, inputs, strict=True)
        found = run(**{name: quantized(array, given[name]) for name, array in rows})
        return as_arrays(dequantized(found[name], taken[name]) for name in outputs)

    return call


def quantized(array: Any, details: Any) -> Any:
    """A float input as an int8 graph takes it; unchanged where the graph takes floats."""
    if details["dtype"] != np.int8:
        return array
    scale, zero = details["quantization"]
    return np.clip(np.rint(array / np.float32(scale)) + zero, -128, 127).astype(np.int8)


def dequantized(array: Any, details: Any) -> Any:
    """An int8 output as floats."""
    if details["dtype"] != np.int8:
        return array
    scale, zero = details["quantization"]
    return (array.astype(np.float32) - zero) * np.float32(scale)


def input_names(path: Path) -> list[str]:
    """Names of the signature's inputs, `args_0` first."""
    from ai_edge_litert.interpreter import Interpreter

    return sorted(Interpreter(str(path)).get_signature_runner().get_input_details())
