"""Load the results of training: both networks, their cards and the decision rules."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import hemx_core
from export.recipes import Recipe
from hemx_core.errors import ExportError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.intervals import GrowthInterval, VolumeInterval
from hemx_core.manifest import MarkerSpec
from hemx_core.markers import MARKER_CODES, Aggregation, Evidence
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights import load_classifier, load_segmenter, read_metadata
from hemx_core.records import from_values

T = TypeVar("T")
SEGMENTER_WEIGHTS = "segmenter.safetensors"
CLASSIFIER_WEIGHTS = "classifier.safetensors"
DECISION_NAME = "decision.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How outputs become decisions, as the training chose it (`decision.json`).

    Args:
        preprocessing: how slices are prepared for the segmenter.
        crop_size: rows and columns of the classifier's crop.
        mask_threshold: probability from which a pixel counts as blood.
        min_component_ml: smaller components are dropped.
        markers: how each marker is decided, and whether it is validated.
        accuracy: measured accuracy, for the manifest.
        volume_interval, growth_interval: see the manifest; None where they were not measured.
    """

    preprocessing: PreprocessingSpec
    crop_size: int
    mask_threshold: float
    min_component_ml: float
    markers: tuple[MarkerSpec, ...]
    accuracy: dict[str, Any] = field(default_factory=dict)
    volume_interval: VolumeInterval | None = None
    growth_interval: GrowthInterval | None = None

    @property
    def view(self) -> str:
        """`slice` where the classifier sees whole slices, else `crop`; see `crop_around`."""
        return "slice" if self.crop_size == self.preprocessing.size else "crop"

    @classmethod
    def load(cls, path: Path) -> Decision:
        """Read `decision.json`.

        Raises:
            ExportError: missing, not JSON, or without a field.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            _refuse_other_views(values)
            return cls(
                preprocessing=PreprocessingSpec.from_json(values["preprocessing"]),
                crop_size=int(values["crop_size"]),
                mask_threshold=float(values["mask_threshold"]),
                min_component_ml=float(values["min_component_ml"]),
                markers=tuple(_marker(values, code) for code in MARKER_CODES),
                accuracy=dict(values.get("accuracy", {})),
                volume_interval=_record(VolumeInterval, values.get("volume_interval")),
                growth_interval=_record(GrowthInterval, values.get("growth_interval")),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ExportError(
                f"{path.name} cannot be used ({type(error).__name__}: {error})",
                expected="markers, mask_threshold, min_component_ml, preprocessing and crop_size",
                remedy="train the classifier again, or give the folder with --weights",
            ) from error


def _marker(values: dict[str, Any], code: str) -> MarkerSpec:
    """A marker's decision. One that was not estimable is not validated, whatever else stands there."""
    found = values["markers"][code]
    told = found.get("evidence")
    estimable = code not in values.get("not_estimable", ())
    return MarkerSpec(
        code,
        float(found["temperature"]),
        float(found["threshold"]),
        aggregation=Aggregation(found.get("aggregation", Aggregation.MAX)),
        validated=estimable and bool(found.get("validated", False)),
        evidence=None if told is None else from_values(Evidence, told),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """Two trained networks that belong together.

    Args:
        segmenter: in evaluation mode.
        classifier: in evaluation mode.
        decision: the rules that go with them.
        training: card of each network's training, for the manifest.
    Raises:
        ExportError: the classifier was trained on features of another length, or for other outputs.
    """

    segmenter: UNet
    classifier: MarkerClassifier
    decision: Decision
    training: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given, taken = self.segmenter.feature_channels, self.classifier.encoder_channels
        if given != taken:
            raise ExportError(
                f"a segmenter with {given} features and a classifier for {taken}",
                expected="networks that were trained together",
                remedy="train the classifier again on this segmenter",
            )
        if self.classifier.head.out_features != len(MARKER_CODES):
            raise ExportError(
                f"a classifier with {self.classifier.head.out_features} outputs",
                expected=f"one for each of {MARKER_CODES}",
                remedy="export the markers' classifier; other heads stay on the desk",
            )


def check_recipe(networks: Networks, recipe: Recipe) -> None:
    """Check that a recipe can be made of these networks, before minutes of work.

    Raises:
        ExportError: another grid, another view or another merging than the recipe's.
    """
    decision = networks.decision
    if decision.preprocessing.size != recipe.size:
        raise ExportError(
            f"recipe {recipe.name} of {recipe.size} pixels and weights trained at "
            f"{decision.preprocessing.size}",
            expected="one grid size",
            remedy="choose another recipe, or train at its size",
        )
    found = {"view": decision.view, "merge": networks.classifier.config.merge}
    wanted = {"view": recipe.view, "merge": recipe.merge or found["merge"]}
    if found != wanted:
        raise ExportError(
            f"recipe {recipe.name} and a classifier of view {found['view']!r} and merge "
            f"{found['merge']!r}",
            expected=f"view {wanted['view']!r} and merge {wanted['merge']!r}",
            remedy=f"train one with `hemx train classifier --view {wanted['view']} "
            f"--merge {wanted['merge']} --crop-size ...`, or choose another recipe",
        )


def _record(kind: type[T], values: object) -> T | None:
    return None if values is None else from_values(kind, values)


def _refuse_other_views(values: dict[str, Any]) -> None:
    """Triage shows the classifier a plain crop, or the whole slice where that has the grid's size."""
    view, masking = values.get("view", "crop"), values.get("masking", "none")
    whole = int(values["crop_size"]) == int(values["preprocessing"]["size"])
    if view != ("slice" if whole else "crop") or masking != "none":
        raise ExportError(
            f"a classifier of view {view!r}, masking {masking!r} and pictures of "
            f"{values['crop_size']} pixels",
            expected="view crop, or view slice at the grid's own size; masking none, as triage cuts it",
            remedy="train the classifier with these",
        )


def default_weights() -> Path:
    """The folder of the weights in the repository."""
    return Path(hemx_core.__file__).resolve().parent / "weights"


def load_networks(folder: Path) -> Networks:
    """Load both networks and their decision rules.

    Raises:
        ManifestError: a weight file is missing or does not fit its network.
        ExportError: `decision.json` is missing or wrong.
    """
    segmenter, classifier = folder / SEGMENTER_WEIGHTS, folder / CLASSIFIER_WEIGHTS
    return Networks(
        segmenter=load_segmenter(segmenter),
        classifier=load_classifier(classifier),
        decision=Decision.load(folder / DECISION_NAME),
        training={
            "segmenter": read_metadata(segmenter)[1],
            "classifier": read_metadata(classifier)[1],
        },
    )
