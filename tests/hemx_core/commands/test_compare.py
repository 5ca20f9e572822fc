"""`hemx compare`, with fake models: on heads in memory, and on DICOM files."""

import json
from pathlib import Path

import pypdf
import pytest

import hemx_core
from hemx_core import api
from hemx_core.commands.main import EXTRAS_EXIT
from hemx_core.errors import OutputError
from tests.factories import ThresholdModels, simple_head, write_ct_series
from tests.hemx_core.commands.running import Asked, fake, run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    return fake(monkeypatch)


def test_compare_prints_the_answers_and_names_the_files(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("compare", "earlier", "later", "--out", out, "--models", "m") == 0
    assert asked.bundles == [(Path("m"), False)]
    text = capsys.readouterr().out
    assert "Haematoma expansion" in text
    assert "30 % or more" in text
    for name in ("comparison.json", "comparison.png"):
        assert f"Written: {out / name}\n" in text
    document = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    assert document["expansion"]["he_30"]["answer"] == "yes"
    assert "identity" not in document["earlier"]["input"]


def test_compare_refuses_two_patients_before_the_models_are_loaded(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.second_patient = "ID-0815"
    out = tmp_path / "out"
    assert run("compare", "earlier", "later", "--out", out) == 2
    assert "different patients" in capsys.readouterr().err
    assert not asked.bundles
    assert not out.exists()
    assert run("compare", "earlier", "later", "--out", out, "--force", "--quiet") == 0
    document = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    assert "different_patients" in {note["code"] for note in document["notes"]}


def test_a_foreign_comparison_is_refused_before_anything_is_read(
    asked: Asked, tmp_path: Path
) -> None:
    (tmp_path / "comparison.json").write_text("{}")
    assert run("compare", "earlier", "later", "--out", tmp_path) == 2
    assert not asked.paths


def test_an_unsigned_bundle_is_taken_where_it_is_asked_for(asked: Asked, tmp_path: Path) -> None:
    assert run("compare", "earlier", "later", "--out", tmp_path, "-q", "--allow-unsigned") == 0
    assert asked.bundles == [(None, True)]


def test_compare_writes_a_referral_with_the_growth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hemx_core, "load_models", lambda *_, **__: ThresholdModels())
    for name, clot_mm in (("a", 14), ("b", 20)):
        pixels = simple_head(clot_mm=clot_mm).hu
        write_ct_series(tmp_path / name, hu=pixels, study=name, PixelSpacing=[1.5, 1.5])
    out = tmp_path / "out"
    assert run("compare", tmp_path / "a", tmp_path / "b", "--out", out, "--pdf", "-q") == 0
    text = pypdf.PdfReader(out / "referral.pdf").pages[0].extract_text()
    assert "Comparison with the earlier study" in text
    assert "Time between" in text


def test_a_referral_that_fails_costs_no_comparison(
    asked: Asked,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OutputError("no_font", file="f.ttf")

    monkeypatch.setattr(api, "write_referral", broken)
    out = tmp_path / "out"
    assert run("compare", "earlier", "later", "--out", out, "--pdf") == EXTRAS_EXIT
    told = capsys.readouterr()
    assert "Haematoma expansion" in told.out
    assert f"Written: {out / 'comparison.json'}\n" in told.out
    assert told.err.startswith("hemx: the referral: no font f.ttf in the installed tree.")


def test_a_second_comparison_takes_the_place_of_the_first(asked: Asked, tmp_path: Path) -> None:
    assert run("compare", "earlier", "later", "--out", tmp_path, "-q", "--pdf", "--identify") == 0
    assert run("compare", "earlier", "later", "--out", tmp_path, "-q") == 0
    assert {path.name for path in tmp_path.iterdir()} == {"comparison.json", "comparison.png"}
    assert run("triage", "study", "--out", tmp_path / "t", "-q") == 0
    assert run("compare", "earlier", "later", "--out", tmp_path / "t", "-q") == 2
