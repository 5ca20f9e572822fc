"""The trained graphs in the forms that contestants take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.networks import Segmenter, max_pool_classifier, open_networks, stock
from benchmarks.peers.build import Build
from benchmarks.peers.material import grouped, read_inputs
from benchmarks.peers.roster import FOLDED, MAX_POOL_GRAPH, SHIPPED, STOCK_GRAPH, Peer
from export.fold import fold_classifier, fold_unet

if TYPE_CHECKING:
    from torch import nn

    from export.networks import Networks


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
    program, slices = None, peer.slices_a_call(subject)
    if peer.graph == SHIPPED and bundle is not None and not tiny:
        program = bundle / f"{subject}.pte"
    return Build(
        subject=subject,
        module=_module(peer.graph, subject, networks),
        calibration=grouped(read_inputs(material, subject, "calibration"), slices),
        precision=peer.precision,
        option=peer.option,
        graph=peer.graph,
        program=program,
    )


def _module(graph: str, subject: str, networks: Networks) -> nn.Module:
    classifier = networks.classifier
    if graph == MAX_POOL_GRAPH:
        classifier = max_pool_classifier(classifier)
    if graph in (FOLDED, SHIPPED, MAX_POOL_GRAPH):
        return (
            fold_unet(networks.segmenter) if subject == "segmenter" else fold_classifier(classifier)
        )
    # Constant weights only, as a user would have to write it: no runtime folds a computed kernel well.
    trained = Segmenter(networks.segmenter) if subject == "segmenter" else classifier.static()
    return stock(trained) if graph == STOCK_GRAPH else trained.eval()
