"""python-for-android can build what the build file asks for."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mobile_app.packaging.stage import read_spec
from tests.mobile_app.packaging.android_tools import need_packagers

PURE = {
    "pydicom",
    "fpdf2",
    "fonttools",
    "defusedxml",
    "cattrs",
    "attrs",
    "typing_extensions",
}
"""Without a recipe: pip takes their wheels of pure Python."""
ROOT = Path(__file__).resolve().parents[3]

# In a process of its own: python-for-android configures logging and checks the machine on import.
RESOLVE = """
import json, sys
from pythonforandroid.bootstrap import Bootstrap
from pythonforandroid.build import Context
from pythonforandroid.graph import get_recipe_order_and_bootstrap
from pythonforandroid.recipe import Recipe
context = Context()
context.local_recipes, context.recipe_build_order = None, []
sdl2 = Bootstrap.get_bootstrap("sdl2", context)
recipes, modules, _ = get_recipe_order_and_bootstrap(context, json.loads(sys.argv[1]), sdl2)
versions = {name: str(Recipe.get_recipe(name, context).version) for name in recipes}
print("RESULT" + json.dumps([versions, modules]))
"""


def resolve(names: list[str], folder: Path) -> tuple[dict[str, str], list[str]]:
    """Versions of the recipes that would be built, and modules that pip would install."""
    run = subprocess.run(
        [sys.executable, "-c", RESOLVE, json.dumps(names)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "RESULT" in run.stdout, run.stdout + run.stderr
    versions, modules = json.loads(run.stdout.rpartition("RESULT")[2])
    return versions, modules


def asked() -> dict[str, str]:
    """Name to pinned version, or to nothing."""
    pairs = (entry.partition("==") for entry in read_spec()["requirements"].split(","))
    return {name: version for name, _, version in pairs}


def test_all_but_packages_of_pure_python_have_a_recipe(tmp_path: Path) -> None:
    need_packagers()
    versions, _ = resolve(list(asked()), tmp_path)
    assert set(asked()) - set(versions) == PURE
    assert versions["kivy"] == asked()["kivy"]
    assert not {"scipy", "fortran", "pandas"} & set(versions)


def test_the_recipes_versions_are_those_that_hemx_needs(tmp_path: Path) -> None:
    need_packagers()
    versions, _ = resolve(list(asked()), tmp_path)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {one.name: one for one in map(Requirement, project["dependencies"])}
    built = {"numpy": versions["numpy"], "opencv-python-headless": versions["opencv"]}
    pinned = {name: asked()[name] for name in PURE & set(needed)}
    for name, version in {**built, **pinned}.items():
        assert needed[name].specifier.contains(version.lstrip("v")), (name, version)


def test_what_the_pure_packages_need_is_asked_for_and_new_enough(tmp_path: Path) -> None:
    need_packagers()
    versions, _ = resolve(list(asked()), tmp_path)
    known = {canonicalize_name(name): version.lstrip("v") for name, version in versions.items()}
    known |= {canonicalize_name(name): version for name, version in asked().items() if version}
    needed = [
        requirement
        for name in PURE
        for requirement in map(Requirement, metadata.requires(name) or ())
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    ]
    assert {"pillow", "fonttools", "defusedxml"} <= {
        canonicalize_name(need.name) for need in needed
    }
    for need in needed:
        assert need.specifier.contains(known[canonicalize_name(need.name)]), need


def test_a_conflict_is_found(tmp_path: Path) -> None:
    need_packagers()
    with pytest.raises(AssertionError, match="onflict"):
        resolve([*asked(), "sdl3"], tmp_path)
