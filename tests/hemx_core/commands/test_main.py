"""The command line as a whole: its groups, older names, missing extras, and what no wheel holds."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer

import hemx_core
from hemx_core.commands import main
from tests.hemx_core.commands.running import run

ROOT = Path(hemx_core.__file__).parents[1]


def names(app: typer.Typer) -> list[str]:
    """Commands and groups, as `--help` lists them."""
    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    return command.list_commands(typer.Context(command))


def python(*words: str) -> str:
    """What a fresh process prints."""
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"hemx {hemx_core.__version__}\n"


def test_a_clinician_s_commands_and_the_groups() -> None:
    clinical = {"triage", "compare", "series", "app", "phantom"}
    assert set(names(main.make_app())) == clinical | {"dev", "train", "bundle", "benchmark"}


def test_help_shows_a_clinician_s_commands_above_the_groups(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--help") == 0
    told = capsys.readouterr().out
    heading = told.index(main.FOR_DEVELOPERS)
    assert told.index("phantom") < heading < told.index("benchmark")


def test_the_app_opens_no_window_on_a_path_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Whether Kivy is there does not matter, and importing it would take stderr over.
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: object())
    assert run("app", str(tmp_path / "missing")) == 2
    assert "nothing at" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("data check x", "dev data check x"),
        ("export --recipe r", "dev export --recipe r"),
        ("bundle flip-test", "benchmark flip-test"),
        ("experiment gan", "benchmark experiment gan"),
    ],
)
def test_older_names_work_and_name_the_new_ones(
    old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.current_names(old.split()) == new.split()
    told = capsys.readouterr()
    assert told.out == ""
    assert "is now `hemx " in told.err


def test_todays_names_are_not_told_about(capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("triage data --out export", "bundle verify", "dev data check x", "--version", ""):
        assert main.current_names(line.split()) == line.split()
    assert capsys.readouterr().err == ""


def test_every_older_name_leads_to_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    for old in main.RENAMED:
        assert run(*old.split(), "--help") == 0, old
        told = capsys.readouterr()
        assert f"hemx: `hemx {old}` is now `hemx {main.RENAMED[old]}`" in told.err
        assert "Usage" in told.out


def test_a_checkout_s_modules_add_what_is_said_of_them() -> None:
    for module, (_, commands) in main.IN_A_CHECKOUT.items():
        app = typer.Typer()
        app.command("other")(lambda: None)
        import_module(module).register(app)
        assert set(names(app)) == {"other", *commands}, module


@pytest.mark.parametrize("line", ["dev export --help", "bundle sign x", "benchmark run --tiny"])
def test_an_installed_package_says_what_needs_a_checkout(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "find_checkout", lambda: False)
    assert run(*line.split()) == 2
    error = capsys.readouterr().err
    assert "a checkout of HEMX's source" in error
    assert "docs/installation.md" in error
    assert f".[{'bench' if line.startswith('benchmark') else 'export'}]" in error


@pytest.mark.parametrize(
    ("line", "extra"),
    [
        ("triage study", "runtime"),
        ("train gan", "train"),
        ("dev data check x", "train"),
        ("dev export", "export"),
        ("bundle self-test", "runtime"),
        ("benchmark run", "bench"),
    ],
)
def test_a_missing_module_is_an_extra_to_install(line: str, extra: str) -> None:
    error = main.missing_extra(line.split(), ModuleNotFoundError("", name="lightning"))
    assert error.found == "lightning is not installed"
    assert error.remedy == f'pip install "hemx[{extra}]"'


def test_extras_are_those_of_the_project() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in {*main.EXTRAS.values()}:
        assert f"\n{extra} = [" in text


def test_a_missing_module_of_a_command_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = "executorch.extension"

    def refuse(*_: object, **__: object) -> None:
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setattr(hemx_core, "triage", refuse)
    assert run("triage", "study", "--out", "out") == 2
    assert 'pip install "hemx[runtime]"' in capsys.readouterr().err
    missing = "hemx_core.pipelines"
    with pytest.raises(ModuleNotFoundError):  # our own: a mistake, and no extra brings it
        run("triage", "study", "--out", "out")


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    heavy = ("torch", "cv2", "pydicom", "executorch", "scipy", "numpy")
    code = f"import sys, hemx_core.commands.main; print([m for m in {heavy} if m in sys.modules])"
    assert python("-c", code) == "[]\n"


def test_the_package_runs_as_a_module() -> None:
    assert python("-m", "hemx_core", "--version") == f"hemx {hemx_core.__version__}\n"


def test_a_checkout_s_commands_run_in_any_folder(tmp_path: Path) -> None:
    """As in an editable installation, which knows the packages of the wheel only."""
    (tmp_path / "hemx_core").symlink_to(ROOT / "hemx_core")
    code = (
        "import os; from hemx_core.commands.main import find_checkout; assert find_checkout(); "
        "import export.cli; print(export.cli.__file__, os.environ['PYTHONPATH'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [
        str(ROOT / "export" / "cli.py"),
        f"{ROOT}{os.pathsep}{tmp_path}",
    ]


def test_beside_a_foreign_package_is_no_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("hemx_core", "export", "benchmarks"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(hemx_core, "__file__", str(tmp_path / "hemx_core" / "__init__.py"))
    assert not main.find_checkout()
    assert str(tmp_path) not in sys.path
