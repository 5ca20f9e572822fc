"""What a run takes over from the weights that it goes on from: sizes, preprocessing, stage 1's files."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from hemx_core.errors import TrainingError
from hemx_core.files import write_whole
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.nn.config import UNetConfig, WaveletVGGConfig
from hemx_core.nn.weights import read_metadata
from hemx_core.training.config import ClassifierTraining, SegmentationTraining, read_stage1

SEGMENTER, DECISION = "segmenter.safetensors", "decision.json"


def start_segmentation(config: SegmentationTraining, weights: Path) -> SegmentationTraining:
    """The settings with the sizes of trained weights, and with the preprocessing decided beside them.

    Raises:
        TrainingError: a setting was given that differs from theirs.
        ManifestError: the weights cannot be read.
    """
    known = read_metadata(weights)[0]
    network = UNetConfig(**known | {"decoder_channels": tuple(known["decoder_channels"])})
    decision = weights.with_name(DECISION)
    prepared = read_stage1(decision)[1] if decision.exists() else config.preprocessing
    return replace(
        config,
        initial=weights,
        network=_theirs("sizes", config.network, UNetConfig(), network, weights),
        preprocessing=_theirs(
            "preprocessing", config.preprocessing, PreprocessingSpec(), prepared, weights
        ),
    )


def start_classifier(config: ClassifierTraining, weights: Path) -> ClassifierTraining:
    """The same of a classifier.

    Raises:
        TrainingError, ManifestError: see `start_segmentation`.
    """
    known, card = read_metadata(weights)
    crop_size = int(card.get("settings", {}).get("crop_size", config.crop_size))
    names = {field.name for field in fields(WaveletVGGConfig)}
    network = WaveletVGGConfig(**{name: value for name, value in known.items() if name in names})
    usual = replace(WaveletVGGConfig(), width=COMMAND_WIDTH)
    return replace(
        config,
        initial=weights,
        network=_theirs("sizes", config.network, usual, network, weights),
        crop_size=_theirs(
            "crop size", config.crop_size, ClassifierTraining().crop_size, crop_size, weights
        ),
    )


COMMAND_WIDTH = 0.5
"""What the command's own default of `--width` is."""


def take_stage1(source: Path, target: Path) -> None:
    """Copy segmenter and decisions beside a classifier's new weights, where they are not there yet.

    Raises:
        OutputError: the disk refuses.
    """
    for name in (SEGMENTER, DECISION):
        if (source / name).is_file() and not (target / name).exists():
            write_whole(target / name, (source / name).read_bytes())


def _theirs(what: str, given: Any, usual: Any, theirs: Any, weights: Path) -> Any:
    if given not in (usual, theirs):
        raise TrainingError(
            f"{what} {given}, but {weights.name} has {theirs}",
            expected="the settings of the weights to go on from",
            remedy="leave these options away, or start without --from",
        )
    return theirs
