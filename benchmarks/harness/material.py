"""Inputs of the contest, made once: timed on phantoms, judged and calibrated on what the export uses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemx_core.files import write_whole
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.records import Json

Array = NDArray[np.float32]
Inputs = tuple[Array, ...]

SUBJECTS = ("segmenter", "classifier")
TIMED_SEED = 13
KINDS = ("timed", "judged", "calibration")
NAMES = {"segmenter": ("image",), "classifier": ("crop", "features")}
"""Input names of each graph."""
OUTPUTS = {"segmenter": ("probabilities", "features"), "classifier": ("logits", "cam")}
"""Output names of each graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """How many slices.

    Args:
        timed: different slices in the timed calls, of phantoms.
        judged: slices on which accuracy is compared, of patients that calibrated nothing.
        calibration: of each kind (real and phantom), for every int8 contestant.
    """

    timed: int = 8
    judged: int = 24
    calibration: int = 96


TINY = Amounts(timed=2, judged=3, calibration=3)


def write_material(folder: str, weights: str | None, tiny: bool) -> Json:
    """Make the inputs of both graphs, and what torch answers to the judged ones; runs in a fresh process.

    Args:
        folder: gets `segmenter.npz`, `classifier.npz` and `facts.json`.
        weights: folder of the weights; None for the repository's.
        tiny: narrow networks and few slices.
    Returns:
        What `facts.json` holds.
    """
    import torch

    from benchmarks.harness.networks import Segmenter, open_networks
    from export.calibration import calibration_crops, ordinary_slices

    networks = open_networks(Path(weights) if weights else None, tiny=tiny)
    images, sources = _images(networks.decision.preprocessing, tiny=tiny)
    images["calibration"] = ordinary_slices(networks.segmenter, images["calibration"])
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    segmenter = {kind: [(image[None, None],) for image in images[kind]] for kind in KINDS}
    classifier = {
        kind: [tuple(t.numpy() for t in pair) for pair in calibration_crops(networks, images[kind])]
        for kind in KINDS
    }
    modules: Json = {
        "segmenter": Segmenter(networks.segmenter),
        "classifier": networks.classifier,
    }
    for subject, inputs in (("segmenter", segmenter), ("classifier", classifier)):
        with torch.inference_mode():
            answers = [
                tuple(t.numpy() for t in modules[subject](*map(torch.from_numpy, sample)))
                for sample in inputs["judged"]
            ]
        _save(place / f"{subject}.npz", {**inputs, "reference": answers})
    decision = networks.decision
    facts = {
        "sources": sources,
        "calibration": {
            name: len(program["calibration"])
            for name, program in (("segmenter", segmenter), ("classifier", classifier))
        },
        "judged": {
            name: len(program["judged"])
            for name, program in (("segmenter", segmenter), ("classifier", classifier))
        },
        "mask_threshold": decision.mask_threshold,
        "temperatures": [marker.temperature for marker in decision.markers],
        "size": decision.preprocessing.size,
        "crop_size": decision.crop_size,
    }
    write_whole(place / "facts.json", json.dumps(facts))
    return facts


def read_inputs(folder: Path, subject: str, kind: str) -> list[Inputs]:
    """Inputs of a kind, with batch and channel axes; "reference" is torch's answers to the judged ones."""
    with np.load(folder / f"{subject}.npz") as stored:
        columns = [stored[key] for key in sorted(stored.files) if key.split(".")[0] == kind]
    return [tuple(column[i] for column in columns) for i in range(len(columns[0]))]


def grouped(inputs: Sequence[Inputs], size: int) -> list[Inputs]:
    """Inputs put together for calls of so many slices; the last call is filled up from the beginning."""
    calls = range(0, len(inputs), size)
    rows = [[inputs[(first + place) % len(inputs)] for place in range(size)] for first in calls]
    return [tuple(np.concatenate(column) for column in zip(*row, strict=True)) for row in rows]


def _images(spec: PreprocessingSpec, *, tiny: bool) -> tuple[dict[str, list[Array]], Json]:
    """Prepared slices of every kind, and what they are."""
    from export.samples import choose, load_samples, phantom_samples

    amounts = TINY if tiny else Amounts()
    if tiny:
        calibration = parity = timed = phantom_samples(spec, seed=TIMED_SEED, studies=1, matrix=96)
        calibration = calibration.take(choose(calibration.blood, amounts.calibration))
    else:
        calibration, parity = load_samples(spec, data=None, calibration=amounts.calibration)
        timed = phantom_samples(spec, seed=TIMED_SEED, studies=2)
    judged = parity.take(choose(parity.blood, amounts.judged))
    shown = timed.take(choose(timed.blood, amounts.timed))
    images = {
        "timed": list(shown.images),
        "judged": list(judged.images),
        "calibration": list(calibration.images),
    }
    sources = {"timed": timed.source, "judged": parity.source, "calibration": calibration.source}
    return images, sources


def _save(path: Path, groups: dict[str, list[Inputs]]) -> None:
    arrays = {
        f"{kind}.{place}": np.stack(column)
        for kind, rows in groups.items()
        for place, column in enumerate(zip(*rows, strict=True))
    }
    np.savez(path, **arrays)  # type: ignore[arg-type]
