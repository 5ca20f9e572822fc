"""Error of int8, operator by operator: a quantized graph compared with its float32 twin.

Two errors are measured, because they answer different questions.

- `sqnr_db` compares what flows through the quantized graph with what flows through the float twin. It
  includes all earlier errors: it says how wrong a map is, not which operator caused it.
- `own_sqnr_db` gives the operator the float twin's inputs, unrounded, and compares its output on its int8
  grid with the float one: what its own rounded weights and its own output's steps lose. Keeping the operator
  in float32 takes away exactly this.

SQNR = 10 log10(sum of squares of the float values / sum of squares of the difference), over all slices.
torchao's numeric debugger keeps every map of every slice until the end, gigabytes here, and knows the first
error only; this keeps sums, and one slice's maps at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from hemx_core.errors import ExportError
from hemx_core.runtime.program import Program

Inputs = tuple[Tensor, ...]
QUANTIZE = "quantized_decomposed.quantize_per_tensor.default"
DEQUANTIZE = "quantized_decomposed.dequantize_per_tensor.default"
SILENT_DB = 200.0
"""Reported where nothing at all is lost, so that tables hold numbers only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerError:
    """What one operator loses.

    Args:
        module: the module's name in the twin; "" is the twin itself.
        operator: the node's name in the graph.
        quantized: whether the operator is computed in int8.
        parameters: of the module.
        mse: mean square of the difference to the float twin.
        sqnr_db: the same against the signal, in dB.
        own_mse: mean square of what the operator itself loses.
        own_sqnr_db: the same against the signal, in dB.
    """

    module: str
    operator: str
    quantized: bool
    parameters: int
    mse: float
    sqnr_db: float
    own_mse: float
    own_sqnr_db: float

    def to_json(self) -> dict[str, Any]:
        """Plain values, rounded."""
        return {
            "module": self.module,
            "operator": self.operator,
            "quantized": self.quantized,
            "parameters": self.parameters,
            "mse": float(f"{self.mse:.4g}"),
            "sqnr_db": round(self.sqnr_db, 2),
            "own_mse": float(f"{self.own_mse:.4g}"),
            "own_sqnr_db": round(self.own_sqnr_db, 2),
        }


@dataclass(frozen=True, slots=True)
class NetworkError:
    """All operators of a network in order, and its outputs' SQNR in dB, in the outputs' order."""

    layers: tuple[LayerError, ...]
    outputs_db: tuple[float, ...]


@dataclass(slots=True)
class _Sums:
    signal: float = 0.0
    noise: float = 0.0
    own: float = 0.0
    elements: int = 0


@dataclass(slots=True)
class _Ledger:
    """Sums over slices, by name of the node."""

    nodes: dict[str, _Sums] = field(default_factory=dict)

    def of(self, name: str) -> _Sums:
        return self.nodes.setdefault(name, _Sums())


@torch.no_grad()
def layer_errors(
    twin: nn.Module, quantized: fx.GraphModule, samples: Iterable[Inputs]
) -> NetworkError:
    """Measure every operator over slices.

    Args:
        twin: the inference twin in float32, in evaluation mode.
        quantized: what `quantize` made of it.
        samples: inputs as on the device, batch size 1.
    Raises:
        ExportError: no samples, or a graph that is not of this twin.
    """
    given = list(samples)
    if not given:
        raise ExportError(
            "no slices to measure the layers on",
            expected="at least one prepared slice",
            remedy="set HEMX_DATA, or ask for more slices",
        )
    graph = torch.export.export(twin, given[0]).module()
    ledger, outputs = _Ledger(), [_Sums() for _ in _flat(twin(*given[0]))]
    for inputs in given:
        reference = _Reference(graph)
        expected = _flat(reference.run(*inputs))
        found = _flat(_Compare(quantized, reference.values, ledger, forced=False).run(*inputs))
        _Compare(quantized, reference.values, ledger, forced=True).run(*inputs)
        for sums, wanted, other in zip(outputs, expected, found, strict=True):
            sums.signal += _power(wanted)
            sums.noise += _power(other - wanted)
    if not ledger.nodes:
        raise ExportError(
            "a quantized graph that shares no operator with the twin",
            expected="both of one network",
            remedy="quantize the same twin",
        )
    return NetworkError(
        tuple(_rows(twin, quantized, ledger)),
        tuple(decibel(sums.signal, sums.noise) for sums in outputs),
    )


@torch.no_grad()
def program_db(graph: nn.Module, program: Program, samples: Iterable[Inputs]) -> tuple[float, ...]:
    """SQNR in dB of a written program's outputs beside those of the int8 graph it was made from.

    With `layer_errors` this covers the whole way from float32 to the device's runtime. A low figure means
    that the program was calibrated on other slices than the graph.

    Args:
        graph: from `quantize`.
        program: of a bundle; one that takes several slices a call gets each of them several times.
        samples: inputs, batch size 1.
    """
    sums = [_Sums() for _ in program.spec.outputs]
    for given in samples:
        several = [
            np.repeat(tensor.numpy(), spec.shape[0], axis=0)
            for tensor, spec in zip(given, program.spec.inputs, strict=True)
        ]
        for own, written, wanted in zip(sums, program(several), graph(*given), strict=True):
            expected = wanted.double()
            own.signal += _power(expected)
            own.noise += _power(torch.from_numpy(written[:1]) - expected)
    return tuple(decibel(own.signal, own.noise) for own in sums)


def choose_float(
    layers: Sequence[LayerError], *, floor_db: float, max_parameters: int
) -> tuple[str, ...]:
    """The modules that lose most on their own, worst first.

    Args:
        layers: as measured.
        floor_db: modules whose worst operator loses more than this are chosen.
        max_parameters: of all chosen modules together: each costs three bytes more in float32.
    Returns:
        Their names.
    """
    worst: dict[str, LayerError] = {}
    for row in layers:
        # The twin's own operators have no module that a recipe could name.
        if row.module and row.quantized:
            known = worst.get(row.module)
            if known is None or row.own_sqnr_db < known.own_sqnr_db:
                worst[row.module] = row
    chosen: list[str] = []
    spent = 0
    for row in sorted(worst.values(), key=lambda row: row.own_sqnr_db):
        if row.own_sqnr_db < floor_db and spent + row.parameters <= max_parameters:
            chosen.append(row.module)
            spent += row.parameters
    return tuple(chosen)


def decibel(signal: float, noise: float) -> float:
    """10 log10(signal / noise) of two powers, within +-`SILENT_DB`."""
    if noise <= 0 or signal <= 0:
        return SILENT_DB if noise <= 0 else -SILENT_DB
    return min(10 * math.log10(signal / noise), SILENT_DB)


class _Reference(fx.Interpreter):
    """Runs the float graph and keeps what every operator gave."""

    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__(graph)
        self.values: dict[str, Tensor] = {}

    def run_node(self, node: fx.Node) -> Any:
        """Run a node; its result is kept."""
        result = super().run_node(node)
        if node.op == "call_function" and isinstance(result, Tensor):
            self.values[node.name] = result
        return result


class _Compare(fx.Interpreter):
    """Runs the quantized graph beside kept values; forced, each operator starts from those."""

    def __init__(
        self, graph: fx.GraphModule, values: dict[str, Tensor], ledger: _Ledger, *, forced: bool
    ) -> None:
        super().__init__(graph)
        self.values, self.ledger, self.forced = values, ledger, forced

    def run_node(self, node: fx.Node) -> Any:
        """Run a node and note its error."""
        if self.forced and str(node.target) in (QUANTIZE, DEQUANTIZE):
            return self.env[node.all_input_nodes[0]]
        result = super().run_node(node)
        expected = self.values.get(node.name) if node.op == "call_function" else None
        if expected is None:
            return result
        noise = _power(_rounded(node, result) - expected)
        sums = self.ledger.of(node.name)
        if self.forced:
            sums.own += noise
            return expected
        sums.noise += noise
        sums.signal += _power(expected)
        sums.elements += expected.numel()
        return result


def _rows(twin: nn.Module, quantized: fx.GraphModule, ledger: _Ledger) -> Iterable[LayerError]:
    modules = dict(twin.named_modules())
    for node in quantized.graph.nodes:
        sums = ledger.nodes.get(node.name)
        if sums is None or node.op != "call_function":
            continue
        stack = list((node.meta.get("nn_module_stack") or {}).values())
        name = stack[-1][0] if stack else ""
        own = modules[name].parameters(recurse=False) if name in modules else ()
        yield LayerError(
            module=name,
            operator=node.name,
            quantized=_in_int8(node),
            parameters=sum(parameter.numel() for parameter in own),
            mse=sums.noise / sums.elements,
            sqnr_db=decibel(sums.signal, sums.noise),
            own_mse=sums.own / sums.elements,
            own_sqnr_db=decibel(sums.signal, sums.own),
        )


def _quantizer_of(node: fx.Node) -> fx.Node | None:
    return next((user for user in node.users if str(user.target) == QUANTIZE), None)


def _in_int8(node: fx.Node) -> bool:
    """By its weights where it has some; others by their output's grid."""
    inputs = node.all_input_nodes
    if any("dequantize_per_channel" in source.name for source in inputs):
        return True
    return _quantizer_of(node) is not None and all(source.op != "get_attr" for source in inputs)


def _rounded(node: fx.Node, value: Tensor) -> Tensor:
    """A node's result as its readers see it, on the int8 grid where there is one."""
    user = _quantizer_of(node)
    if user is None:
        return value
    scale, zero_point, lowest, highest = user.args[1:5]
    return torch.fake_quantize_per_tensor_affine(value, scale, zero_point, lowest, highest)


def _flat(outputs: Any) -> list[Tensor]:
    return [outputs] if isinstance(outputs, Tensor) else list(outputs)


def _power(value: Tensor) -> float:
    return float(value.double().square().sum())
