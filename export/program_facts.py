"""Inspect a written program: delegates, nodes inside them, memory plan.

A program is a flatbuffer (`ET12`) whose execution plan calls delegates and operators. The payload of an
XNNPACK delegate is a flatbuffer as well, of nodes and values. Both are decoded with the schemas and the
compiler that ExecuTorch brings, so the facts are those of the file and not of the graph it came from.
"""

from __future__ import annotations

import importlib.resources
import json
import math
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from executorch.backends.xnnpack import serialization
from executorch.backends.xnnpack.serialization.xnnpack_graph_serialize import XNNHeader
from executorch.exir._serialize._flatbuffer import _flatc_decompile
from executorch.exir._serialize._program import deserialize_pte_binary

XNNPACK = "XnnpackBackend"
DELEGATE_CALL = "DelegateCall"
BYTES = {"fp16": 2, "bf16": 2, "qint8": 1, "quint8": 1, "qdint8": 1, "qpint8": 1}
WIDEST = 4
"""Bytes of every other type that a value has in an XNNPACK graph."""
CONVOLUTION, DEPTHWISE, TRANSPOSED = "XNNConv2d", "XNNDepthwiseConv2d", "XNNConvTranspose2d"
CONVOLUTIONS = (CONVOLUTION, DEPTHWISE, TRANSPOSED)
LINEAR = "XNNFullyConnected"
MATRIX_NODES = (*CONVOLUTIONS, LINEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodFacts:
    """One method of a program.

    Args:
        method: its name.
        delegates: backend of every delegate.
        operators: operators that the program runs itself, outside any delegate.
        instructions: how many of each kind the method executes.
        planned_bytes: buffers that ExecuTorch plans: what crosses the delegates' borders.
        nodes: XNNPACK nodes inside the delegates, by kind.
        matrix_nodes: convolutions and linear layers, by the type of their output.
        activation_peak_bytes: most that is alive at once inside a delegate, by the order of its nodes. An
            upper bound: XNNPACK writes no intermediate of what it fuses.
    """

    method: str
    delegates: tuple[str, ...]
    operators: tuple[str, ...]
    instructions: dict[str, int]
    planned_bytes: int
    nodes: dict[str, int]
    matrix_nodes: dict[str, int]
    activation_peak_bytes: int

    @property
    def coverage(self) -> float:
        """Share of the executed instructions that call an XNNPACK delegate."""
        total = sum(self.instructions.values())
        foreign = any(backend != XNNPACK for backend in self.delegates)
        return 0.0 if foreign or not total else self.instructions.get(DELEGATE_CALL, 0) / total

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"coverage": self.coverage}


def read_program(pte: bytes) -> tuple[MethodFacts, ...]:
    """The facts of every method, in the program's order.

    Args:
        pte: an ExecuTorch program.
    """
    program = deserialize_pte_binary(pte).program
    return tuple(_method(plan, program) for plan in program.execution_plan)


def xnnpack_graphs(pte: bytes) -> tuple[dict[str, Any], ...]:
    """The graph of every XNNPACK delegate of a program, in its order; see `xnnpack_graph`.

    Args:
        pte: an ExecuTorch program.
    """
    program = deserialize_pte_binary(pte).program
    return tuple(graph for plan in program.execution_plan for graph in _graphs(plan, program))


def xnnpack_graph(payload: bytes) -> dict[str, Any]:
    """Nodes and values of an XNNPACK delegate's payload, as its schema names them."""
    header = XNNHeader.from_bytes(payload[: XNNHeader.EXPECTED_LENGTH])
    start = header.flatbuffer_offset
    schema = importlib.resources.files(serialization).joinpath("schema.fbs").read_bytes()
    with tempfile.TemporaryDirectory() as draft:
        folder = Path(draft)
        (folder / "schema.fbs").write_bytes(schema)
        (folder / "graph.bin").write_bytes(payload[start : start + header.flatbuffer_size])
        paths = (str(folder), str(folder / "schema.fbs"), str(folder / "graph.bin"))
        _flatc_decompile(*paths, ["--raw-binary"])
        # flatc writes the open end of a ReLU's range as `inf` or `+inf`, which json does not read.
        text = re.sub(r"(:\s*)[+]?(-?)inf\b", r"\1\2Infinity", (folder / "graph.json").read_text())
        graph: dict[str, Any] = json.loads(text)
    return graph


def activation_peak(graph: dict[str, Any]) -> int:
    """Most bytes of values alive at once: from the node that writes each to the last that reads it.

    Args:
        graph: as `xnnpack_graph` gives it. Constants do not count.
    """
    sizes = {tensor_of(v)["id_out"]: _bytes(v) for v in graph["xvalues"] if not _constant(v)}
    first: dict[int, int] = dict.fromkeys(graph["input_ids"], 0)
    last: dict[int, int] = {}
    for place, node in enumerate(graph["xnodes"]):
        for value in _values(node):
            first.setdefault(value, place)
            last[value] = place
    last |= dict.fromkeys(graph["output_ids"], len(graph["xnodes"]))
    change = [0] * (len(graph["xnodes"]) + 2)
    for value, size in sizes.items():
        if value in last:
            change[first.get(value, 0)] += size
            change[last[value] + 1] -= size
    alive = peak = 0
    for step in change:
        alive += step
        peak = max(peak, alive)
    return peak


def _method(plan: Any, program: Any) -> MethodFacts:
    graphs = list(_graphs(plan, program))
    kinds = Counter(
        type(instruction.instr_args).__name__
        for chain in plan.chains
        for instruction in chain.instructions
    )
    return MethodFacts(
        method=plan.name,
        delegates=tuple(delegate.id for delegate in plan.delegates),
        operators=tuple(f"{operator.name}.{operator.overload}" for operator in plan.operators),
        instructions=dict(kinds),
        planned_bytes=sum(plan.non_const_buffer_sizes),
        nodes=dict(Counter(n["xnode_union_type"] for g in graphs for n in g["xnodes"])),
        matrix_nodes=dict(Counter(kind for graph in graphs for kind in _matrix_types(graph))),
        activation_peak_bytes=max(map(activation_peak, graphs), default=0),
    )


def _graphs(plan: Any, program: Any) -> Iterator[dict[str, Any]]:
    for delegate in plan.delegates:
        if delegate.id == XNNPACK:
            yield xnnpack_graph(bytes(program.backend_delegate_data[delegate.processed.index].data))


def _matrix_types(graph: dict[str, Any]) -> Iterator[str]:
    types = {tensor_of(v)["id_out"]: _type(v) for v in graph["xvalues"]}
    for node in graph["xnodes"]:
        if node["xnode_union_type"] in MATRIX_NODES:
            yield types[node["xnode_union"]["output_id"]]


def _values(node: dict[str, Any]) -> list[int]:
    return [value for name, value in node["xnode_union"].items() if name.endswith("_id")]


def tensor_of(value: dict[str, Any]) -> dict[str, Any]:
    """The tensor of a value of an XNNPACK graph: number, shape, type."""
    union: dict[str, Any] = value["xvalue_union"]
    tensor: dict[str, Any] = union.get("tensor_value", union)
    return tensor


def _constant(value: dict[str, Any]) -> bool:
    return bool(tensor_of(value)["constant_buffer_idx"])


def _type(value: dict[str, Any]) -> str:
    return str(tensor_of(value)["datatype"]).removeprefix("xnn_datatype_")


def _bytes(value: dict[str, Any]) -> int:
    return int(math.prod(tensor_of(value)["dims"])) * BYTES.get(_type(value), WIDEST)
