"""Who takes part in the contest, and with which form of the trained graph."""

from __future__ import annotations

import importlib
import importlib.metadata
from dataclasses import dataclass
from types import ModuleType

from export.recipes import find_recipe

OURS = "hemx int8"
OURS_ALONE = "hemx int8, a slice a call"
SLICES_A_CALL = find_recipe("tablet-int8").slices_a_call
"""Of the segmenter, for contestants that take several: as many as the shipped program."""
MAX_POOL = "hemx int8, max-pool VGG16"
STOCK = "ExecuTorch int8, stock recipe"
EAGER = "torch eager fp32"

TRAINED, FOLDED, STOCK_GRAPH, SHIPPED, MAX_POOL_GRAPH = (
    "trained",
    "folded",
    "stock",
    "shipped",
    "max-pool",
)
"""Forms of the graph: as trained; after our folding passes; with nn.SiLU and no pass; the bundle's program;
a plain max-pool VGG16 of the same input through our passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
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


def version_of(distribution: str) -> str:
    """The installed version; empty if there is none."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


_ORT = ("onnxruntime", "onnx", "onnxscript")
_OV = ("openvino",)
_NNCF = ("openvino", "nncf")
_LITERT = ("ai-edge-litert", "litert-torch")

ROSTER: tuple[Peer, ...] = (
    Peer(name=EAGER, runtime="torch_runtime", precision="fp32", packages=("torch",)),
    Peer(
        name="torch.compile fp32",
        runtime="torch_runtime",
        precision="fp32",
        packages=("torch",),
        option="compile",
    ),
    Peer(name="ONNX Runtime fp32", runtime="onnx_runtime", precision="fp32", packages=_ORT),
    Peer(
        name="ONNX Runtime int8",
        runtime="onnx_runtime",
        precision="int8",
        packages=_ORT,
        option="s8s8",
    ),
    Peer(
        name="ONNX Runtime int8, u8s8",
        runtime="onnx_runtime",
        precision="int8",
        packages=_ORT,
        option="u8s8",
    ),
    Peer(
        name="ONNX Runtime int8, our folded graph",
        runtime="onnx_runtime",
        precision="int8",
        graph=FOLDED,
        packages=_ORT,
        option="s8s8",
        slices=SLICES_A_CALL,
    ),
    Peer(
        name="ONNX Runtime int8, u8s8, our folded graph",
        runtime="onnx_runtime",
        precision="int8",
        graph=FOLDED,
        packages=_ORT,
        option="u8s8",
        slices=SLICES_A_CALL,
    ),
    Peer(name="OpenVINO fp32", runtime="openvino_runtime", precision="fp32", packages=_OV),
    Peer(name="OpenVINO int8", runtime="openvino_runtime", precision="int8", packages=_NNCF),
    Peer(
        name="OpenVINO int8, our folded graph",
        runtime="openvino_runtime",
        precision="int8",
        graph=FOLDED,
        packages=_NNCF,
        slices=SLICES_A_CALL,
    ),
    Peer(name="LiteRT fp32", runtime="litert_runtime", precision="fp32", packages=_LITERT),
    Peer(
        name="LiteRT int8",
        runtime="litert_runtime",
        precision="int8",
        packages=(*_LITERT, "ai-edge-quantizer"),
    ),
    Peer(
        name=f"LiteRT int8, {SLICES_A_CALL} slices a call",
        runtime="litert_runtime",
        precision="int8",
        packages=(*_LITERT, "ai-edge-quantizer"),
        slices=SLICES_A_CALL,
        subjects=("segmenter",),
    ),
    Peer(name="ncnn fp32", runtime="ncnn_runtime", precision="fp32", packages=("ncnn", "pnnx")),
    Peer(
        name="ncnn int8",
        runtime="",
        precision="int8",
        missing="its wheel has no quantization tools (ncnn2table, ncnn2int8)",
    ),
    Peer(
        name="MNN fp32",
        runtime="mnn_runtime",
        precision="fp32",
        packages=("MNN", "onnx", "onnxscript"),
    ),
    Peer(
        name="MNN int8",
        runtime="",
        precision="int8",
        missing="the quantizer of its wheel (3.6.1) aborts on this graph: std::length_error",
    ),
    Peer(
        name=STOCK,
        runtime="executorch_runtime",
        precision="int8",
        graph=STOCK_GRAPH,
        packages=("executorch", "torchao"),
    ),
    Peer(
        name=OURS,
        runtime="executorch_runtime",
        precision="int8",
        graph=SHIPPED,
        packages=("executorch", "torchao"),
        slices=SLICES_A_CALL,
    ),
    Peer(
        name=OURS_ALONE,
        runtime="executorch_runtime",
        precision="int8",
        graph=FOLDED,
        packages=("executorch", "torchao"),
        subjects=("segmenter",),
    ),
    Peer(
        name=MAX_POOL,
        runtime="executorch_runtime",
        precision="int8",
        graph=MAX_POOL_GRAPH,
        packages=("executorch", "torchao"),
        subjects=("classifier",),
    ),
)


def contestants(subject: str, names: tuple[str, ...] = ()) -> list[Peer]:
    """Who runs a graph; of these, those whose name begins with one of `names`, if any are given."""
    return [
        peer
        for peer in ROSTER
        if subject in peer.subjects
        and (not names or any(peer.name.lower().startswith(name.lower()) for name in names))
    ]
