"""ONNX Runtime: float32, and static QDQ int8 made with its own quantizer as its documentation says."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.harness.material import Inputs
from benchmarks.peers.roster import Build, Model, as_arrays

FILE = "model.onnx"


def start(threads: int) -> None:
    """Import the runtime."""
    import onnxruntime  # noqa: F401


def prepare(build: Build, folder: Path) -> None:
    """Export to ONNX; for int8 pre-process and quantize, weights per channel.

    `s8s8` is what the documentation tells to try first; `u8s8` is its advice for x86 without VNNI, with
    weights of 7 bits, because its AVX2 kernel saturates otherwise.
    """
    if build.precision == "fp32":
        export_onnx(build, folder / FILE)
        return
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    plain, shaped = folder / "fp32.tmp", folder / "shaped.tmp"
    export_onnx(build, plain)
    quant_pre_process(str(plain), str(shaped))
    unsigned = build.option == "u8s8"
    quantize_static(
        str(shaped),
        str(folder / FILE),
        _reader(build.input_names, build.calibration),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8 if unsigned else QuantType.QInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=unsigned,
    )
    plain.unlink()
    shaped.unlink()


def open_model(folder: Path, threads: int, option: str) -> Model:
    """A session of so many threads, all optimizations."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(folder / FILE), options, providers=["CPUExecutionProvider"]
    )
    names = [input_.name for input_ in session.get_inputs()]
    return lambda inputs: as_arrays(session.run(None, dict(zip(names, inputs, strict=True))))


def export_onnx(build: Build, path: Path) -> None:
    """The graph as ONNX, weights inside."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            build.module,
            build.example,
            str(path),
            input_names=list(build.input_names),
            output_names=list(build.output_names),
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def _reader(names: tuple[str, ...], calibration: list[Inputs]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        """The calibration inputs, one after the other."""

        def __init__(self) -> None:
            self._rest: Iterator[Inputs] = iter(calibration)

        def get_next(self) -> dict[str, Any] | None:
            """The next input; None at the end."""
            one = next(self._rest, None)
            return None if one is None else dict(zip(names, one, strict=True))

    return Reader()
