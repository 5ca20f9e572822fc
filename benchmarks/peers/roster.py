"""Who takes part in the contest, with which form of the trained graph, and what their adapters are given.

Nothing here imports torch by itself: a contestant's process imports this.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness.material import NAMES, OUTPUTS, Array, Inputs
from export.recipes import find_recipe

if TYPE_CHECKING:
    import torch
    from torch import nn

OURS = "hemx int8"
OURS_ALONE = "hemx int8, a slice a call"
SLICES_A_CALL = find_recipe("tablet-int8").slices_a_call
"""Of the segmenter, for contestants that take several: as many as the shipped program."""
MAX_POOL = "hemx int8, max-pool VGG16"
STOCK = "ExecuTorch int8, stock recipe"
EAGER = "torch eager fp32"
FP32, INT8 = "fp32", "int8"

TRAINED, FOLDED, STOCK_GRAPH, SHIPPED, MAX_POOL_GRAPH = (
    "trained",
    "folded",
    "stock",
    "shipped",
    "max-pool",
)
"""Forms of the graph: as trained; after our folding passes; with nn.SiLU and no pass; the bundle's program;
a plain max-pool VGG16 of the same input through our passes."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One contestant.

    Args:
        name: as in tables.
        runtime: module in this package with its adapter; empty if there is none (`missing` says why).
        precision: "fp32" or "int8".
        graph: form of the trained graph, see above.
        packages: distributions without which it cannot run; the first one's version is recorded.
        option: which of an adapter's ways.
        slices: slices in a call of the segmenter.
        subjects: graphs that it runs.
        missing: why a contestant that one would expect does not take part.
    """

    name: str
    runtime: str
    precision: str
    graph: str = TRAINED
    packages: tuple[str, ...] = ()
    option: str = ""
    slices: int = 1
    subjects: tuple[str, ...] = ("segmenter", "classifier")
    missing: str = ""

    @property
    def slug(self) -> str:
        """Name of its folder."""
        return "".join(c if c.isalnum() else "-" for c in self.name.lower()).strip("-")

    def slices_a_call(self, subject: str) -> int:
        """How many slices it takes in a call; the classifier always takes one."""
        return self.slices if subject == "segmenter" else 1

    def adapter(self) -> ModuleType:
        """The module with `start`, `prepare` and `open_model`."""
        return importlib.import_module(f"benchmarks.peers.{self.runtime}")

    def not_installed(self) -> str:
        """Which packages are missing, or nothing."""
        lacking = [name for name in self.packages if not version_of(name)]
        return f"not installed: {', '.join(lacking)}" if lacking else ""


Model = Callable[[Sequence[Array]], list[Array]]
"""A loaded graph: arrays in, arrays out, both in the graph's order."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Build:
    """A graph to convert.

    Args:
        subject: "segmenter" or "classifier".
        module: in evaluation mode; for the shipped form a module too, if there is no bundle.
        calibration: inputs that set int8 ranges, in calls of as many slices as the contestant takes; the
            same slices for every contestant.
        precision: "fp32" or "int8".
        option: of the adapter.
        graph: form of the graph, see above.
        program: the bundle's program, for the shipped form.
    """

    subject: str
    module: nn.Module
    calibration: list[Inputs]
    precision: str
    option: str
    graph: str
    program: Path | None = None

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return NAMES[self.subject]

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return OUTPUTS[self.subject]

    @property
    def example(self) -> tuple[torch.Tensor, ...]:
        """A first calibration input as tensors."""
        return self.tensors(self.calibration[0])

    def tensors(self, inputs: Inputs) -> tuple[torch.Tensor, ...]:
        """Inputs as tensors of their own memory."""
        import torch

        return tuple(torch.from_numpy(np.array(array, order="C")) for array in inputs)


def as_arrays(outputs: Iterable[Any]) -> list[Array]:
    """Copies that outlive the runtime's buffers."""
    return [np.array(output, dtype=np.float32, order="C") for output in outputs]


def version_of(distribution: str) -> str:
    """The installed version; empty if there is none."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


_TORCH = ("torch",)
_ORT = ("onnxruntime", "onnx", "onnxscript")
_OV = ("openvino",)
_NNCF = ("openvino", "nncf")
_LITERT = ("ai-edge-litert", "litert-torch")
_LITERT_INT8 = (*_LITERT, "ai-edge-quantizer")
_MNN = ("MNN", "onnx", "onnxscript")
_PTE = ("executorch", "torchao")
_FOLDED = "our folded graph"
_ALONE, _CROPS = ("segmenter",), ("classifier",)
_N = SLICES_A_CALL

ROSTER: tuple[Peer, ...] = (
    Peer(EAGER, "torch_runtime", FP32, TRAINED, _TORCH),
    Peer("torch.compile fp32", "torch_runtime", FP32, TRAINED, _TORCH, "compile"),
    Peer("ONNX Runtime fp32", "onnx_runtime", FP32, TRAINED, _ORT),
    Peer("ONNX Runtime int8", "onnx_runtime", INT8, TRAINED, _ORT, "s8s8"),
    Peer("ONNX Runtime int8, u8s8", "onnx_runtime", INT8, TRAINED, _ORT, "u8s8"),
    Peer(f"ONNX Runtime int8, {_FOLDED}", "onnx_runtime", INT8, FOLDED, _ORT, "s8s8", _N),
    Peer(f"ONNX Runtime int8, u8s8, {_FOLDED}", "onnx_runtime", INT8, FOLDED, _ORT, "u8s8", _N),
    Peer("OpenVINO fp32", "openvino_runtime", FP32, TRAINED, _OV),
    Peer("OpenVINO int8", "openvino_runtime", INT8, TRAINED, _NNCF),
    Peer(f"OpenVINO int8, {_FOLDED}", "openvino_runtime", INT8, FOLDED, _NNCF, "", _N),
    Peer("LiteRT fp32", "litert_runtime", FP32, TRAINED, _LITERT),
    Peer("LiteRT int8", "litert_runtime", INT8, TRAINED, _LITERT_INT8),
    Peer(
        f"LiteRT int8, {_N} slices a call",
        "litert_runtime",
        *(INT8, TRAINED, _LITERT_INT8, "", _N, _ALONE),
    ),
    Peer("ncnn fp32", "ncnn_runtime", FP32, TRAINED, ("ncnn", "pnnx")),
    Peer(
        "ncnn int8",
        "",
        INT8,
        missing="its wheel has no quantization tools (ncnn2table, ncnn2int8)",
    ),
    Peer("MNN fp32", "mnn_runtime", FP32, TRAINED, _MNN),
    Peer(
        "MNN int8",
        "",
        INT8,
        missing="the quantizer of its wheel (3.6.1) aborts on this graph: std::length_error",
    ),
    Peer(STOCK, "executorch_runtime", INT8, STOCK_GRAPH, _PTE),
    Peer(OURS, "executorch_runtime", INT8, SHIPPED, _PTE, slices=_N),
    Peer(OURS_ALONE, "executorch_runtime", INT8, FOLDED, _PTE, subjects=_ALONE),
    Peer(MAX_POOL, "executorch_runtime", INT8, MAX_POOL_GRAPH, _PTE, subjects=_CROPS),
)


def contestants(subject: str, names: tuple[str, ...] = ()) -> list[Peer]:
    """Who runs a graph; of these, those whose name begins with one of `names`, if any are given."""
    return [
        peer
        for peer in ROSTER
        if subject in peer.subjects
        and (not names or any(peer.name.lower().startswith(name.lower()) for name in names))
    ]
