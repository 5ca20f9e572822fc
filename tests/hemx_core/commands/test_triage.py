"""`hemx triage`, with fake models: on a head in memory, and on DICOM files."""

import json
import sys
import warnings
from pathlib import Path

import pypdf
import pytest
from pydicom import config, dcmread

import hemx_core
from hemx_core import api
from hemx_core.commands.main import EXTRAS_EXIT
from hemx_core.data.seg import read_seg
from hemx_core.errors import NoSeriesError
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import HUVolume
from hemx_core.report.dicom_context import new_uid
from tests.factories import ThresholdModels, simple_head, write_ct_series
from tests.hemx_core.commands.running import Asked, fake, run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    return fake(monkeypatch)


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """DICOM files of a head with a clot; the models are fake."""
    monkeypatch.setattr(hemx_core, "load_models", lambda *_, **__: ThresholdModels())
    folder = tmp_path / "study"
    write_ct_series(folder, hu=simple_head(clot_mm=14).hu, PixelSpacing=[1.5, 1.5])
    return folder


def test_triage_prints_the_result_and_names_the_files(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("triage", "study", "--out", out, "--series", "7", "--models", "m") == 0
    assert (asked.paths, asked.series) == ([Path("study")], "7")
    assert asked.bundles == [(Path("m"), False)]
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


def test_identify_and_window_reach_the_result(asked: Asked, tmp_path: Path) -> None:
    assert run("triage", "s", "--out", tmp_path, "--identify", "--window", "-10,90", "-q") == 0
    document = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert document["input"]["identity"]["patient_id"] == "ID-4711"
    assert "window_changed" in {note["code"] for note in document["notes"]}


def test_no_blood_is_a_success(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.clot_mm = 0.0
    assert run("triage", "study", "--out", tmp_path) == 0
    assert capsys.readouterr().out.startswith("No haematoma found")


def test_quiet_prints_nothing(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("triage", "study", "--out", tmp_path, "--quiet") == 0
    assert tuple(capsys.readouterr()) == ("", "")
    assert (tmp_path / "result.json").is_file()


def test_an_intended_error_is_one_message_and_exit_code_2(
    asked: Asked,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(path: Path, **_: object) -> HUVolume:
        raise NoSeriesError("nothing here", expected="a CT", remedy="give another folder")

    monkeypatch.setattr(api, "read_series", refuse)
    assert run("triage", "study", "--out", tmp_path / "out") == 2
    text = capsys.readouterr()
    assert text.out == ""
    assert text.err == ("hemx: nothing here. Expected: a CT. What to do: give another folder.\n")
    assert not (tmp_path / "out").exists()
    assert not asked.bundles, "models are loaded once a study has been read"


def test_a_foreign_result_is_refused_before_anything_is_read(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}")
    assert run("triage", "study", "--out", tmp_path) == 2
    assert not asked.paths


def test_an_unsigned_bundle_is_taken_only_where_it_is_asked_for(
    asked: Asked, tmp_path: Path
) -> None:
    assert run("triage", "study", "--out", tmp_path, "-q") == 0
    assert run("triage", "study", "--out", tmp_path, "-q", "--allow-unsigned") == 0
    assert asked.bundles == [(None, False), (None, True)]


def test_triage_writes_what_is_asked_for(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("triage", study, "--out", out, "--pdf", "--dicom", "--language", "ja") == 0
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
    assert run("triage", study, "--out", plain, "-q") == 0
    assert not any((plain / name).exists() for name in names)


def test_identify_reaches_the_referral(study: Path, tmp_path: Path) -> None:
    assert run("triage", study, "--out", tmp_path, "--pdf", "--identify", "-q") == 0
    assert "Test Case" in pypdf.PdfReader(tmp_path / "referral.pdf").pages[0].extract_text()


def test_what_cannot_be_written_is_refused_before_the_study_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "no study"
    assert run("triage", missing, "--out", tmp_path, "--language", "fr") == 2
    assert "the language 'fr'" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "highdicom", None)
    assert run("triage", missing, "--out", tmp_path, "--dicom") == 2
    assert 'pip install "hemx[dicom]"' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_result_is_printed_and_written_before_anything_beside_it_is_tried(
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, seen = tmp_path / "out", []

    def broken(*_: object, **__: object) -> None:
        seen.append((out / "result.json").is_file() and capsys.readouterr().out)
        raise RuntimeError("no ink")

    monkeypatch.setattr(api, "write_referral", broken)
    assert run("triage", study, "--out", out, "--pdf", "--dicom", "--nifti") == EXTRAS_EXIT == 3
    assert seen
    assert "Discuss with a neurosurgical centre" in seen[0]
    told = capsys.readouterr()
    for name in ("result.json", "haematoma_seg.dcm", "triage_sr.dcm", "haematoma.nii.gz"):
        assert f"Written: {out / name}\n" in told.out, "the others are tried all the same"
        assert (out / name).is_file()
    assert "referral" not in told.out
    assert told.err.startswith("hemx: the referral: it could not be made (RuntimeError: no ink).")
    assert told.err.count("\n") == 1


def test_without_a_frame_of_reference_the_segmentation_alone_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hemx_core, "load_models", lambda *_, **__: ThresholdModels())
    hu, study, out = simple_head(clot_mm=14).hu, tmp_path / "study", tmp_path / "out"
    write_ct_series(study, hu=hu, PixelSpacing=[1.5, 1.5], FrameOfReferenceUID=None)
    assert run("triage", study, "--out", out, "--dicom") == EXTRAS_EXIT
    told = capsys.readouterr()
    assert told.out.startswith("Discuss with a neurosurgical centre")
    assert told.err == (
        "hemx: the DICOM segmentation: images without FrameOfReferenceUID. Expected: CT images as the "
        "standard asks for them. What to do: export the study again from the archive.\n"
    )
    assert sorted(path.name for path in out.glob("*.*")) == [
        "overview.png",
        "result.json",
        "triage_sr.dcm",
    ]


def test_odd_demographics_are_told_and_the_objects_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hemx_core, "load_models", lambda *_, **__: ThresholdModels())
    study, out = tmp_path / "study", tmp_path / "out"
    odd = {"PatientSex": "U", "PatientBirthDate": "1940", "StudyTime": "03:20:00"}
    with warnings.catch_warnings(action="ignore"), config.disable_value_validation():
        write_ct_series(study, hu=simple_head(clot_mm=14).hu, PixelSpacing=[1.5, 1.5], **odd)
    assert run("triage", study, "--out", out, "--dicom", "--identify") == 0
    told = capsys.readouterr()
    assert "PatientBirthDate, PatientSex, StudyTime. Left out of the DICOM objects." in told.out
    assert told.err == ""
    for name in ("haematoma_seg.dcm", "triage_sr.dcm"):
        dataset = dcmread(out / name)
        assert (dataset.PatientID, dataset.PatientSex) == ("P1", "")
        assert not dataset.PatientBirthDate
        assert not dataset.StudyTime


def test_a_folder_holds_one_run_and_what_is_not_of_it_is_told(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("triage", study, "--out", out, "--pdf", "--dicom", "--identify", "-q") == 0
    (out / "letter.txt").write_text("mine")
    assert run("triage", study, "--out", out) == 0
    told = capsys.readouterr().out
    assert told.endswith("Not of this run, left as it was: 'letter.txt'\n")
    names = {path.name for path in out.iterdir()}
    assert names == {"letter.txt", "overlays", "overview.png", "result.json"}


def test_a_comparison_s_folder_is_not_taken(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("compare", "earlier", "later", "--out", tmp_path, "-q") == 0
    paths = list(asked.paths)
    assert run("triage", "study", "--out", tmp_path) == 2
    assert "the result of another command" in capsys.readouterr().err
    assert asked.paths == paths, "before anything is read"


def test_uids_are_kept_by_choice(study: Path, tmp_path: Path) -> None:
    uids = {}
    for option in ((), ("--keep-uids",), ("--identify",)):
        assert run("triage", study, "--out", tmp_path / "out", "--dicom", "-q", *option) == 0
        uids[option] = dcmread(tmp_path / "out" / "triage_sr.dcm").StudyInstanceUID
    own = read_series(study).identity.study_uid
    assert uids[("--keep-uids",)] == uids[("--identify",)] == own
    assert uids[()] == new_uid(own)
