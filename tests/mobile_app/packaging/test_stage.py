"""The staged app holds what the device needs and nothing that the device lacks."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from hemx_core import provenance
from hemx_core.errors import IntegrityError, SelfTestError
from hemx_core.manifest import ModelManifest
from mobile_app.packaging import PackagingError
from mobile_app.packaging import stage as staging
from mobile_app.packaging.stage import Staged, module_name, on_the_device, read_spec, stage
from tests.factories import write_fake_bundle, write_tested_bundle

ROOT = Path(__file__).resolve().parents[3]

DEVICE_PACKAGES = {
    "numpy": "numpy",
    "opencv": "cv2",
    "pillow": "PIL",
    "pydicom": "pydicom",
    "fpdf2": "fpdf",
    "fonttools": "fontTools",
    "defusedxml": "defusedxml",
    "cattrs": "cattrs",
    "attrs": "attr",
    "typing_extensions": "typing_extensions",
    "kivy": "kivy",
    "pyjnius": "jnius",
    "android": "android",
}
"""Requirements of the build file and what they are imported as; they and Python's own are all there is."""

LAZY = {("hemx_core.bundle.load", "hemx_core.runtime.desktop")}
"""Imports inside functions that the device never calls."""

IMPORT_ALL = """
import importlib, json, sys, traceback
app, allowed = sys.argv[1], set(json.loads(sys.argv[2]))

class OnlyTheDevice:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in allowed and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"{name} is not on the device", name=top)
        return None

sys.meta_path.insert(0, OnlyTheDevice())
sys.path.insert(0, app)
failures = {}
for name in json.loads(sys.argv[3]):
    try:
        module = importlib.import_module(name)
        if not (getattr(module, "__file__", None) or app).startswith(app):
            raise ImportError(f"{module} is not the staged one")
    except BaseException:
        failures[name] = traceback.format_exc()
print("RESULT" + json.dumps(failures))
"""


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    return stage(tmp_path_factory.mktemp("stage") / "android")


def import_all(staged: Staged, modules: list[str], home: Path) -> dict[str, str]:
    """Tracebacks of the modules that do not import on a device: optimised, with its packages only."""
    # Kivy imports filetype; python-for-android's recipe of Kivy brings it.
    # The package attrs has two modules.
    allowed = ["hemx_core", "mobile_app", *DEVICE_PACKAGES.values(), "filetype", "attrs"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "KIVY_HOME": str(home),
        "KIVY_NO_ARGS": "1",
        "KIVY_NO_CONSOLELOG": "1",
        "SDL_VIDEODRIVER": "offscreen",
    }
    # -OO as python-for-android compiles: nothing may need docstrings or assertions.
    python = [sys.executable, "-I", "-B", "-OO", "-c", IMPORT_ALL]
    run = subprocess.run(
        [*python, str(staged.app), json.dumps(allowed), json.dumps(modules)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "RESULT" in run.stdout, run.stdout + run.stderr
    failures: dict[str, str] = json.loads(run.stdout.rpartition("RESULT")[2])
    return failures


def test_every_staged_module_imports_with_the_device_s_packages(
    staged: Staged, tmp_path: Path
) -> None:
    assert {"hemx_core.pipeline", "hemx_core.runtime.android"} <= set(staged.modules)
    failures = import_all(staged, list(staged.modules), tmp_path)
    if importlib.util.find_spec("kivy") is None:
        lacking = "No module named 'kivy'"
        failures = {name: text for name, text in failures.items() if lacking not in text}
    assert not failures, "\n".join(failures.values())


WRITES_A_PAGE = """
from datetime import datetime
from hemx_core.report.page import Page
from hemx_core.report.render import pdf_bytes, png_bytes

page = Page(title="T", language="ja", made_at=datetime(2026, 11, 24))
page.text(20, 20, "血腫 28.1 mL", bold=True)
made = [pdf_bytes(page)[:5] == b"%PDF-", png_bytes(page)[1:4] == b"PNG"]
if not all(made):
    raise ValueError(made)
"""

READS_A_RECORD = """
from pathlib import Path
from hemx_core import records
from hemx_core.manifest import ModelManifest, read_manifest
from mobile_app.store._encode import from_json, to_json
from hemx_core.result import StageCost

text = read_manifest(Path(records.__file__).parent / "assets" / "models")
if ModelManifest.from_bytes(text).to_json().encode() != text:
    raise ValueError("the manifest changed")
if to_json(from_json(StageCost, {"name": "a", "seconds": 1, "peak_rss_mib": 2.5})) != (
    '{"name":"a","seconds":1,"peak_rss_mib":2.5}'
):
    raise ValueError("the record changed")
"""


@pytest.mark.parametrize("work", [WRITES_A_PAGE, READS_A_RECORD])
def test_what_is_imported_for_its_work_runs_with_the_device_s_packages(
    staged: Staged, tmp_path: Path, work: str
) -> None:
    """fpdf2 and cattrs are imported when a page is written or a record read, not before."""
    module = staged.app / "mobile_app" / "works.py"
    module.write_text(work, encoding="utf-8")
    try:
        failures = import_all(staged, ["mobile_app.works"], tmp_path)
    finally:
        module.unlink()
    assert not failures, "\n".join(failures.values())


LACKING = (
    "torch",
    "executorch",
    "scipy",
    "pywt",
    "sklearn",
    "matplotlib",
    "typer",
    "rich",
    "export",
)


def test_an_import_of_what_the_device_lacks_is_found(staged: Staged, tmp_path: Path) -> None:
    guilty = {f"guilty_{package}": package for package in LACKING}
    for name, package in guilty.items():
        source = staged.app / "hemx_core" / f"{name}.py"
        source.write_text(f"import {package}\n", encoding="utf-8")
    try:
        failures = import_all(staged, [f"hemx_core.{name}" for name in guilty], tmp_path)
    finally:
        for name in guilty:
            (staged.app / "hemx_core" / f"{name}.py").unlink()
    for name, package in guilty.items():
        assert f"Error: {package} is not on the device" in failures[f"hemx_core.{name}"]


def test_no_module_imports_a_part_that_was_left_out_even_inside_a_function(staged: Staged) -> None:
    modules = set(staged.modules)
    packages = {name.rpartition(".")[0] for name in modules} | modules
    missing = set()
    for file in staged.files:
        if not file.endswith(".py") or file == "main.py":
            continue
        name = module_name(PurePosixPath(file))
        for wanted in _project_imports((staged.app / file).read_text(encoding="utf-8")):
            if wanted not in packages and wanted.rpartition(".")[0] not in modules:
                missing.add((name, wanted))
    assert missing <= LAZY


def _project_imports(source: str) -> set[str]:
    """Absolute names of the project's modules (or names in them) that a source imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name for name in found if name.partition(".")[0] in ("hemx_core", "mobile_app")}


def test_the_device_s_packages_are_the_build_file_s() -> None:
    names = {name.partition("==")[0] for name in read_spec()["requirements"].split(",")}
    assert names - {"python3"} == set(DEVICE_PACKAGES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hemx_core/pipeline.py", True),
        ("hemx_core/imaging/reader.py", True),
        ("hemx_core/runtime/android.py", True),
        ("hemx_core/report/result.schema.json", True),
        ("mobile_app/studies/screen.kv", True),
        ("hemx_core/profile.py", True),
        ("hemx_core/bundle/self_test.py", True),
        ("hemx_core/assets/models/reference.npz", True),
        ("hemx_core/assets/models/segmenter.pte", True),
        ("hemx_core/runtime/desktop.py", False),
        ("hemx_core/runtime/process.py", False),
        ("hemx_core/runtime/worker.py", False),
        ("hemx_core/runtime/wire.py", False),
        ("hemx_core/nn/unet.py", False),
        ("hemx_core/training/loop.py", False),
        ("hemx_core/weights/segmenter.safetensors", False),
        ("hemx_core/some_new_part/module.py", False),
        ("hemx_core/commands/main.py", False),
        ("hemx_core/commands/phantom.py", False),
        ("mobile_app/packaging/stage.py", False),
        ("export/folding/twins.py", False),
    ],
)
def test_what_belongs_on_the_device(name: str, expected: bool) -> None:
    assert on_the_device(PurePosixPath(name)) is expected


def test_only_files_that_buildozer_packs_are_staged(staged: Staged) -> None:
    ends = {f".{end}" for end in read_spec()["source.include_exts"].split(",")}
    assert {Path(name).suffix for name in staged.files} <= ends
    assert not [name for name in staged.files if "__pycache__" in name or "/." in name]


def test_the_bundle_arrives_whole(staged: Staged) -> None:
    bundle = staged.app / staging.MODELS
    assert ModelManifest.load(bundle) == ModelManifest.load(ROOT / staging.MODELS)
    kept = {path.name for path in (ROOT / staging.MODELS).iterdir() if path.suffix != ".tmp"}
    assert {path.name for path in bundle.iterdir()} == kept, "source.include_exts lacks a suffix"


def test_what_the_device_screen_shows_is_on_the_device(staged: Staged) -> None:
    assert {
        "hemx_core/device/budget.toml",
        "mobile_app/assets/licences.json",
        "mobile_app/assets/build.json",
        "hemx_core/weights/MODEL_CARD.md",
    } <= set(staged.files)
    build = json.loads((staged.app / staging.BUILD).read_text(encoding="utf-8"))
    assert build == {"commit": provenance.commit()}


def test_the_index_names_every_file(staged: Staged) -> None:
    index = json.loads((staged.folder / staging.INDEX).read_text(encoding="utf-8"))
    on_disk = {str(p.relative_to(staged.app)) for p in staged.app.rglob("*") if p.is_file()}
    assert set(index) == on_disk == set(staged.files)
    assert staged.bytes == sum((staged.app / name).stat().st_size for name in index)


def test_staging_twice_gives_the_same_bytes_times_and_modes(
    staged: Staged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = stage(tmp_path / "again")
    for name in staged.files:
        one, two = (staged.app / name).stat(), (again.app / name).stat()
        assert (one.st_mtime, one.st_mode) == (two.st_mtime, two.st_mode)
    indices = [(each.folder / staging.INDEX).read_bytes() for each in (staged, again)]
    assert indices[0] == indices[1]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    dated = stage(tmp_path / "dated")
    assert (dated.app / "main.py").stat().st_mtime == 1_700_000_000


def test_a_second_stage_replaces_the_first_and_keeps_buildozer_s_folders(tmp_path: Path) -> None:
    first = stage(tmp_path)
    (tmp_path / ".buildozer").mkdir()
    (tmp_path / ".buildozer" / "cache").touch()
    (first.app / "stale.py").touch()
    stage(tmp_path)
    assert not (first.app / "stale.py").exists()
    assert (tmp_path / ".buildozer" / "cache").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        ".buildozer",
        "app",
        "buildozer.spec",
        "staged.json",
    ]


def small_checkout(root: Path, version: str) -> Path:
    """A checkout with little but a licence and a bundle of some version of ExecuTorch."""
    models = root / staging.MODELS
    replace(write_tested_bundle(models), executorch=version).save(models)
    (root / "LICENSE").write_text("licence", encoding="utf-8")
    (root / "hemx_core").mkdir(exist_ok=True)
    (root / "hemx_core" / "__init__.py").write_text('__version__ = "1.2.3"\n', encoding="utf-8")
    return root


def test_refuses_a_bundle_of_another_version_than_the_library(tmp_path: Path) -> None:
    good = stage(tmp_path / "out", root=small_checkout(tmp_path / "good", staging.AAR_VERSION))
    assert good.modules == ("hemx_core",)
    assert "hemx_core/assets/models/segmenter.pte" in good.files
    with pytest.raises(PackagingError, match=r"1\.4\.1 in hemx_core/assets"):
        stage(tmp_path / "other", root=small_checkout(tmp_path / "old", "1.4.1"))
    assert not (tmp_path / "other").exists()


def test_refuses_a_damaged_bundle(tmp_path: Path) -> None:
    root = small_checkout(tmp_path / "root", staging.AAR_VERSION)
    program = root / staging.MODELS / "segmenter.pte"
    program.write_bytes(program.read_bytes()[:-1])
    with pytest.raises(IntegrityError, match=r"segmenter\.pte"):
        stage(tmp_path / "out", root=root)


def test_refuses_a_bundle_that_no_tablet_could_test(tmp_path: Path) -> None:
    root = small_checkout(tmp_path / "root", staging.AAR_VERSION)
    models = root / staging.MODELS
    replace(ModelManifest.load(models), reference=None).save(models)
    with pytest.raises(PackagingError, match="without reference inputs and outputs") as caught:
        stage(tmp_path / "out", root=root)
    assert "export the bundle again" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_refuses_references_of_other_models(tmp_path: Path) -> None:
    root = small_checkout(tmp_path / "root", staging.AAR_VERSION)
    models = root / staging.MODELS
    reference = ModelManifest.load(models).reference
    # Other programs, of larger inputs, beside the same references.
    manifest = write_fake_bundle(models, size=128)
    replace(manifest, reference=reference, executorch=staging.AAR_VERSION).save(models)
    with pytest.raises(SelfTestError):
        stage(tmp_path / "out", root=root)
    assert not (tmp_path / "out").exists()
