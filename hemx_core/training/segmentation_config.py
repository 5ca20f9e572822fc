"""Settings of a stage-1 run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from hemx_core.data.augment import Augmentation
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.nn.unet import UNetConfig
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
