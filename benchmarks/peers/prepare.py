"""Every contestant's model: the trained graph in its own form, converted once and kept.

A killed run goes on from there.
"""

from __future__ import annotations

import json
import shutil
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.material import grouped, read_inputs
from benchmarks.harness.networks import Segmenter, max_pool_classifier, open_networks, stock
from benchmarks.harness.process import ChildError, run_fresh
from benchmarks.peers.roster import (
    FOLDED,
    MAX_POOL_GRAPH,
    SHIPPED,
    STOCK_GRAPH,
    Build,
    Peer,
    version_of,
)
from export.folding.twins import fold_classifier, fold_unet
from hemx_core.files import write_whole
from hemx_core.records import Json

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


DONE = "prepared.json"
PREPARE_TIMEOUT = 1800.0


def prepare_all(
    peers: list[Peer],
    subject: str,
    *,
    work: Path,
    key: Callable[[Peer], str],
    common: Json,
    tell: Callable[[str], None] = lambda message: None,
) -> dict[str, Json]:
    """Prepare what is not prepared yet.

    Args:
        peers: the contestants.
        subject: "segmenter" or "classifier".
        work: folder of everything prepared.
        key: of what a contestant is made of; models of other keys are made anew.
        common: what `prepare_one` needs beside the peer.
        tell: told what is being done.
    Returns:
        For each contestant's name its status: `ok`, or why it does not take part, with size and seconds.
    """
    found = {}
    for peer in peers:
        folder = work / "models" / subject / peer.slug
        if peer.missing or peer.not_installed():
            found[peer.name] = {"status": peer.missing or peer.not_installed()}
            continue
        known = _read(folder / DONE)
        # A model of another version of its runtime is another model.
        wanted = f"{key(peer)} {' '.join(version_of(name) for name in peer.packages)}"
        if known is None or known["key"] != wanted:
            tell(f"preparing {peer.name} ({subject})")
            known = _prepare(peer, subject, folder, common) | {"key": wanted}
            write_whole(folder / DONE, json.dumps(known))
        found[peer.name] = known
    return found


def prepare_one(
    name: str,
    subject: str,
    folder: str,
    material: str,
    weights: str | None,
    bundle: str | None,
    tiny: bool,
) -> Json:
    """Convert one contestant's graph; runs in a fresh process."""
    from benchmarks.peers.roster import contestants

    peer = next(contestant for contestant in contestants(subject) if contestant.name == name)
    build = make_build(
        peer,
        subject,
        material=Path(material),
        weights=Path(weights) if weights else None,
        bundle=Path(bundle) if bundle else None,
        tiny=tiny,
    )
    try:
        peer.adapter().prepare(build, Path(folder))
    except Exception as error:
        # Whatever a foreign converter raises becomes its row's reason.
        traceback.print_exc()
        return {"status": f"cannot be converted: {type(error).__name__}: {_first_line(error)}"}
    return {"status": "ok"}


def size_bytes(folder: Path) -> int:
    """Bytes of a prepared model's files."""
    paths = [path for path in folder.iterdir() if path.is_file()]
    return sum(path.stat().st_size for path in paths if path.name != DONE)


def _prepare(peer: Peer, subject: str, folder: Path, common: Json) -> Json:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start = time.perf_counter()
    arguments = {"name": peer.name, "subject": subject, "folder": str(folder), **common}
    try:
        found: Json = run_fresh(prepare_one, arguments, timeout=PREPARE_TIMEOUT)
    except ChildError as error:
        found = {"status": f"cannot be converted: {error.reason}"}
    seconds = round(time.perf_counter() - start, 1)
    return {**found, "seconds": seconds, "bytes": size_bytes(folder)}


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else ""


def _read(path: Path) -> Json | None:
    try:
        values: Json = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values
