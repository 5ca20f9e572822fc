"""`hemx triage --pdf --dicom` and `hemx compare --pdf` on DICOM files, with fake models."""

import sys
from pathlib import Path

import pypdf
import pytest

from hemx_core.bundle import load as bundle
from hemx_core.commands import main as cli
from hemx_core.data.seg import read_seg
from hemx_core.imaging.reader import read_series
from tests.factories import ThresholdModels, simple_head, write_ct_series


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "load_models", lambda *_, **__: ThresholdModels())
    monkeypatch.setattr(cli, "entry_points", lambda group: [])
    monkeypatch.setattr(sys, "argv", sys.argv)


def _study(folder: Path, clot_mm: float, study: str = "1") -> Path:
    write_ct_series(
        folder, hu=simple_head(clot_mm=clot_mm).hu, study=study, PixelSpacing=[1.5, 1.5]
    )
    return folder


def _run(*arguments: object) -> int:
    sys.argv = ["hemx", *map(str, arguments)]
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


def test_triage_writes_what_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, out = _study(tmp_path / "study", 14), tmp_path / "out"
    assert _run("triage", study, "--out", out, "--pdf", "--dicom", "--language", "ja") == 0
    told = capsys.readouterr().out
    names = ("referral.pdf", "referral.png", "haematoma_seg.dcm", "triage_sr.dcm")
    for name in names:
        assert f"Written: {out / name}\n" in told
    text = pypdf.PdfReader(out / "referral.pdf").pages[0].extract_text()
    assert "脳神経外科施設に相談してください" in text
    assert "P1" not in text
    volume = read_series(study)
    assert read_seg(out / "haematoma_seg.dcm", volume).sum() > 100
    plain = tmp_path / "plain"
    assert _run("triage", study, "--out", plain, "-q") == 0
    assert not any((plain / name).exists() for name in names)


def test_identify_reaches_the_referral(tmp_path: Path) -> None:
    study = _study(tmp_path / "study", 14)
    assert _run("triage", study, "--out", tmp_path, "--pdf", "--identify", "-q") == 0
    assert "Test Case" in pypdf.PdfReader(tmp_path / "referral.pdf").pages[0].extract_text()


def test_compare_writes_a_referral_with_the_growth(tmp_path: Path) -> None:
    first, second = _study(tmp_path / "a", 14), _study(tmp_path / "b", 20, study="2")
    assert _run("compare", first, second, "--out", tmp_path / "out", "--pdf", "-q") == 0
    text = pypdf.PdfReader(tmp_path / "out" / "referral.pdf").pages[0].extract_text()
    assert "Comparison with the earlier study" in text
    assert "Time between" in text


def test_what_cannot_be_written_is_refused_before_the_study_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "no study"
    assert _run("triage", missing, "--out", tmp_path, "--language", "fr") == cli.ERROR_EXIT
    assert "the language 'fr'" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "highdicom", None)
    assert _run("triage", missing, "--out", tmp_path, "--dicom") == cli.ERROR_EXIT
    assert 'pip install "hemx[dicom]"' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
