"""The points of the front, and the budget that all trainings share."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any, Literal, get_args

from benchmarks.harness.networks import TINY_CROP, TINY_SIZE, TINY_VGG_WIDTH
from export.networks import Networks
from export.recipes import Precision, Recipe
from hemx_core.errors import BenchmarkError
from hemx_core.nn.config import Merge, WaveletVGGConfig
from hemx_core.training.config import CROP_AUGMENTATION, ClassifierTraining, View
from hemx_core.training.config import Precision as TrainingPrecision

INT8, FLOAT32 = Precision.INT8, Precision.FLOAT32
USUAL_GRID = 256
"""The grid on which the augmentation's shift was chosen."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a classifier is shown.

    Args:
        view: a `crop` round the haematoma, or the whole `slice` shrunk to the size.
        size: rows and columns, pixels; of the segmenter's grid for a crop.
    """

    view: View
    size: int

    @property
    def name(self) -> str:
        """For example `crop-128`."""
        return f"{self.view}-{self.size}"

    @classmethod
    def parse(cls, text: str) -> Picture:
        """Inverse of `name`.

        Raises:
            BenchmarkError: another form, or a size that five halvings do not divide.
        """
        view, _, size = text.partition("-")
        if view not in get_args(View) or not size.isdecimal() or int(size) < 32 or int(size) % 32:
            raise BenchmarkError(
                f"classifier input {text!r}",
                expected="crop-SIZE or slice-SIZE, SIZE divisible by 32",
                remedy="correct --inputs",
            )
        return cls("crop" if view == "crop" else "slice", int(size))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierPoint:
    """A trained classifier in one precision; see `WaveletVGGConfig` for merge and width."""

    merge: Merge
    picture: Picture
    width: float
    precision: Precision

    @property
    def network(self) -> str:
        """Name of the training, which all precisions share."""
        return f"{self.merge}-{self.picture.name}-w{self.width:g}"

    @property
    def name(self) -> str:
        """As in tables."""
        shown = self.picture.name.replace("-", " ")
        return f"{self.merge}, {shown}, width {self.width:g}, {self.precision}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"name": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmenterPoint:
    """The shipped segmenter on a grid of so many pixels over the same field, in one precision."""

    size: int
    precision: Precision

    @property
    def name(self) -> str:
        """As in tables."""
        return f"{self.size} pixels, {self.precision}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"name": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is trained, exported and compared.

    Args:
        merges, pictures, widths: of the classifiers, each with each.
        networks: names of those that are trained, see `ClassifierPoint.network`; empty for all.
        precisions: of all programs.
        sizes: of the segmenter's grid, pixels.
        steps, batch, peak_lr, seed: of every training, from scratch.
        arithmetic: of the trainings, see `resolve_precision`.
        inserted, phantoms: studies of the cohorts, see `hemx_core.data.sources`; those of the shipped
            classifier, so that its test studies are the same.
        calibration: slices of each kind for the int8 ranges.
        draws: of every bootstrap over patients.
    """

    merges: tuple[Merge, ...] = ("project", "concat", "ll")
    pictures: tuple[Picture, ...] = (
        Picture("crop", 96),
        Picture("crop", 128),
        Picture("slice", 256),
    )
    widths: tuple[float, ...] = (0.5, 0.25)
    networks: tuple[str, ...] = ()
    precisions: tuple[Precision, ...] = (INT8, FLOAT32)
    sizes: tuple[int, ...] = (256, 192)
    steps: int = 320
    batch: int = 8
    peak_lr: float = 8e-4
    seed: int = 1
    arithmetic: TrainingPrecision = "auto"
    inserted: int = 400
    phantoms: int = 48
    calibration: int = 96
    draws: int = 1000

    def classifiers(self) -> list[ClassifierPoint]:
        """All points of the classifier; those of one training follow each other."""
        every = product(self.merges, self.pictures, self.widths, self.precisions)
        points = [ClassifierPoint(merge=m, picture=p, width=w, precision=x) for m, p, w, x in every]
        return [point for point in points if not self.networks or point.network in self.networks]

    def segmenters(self) -> list[SegmenterPoint]:
        """All points of the segmenter."""
        return [
            SegmenterPoint(size=size, precision=precision)
            for size, precision in product(self.sizes, self.precisions)
        ]

    def training(self, point: ClassifierPoint, *, grid: int) -> ClassifierTraining:
        """Settings of a point's training; `grid` is the segmenter's, pixels."""
        shift = CROP_AUGMENTATION.shift_px * grid / USUAL_GRID
        return ClassifierTraining(
            steps=self.steps,
            batch=self.batch,
            peak_lr=self.peak_lr,
            crop_size=point.picture.size,
            view=point.picture.view,
            seed=self.seed,
            network=WaveletVGGConfig(width=point.width, merge=point.merge),
            augmentation=replace(CROP_AUGMENTATION, shift_px=shift),
            precision=self.arithmetic,
        )


TINY = Plan(
    merges=("project", "ll"),
    pictures=(Picture("crop", TINY_CROP),),
    widths=(TINY_VGG_WIDTH,),
    precisions=(INT8, FLOAT32),
    sizes=(TINY_SIZE,),
    steps=3,
    batch=4,
    arithmetic="32-true",
    inserted=0,
    phantoms=40,
    calibration=3,
    draws=20,
)
"""To try the command; its figures mean nothing."""


def plan_for(
    *,
    tiny: bool,
    steps: int | None = None,
    inputs: tuple[str, ...] = (),
    networks: tuple[str, ...] = (),
) -> Plan:
    """The plan of a command line; what is not given stays as it is.

    Raises:
        BenchmarkError: an input that is none, see `Picture.parse`, or a network that the plan has not.
    """
    plan = TINY if tiny else Plan()
    pictures = tuple(map(Picture.parse, inputs)) or plan.pictures
    plan = replace(plan, steps=steps or plan.steps, pictures=pictures)
    known = dict.fromkeys(classifier.network for classifier in plan.classifiers())
    unknown = [network for network in networks if network not in known]
    if unknown:
        raise BenchmarkError(
            f"no classifier {', '.join(unknown)}",
            expected=f"some of {', '.join(known)}",
            remedy="correct --networks, or --inputs",
        )
    return replace(plan, networks=networks)


def shipped_classifier(networks: Networks, recipe: Recipe) -> ClassifierPoint:
    """The point whose design the recipe makes of these networks."""
    decision, config = networks.decision, networks.classifier.config
    view: Literal["crop", "slice"] = "slice" if decision.view == "slice" else "crop"
    return ClassifierPoint(
        merge=config.merge,
        picture=Picture(view, decision.crop_size),
        width=config.width,
        precision=recipe.classifier,
    )


def shipped_segmenter(networks: Networks, recipe: Recipe) -> SegmenterPoint:
    """The point that the recipe makes of these networks."""
    size = networks.decision.preprocessing.size
    return SegmenterPoint(size=size, precision=recipe.segmenter)
