"""MNN, float32, converted from ONNX with the tools of its wheel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.onnx_runtime import export_onnx
from benchmarks.peers.roster import Build, Model, as_arrays
from hemx_core.files import write_whole

FILE, NAMES = "model.mnn", "names.json"


def start(threads: int) -> None:
    """Import the runtime."""
    import MNN  # noqa: F401


def prepare(build: Build, folder: Path) -> None:
    """ONNX to MNN."""
    onnx, target = folder / "model.tmp.onnx", folder / FILE
    export_onnx(build, onnx)
    files = ["--modelFile", str(onnx), "--MNNModel", str(target)]
    _convert(["-f", "ONNX", *files, "--bizCode", "hemx"], target)
    names = {"inputs": list(build.input_names), "outputs": list(build.output_names)}
    write_whole(folder / NAMES, json.dumps(names))
    onnx.unlink()


def open_model(folder: Path, threads: int, option: str) -> Model:
    """A session of so many threads.

    Not `MNN.nn.load_module_from_file`: measured, a call of the same graph takes it 500 ms instead of 1.
    """
    import MNN

    names = json.loads((folder / NAMES).read_text(encoding="utf-8"))
    interpreter = MNN.Interpreter(str(folder / FILE))
    session = interpreter.createSession({"numThread": threads, "backend": "CPU"})
    given, found = interpreter.getSessionInputAll(session), interpreter.getSessionOutputAll(session)

    def host(tensor: Any, array: Any) -> Any:
        order = MNN.Tensor_DimensionType_Caffe
        return MNN.Tensor(tensor.getShape(), MNN.Halide_Type_Float, array, order)

    def call(inputs: Any) -> Any:
        for name, array in zip(names["inputs"], inputs, strict=True):
            given[name].copyFrom(host(given[name], np.ascontiguousarray(array)))
        interpreter.runSession(session)
        outputs = []
        for name in names["outputs"]:
            tensor = found[name]
            copy = host(tensor, np.zeros(tensor.getShape(), np.float32))
            tensor.copyToHostTensor(copy)
            # A copy at once: the array is a view that dies with its tensor.
            outputs.append(np.array(copy.getNumpyData()))
        return as_arrays(outputs)

    return call


def _convert(arguments: list[str], written: Path) -> None:
    """Call the converter itself: its command line also installs a package and reports use to its maker."""
    code = "import sys, _tools; _tools.mnnconvert(['hemx', *sys.argv[1:]])"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode or not written.is_file():
        raise RuntimeError(f"mnnconvert wrote nothing: {(done.stderr or done.stdout)[-300:]}")
