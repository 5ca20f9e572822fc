from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from benchmarks.graphs.float_layers import (
    Choice,
    choose_modules,
    choose_networks,
    layer_table,
    programs_db,
)
from benchmarks.graphs.layer_error import layer_errors
from export.calibration import network_inputs, ordinary_slices
from export.folding.twins import fold_unet
from export.quantize import quantize
from export.recipes import RECIPES, Precision, Recipe
from hemx_core.bundle.load import load_models
from hemx_core.errors import ExportError
from tests.export.networks import SIZE, random_images, tiny_networks

# All of them: what they share is exported and timed in fixtures of the module.
pytestmark = pytest.mark.slow

RECIPE = Recipe(name="tiny", size=SIZE, segmenter=Precision.INT8, classifier=Precision.INT8)


class Fragile(nn.Module):
    """A convolution whose output has one huge channel: the other is lost in int8, and is what counts."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(1, 8, 3, padding=1)
        self.fragile = nn.Conv2d(8, 2, 1)
        self.body = nn.Sequential(*(nn.Conv2d(8, 8, 3, padding=1) for _ in range(4)))
        self.fragile.bias.data = torch.tensor([300.0, 0.0])
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.stem(x)
        both = self.fragile(maps)
        return both[:, 1:] * 1.0, self.body(maps)


def pictures(seed: int) -> list[tuple[Tensor, ...]]:
    return [(torch.from_numpy(one)[None, None],) for one in random_images(3, 16, seed)]


@pytest.fixture(scope="module")
def choice() -> Choice:
    recipe = replace(RECIPE, float_floor_db=100.0)
    return choose_modules(Fragile(), ("small", "body"), pictures(0), pictures(1), recipe)


def test_a_module_that_loses_most_is_kept_in_float_where_an_output_gains(choice: Choice) -> None:
    assert choice.tried == choice.chosen
    assert "fragile" in choice.chosen
    assert choice.mixed is not None
    before, after = choice.int8.outputs_db, choice.mixed.outputs_db
    assert after[0] > before[0] + RECIPE.float_gain_db
    values = choice.to_json()
    assert values["outputs_db"]["small"] < values["outputs_db_mixed"]["small"]
    assert values["chosen"] == list(choice.chosen)


def test_a_choice_that_gains_too_little_keeps_nothing() -> None:
    greedy = replace(RECIPE, float_floor_db=100.0, float_gain_db=1000.0)
    found = choose_modules(Fragile(), ("small", "body"), pictures(0), pictures(1), greedy)
    assert found.tried
    assert found.chosen == ()


def test_nothing_is_tried_where_nothing_loses_much() -> None:
    content = replace(RECIPE, float_floor_db=-100.0)
    found = choose_modules(Fragile(), ("small", "body"), pictures(0), pictures(1), content)
    assert (found.tried, found.mixed, found.chosen) == ((), None, ())
    assert found.to_json()["outputs_db_mixed"] is None


def test_the_table_shows_the_worst_first(choice: Choice) -> None:
    head, _, *rows = layer_table(choice, 3)
    assert "own SQNR" in head
    assert len(rows) == 3
    losses = [float(row.split("|")[3]) for row in rows]
    assert losses == sorted(losses)


def test_both_networks_are_measured() -> None:
    networks = tiny_networks()
    images = list(random_images(3, SIZE))
    found = choose_networks(networks, RECIPE, calibration=images, slices=images[:1])
    assert set(found) == {"segmenter", "classifier"}
    assert found["segmenter"].outputs == ("probabilities", "features")
    modules = {row.module for row in found["segmenter"].int8.layers}
    assert {"decoder.0.rise", "decoder.4.refine.0", "head"} <= modules
    assert any(row.module.startswith("trunk") for row in found["classifier"].int8.layers)
    float_rows = [
        r for r in found["classifier"].int8.layers if r.module.startswith(("head", "cam"))
    ]
    assert float_rows
    assert not any(row.quantized for row in float_rows)


def test_a_recipe_without_int8_has_nothing_to_choose() -> None:
    recipe = replace(RECIPE, segmenter=Precision.FLOAT32, classifier=Precision.FLOAT32)
    with pytest.raises(ExportError, match="nothing in int8"):
        choose_networks(tiny_networks(), recipe, calibration=[], slices=[])
    with pytest.raises(ExportError, match="256 pixels"):
        choose_networks(tiny_networks(), RECIPES["tablet-int8"], calibration=[], slices=[])


def test_a_bundles_programs_are_measured_beside_their_graphs(exported_bundle: Path) -> None:
    # The programs are float32 here, so they are from the int8 graph what the twin is from it.
    images = list(random_images(2))
    networks = tiny_networks()
    given = {"calibration": images, "slices": images[:1]}
    with load_models(exported_bundle) as models:
        found = programs_db(networks, models, RECIPE, **given)
    assert set(found) == {"segmenter", "classifier"}
    usual = network_inputs(networks, ordinary_slices(networks.segmenter, images))["segmenter"]
    twin = fold_unet(networks.segmenter)
    held_out = network_inputs(networks, images[:1])["segmenter"]
    expected = layer_errors(twin, quantize(twin, usual), held_out).outputs_db
    assert list(found["segmenter"].values()) == pytest.approx(expected, abs=1.0)
