"""To an ExecuTorch program whose every operator runs in one XNNPACK delegate."""

from __future__ import annotations

import operator
import time
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import EdgeProgramManager, to_edge_transform_and_lower
from torch import Tensor, fx, nn

from hemx_core.errors import DelegationError

DELEGATE_CALL = "executorch_call_delegate"


@dataclass(frozen=True, slots=True)
class Lowered:
    """A lowered program.

    Args:
        pte: the program's bytes.
        seconds: wall time of the lowering.
    """

    pte: bytes
    seconds: float


def lower(module: nn.Module, inputs: tuple[Tensor, ...]) -> Lowered:
    """Lower an inference twin, quantized or not.

    Args:
        module: the twin in evaluation mode, or what `quantize` made of it.
        inputs: example inputs with the shapes that the program gets, fixed.
    Raises:
        DelegationError: an operator is outside the delegate, or there is more than one delegate.
    """
    start = time.perf_counter()
    with warnings.catch_warnings():
        # Deprecations inside torch and executorch themselves; nothing a user could act on.
        warnings.simplefilter("ignore")
        exported = torch.export.export(module, inputs)
        edge = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
        check_graph(edge)
        program = edge.to_executorch()
    check_plan(program.executorch_program.execution_plan[0])
    return Lowered(bytes(program.buffer), time.perf_counter() - start)


def check_graph(edge: EdgeProgramManager) -> None:
    """Check that nothing but the delegate is called, naming what is.

    Raises:
        DelegationError: with operators and modules.
    """
    nodes = [n for n in edge.exported_program().graph_module.graph.nodes if n.op == "call_function"]
    outside = [n for n in nodes if n.target is not operator.getitem and not _is_delegate(n)]
    if outside:
        named = sorted({f"{_operator(node)} in {_module(node)}" for node in outside})
        raise _not_one(f"{len(outside)} operators outside the delegate: {', '.join(named[:8])}")


def check_plan(plan: Any) -> None:
    """Check the written program itself: one delegate, no operator of its own.

    Raises:
        DelegationError: another number of delegates, or an operator.
    """
    operators = [f"{entry.name}.{entry.overload}" for entry in plan.operators]
    if operators:
        raise _not_one(f"operators {', '.join(operators)} in the program")
    if len(plan.delegates) != 1:
        raise _not_one(f"{len(plan.delegates)} delegates in the program")


def _is_delegate(node: fx.Node) -> bool:
    return DELEGATE_CALL in str(node.target)


def _operator(node: fx.Node) -> str:
    target = node.target
    return target if isinstance(target, str) else getattr(target, "__name__", str(target))


def _module(node: fx.Node) -> str:
    stack = node.meta.get("nn_module_stack") or {}
    names = [name for name, _ in stack.values()]
    return (names[-1] if names else "") or "the root module"


def _not_one(found: str) -> DelegationError:
    return DelegationError(
        found,
        expected="one XNNPACK delegate with every operator inside",
        remedy="fold or rewrite the module named, in export/fold*.py",
    )
