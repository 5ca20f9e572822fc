from dataclasses import replace

import pytest

from benchmarks.harness.networks import narrow_networks
from benchmarks.pareto.plan import (
    TINY,
    Picture,
    Plan,
    plan_for,
    shipped_classifier,
    shipped_segmenter,
)
from export.recipes import find_recipe
from hemx_core.errors import BenchmarkError


def test_every_combination_is_a_point_with_a_name_of_its_own() -> None:
    points = Plan().classifiers()
    assert len(points) == 3 * 3 * 2 * 2
    assert len({one.name for one in points}) == len(points)
    assert len({one.network for one in points}) == len(points) / 2
    assert "project, crop 128, width 0.5, int8" in {one.name for one in points}
    assert [one.name for one in Plan().segmenters()][:2] == [
        "256 pixels, int8",
        "256 pixels, float32",
    ]


def test_the_shipped_points_are_those_of_networks_and_recipe() -> None:
    recipe = find_recipe("tablet-int8")
    assert shipped_classifier(narrow_networks(), recipe) in TINY.classifiers()
    assert shipped_segmenter(narrow_networks(), recipe) in TINY.segmenters()


def test_a_crop_of_the_grid_is_the_whole_slice() -> None:
    networks = narrow_networks()
    decision = replace(networks.decision, crop_size=networks.decision.preprocessing.size)
    whole = shipped_classifier(replace(networks, decision=decision), find_recipe("tablet-int8"))
    assert whole.picture == Picture("slice", 64)


def test_all_trainings_have_one_budget_and_seed() -> None:
    plan = Plan(steps=7, batch=3, seed=5)
    configs = [plan.training(point, grid=256) for point in plan.classifiers()]
    shared = {(one.steps, one.batch, one.peak_lr, one.seed) for one in configs}
    assert shared == {(7, 3, plan.peak_lr, 5)}
    assert {(one.view, one.crop_size) for one in configs} == {
        ("crop", 96),
        ("crop", 128),
        ("slice", 256),
    }


def test_the_shift_of_augmentation_goes_with_the_grid() -> None:
    (point, *_) = Plan().classifiers()
    assert Plan().training(point, grid=128).augmentation.shift_px == 4.0


@pytest.mark.parametrize("text", ["crop", "crop-100", "head-128", "slice-0", "slice-x"])
def test_inputs_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BenchmarkError, match="classifier input"):
        Picture.parse(text)


def test_the_command_line_changes_steps_and_inputs_only() -> None:
    plan = plan_for(tiny=False, steps=9, inputs=("slice-192",))
    assert plan == replace(Plan(), steps=9, pictures=(Picture("slice", 192),))
    assert plan_for(tiny=True) == TINY


def test_single_networks_can_be_named() -> None:
    plan = plan_for(tiny=False, inputs=("crop-96",), networks=("ll-crop-96-w0.25",))
    assert [one.name for one in plan.classifiers()] == [
        "ll, crop 96, width 0.25, int8",
        "ll, crop 96, width 0.25, float32",
    ]
    with pytest.raises(BenchmarkError, match="no classifier ll-crop-128-w1"):
        plan_for(tiny=False, networks=("ll-crop-128-w1",))
