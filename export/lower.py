"""Lower a graph to an ExecuTorch program with every operator in one XNNPACK delegate."""

from __future__ import annotations

import operator
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import EdgeProgramManager, to_edge_transform_and_lower
from torch import Tensor, fx, nn

from export.program_facts import DELEGATE_CALL, XNNPACK, MethodFacts, read_program
from hemx_core.errors import DelegationError

DELEGATE_TARGET = "executorch_call_delegate"
METHOD = "forward"
Inputs = tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Lowered:
    """A lowered program.

    Args:
        pte: the program's bytes.
        seconds: wall time of the lowering.
        etrecord: ExecuTorch's own record of the graphs before and after, for its Inspector, if asked for.
    """

    pte: bytes
    seconds: float
    etrecord: Any = None


def lower(
    module: nn.Module, inputs: Inputs, *, check: bool = True, record: bool = False
) -> Lowered:
    """Lower an inference twin, quantized or not, to a program with the method `forward`.

    Args:
        module: the twin in evaluation mode, or what `quantize` made of it.
        inputs: example inputs with the shapes that the program gets, fixed.
        check: refuse a program that is not one delegate; measurements of what folding gains need such ones.
        record: make the record for ExecuTorch's Inspector.
    Raises:
        DelegationError: an operator is outside the delegate, or there is more than one delegate.
    """
    return lower_methods({METHOD: (module, inputs)}, check=check, record=record)


def lower_methods(
    methods: Mapping[str, tuple[nn.Module, Inputs]], *, check: bool = True, record: bool = False
) -> Lowered:
    """Lower several modules to one program with a method for each; see `lower`."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        # Deprecations inside torch and executorch themselves; nothing a user could act on.
        warnings.simplefilter("ignore")
        exported = {name: torch.export.export(*pair) for name, pair in methods.items()}
        edge = to_edge_transform_and_lower(
            exported, partitioner=[XnnpackPartitioner()], generate_etrecord=record
        )
        if check:
            for name in methods:
                check_graph(edge, name)
        program = edge.to_executorch()
    pte = bytes(program.buffer)
    if check:
        check_program(pte)
    etrecord = program.get_etrecord() if record else None
    return Lowered(pte, time.perf_counter() - start, etrecord)


def check_graph(edge: EdgeProgramManager, method: str = METHOD) -> None:
    """Check that nothing but the delegate is called, naming what is.

    Raises:
        DelegationError: with operators and modules.
    """
    nodes = edge.exported_program(method).graph_module.graph.nodes
    outside = [
        node
        for node in nodes
        if node.op == "call_function"
        and node.target is not operator.getitem
        and DELEGATE_TARGET not in str(node.target)
    ]
    if outside:
        named = sorted({f"{_operator(node)} in {_module(node)}" for node in outside})
        raise _not_one(f"{len(outside)} operators outside the delegate: {', '.join(named[:8])}")


def check_program(pte: bytes) -> tuple[MethodFacts, ...]:
    """Check the written program itself: in each method one call of one XNNPACK delegate, nothing else.

    Returns:
        The methods' facts.
    Raises:
        DelegationError: another number of delegates, another backend, an operator or an instruction.
    """
    methods = read_program(pte)
    for facts in methods:
        if facts.operators:
            raise _not_one(f"operators {', '.join(facts.operators)} in method {facts.method}")
        if facts.delegates != (XNNPACK,):
            named = ", ".join(facts.delegates)
            raise _not_one(f"{len(facts.delegates)} delegates in method {facts.method} ({named})")
        if facts.instructions != {DELEGATE_CALL: 1}:
            raise _not_one(f"instructions {facts.instructions} in method {facts.method}")
    return methods


def _operator(node: fx.Node) -> str:
    target = node.target
    return target if isinstance(target, str) else getattr(target, "__name__", str(target))


def _module(node: fx.Node) -> str:
    """The innermost module that a node comes from; of one that the lowering added, its input's."""
    stack = node.meta.get("nn_module_stack") or {}
    names = [name for name, _ in stack.values() if name]
    if not names and node.all_input_nodes:
        return _module(node.all_input_nodes[0])
    return (names[-1] if names else "") or "the root module"


def _not_one(found: str) -> DelegationError:
    return DelegationError(
        found,
        expected="one XNNPACK delegate with every operator inside",
        remedy="fold or rewrite the module named, in export/fold*.py",
    )
