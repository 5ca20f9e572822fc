"""What an adapter is given to convert, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.networks import Segmenter, max_pool_classifier, open_networks, stock
from benchmarks.peers.material import NAMES, OUTPUTS, Array, Inputs, read_inputs
from benchmarks.peers.roster import FOLDED, MAX_POOL_GRAPH, SHIPPED, STOCK_GRAPH, Peer
from export.fold import fold_classifier, fold_unet

if TYPE_CHECKING:
    import torch
    from torch import nn

    from export.networks import Networks

Model = Callable[[Sequence[Array]], list[Array]]
"""A loaded graph: arrays in, arrays out, both in the graph's order."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Build:
    """A graph to convert.

    Args:
        subject: "segmenter" or "classifier".
        module: in evaluation mode; for the shipped form a module too, if there is no bundle.
        calibration: inputs that set int8 ranges; the same for every contestant.
        precision: "fp32" or "int8".
        option: of the adapter.
        graph: form of the graph, see `roster`.
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


def make_build(
    peer: Peer,
    subject: str,
    *,
    material: Path,
    weights: Path | None,
    bundle: Path | None,
    tiny: bool,
) -> Build:
    """The graph of a contestant, in the form it takes."""
    networks = open_networks(weights, tiny=tiny)
    program = None
    if peer.graph == SHIPPED and bundle is not None and not tiny:
        program = bundle / f"{subject}.pte"
    return Build(
        subject=subject,
        module=_module(peer.graph, subject, networks),
        calibration=read_inputs(material, subject, "calibration"),
        precision=peer.precision,
        option=peer.option,
        graph=peer.graph,
        program=program,
    )


def as_arrays(outputs: Iterable[Any]) -> list[Array]:
    """Copies that outlive the runtime's buffers."""
    return [np.array(one, dtype=np.float32, order="C") for one in outputs]


def _module(graph: str, subject: str, networks: Networks) -> nn.Module:
    classifier = networks.classifier
    if graph == MAX_POOL_GRAPH:
        classifier = max_pool_classifier(classifier)
    if graph in (FOLDED, SHIPPED, MAX_POOL_GRAPH):
        return (
            fold_unet(networks.segmenter) if subject == "segmenter" else fold_classifier(classifier)
        )
    trained = Segmenter(networks.segmenter) if subject == "segmenter" else classifier
    return stock(trained) if graph == STOCK_GRAPH else trained.eval()
