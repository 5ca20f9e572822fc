"""What a program's convolutions cost in XNNPACK: multiply-accumulates, and pointers that are kept."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

from executorch.backends.xnnpack.utils.xnnpack_constants import (
    XNN_FLAG_TRANSIENT_INDIRECTION_BUFFER,
)

from export.program_facts import CONVOLUTION, CONVOLUTIONS, DEPTHWISE, LINEAR, TRANSPOSED, tensor_of

MULTIPLIED, INDIRECT, PER_CHANNEL, SCATTERED = "GEMM", "IGEMM", "DWConv", "Subconv2D"
"""How XNNPACK computes a convolution, as it names it."""
POINTER = 8
"""Bytes of a pointer on the devices meant here: 64 bits."""


@dataclass(frozen=True, slots=True)
class IndirectionBuffer:
    """Pointers that a convolution keeps from its first call on.

    Args:
        node: kind of the convolution as XNNPACK runs it.
        reserved_bytes: asked of the allocator.
        written_bytes: of these, written: the rest takes addresses and no memory.
    """

    node: str
    reserved_bytes: int
    written_bytes: int


def indirection_buffers(graph: dict[str, Any]) -> tuple[IndirectionBuffer, ...]:
    """XNNPACK's indirection buffer of every convolution that keeps one, in the order of the nodes.

    An indirect convolution copies no pixels: it gets a pointer of `POINTER` bytes to the input of every
    kernel tap of every output pixel, whatever the channels, groups and batch are. By kind:

    - A convolution of a single output channel for each single input channel (depthwise): columns share
      taps, so a row of the output has kernel_h * kernel_w + (columns - 1) * step * kernel_h pointers, where
      step is the kernel's width if it is dilated, else no more than the stride.
    - A transposed one with a stride: XNNPACK reserves the whole kernel for every output pixel, but writes
      only the taps that meet it, kernel_h / stride_h * kernel_w / stride_w, in front. Where the kernel is
      the stride and nothing is cut off, it multiplies matrices without pointers.
    - Every other one: the whole kernel for every output pixel; with a kernel of 1 x 1, stride 1 and no
      padding it multiplies matrices without pointers.

    One whose flag says so makes its pointers anew at every call, in the workspace; a transposed one cannot.
    Left out: XNNPACK rounds the pixels up to a multiple of the processor's tile (0.2 % at most of buffers
    above 0.1 MB, against traced allocations where a tile has 7 pixels). Poolings have buffers as well.

    Args:
        graph: as `export.program_facts.xnnpack_graph` gives it.
    Returns:
        Sizes in bytes.
    Source:
        XNNPACK, src/operators/convolution-nhwc.c and deconvolution-nhwc.c.
    """
    shapes = {tensor_of(v)["id_out"]: tensor_of(v)["dims"] for v in graph["xvalues"]}
    found = []
    for node in graph["xnodes"]:
        kind, union = node["xnode_union_type"], node["xnode_union"]
        if kind not in CONVOLUTIONS:
            continue
        if kind == TRANSPOSED or not union["flags"] & XNN_FLAG_TRANSIENT_INDIRECTION_BUFFER:
            _, rows, columns, _ = shapes[union["output_id"]]
            found.append(_indirection(kind, union, rows, columns))
    return tuple(cost for cost in found if cost.reserved_bytes)


def matrix_work(graph: dict[str, Any]) -> dict[str, int]:
    """Multiply-accumulates of convolutions and linear layers, by the way in which XNNPACK computes them.

    Args:
        graph: as `export.program_facts.xnnpack_graph` gives it.
    Returns:
        Counts by XNNPACK's names; `Subconv2D` counts the taps that meet a pixel, no inserted zeros.
    """
    shapes = {tensor_of(v)["id_out"]: tensor_of(v)["dims"] for v in graph["xvalues"]}
    work: Counter[str] = Counter()
    for node in graph["xnodes"]:
        kind, union = node["xnode_union_type"], node["xnode_union"]
        if kind == LINEAR:
            work[MULTIPLIED] += math.prod(shapes[union["filter_id"]])
        elif kind in CONVOLUTIONS:
            meeting = "input1_id" if kind == TRANSPOSED else "output_id"
            work[_way(kind, union)] += math.prod(
                (
                    *shapes[union[meeting]][:3],
                    union["kernel_height"] * union["kernel_width"],
                    union["groups"]
                    * union["group_input_channels"]
                    * union["group_output_channels"],
                )
            )
    return dict(work)


def _way(node: str, union: dict[str, Any]) -> str:
    if node == TRANSPOSED:
        strided = max(union["subsampling_height"], union["subsampling_width"]) > 1
        return SCATTERED if strided else INDIRECT
    if _per_channel(union):
        return PER_CHANNEL
    return MULTIPLIED if _pointwise(union) else INDIRECT


def _per_channel(union: dict[str, Any]) -> bool:
    return bool(union["group_input_channels"] == union["group_output_channels"] == 1)


def _pointwise(union: dict[str, Any]) -> bool:
    """Kernel of one pixel, stride 1, no padding: a product of matrices."""
    names = ("kernel_height", "kernel_width", "subsampling_height", "subsampling_width")
    return all(union[name] == 1 for name in names) and not _padded(union)


def _padded(union: dict[str, Any]) -> bool:
    return any(union[f"padding_{side}"] for side in ("top", "right", "bottom", "left"))


def _indirection(node: str, union: dict[str, Any], rows: int, columns: int) -> IndirectionBuffer:
    height, width = union["kernel_height"], union["kernel_width"]
    down, right = union["subsampling_height"], union["subsampling_width"]
    dilated = max(union["dilation_height"], union["dilation_width"]) > 1
    taps, pixels = height * width, rows * columns
    if node == TRANSPOSED:
        if max(down, right) == 1 or dilated or down > height or right > width:
            return IndirectionBuffer(node, POINTER * taps * pixels, POINTER * taps * pixels)
        if (height, width) == (down, right) and not _padded(union):
            return IndirectionBuffer(node, 0, 0)
        across, along = math.ceil(columns / right), math.ceil(rows / down)
        reserved, written = taps * rows * right * across, taps * along * across
        return IndirectionBuffer(node, POINTER * reserved, POINTER * written)
    if _pointwise(union):
        return IndirectionBuffer(node, 0, 0)
    if _per_channel(union):
        step = width if union["dilation_width"] > 1 else min(right, width)
        size = POINTER * rows * (taps + (columns - 1) * step * height)
        return IndirectionBuffer(DEPTHWISE, size, size)
    return IndirectionBuffer(CONVOLUTION, POINTER * taps * pixels, POINTER * taps * pixels)
