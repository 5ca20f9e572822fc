"""What every fold, and the weights of all patients, are trained with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from hemx_core.data.phe_sich import Fold
from hemx_core.nn.config import Merge, WaveletVGGConfig
from hemx_core.training.config import ClassifierTraining, SegmentationTraining

FOLDS = 5
ALL = "all"
LESIONS = 1800
"""Studies of resynthesised haematomas of a fold, held-out ones included."""
SEGMENTER_LESIONS = 600
"""Of those for training, as many are shown to the segmenter."""
PHANTOMS = 240

SEGMENTER = SegmentationTraining(
    steps=1000,
    peak_lr=1e-3,
    patch=192,
    real_blood=3,
    real_other=2,
    phantom_blood=2,
    phantom_other=1,
)
CLASSIFIER = ClassifierTraining(
    steps=5000,
    batch=16,
    real_crops=4,
    crop_size=96,
    encoder_features=False,
    network=WaveletVGGConfig(width=0.25, merge="ll"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A classifier that competes.

    Args:
        merge: of the sub-bands.
        seed: of weights, batches and augmentation.
        real_crops: of a batch of `CLASSIFIER.batch`, of read patients.
        rate: peak learning rate.
        phantoms: whether drawn slices are also those of the phantom cohort. A classifier without them
            is right on real patients and wrong on `hemx phantom`.
    """

    merge: Merge = "ll"
    seed: int = 1
    real_crops: int = CLASSIFIER.real_crops
    rate: float = CLASSIFIER.peak_lr
    phantoms: bool = False

    @property
    def name(self) -> str:
        """Of its files."""
        name = f"{self.merge}_r{self.real_crops}_lr{self.rate:g}_s{self.seed}"
        return name + "_p" * self.phantoms

    @property
    def training(self) -> ClassifierTraining:
        """Its settings."""
        network = replace(CLASSIFIER.network, merge=self.merge)
        return replace(
            CLASSIFIER,
            network=network,
            seed=self.seed,
            real_crops=self.real_crops,
            peak_lr=self.rate,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a fold keeps what it makes; its folder shows real slices: never for publication.

    Args:
        root: of all folds.
        fold: the patients that are held out.
        start: weights that the segmenter starts from, which have seen no real patient.
        phantoms: folder of the cohort of drawn phantoms.
    """

    root: Path
    fold: Fold
    start: Path = field(default=Path("start.safetensors"))
    phantoms: Path = field(default=Path("runs/cohort"))

    @property
    def name(self) -> str:
        """Of the fold."""
        return ALL if self.fold.number is None else str(self.fold.number)

    @property
    def folder(self) -> Path:
        """Of the fold."""
        return self.root / self.name

    @property
    def lesions(self) -> Path:
        """Folder of the fold's resynthesised haematomas."""
        return self.root / f"lesions_{self.name}"

    @property
    def segmenter(self) -> Path:
        """Weights of the fold's segmenter."""
        return self.folder / "segmenter.safetensors"

    def classifier(self, arm: Arm) -> Path:
        """Weights of an arm."""
        return self.folder / f"{arm.name}.safetensors"
