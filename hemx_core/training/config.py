"""Settings of the two stages, and the records of a run that both write and check."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from hemx_core.data.study import TARGETS, StudySource
from hemx_core.errors import HemxError, TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.unet import UNetConfig
from hemx_core.nn.wavelet_vgg import WaveletVGGConfig
from hemx_core.training.augment import Augmentation
from hemx_core.training.loop import Compute, Precision, check_choice


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationTraining:
    """Settings of a stage-1 run.

    Args:
        steps: optimiser steps.
        peak_lr: of the one-cycle schedule.
        real_blood, real_other, phantom_blood, phantom_other: slices of each kind in a batch; the
            phantom part is drawn from real slices where there are no phantoms, and the reverse.
        loudness_limit, loudness_weight: see `loudness`.
        seed: of weights, batches and augmentation.
        split_by: `patient`, or `slice` for a random split of slices (`split_by_slice`), which leaks.
        location: train on haematomas of this location only; empty takes all.
        initial: weights to start from (fine-tuning, with a small `peak_lr`); None starts anew.
        frozen_batch_norm: normalise with the statistics that `initial` brings, and keep them.
        precision: of Lightning; tiny networks want `32-true`.
        compute: processes and loader.
    Raises:
        TrainingError: `split_by` or `precision` is none of these.
    """

    steps: int = 2000
    peak_lr: float = 2e-3
    weight_decay: float = 0.01
    real_blood: int = 4
    real_other: int = 2
    phantom_blood: int = 1
    phantom_other: int = 1
    loudness_limit: float = 8.0
    loudness_weight: float = 0.01
    seed: int = 1
    network: UNetConfig = field(default_factory=UNetConfig)
    preprocessing: PreprocessingSpec = field(default_factory=PreprocessingSpec)
    augmentation: Augmentation = field(default_factory=Augmentation)
    split_by: Literal["patient", "slice"] = "patient"
    location: str = ""
    initial: Path | None = None
    frozen_batch_norm: bool = False
    precision: Precision = "auto"
    compute: Compute = field(default_factory=Compute)

    def __post_init__(self) -> None:
        check_choice("split_by", self.split_by, ("patient", "slice"))
        check_choice("precision", self.precision, get_args(Precision))


View = Literal["crop", "slice"]
Masking = Literal["none", "true", "out_of_fold"]

CROP_AUGMENTATION = Augmentation(
    rotation_deg=6.0,
    scale=1.12,
    shift_px=8.0,
    gain=0.08,
    offset=0.04,
    noise_sd=0.03,
    blur_px=0.6,
)
"""Milder than stage 1's: a fluid level must stay level, and 18 HU (0.22) must stay visible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierTraining:
    """Settings of a stage-2 run.

    Args:
        steps: optimiser steps.
        batch: crops in a batch, drawn uniformly from the training slices.
        peak_lr: of the one-cycle schedule.
        weight_decay: of AdamW.
        crop_size: rows and columns of the network's picture, pixels (of the segmenter's grid for
            the view `crop`).
        weighted: weigh each class's positive term by negatives / positives (Eq. 2).
        weight_cap: most that it weighs.
        view: `crop`, a region round the mask; `slice`, the whole slice shrunk to `crop_size`.
        masking: black out what is not haematoma: `none`; `true`, the true mask in training (as the
            paper; it differs from what is seen later); `out_of_fold`, masks of segmenters that did
            not train on the patient. Held-out pictures are masked with what the segmenter finds.
        folds, fold_steps: of `out_of_fold`: segmenters, and optimiser steps of each.
        encoder_features: False silences the U-Net's features, which leaves a plain (Wavelet) VGG16.
        targets: what the outputs answer: marker codes, or `expansion`, the growth by 30 % or more
            that a study's every slice with blood is labelled with.
        consistency: weight of the squared difference of the logits of two crops of a sample that
            are up to `CONSISTENCY_SHIFT_PX` apart; 0 leaves the second crop out.
        feature_noise: standard deviation of noise added to the standardised encoder features.
        feature_dropout: share of samples whose encoder features are replaced by their mean, so that
            the crop alone must answer.
        sensitivity: share of validation patients with a marker that its threshold must find.
        bootstrap: draws for each interval.
        seed: of weights, batches, augmentation and bootstrap.
        initial: weights of a classifier of the same sizes and targets to start from (fine-tuning, with a
            small `peak_lr`); None starts anew. Encoder features are standardised anew all the same.
        frozen_batch_norm: keep batch normalisation as it is initialised or loaded, see docs/training.md.
        precision: of Lightning; tiny networks want `32-true`.
        compute: processes and loader.
    Raises:
        TrainingError: a setting is none of these.
    """

    steps: int = 3000
    batch: int = 16
    peak_lr: float = 8e-4
    weight_decay: float = 0.02
    crop_size: int = 128
    weighted: bool = True
    weight_cap: float = 10.0
    view: View = "crop"
    masking: Masking = "none"
    folds: int = 5
    fold_steps: int = 600
    encoder_features: bool = True
    targets: tuple[str, ...] = MARKER_CODES
    consistency: float = 0.0
    feature_noise: float = 0.1
    feature_dropout: float = 0.2
    sensitivity: float = 0.9
    bootstrap: int = 1000
    seed: int = 1
    network: WaveletVGGConfig = field(default_factory=WaveletVGGConfig)
    augmentation: Augmentation = CROP_AUGMENTATION
    initial: Path | None = None
    frozen_batch_norm: bool = False
    precision: Precision = "auto"
    compute: Compute = field(default_factory=Compute)

    def __post_init__(self) -> None:
        if self.crop_size < 32 or self.crop_size % 32 or self.batch < 2:
            raise TrainingError(
                f"crops of {self.crop_size} pixels in batches of {self.batch}",
                expected="a size divisible by 32, and batches of at least 2 (batch normalisation)",
                remedy="choose other settings",
            )
        if not self.targets or not set(self.targets) <= set(TARGETS) or self.consistency < 0:
            raise TrainingError(
                f"targets {self.targets}, consistency {self.consistency}",
                expected=f"some of {TARGETS}, and a weight of at least 0",
                remedy="choose other settings",
            )
        check_choice("view", self.view, get_args(View))
        check_choice("masking", self.masking, get_args(Masking))
        check_choice("precision", self.precision, get_args(Precision))


def settings_card(config: SegmentationTraining | ClassifierTraining) -> dict[str, Any]:
    """Settings as JSON values; of files the name only."""
    return dict(json.loads(json.dumps(asdict(config), default=lambda path: path.name)))


def check_preprocessing(source: StudySource, wanted: PreprocessingSpec) -> None:
    """Refuse a source that was prepared otherwise.

    Raises:
        TrainingError: it was.
    """
    if source.preprocessing != wanted:
        raise TrainingError(
            f"{source.description.get('name')} was prepared with {source.preprocessing.to_json()}",
            expected=f"{wanted.to_json()}, as the segmenter takes it",
            remedy="prepare the data in that way, or train a segmenter on this data first",
        )


def read_stage1(decision: Path) -> tuple[float, PreprocessingSpec]:
    """Mask threshold and preprocessing that stage 1 decided on.

    Raises:
        TrainingError: stage 1 has left none.
    """
    try:
        decided = json.loads(decision.read_text(encoding="utf-8"))
        threshold = float(decided["mask_threshold"])
        return threshold, PreprocessingSpec.from_json(decided["preprocessing"])
    except (OSError, ValueError, TypeError, KeyError, HemxError) as error:
        raise TrainingError(
            f"no mask threshold or preprocessing in {decision.name} ({error})",
            expected="the file that stage 1 writes beside its weights",
            remedy="run `hemx train segmentation` first, or give its folder with --weights",
        ) from error
