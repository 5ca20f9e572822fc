import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import hemx_core
from hemx_core.bundle import load as bundle
from hemx_core.commands import main as cli
from hemx_core.errors import InputError, NoSeriesError, VolumeError
from hemx_core.imaging import reader
from hemx_core.imaging.reader import SeriesSummary
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from hemx_core.notes import Phrase, Refusal
from tests.factories import ThresholdModels, simple_head


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The CLI on a head in memory and fake models; keeps what was asked of reader and bundle."""
    seen: dict[str, object] = {"clot_mm": 14.0}

    def read_series(path: Path, *, series: str | None = None, progress: object = None) -> HUVolume:
        seen.update(path=path, series=series)
        identity = SeriesIdentity(patient_id="ID-4711", series_description="Head")
        return simple_head(clot_mm=float(str(seen["clot_mm"])), identity=identity)

    def load_models(
        folder: Path | None = None, backend: object = None, *, allow_unsigned: bool = False
    ) -> ThresholdModels:
        seen.update(models=folder, allow_unsigned=allow_unsigned)
        return ThresholdModels()

    monkeypatch.setattr(reader, "read_series", read_series)
    monkeypatch.setattr(bundle, "load_models", load_models)
    monkeypatch.setattr(cli, "entry_points", lambda group: [])
    return seen


def _run(*arguments: object) -> int:
    """Exit code of `hemx` with these arguments."""
    sys.argv = ["hemx", *map(str, arguments)]
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


@pytest.fixture(autouse=True)
def _restore_argv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", sys.argv)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--version") == 0
    assert capsys.readouterr().out == f"hemx {hemx_core.__version__}\n"


def test_triage_prints_the_result_and_names_the_files(
    asked: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert _run("triage", "study", "--out", out, "--series", "7", "--models", "m") == 0
    assert (asked["path"], asked["series"], asked["models"]) == (Path("study"), "7", Path("m"))
    assert asked["allow_unsigned"] is False
    text = capsys.readouterr()
    assert "Discuss with a neurosurgical centre" in text.out
    for name in ("result.json", "overview.png", "overlays"):
        assert f"Written: {out / name}\n" in text.out
    assert text.err == "", "no progress bar in a pipe"
    document = json.loads((out / "result.json").read_text(encoding="utf-8"))
    stages = [stage["name"] for stage in document["costs"]["stages"]]
    assert stages[:3] == ["read", "start_up", "check"]
    assert stages[-1] == "pictures"
    assert "identity" not in document["input"]


def test_identify_and_window_reach_the_result(asked: dict[str, object], tmp_path: Path) -> None:
    assert _run("triage", "s", "--out", tmp_path, "--identify", "--window", "-10,160", "-q") == 0
    document = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert document["input"]["identity"]["patient_id"] == "ID-4711"
    assert "window_changed" in {note["code"] for note in document["notes"]}


def test_no_blood_is_a_success(
    asked: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked["clot_mm"] = 0.0
    assert _run("triage", "study", "--out", tmp_path) == 0
    assert capsys.readouterr().out.startswith("No haematoma found")


def test_quiet_prints_nothing(
    asked: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("triage", "study", "--out", tmp_path, "--quiet") == 0
    assert tuple(capsys.readouterr()) == ("", "")
    assert (tmp_path / "result.json").is_file()


def test_an_intended_error_is_one_message_and_exit_code_2(
    asked: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(path: Path, **_: object) -> HUVolume:
        raise NoSeriesError("nothing here", expected="a CT", remedy="give another folder")

    monkeypatch.setattr(reader, "read_series", refuse)
    assert _run("triage", "study", "--out", tmp_path / "out") == cli.ERROR_EXIT == 2
    text = capsys.readouterr()
    assert text.out == ""
    assert text.err == ("hemx: nothing here. Expected: a CT. What to do: give another folder.\n")
    assert not (tmp_path / "out").exists()


def test_a_foreign_result_is_refused_before_anything_is_read(
    asked: dict[str, object], tmp_path: Path
) -> None:
    (tmp_path / "result.json").write_text("{}")
    assert _run("triage", "study", "--out", tmp_path) == 2
    assert "path" not in asked


@pytest.mark.parametrize(("text", "window"), [("0,80", (0, 80)), ("-10, 90.5", (-10, 90.5))])
def test_windows(text: str, window: tuple[float, float]) -> None:
    assert cli.parse_window(text) == HUWindow(*window)


@pytest.mark.parametrize("text", ["80", "a,b", "", "1,2,3"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="lower,upper"):
        cli.parse_window(text)


@pytest.mark.parametrize("text", ["80,0", "5,5"])
def test_an_empty_window_is_refused(text: str) -> None:
    with pytest.raises(VolumeError):
        cli.parse_window(text)


def test_series_are_listed_with_what_to_give(
    asked: dict[str, object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uid = "1.2.826.0.1.3680043.9.4245.3115138630835728997848661150714813892"

    def listed(path: Path) -> tuple[SeriesSummary, ...]:
        return (
            SeriesSummary(
                key=uid,
                series_uid=uid,
                study_uid="1",
                patient_id="p",
                series_number=201,
                description="Head [thin]",
                slices=30,
                thickness_mm=None,
                plane="axial",
                acquired_at=None,
                usable=False,
                refusal=Refusal("contrast_given", sign=Phrase("contrast.agent", agent="Iohexol")),
            ),
        )

    monkeypatch.setattr(reader, "list_series", listed)
    assert _run("series", "study") == 0
    out = capsys.readouterr().out
    for part in (uid, "201", "Head [thin]", "no: contrast medium"):
        assert part in out


class _Entry:
    """Stands in for an `EntryPoint`."""

    def __init__(self, name: str, loaded: object) -> None:
        self.name = name
        self._loaded = loaded

    def load(self) -> object:
        if isinstance(self._loaded, Exception):
            raise self._loaded
        return self._loaded


def test_other_packages_add_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def register(app: typer.Typer) -> None:
        @app.command("greet")
        def greet() -> None:
            typer.echo("hello")

    entries = [_Entry("broken", ModuleNotFoundError("No module named 'lightning'"))]
    entries.append(_Entry("greeting", register))
    monkeypatch.setattr(cli, "app", typer.Typer(pretty_exceptions_enable=False))
    monkeypatch.setattr(cli, "entry_points", lambda group: entries)
    assert _run("greet") == 0
    assert capsys.readouterr().out == "hello\n"
    assert _run("broken", "--any", "thing") == 2
    error = capsys.readouterr().err
    assert "lightning" in error
    assert 'pip install "hemx[broken]"' in error


def test_importing_the_cli_imports_nothing_heavy() -> None:
    heavy = ("torch", "cv2", "pydicom", "executorch", "scipy")
    code = f"import sys, hemx_core.commands.main; print([m for m in {heavy} if m in sys.modules])"
    root = Path(hemx_core.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def _two_studies(monkeypatch: pytest.MonkeyPatch, second_patient: str = "ID-4711") -> None:
    """The reader gives a head whose clot has grown in the study named "later"."""

    def read_series(path: Path, **_: object) -> HUVolume:
        later = path.name == "later"
        identity = SeriesIdentity(
            patient_id=second_patient if later else "ID-4711", series_uid=path.name
        )
        return simple_head(clot_mm=18.0 if later else 14.0, identity=identity)

    monkeypatch.setattr(reader, "read_series", read_series)


def test_compare_prints_the_answers_and_names_the_files(
    asked: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _two_studies(monkeypatch)
    out = tmp_path / "out"
    assert _run("compare", "earlier", "later", "--out", out, "--models", "m") == 0
    assert asked["models"] == Path("m")
    text = capsys.readouterr().out
    assert "Haematoma expansion" in text
    assert "30 % or more" in text
    for name in ("comparison.json", "comparison.png"):
        assert f"Written: {out / name}\n" in text
    document = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    assert document["expansion"]["he_30"]["answer"] == "yes"
    assert "identity" not in document["earlier"]["input"]


def test_compare_refuses_two_patients_before_the_models_are_loaded(
    asked: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _two_studies(monkeypatch, "ID-0815")
    out = tmp_path / "out"
    assert _run("compare", "earlier", "later", "--out", out) == 2
    assert "different patient IDs" in capsys.readouterr().err
    assert "models" not in asked
    assert not out.exists()
    assert _run("compare", "earlier", "later", "--out", out, "--force", "--quiet") == 0
    document = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    assert "different_patients" in {note["code"] for note in document["notes"]}


def test_an_unsigned_bundle_is_taken_only_where_it_is_asked_for(
    asked: dict[str, object], tmp_path: Path
) -> None:
    assert _run("triage", "study", "--out", tmp_path / "one") == 0
    assert asked["allow_unsigned"] is False
    assert _run("triage", "study", "--out", tmp_path / "two", "--allow-unsigned") == 0
    assert asked["allow_unsigned"] is True
    assert _run("compare", "a", "b", "--out", tmp_path / "three", "--allow-unsigned") == 0
    assert asked["allow_unsigned"] is True
