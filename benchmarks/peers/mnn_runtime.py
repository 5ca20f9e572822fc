"""MNN, converted from ONNX with the tools of its wheel; int8 by its offline quantizer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.build import Build, Model, as_arrays
from benchmarks.peers.onnx_runtime import export_onnx

FILE, NAMES = "model.mnn", "names.json"


def start(threads: int) -> None:
    """Import the runtime."""
    import MNN.expr
    import MNN.nn  # noqa: F401


def prepare(build: Build, folder: Path) -> None:
    """ONNX to MNN; for int8 the offline quantizer with all calibration inputs."""
    onnx, plain = folder / "model.tmp.onnx", folder / "plain.tmp.mnn"
    export_onnx(build, onnx)
    target = plain if build.precision == "int8" else folder / FILE
    arguments = [
        "-f",
        "ONNX",
        "--modelFile",
        str(onnx),
        "--MNNModel",
        str(target),
        "--bizCode",
        "hemx",
    ]
    _tool("mnnconvert", arguments)
    names = {"inputs": list(build.input_names), "outputs": list(build.output_names)}
    (folder / NAMES).write_text(json.dumps(names), encoding="utf-8")
    if build.precision == "int8":
        _quantize(build, folder, plain)
    for path in (onnx, plain):
        path.unlink(missing_ok=True)


def open_model(folder: Path, threads: int, option: str) -> Model:
    """A module of so many threads."""
    import MNN.expr as expr
    import MNN.nn

    names = json.loads((folder / NAMES).read_text(encoding="utf-8"))
    module = MNN.nn.load_module_from_file(
        str(folder / FILE),
        names["inputs"],
        names["outputs"],
        thread_num=threads,
        shape_mutable=False,
    )

    # Made once: with new variables in every call MNN plans its buffers anew each time.
    given: list[Any] = []

    def call(inputs: Any) -> Any:
        given.extend(expr.placeholder(list(one.shape), expr.NCHW) for one in inputs[len(given) :])
        for variable, array in zip(given, inputs, strict=True):
            variable.write(np.ascontiguousarray(array))
        found = [expr.convert(one, expr.NCHW) for one in module.onForward(given)]
        return as_arrays(one.read() for one in found)

    return call


def _quantize(build: Build, folder: Path, plain: Path) -> None:
    samples = folder / "samples.tmp"
    for index, one in enumerate(build.calibration):
        place = samples / f"{index:04d}"
        place.mkdir(parents=True, exist_ok=True)
        shapes = {
            name: list(array.shape) for name, array in zip(build.input_names, one, strict=True)
        }
        lines = [f"{name} {' '.join(map(str, shape))}" for name, shape in shapes.items()]
        entries = [{"name": name, "shape": shape} for name, shape in shapes.items()]
        listing = {"inputs": entries, "outputs": list(build.output_names)}
        (place / "input.json").write_text(json.dumps(listing), encoding="utf-8")
        (place / "shapes.txt").write_text("\n".join(lines), encoding="utf-8")
        for name, array in zip(build.input_names, one, strict=True):
            text = "\n".join(f"{value:.7g}" for value in array.ravel())
            (place / f"{name}.txt").write_text(text, encoding="utf-8")
    config = {
        "format": "RGB",
        "path": str(samples),
        "input_type": "sequence",
        "used_sample_num": len(build.calibration),
        "feature_quantize_method": "KL",
        "weight_quantize_method": "MAX_ABS",
    }
    (folder / "quantize.tmp.json").write_text(json.dumps(config), encoding="utf-8")
    _tool("mnnquant", [str(plain), str(folder / FILE), str(folder / "quantize.tmp.json")])


def _tool(name: str, arguments: list[str]) -> None:
    """Call a tool's own code: its command line also installs a package and reports use to its maker."""
    code = f"import sys, _tools; _tools.{name}(*eval(sys.argv[1]))"
    given = repr([["hemx", *arguments]] if name == "mnnconvert" else arguments)
    done = subprocess.run(
        [sys.executable, "-c", code, given], capture_output=True, text=True, check=False
    )
    written = Path(
        arguments[arguments.index("--MNNModel") + 1] if "--MNNModel" in arguments else arguments[1]
    )
    if done.returncode or not written.is_file():
        raise RuntimeError(f"{name} wrote nothing: {(done.stderr or done.stdout)[-300:]}")
