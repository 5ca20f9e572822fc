"""Settings of all trainings, what they write about a run, and what they check of each other's.

Light: the command line makes its options from these classes (`hemx_core.commands.settings`) before torch or
numpy is loaded. A field is an option where its metadata says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from hemx_core.errors import HemxError, TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.markers import MARKER_CODES, TARGETS
from hemx_core.nn.config import SNGANConfig, UNetConfig, WaveletVGGConfig

if TYPE_CHECKING:
    from hemx_core.data.study import StudySource


def _option(help: str, **more: Any) -> dict[str, Any]:
    """Metadata of a field that is an option, see `hemx_core.commands.settings`."""
    return {"option": {"help": help, **more}}


def _options(**inner: dict[str, Any]) -> dict[str, Any]:
    """Metadata of a field that holds settings of its own, some of which are options."""
    return {"options": inner}


SEGMENTER_LR, CLASSIFIER_LR = (2e-3, 2e-4), (8e-4, 4e-4)
"""Peak learning rates, from scratch and from trained weights."""
FROM = (
    "Go on from trained weights: shipped, a folder of weights, or a {}'s file. Sizes and "
    "preprocessing are theirs."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Ranges that samples are drawn from.

    Args:
        rotation_deg: uniform in plus or minus this.
        scale: log-uniform between 1 / scale and scale.
        shift_px: uniform in plus or minus this, grid pixels.
        flip: probability of a left-right flip; never up-down (a fluid level lies with gravity).
        gain: uniform in 1 plus or minus this.
        offset: uniform in plus or minus this, on the [0, 1] scale.
        noise_sd: standard deviation of added noise, uniform from 0 to this.
        blur_px: standard deviation of a Gaussian blur, uniform from 0 to this, on half the samples.
    """

    rotation_deg: float = 20.0
    scale: float = 1.25
    shift_px: float = 12.0
    flip: float = 0.5
    gain: float = 0.15
    offset: float = 0.05
    noise_sd: float = 0.06
    blur_px: float = 0.9


Precision = Literal["auto", "bf16-mixed", "16-mixed", "32-true"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """Where a run computes. A batch is shared out: more processes do not make it larger.

    Args:
        devices: processes on this machine, one for each GPU; under torchrun its own number counts.
        nodes: machines; under torchrun its own number counts.
        loader_workers: processes beside each of these that make batches; 0 makes them in turn.
    """

    devices: int = 1
    nodes: int = 1
    loader_workers: int = 0


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise TrainingError where a setting is none of its choices."""
    if value not in choices:
        raise TrainingError(
            f"{name} {value!r}", expected=f"one of {tuple(choices)}", remedy="correct the setting"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationTraining:
    """Settings of a stage-1 run.

    Args:
        steps: optimiser steps.
        peak_lr: of the one-cycle schedule; 0 takes `SEGMENTER_LR`, the smaller one with `initial`.
        real_blood, real_other, phantom_blood, phantom_other: slices of each kind in a batch; the
            phantom part is drawn from real slices where there are no phantoms, and the reverse.
        loudness_limit, loudness_weight: see `loudness`.
        patch: side of the window that is cut from each sample of a batch, divisible by 32; 0 takes the
            whole slice. What is cut off is black in most slices, so a step learns as much in less time.
        seed: of weights, batches and augmentation.
        split_by: `patient`, or `slice` for a random split of slices (`split_by_slice`), which leaks.
        location: train on haematomas of this location only; empty takes all.
        initial: weights to start from (fine-tuning); None starts anew.
        frozen_batch_norm: normalise with the statistics that `initial` brings, and keep them.
        precision: of Lightning; tiny networks want `32-true`.
        compute: processes and loader.
    Raises:
        TrainingError: `split_by` or `precision` is none of these, or the patch does not fit.
    """

    steps: int = field(default=2000, metadata=_option("Optimiser steps.", min=1))
    peak_lr: float = field(
        default=0.0,
        metadata=_option(
            "Peak learning rate; {:g}, with --from {:g}.".format(*SEGMENTER_LR),
            name="rate",
            default=None,
        ),
    )
    weight_decay: float = 0.01
    real_blood: int = 4
    real_other: int = 2
    phantom_blood: int = 1
    phantom_other: int = 1
    patch: int = field(
        default=0, metadata=_option("Side of the window cut from each sample; 0: whole.", min=0)
    )
    loudness_limit: float = 8.0
    loudness_weight: float = 0.01
    seed: int = field(default=1, metadata=_option("Seed of weights, batches and augmentation."))
    network: UNetConfig = field(
        default_factory=UNetConfig,
        metadata=_options(width={"help": "Channel multiplier of the network."}),
    )
    preprocessing: PreprocessingSpec = field(
        default_factory=PreprocessingSpec,
        metadata=_options(
            remove_bone={"name": "bone_removal", "help": "Preprocessing: skull to black."},
            remove_artefacts={
                "name": "artefact_removal",
                "help": "Preprocessing: what is outside the head to black.",
            },
            centre={"name": "centring", "help": "Preprocessing: head to the middle."},
        ),
    )
    augmentation: Augmentation = field(default_factory=Augmentation)
    split_by: Literal["patient", "slice"] = field(
        default="patient",
        metadata=_option("patient; or slice, a random split that leaks (experiment 1)."),
    )
    location: str = field(default="", metadata=_option("Train on this location only."))
    initial: Path | None = field(
        default=None, metadata=_option(FROM.format("segmenter"), name="from_")
    )
    frozen_batch_norm: bool = field(
        default=False, metadata=_option("Keep the statistics of --from.", switch=True)
    )
    precision: Precision = field(
        default="auto", metadata=_option("auto, bf16-mixed, 16-mixed or 32-true.")
    )
    compute: Compute = field(
        default_factory=Compute,
        metadata=_options(
            devices={"help": "GPUs (or processes) on this machine.", "min": 1},
            nodes={"help": "Machines; torchrun's numbers go before these.", "min": 1},
            loader_workers={
                "help": "Processes that make batches beside each training process.",
                "min": 0,
            },
        ),
    )

    def __post_init__(self) -> None:
        if not self.peak_lr:
            object.__setattr__(self, "peak_lr", SEGMENTER_LR[self.initial is not None])
        check_choice("split_by", self.split_by, ("patient", "slice"))
        if self.patch % 32 or not 0 <= self.patch <= self.preprocessing.size:
            raise TrainingError(
                f"a patch of {self.patch} pixels",
                expected=f"0, or a multiple of 32 up to {self.preprocessing.size}",
                remedy="choose another --patch",
            )
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
        real_crops: how many of them are slices of real patients with readings (`training.read_slices`).
        peak_lr: of the one-cycle schedule; 0 takes `CLASSIFIER_LR`, the smaller one with `initial`.
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
        sensitivity: share of validation patients with a marker that its threshold should find.
        specificity: share of those without it that must not be called, whatever the sensitivity.
        bootstrap: draws for each interval.
        seed: of weights, batches, augmentation and bootstrap.
        initial: weights of a classifier of the same sizes and targets to start from (fine-tuning); None
            starts anew. Encoder features are standardised anew all the same.
        frozen_batch_norm: keep batch normalisation as it is initialised or loaded, see docs/training.md.
        precision: of Lightning; tiny networks want `32-true`.
        compute: processes and loader.
    Raises:
        TrainingError: a setting is none of these.
    """

    steps: int = field(default=3000, metadata=_option("Optimiser steps.", min=1))
    batch: int = field(default=16, metadata=_option("Crops in a batch.", min=2))
    real_crops: int = field(
        default=0, metadata=_option("Of these, of real patients with readings (HEMX_DATA).", min=0)
    )
    peak_lr: float = field(
        default=0.0,
        metadata=_option(
            "Peak learning rate; {:g}, with --from {:g}.".format(*CLASSIFIER_LR),
            name="rate",
            default=None,
        ),
    )
    weight_decay: float = 0.02
    crop_size: int = field(default=128, metadata=_option("Side of the network's picture, pixels."))
    weighted: bool = field(default=True, metadata=_option("Eq. 2's weights of the positive terms."))
    weight_cap: float = 10.0
    view: View = field(default="crop", metadata=_option("crop, or slice (the whole one, shrunk)."))
    masking: Masking = field(default="none", metadata=_option("none, true or out_of_fold."))
    folds: int = field(default=5, metadata=_option("Of out_of_fold: segmenters.", min=2))
    fold_steps: int = field(default=600, metadata=_option("Of out_of_fold: steps of each.", min=1))
    encoder_features: bool = field(default=True, metadata=_option("Join the U-Net's features."))
    targets: tuple[str, ...] = MARKER_CODES
    consistency: float = field(
        default=0.0, metadata=_option("Weight of the difference between shifted crops.", min=0)
    )
    feature_noise: float = 0.1
    feature_dropout: float = 0.2
    sensitivity: float = 0.9
    specificity: float = 0.9
    bootstrap: int = 1000
    seed: int = field(default=1, metadata=_option("Seed of weights, batches and augmentation."))
    network: WaveletVGGConfig = field(
        default_factory=WaveletVGGConfig,
        metadata=_options(
            width={"help": "Channel multiplier of the network.", "default": 0.5},
            wavelet={"help": "Any PyWavelets filter bank."},
            merge={"help": "Sub-bands: project, concat, ll; or max (VGG16)."},
        ),
    )
    augmentation: Augmentation = CROP_AUGMENTATION
    initial: Path | None = field(
        default=None, metadata=_option(FROM.format("classifier"), name="from_")
    )
    frozen_batch_norm: bool = False
    precision: Precision = field(
        default="auto", metadata=_option("auto, bf16-mixed, 16-mixed or 32-true.")
    )
    compute: Compute = field(
        default_factory=Compute,
        metadata=_options(
            devices={"help": "GPUs (or processes) on this machine.", "min": 1},
            nodes={"help": "Machines; torchrun's numbers go before these.", "min": 1},
            loader_workers={
                "help": "Processes that make batches beside each training process.",
                "min": 0,
            },
        ),
    )

    def __post_init__(self) -> None:
        if not self.peak_lr:
            object.__setattr__(self, "peak_lr", CLASSIFIER_LR[self.initial is not None])
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
        if not 0 <= self.real_crops <= self.batch:
            raise TrainingError(
                f"{self.real_crops} real crops in a batch of {self.batch}",
                expected="from 0 up to the batch",
                remedy="choose another --real-crops",
            )
        check_choice("view", self.view, get_args(View))
        check_choice("masking", self.masking, get_args(Masking))
        check_choice("precision", self.precision, get_args(Precision))


@dataclass(frozen=True, slots=True, kw_only=True)
class GanTraining:
    """Settings of a run; learning rate, betas and `n_critic` are those of Miyato et al. 2018.

    Args:
        steps: generator steps.
        batch: crops in a batch, of each of the generator and the data.
        n_critic: discriminator steps to a generator step.
        generator_lr: of Adam.
        discriminator_lr: of Adam.
        betas: of Adam.
        averaging: share of the averaged generator kept at a step; less at first, (1 + t) / (10 + t).
        mismatch: weight of real crops under a wrong class among the discriminator's negatives, 0 for
            Miyato and Koyama's loss. Where the generator is good, class scores otherwise fade: the
            optimal D(x, y) compares the data of class y with the generator's, not the classes.
        precision: of Lightning.
        checkpoint_every: steps between checkpoints.
        seed: of weights, batches and noise.
    """

    steps: int = field(default=2000, metadata=_option("Generator steps.", min=1))
    batch: int = field(default=32, metadata=_option("Crops in a batch.", min=2))
    n_critic: int = field(
        default=5, metadata=_option("Discriminator steps to one of the generator.", min=1)
    )
    generator_lr: float = field(
        default=2e-4, metadata=_option("Learning rate of both networks.", name="rate")
    )
    discriminator_lr: float = 2e-4
    betas: tuple[float, float] = (0.0, 0.9)
    averaging: float = 0.999
    mismatch: float = field(
        default=0.0,
        metadata=_option("Weight of real crops under a wrong class as negatives.", min=0),
    )
    precision: str = "auto"
    checkpoint_every: int = 100
    seed: int = field(default=1, metadata=_option("Seed of weights, batches and augmentation."))
    network: SNGANConfig = field(
        default_factory=SNGANConfig,
        metadata=_options(
            size={"help": "Rows and columns of a crop: 64 or 128."},
            width={"help": "Channels of the largest maps.", "min": 1},
        ),
    )

    def __post_init__(self) -> None:
        if self.batch < 2 or self.n_critic < 1 or not 0 <= self.averaging < 1 or self.mismatch < 0:
            raise TrainingError(
                f"batch {self.batch}, n_critic {self.n_critic}, averaging {self.averaging}, "
                f"mismatch {self.mismatch}",
                expected="batch from 2 (batch normalisation), n_critic from 1, averaging in [0, 1), "
                "mismatch from 0",
                remedy="choose other settings",
            )


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
