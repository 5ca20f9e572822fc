"""What each folding pass gains: the twin as shipped beside the same twin without that one pass.

Among the variants: XNNPACK's indirection buffers kept between calls, as ExecuTorch asks for, or
made anew at every call.
"""

from __future__ import annotations

import contextlib
import copy
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from executorch.backends.xnnpack import xnnpack_preprocess
from executorch.backends.xnnpack.serialization.xnnpack_graph_schema import (
    XNNConv2d,
    XNNDepthwiseConv2d,
)
from executorch.backends.xnnpack.utils.xnnpack_constants import (
    XNN_FLAG_TRANSIENT_INDIRECTION_BUFFER,
)
from torch import Tensor, nn

from benchmarks.harness.measure import Cost, Layout, facts, measure
from export.folding.norms import fold_norms, inexact
from export.folding.twins import FoldedClassifier, FoldedUNet, fold_classifier, fold_unet
from export.folding.wavelets import fold_pool
from export.lower import lower
from export.networks import Networks
from export.program_facts import read_program
from export.quantize import quantize
from export.recipes import Precision
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet

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


Inputs = tuple[Tensor, ...]
FOLDED = "nothing"
"""Left out of the twin as shipped."""
KEPT = "kept indirection buffers"
"""No fold but a choice of the lowering, weighed beside them: time against memory."""
TOLERANCE = 1e-4
"""Relative to the largest value: four times the rounding seen, a wrong fold is off by far more."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A network's twin without one pass (or with all), and whose it is.

    Args:
        network: `segmenter` or `classifier`.
        without: the pass that is left out.
        module: the twin.
        transient: lowered with indirection buffers that are made at every call, see
        `benchmarks.graphs.fold_gain`.
    """

    network: str
    without: str
    module: nn.Module
    transient: bool = False


class PlainHead(nn.Module):
    """The classifier's head as trained: pooling, mean, concatenation, linear layer."""

    def __init__(self, pool: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.pool, self.linear = pool, head

    def forward(self, maps: Tensor, features: Tensor) -> Tensor:
        """As `JointHead.forward`."""
        pooled = self.pool(maps).mean((2, 3), keepdim=True).flatten(1)
        return self.linear(torch.cat([pooled, features], 1))


@torch.no_grad()
def segmenter_variants(unet: UNet) -> list[Variant]:
    """The segmenter with all passes, and without each."""
    norms, upsample = fold_unet(unet), fold_unet(unet)
    norms.encoder = _plain(unet.encoder)
    for folded, block in zip(norms.decoder, unet.decoder, strict=True):
        folded.refine = _plain(block.refine)
    upsample.decoder = nn.ModuleList(fold_norms(block) for block in unet.decoder)
    named: dict[str, FoldedUNet] = {
        FOLDED: fold_unet(unet),
        "batch normalisation": norms,
        "upsampling": upsample,
    }
    return _variants("segmenter", named)


@torch.no_grad()
def classifier_variants(model: MarkerClassifier) -> list[Variant]:
    """The classifier with all passes, and without each."""
    static = copy.deepcopy(model).eval().static()
    *pools, last = static.trunk.pools
    blocks = [fold_norms(block) for block in static.trunk.blocks]
    named: dict[str, FoldedClassifier] = {FOLDED: fold_classifier(model)}

    if (
        model.config.merge != "concat"
    ):  # there the folded pooling is part of the block's convolution
        named["batch normalisation"] = fold_classifier(model)
        steps = _alternate(static.trunk.blocks, [fold_pool(pool) for pool in pools])
        named["batch normalisation"].trunk = nn.Sequential(*steps)
    named["wavelet pooling"] = fold_classifier(model)
    named["wavelet pooling"].trunk = nn.Sequential(*_alternate(blocks, pools))
    named["last pooling and mean"] = fold_classifier(model)
    named["last pooling and mean"].head = PlainHead(last, static.head)
    named["standardisation"] = fold_classifier(model)
    linear = nn.Linear(model.encoder_channels, model.head.out_features)
    linear.weight.copy_(model.head.weight[:, model.trunk.out_channels :])
    linear.bias.copy_(model.head.bias)
    head = named["standardisation"].head
    head.encoder = nn.Sequential(copy.deepcopy(model.standardise), linear)
    return _variants("classifier", named)


def fold_gain(
    networks: Networks,
    precision: Precision,
    *,
    calibration: Mapping[str, Sequence[Inputs]],
    **measuring: Any,
) -> list[dict[str, Any]]:
    """Measure every pass of both networks.

    Args:
        networks: the trained networks.
        precision: of the programs.
        calibration: inputs of `segmenter` and `classifier`; at least one each, in float32 too.
        measuring: runs, rounds, threads and tell of `measure_variants`.
    Returns:
        The lines of `measure_variants` for both.
    """
    lines = []
    for variants in (
        segmenter_variants(networks.segmenter),
        classifier_variants(networks.classifier),
    ):
        inputs = calibration[variants[0].network]
        lines += measure_variants(variants, precision, inputs, **measuring)
    return lines


def measure_variants(
    variants: Sequence[Variant],
    precision: Precision,
    inputs: Sequence[Inputs],
    *,
    runs: int = 20,
    rounds: int = 5,
    threads: Sequence[int] = (1, 2),
    tell: Callable[[str], None] = lambda message: None,
) -> list[dict[str, Any]]:
    """Measure the variants of one network, interleaved.

    Args:
        variants: one of them with all passes.
        precision: of the programs.
        inputs: to calibrate on; the first is the example.
        runs: of a program in a process.
        rounds: processes of each program.
        threads: measured one after the other.
        tell: told what is being done.
    Returns:
        A line for each pass and number of threads: the costs with all passes and without this one,
        and their ratios (above 1: the pass gains).
    Raises:
        FoldError: a variant computes something else.
    """
    check_same(variants, inputs[0])
    lines = []
    with tempfile.TemporaryDirectory() as draft:
        layouts, programs = {}, {}
        for number, variant in enumerate(variants):
            tell(f"lowering the {variant.network}, left out: {variant.without}")
            layout, program = _lowered(variant, precision, inputs, Path(draft) / f"{number}.pte")
            layouts[variant.without], programs[variant.without] = layout, program
        for count in threads:
            costs = measure(layouts, runs=runs, rounds=rounds, threads=count, tell=tell)
            head: dict[str, Any] = {"network": variants[0].network, "precision": precision.value}
            head |= {"threads": count, "runs": runs, "rounds": rounds}
            lines += [{**head, **line, **facts()} for line in _compare(costs, programs)]
    return lines


def check_same(variants: Sequence[Variant], inputs: Inputs) -> None:
    """Compare every variant with the one that has all passes, in float32.

    Raises:
        FoldError: one differs.
    """
    with torch.no_grad():
        outputs = {variant.without: variant.module(*inputs) for variant in variants}
    for variant in variants:
        for found, expected in zip(outputs[variant.without], outputs[FOLDED], strict=True):
            if (found - expected).abs().max() > TOLERANCE * expected.abs().max().clamp_min(1e-3):
                raise inexact(f"the twin without {variant.without} differs", variant.module)


def _lowered(
    variant: Variant, precision: Precision, inputs: Sequence[Inputs], path: Path
) -> tuple[Layout, dict[str, Any]]:
    module = variant.module
    graph = quantize(module, inputs) if precision is Precision.INT8 else module
    with transient_indirection() if variant.transient else contextlib.nullcontext():
        pte = lower(graph, inputs[0], check=False).pte
    path.write_bytes(pte)
    (program,) = read_program(pte)
    counts = {"delegates": len(program.delegates), "operators": list(program.operators)}
    return Layout(files=(path,), calls=((0, program.method),)), counts


def _compare(costs: dict[str, Cost], programs: dict[str, Any]) -> list[dict[str, Any]]:
    folded = costs[FOLDED]
    return [
        {
            "pass": name,
            "folded": folded.to_json(),
            "unfolded": cost.to_json(),
            "program": programs[name],
            "latency_ratio": round(cost.steady_ms / folded.steady_ms, 3),
            "memory_ratio": round(cost.peak_mib / max(folded.peak_mib, 1e-9), 3),
            "load_ratio": round(cost.load_ms / folded.load_ms, 3),
        }
        for name, cost in costs.items()
        if name != FOLDED
    ]


def _variants(network: str, twins: Mapping[str, nn.Module]) -> list[Variant]:
    found = [Variant(network, name, _frozen(twin)) for name, twin in twins.items()]
    return [*found, Variant(network, KEPT, found[0].module, transient=True)]


def _alternate(blocks: Sequence[nn.Module], pools: Sequence[nn.Module]) -> list[nn.Module]:
    first, *others = [_plain(block) for block in blocks]
    return [first, *(pass_ for pair in zip(pools, others, strict=True) for pass_ in pair)]


def _plain(module: nn.Module) -> nn.Module:
    """A copy in evaluation mode, its activations not in place."""
    plain = copy.deepcopy(module).eval()
    for child in plain.modules():
        if isinstance(child, nn.ReLU):
            child.inplace = False
    return plain


def _frozen(twin: nn.Module) -> nn.Module:
    return twin.requires_grad_(False).eval()
