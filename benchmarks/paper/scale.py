"""How large an experiment is run: grid, widths and steps. A table always says which."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from hemx_core.errors import TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.nn.config import UNetConfig

FIELD_MM = 230.4
"""Side of every grid: 256 pixels of 0.9 mm, as shipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes of all trainings of a run.

    Args:
        name: as on the command line.
        grid: rows and columns of the prepared slices; they always cover `FIELD_MM`.
        unet: sizes of the U-Net.
        segment_steps, segment_lr: of a U-Net from scratch, batches of 8.
        tune_steps, tune_lr: of a fine-tuning.
        folds: U-Nets for the out-of-fold masks, each trained as the one that masks the test.
        vgg_width: multiplies the (Wavelet) VGG16's channels.
        crop: side of the classifier's region in grid pixels.
        whole: side of the whole slice as the classifier gets it, pixels.
        classify_steps, classify_batch, whole_batch, classify_lr: of a classifier.
        gan_crop, gan_steps, gan_batch, gan_critic, gan_width: of the conditional SNGAN and its crops.
        draws: of every bootstrap.
        precision: of Lightning.
    """

    name: str
    grid: int
    unet: UNetConfig
    segment_steps: int
    segment_lr: float
    tune_steps: int
    tune_lr: float
    folds: int
    vgg_width: float
    crop: int
    whole: int
    classify_steps: int
    classify_batch: int
    whole_batch: int
    classify_lr: float
    gan_crop: int
    gan_steps: int
    gan_batch: int
    gan_critic: int
    gan_width: int
    draws: int = 1000
    precision: str = "bf16-mixed"

    @property
    def preprocessing(self) -> PreprocessingSpec:
        """All three steps on, on this grid."""
        return PreprocessingSpec(size=self.grid, pixel_mm=FIELD_MM / self.grid)

    @property
    def no_preprocessing(self) -> PreprocessingSpec:
        """The window only: artefacts, bone and position stay as they are."""
        return PreprocessingSpec(
            size=self.grid,
            pixel_mm=FIELD_MM / self.grid,
            remove_artefacts=False,
            remove_bone=False,
            centre=False,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    def part(self, *prefixes: str) -> dict[str, Any]:
        """The fields whose names begin with one of the prefixes, and grid and precision."""
        wanted = ("grid", "precision", *prefixes)
        return {k: v for k, v in self.to_json().items() if k.startswith(wanted)}


TINY = Scale(
    name="tiny",
    grid=64,
    unet=UNetConfig(width=0.1, depth=0.2),
    segment_steps=4,
    segment_lr=2e-3,
    tune_steps=2,
    tune_lr=2e-4,
    folds=2,
    vgg_width=0.125,
    crop=32,
    whole=32,
    classify_steps=3,
    classify_batch=4,
    whole_batch=4,
    classify_lr=1e-3,
    gan_crop=32,
    gan_steps=2,
    gan_batch=4,
    gan_critic=1,
    gan_width=2,
    draws=20,
    precision="32-true",
)
"""To try the commands in seconds; its figures mean nothing."""

SMALL = Scale(
    name="small",
    grid=128,
    unet=UNetConfig(width=0.25, depth=0.34),
    segment_steps=200,
    segment_lr=3e-3,
    tune_steps=40,
    tune_lr=3e-4,
    folds=3,
    vgg_width=0.125,
    crop=64,
    whole=96,
    classify_steps=300,
    classify_batch=16,
    whole_batch=16,
    classify_lr=2e-3,
    gan_crop=32,
    gan_steps=1000,
    gan_batch=16,
    gan_critic=2,
    gan_width=8,
)
"""An eighth to a quarter of the channels at half the resolution: all experiments in about half
an hour of one core."""

FULL = Scale(
    name="full",
    grid=256,
    unet=UNetConfig(),
    segment_steps=3000,
    segment_lr=2e-3,
    tune_steps=600,
    tune_lr=2e-4,
    folds=5,
    vgg_width=1.0,
    crop=128,
    whole=256,
    classify_steps=6000,
    classify_batch=16,
    whole_batch=16,
    classify_lr=4e-4,
    gan_crop=128,
    gan_steps=20000,
    gan_batch=64,
    gan_critic=5,
    gan_width=64,
)
"""The paper's networks at the shipped resolution: for a GPU."""

SCALES = {scale.name: scale for scale in (TINY, SMALL, FULL)}


def scale_named(name: str) -> Scale:
    """The scale of a name.

    Raises:
        TrainingError: there is none.
    """
    if name not in SCALES:
        raise TrainingError(
            f"scale {name!r}", expected=f"one of {tuple(SCALES)}", remedy="correct the name"
        )
    return SCALES[name]
