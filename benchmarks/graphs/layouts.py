"""Layouts of both networks in files: two files, two methods of one program, or one joint forward.

    two files       segmenter.pte and classifier.pte: the features go from one to the other outside
    two methods     one file with the methods `segment` and `classify`
    joint forward   one graph (image, crop) -> (probabilities, features, logits, cam)

The joint graph needs the crop before the mask is known, so a study runs it twice for a slice with blood, or
classifies every slice; `study_ms` says what that costs: 32 slices, 10 of them with blood.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from benchmarks.harness.measure import Cost, Layout, facts, measure
from export.folding.twins import fold_classifier, fold_unet
from export.lower import lower, lower_methods
from export.networks import Networks
from export.quantize import quantize
from export.recipes import Precision

Inputs = tuple[Tensor, ...]
SLICES, BLOODY = 32, 10
TWO_FILES, TWO_METHODS, JOINT = "two files", "two methods", "joint forward"


class JointTwin(nn.Module):
    """Both inference twins in one graph; the features never leave it, and are an output as well."""

    def __init__(self, segmenter: nn.Module, classifier: nn.Module) -> None:
        super().__init__()
        self.segmenter, self.classifier = segmenter, classifier
        self.float_modules = tuple(
            f"{part}.{name}"
            for part, twin in (("segmenter", segmenter), ("classifier", classifier))
            for name in getattr(twin, "float_modules", ())
        )

    def forward(self, image: Tensor, crop: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Shapes (1, 1, S, S) and (1, 1, K, K) to probabilities, features, logits and cam."""
        probabilities, features = self.segmenter(image)
        logits, cam = self.classifier(crop, features)
        return probabilities, features, logits, cam


def write_layouts(
    segmenter: nn.Module,
    classifier: nn.Module,
    precision: Precision,
    folder: Path,
    *,
    calibration: Mapping[str, Sequence[Inputs]],
    tell: Callable[[str], None] = lambda message: None,
) -> dict[str, Layout]:
    """Lower both networks in all three layouts.

    Args:
        segmenter: inference twin, (image) -> (probabilities, features).
        classifier: inference twin, (crop, features) -> (logits, cam).
        precision: of all programs.
        folder: where the programs are written.
        calibration: inputs of `segmenter` and `classifier`, at least one each.
        tell: told what is being done.
    """
    images, crops = calibration["segmenter"], calibration["classifier"]
    pairs = [(image, crop[0]) for (image,), crop in zip(images, crops, strict=False)]

    def graph(twin: nn.Module, inputs: Sequence[Inputs]) -> nn.Module:
        return quantize(twin, inputs) if precision is Precision.INT8 else twin

    tell("quantizing")
    segment = graph(segmenter, images), images[0]
    classify = graph(classifier, crops), crops[0]
    tell("lowering two files")
    one, two = _write(folder / "segmenter.pte", lower(*segment).pte), folder / "classifier.pte"
    _write(two, lower(*classify).pte)
    tell("lowering one file of two methods")
    both = lower_methods({"segment": segment, "classify": classify})
    methods = _write(folder / "methods.pte", both.pte)
    tell("lowering the joint forward")
    twin = JointTwin(segmenter, classifier).eval()
    joint = _write(folder / "joint.pte", lower(graph(twin, pairs), pairs[0]).pte)
    return {
        TWO_FILES: Layout(files=(one, two), calls=((0, "forward"), (1, "forward"))),
        TWO_METHODS: Layout(files=(methods,), calls=((0, "segment"), (0, "classify"))),
        JOINT: Layout(files=(joint,), calls=((0, "forward"),)),
    }


def compare_layouts(
    networks: Networks,
    precision: Precision,
    *,
    calibration: Mapping[str, Sequence[Inputs]],
    runs: int = 20,
    rounds: int = 5,
    threads: Sequence[int] = (1, 2),
    tell: Callable[[str], None] = lambda message: None,
) -> list[dict[str, Any]]:
    """Size, load time, latency and memory of each layout; a line for each and number of threads.

    Args:
        networks: the trained networks.
        precision: of all programs.
        calibration: see `write_layouts`.
        runs: of all calls in a process.
        rounds: processes of each layout.
        threads: measured one after the other.
        tell: told what is being done.
    """
    lines = []
    with tempfile.TemporaryDirectory() as draft:
        twins = fold_unet(networks.segmenter), fold_classifier(networks.classifier)
        layouts = write_layouts(*twins, precision, Path(draft), calibration=calibration, tell=tell)
        for count in threads:
            costs = measure(layouts, runs=runs, rounds=rounds, threads=count, tell=tell)
            head = {"precision": precision.value, "threads": count, "runs": runs, "rounds": rounds}
            lines += [
                {"layout": name, **head, **cost.to_json(), "study_ms": study_ms(cost), **facts()}
                for name, cost in costs.items()
            ]
    return lines


def study_ms(cost: Cost) -> float:
    """Both networks' time for 32 slices, 10 with blood; a joint forward runs again for those."""
    if len(cost.calls_ms) == 1:
        return round((SLICES + BLOODY) * cost.calls_ms[0], 3)
    segment, classify = cost.calls_ms
    return round(SLICES * segment + BLOODY * classify, 3)


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
