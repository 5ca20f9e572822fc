"""The export recipes: one row each, with the gates that a bundle must pass to be written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from hemx_core.device.budget import load_budgets
from hemx_core.errors import ExportError

BUNDLE_MB = load_budgets()["tablet"].limits["bundle_mb"]


class Precision(StrEnum):
    """Arithmetic of a program."""

    INT8 = "int8"
    FLOAT32 = "float32"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How the two networks become programs.

    Args:
        name: goes into the manifest.
        size: rows and columns of the segmenter's grid; must agree with the preprocessing.
        segmenter: precision of the segmentation program.
        classifier: precision of the classification program.
        slices_a_call: slices that the segmenter takes in every call; `threads` of the benchmarks chooses.
        view: what the classifier sees: a `crop` round the haematoma, or the whole `slice`.
        merge: what its wavelet pooling must do with the sub-bands; None takes whatever was trained.
        segmenter_float: modules of the segmenter's twin that stay in float32 beside those that its
            class names. `hemx benchmark layer-error` chooses them; a test holds this row to its report.
        classifier_float: the same of the classifier's twin.
        float_floor_db: rule of that choice: a module that loses more than this on its own is tried in
            float32, and stays there if an output gains at least `float_gain_db`.
        float_gain_db: see there; 3 dB halve the power of an output's error.
        calibration_slices: prepared slices of each kind that set the int8 ranges.
        min_mask_dice: gate, native masks of all parity slices together, exported against trained.
        max_marker_difference: gate, 95th percentile over slices and markers of the difference of the
            calibrated probabilities.
        max_marker_peak: gate, the largest of these differences.
        max_dice_drop: gate of `hemx dev validate`, loss of mean Dice per patient against the reference.
        max_auc_drop: gate of `hemx dev validate`, loss of a marker's AUC per patient.
        max_bundle_mb: gate of `hemx dev validate`, all files of the bundle together, millions of bytes; the
            tablet's budget has the default.
    """

    name: str
    size: int
    segmenter: Precision
    classifier: Precision
    slices_a_call: int = 3
    view: Literal["crop", "slice"] = "crop"
    merge: Literal["project", "concat", "ll", "max"] | None = None
    segmenter_float: tuple[str, ...] = ()
    classifier_float: tuple[str, ...] = ()
    float_floor_db: float = 20.0
    float_gain_db: float = 3.0
    calibration_slices: int = 96
    min_mask_dice: float = 0.99
    max_marker_difference: float = 0.03
    max_marker_peak: float = 0.20
    max_dice_drop: float = 0.005
    max_auc_drop: float = 0.01
    max_bundle_mb: float = BUNDLE_MB


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(name="tablet-int8", size=256, segmenter=Precision.INT8, classifier=Precision.INT8),
        # The source paper's network: 512 pixels, whole slices, all sub-bands. Needs weights trained so.
        Recipe(
            name="paper-int8",
            size=512,
            segmenter=Precision.INT8,
            classifier=Precision.INT8,
            # Three slices of this size would take three times the activations; not measured.
            slices_a_call=1,
            view="slice",
            merge="concat",
            # `concat` triples the classifier's parameters.
            max_bundle_mb=64.0,
        ),
        Recipe(
            name="desk-fp32",
            size=256,
            segmenter=Precision.FLOAT32,
            classifier=Precision.FLOAT32,
            min_mask_dice=0.9999,
            max_marker_difference=0.001,
            max_marker_peak=0.001,
            max_bundle_mb=140.0,
        ),
    )
}


def find_recipe(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        ExportError: there is none.
    """
    if name not in RECIPES:
        raise ExportError(
            f"no export recipe {name!r}",
            expected=f"one of {', '.join(RECIPES)}",
            remedy="choose one of them with --recipe",
        )
    return RECIPES[name]
