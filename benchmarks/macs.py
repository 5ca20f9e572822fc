"""Multiply-accumulates of a graph, counted from its exported program."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import torch
from torch import Tensor, fx, nn

aten = torch.ops.aten
CONVOLUTIONS = (aten.conv2d.default, aten.convolution.default, aten.conv_transpose2d.input)
PRODUCTS = (aten.linear.default, aten.addmm.default, aten.mm.default, aten.matmul.default)
TRANSPOSED = "transposed convolution"
DEPTHWISE, DENSE, PRODUCT = "depthwise convolution", "convolution", "matrix product"


def count_macs(module: nn.Module, inputs: tuple[Tensor, ...]) -> dict[str, int]:
    """Multiply-accumulates of one call, by kind of operator; elementwise work and means are not counted.

    A convolution does, for every element of its output, the inputs of a group times the kernel's size; a
    transposed one does that for every element of its input.

    Args:
        module: in evaluation mode.
        inputs: example inputs, which fix the shapes.
    """
    graph = torch.export.export(module, inputs).graph_module.graph
    found: Counter[str] = Counter()
    for node in graph.nodes:
        if node.op != "call_function":
            continue
        if node.target in CONVOLUTIONS:
            kind, macs = _convolution(node)
            found[kind] += macs
        elif node.target in PRODUCTS:
            found[PRODUCT] += _product(node)
    return dict(found)


def _convolution(node: fx.Node) -> tuple[str, int]:
    image, weight = _value(node.args[0]), _value(node.args[1])
    kernel = math.prod(weight.shape[2:])
    if node.target is aten.conv_transpose2d.input or (
        node.target is aten.convolution.default and node.args[6]
    ):
        # The weight is (inputs, outputs of a group, rows, columns).
        return TRANSPOSED, image.numel() * weight.shape[1] * kernel
    kind = (
        DEPTHWISE if weight.shape[1] == 1 and weight.shape[0] > 1 and image.shape[1] > 1 else DENSE
    )
    return kind, _value(node).numel() * weight.shape[1] * kernel


def _product(node: fx.Node) -> int:
    left = node.args[1] if node.target is aten.addmm.default else node.args[0]
    return int(_value(node).numel() * _value(left).shape[-1])


def _value(node: Any) -> Tensor:
    value: Tensor = node.meta["val"]
    return value
