"""XNNPACK's indirection buffers: kept between calls, as ExecuTorch asks for, or made anew at every call.

A convolution wider than 1 x 1 reads its input through a list of pointers, one for each output pixel and
kernel tap. XNNPACK keeps the list with the operator unless the operator's flag says that it may lie in the
workspace that all operators share: less memory, and every call writes the list again. ExecuTorch has no
option for it, but its runtime hands each node's flags on. Transposed convolutions ignore the flag.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from executorch.backends.xnnpack import xnnpack_preprocess
from executorch.backends.xnnpack.serialization.xnnpack_graph_schema import (
    XNNConv2d,
    XNNDepthwiseConv2d,
)
from executorch.backends.xnnpack.utils.xnnpack_constants import (
    XNN_FLAG_TRANSIENT_INDIRECTION_BUFFER,
)

SERIALIZER = "serialize_xnnpack_binary"


@contextlib.contextmanager
def transient_indirection() -> Iterator[None]:
    """Programs lowered inside make their convolutions' indirection buffers at every call."""
    serialize = getattr(xnnpack_preprocess, SERIALIZER)

    def flagged(graph: Any, constants: Any) -> Any:
        for node in graph.xnodes:
            if isinstance(node.xnode_union, XNNConv2d | XNNDepthwiseConv2d):
                node.xnode_union.flags |= XNN_FLAG_TRANSIENT_INDIRECTION_BUFFER
        return serialize(graph, constants)

    setattr(xnnpack_preprocess, SERIALIZER, flagged)
    try:
        yield
    finally:
        setattr(xnnpack_preprocess, SERIALIZER, serialize)
