"""The table of recipes, and which networks each can be made of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from export.folding.twins import fold_classifier
from export.networks import Decision, Networks, check_recipe
from export.recipes import RECIPES, Precision, Recipe, find_recipe
from hemx_core.errors import ExportError
from hemx_core.imaging.spec import PreprocessingSpec
from tests.export.networks import narrow_classifier, tiny_networks
from tests.export.test_networks import DECISION

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "benchmarks" / "results" / "layer_error.json"


def networks_for(size: int, crop: int, **config: object) -> Networks:
    """Narrow networks for a grid and a crop; nothing is run at these sizes."""
    networks = tiny_networks()
    spec = PreprocessingSpec(size=size, pixel_mm=230.4 / size)
    return replace(
        networks,
        classifier=narrow_classifier(channels=networks.segmenter.feature_channels, **config),
        decision=replace(networks.decision, preprocessing=spec, crop_size=crop),
    )


def test_the_recipes_of_the_issue_are_rows_of_one_table() -> None:
    assert set(RECIPES) >= {"tablet-int8", "paper-int8", "desk-fp32"}
    paper = find_recipe("paper-int8")
    assert (paper.size, paper.view, paper.merge) == (512, "slice", "concat")
    assert paper.segmenter is paper.classifier is Precision.INT8
    for recipe in RECIPES.values():
        assert (recipe.max_dice_drop, recipe.max_auc_drop) == (0.005, 0.01)


def test_paper_int8_takes_whole_slices_of_512_with_all_sub_bands() -> None:
    fitting = networks_for(512, 512, merge="concat")
    check_recipe(fitting, RECIPES["paper-int8"])
    assert fitting.decision.view == "slice"
    fold_classifier(fitting.classifier)


@pytest.mark.parametrize(
    ("size", "crop", "merge", "reason"),
    [
        (256, 128, "concat", "512 pixels and weights trained at 256"),
        (512, 128, "concat", "view 'crop'"),
        (512, 512, "project", "merge 'project'"),
    ],
)
def test_paper_int8_refuses_other_networks_and_says_how_to_train_its_own(
    size: int, crop: int, merge: str, reason: str
) -> None:
    with pytest.raises(ExportError, match=reason):
        check_recipe(networks_for(size, crop, merge=merge), RECIPES["paper-int8"])


def test_tablet_int8_takes_any_merging_but_no_whole_slices() -> None:
    tablet = RECIPES["tablet-int8"]
    for merge in ("project", "ll", "max", "concat"):
        check_recipe(networks_for(256, 128, merge=merge), tablet)
    with pytest.raises(ExportError, match="--view crop"):
        check_recipe(networks_for(256, 256), tablet)


@pytest.mark.parametrize(
    ("view", "crop", "right"),
    [("slice", 256, True), ("crop", 128, True), ("slice", 128, False), ("crop", 256, False)],
)
def test_a_decision_must_be_what_the_device_cuts(
    tmp_path: Path, view: str, crop: int, right: bool
) -> None:
    path = tmp_path / "decision.json"
    path.write_text(json.dumps(DECISION | {"view": view, "crop_size": crop}))
    if right:
        assert Decision.load(path).view == view
    else:
        with pytest.raises(ExportError, match=f"view '{view}'"):
            Decision.load(path)


def test_float_modules_are_those_that_the_report_chose() -> None:
    if not REPORT.is_file():
        pytest.skip("no report yet: `hemx benchmark layer-error` writes it")
    report = json.loads(REPORT.read_text())
    recipe: Recipe = find_recipe(report["recipe"])
    chosen = {name: tuple(one["chosen"]) for name, one in report["networks"].items()}
    assert recipe.segmenter_float == chosen["segmenter"]
    assert recipe.classifier_float == chosen["classifier"]
