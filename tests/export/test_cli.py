from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from export.cli import register
from export.recipes import RECIPES, Precision, find_recipe
from hemx_core.errors import ExportError, ManifestError


def application() -> typer.Typer:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    return app


def test_help_lists_the_recipes_without_importing_torch() -> None:
    code = (
        "import sys, typer; from typer.testing import CliRunner; from export.cli import register; "
        "app = typer.Typer(); register(app); app.command('other')(lambda: None); "
        "text = CliRunner().invoke(app, ['export', '--help'], env={'COLUMNS': '200'}).output; "
        "assert 'tablet-int8' in text and 'desk-fp32' in text, text; "
        "assert 'torch' not in sys.modules and 'executorch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_recipe_names_the_known_ones() -> None:
    result = CliRunner().invoke(application(), ["export", "--recipe", "fastest"])
    assert isinstance(result.exception, ExportError)
    assert "tablet-int8" in str(result.exception)


def test_missing_weights_are_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(application(), ["export", "--weights", str(tmp_path)])
    assert isinstance(result.exception, ManifestError)


def test_the_shipped_recipe_is_int8_with_the_gates_of_the_issue() -> None:
    recipe = find_recipe("tablet-int8")
    assert recipe.segmenter is recipe.classifier is Precision.INT8
    assert (recipe.size, recipe.min_mask_dice, recipe.max_marker_difference) == (256, 0.99, 0.03)
    assert list(RECIPES) == [recipe.name for recipe in RECIPES.values()]


def test_float32_gates_are_stricter() -> None:
    int8, float32 = RECIPES["tablet-int8"], RECIPES["desk-fp32"]
    assert float32.min_mask_dice > int8.min_mask_dice
    assert float32.max_marker_difference < int8.max_marker_difference


def test_find_recipe_refuses_a_name() -> None:
    with pytest.raises(ExportError, match="desk-fp32"):
        find_recipe("")
