"""Settings of a stage-2 run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from hemx_core.data.augment import Augmentation
from hemx_core.errors import TrainingError
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.wavelet_vgg import WaveletVGGConfig
from hemx_core.training.loop import Compute, Precision, check_choice
from hemx_core.training.study_labels import TARGETS

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
