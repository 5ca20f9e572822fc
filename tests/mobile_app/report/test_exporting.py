from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from hemx_core.errors import OutputError
from hemx_core.report.json_report import schema
from hemx_core.report.referral import ReferralOptions, draw_referral
from hemx_core.report.render import page_picture
from hemx_core.result import Recommendation
from mobile_app.android.share import ExportFile
from mobile_app.compare.comparing import compare_studies
from mobile_app.errors import NotStoredError
from mobile_app.report import exporting
from mobile_app.report.exporting import (
    EXPORTED,
    Form,
    can_write_dicom,
    export,
    make_files,
    write_folder,
)
from mobile_app.report.subject import (
    Subject,
    draw_preview,
    load_subject,
    named_in_files,
    reportable,
)
from mobile_app.store import Store
from tests.mobile_app.stored import at_once, correct, store_study

AT = datetime(2026, 11, 26, 9, 30, 5, tzinfo=UTC)
NAMES = (b"Yamada", "山田".encode(), b"ID-4711")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Studies 1 and 2, compared: expanded."""
    folder = tmp_path_factory.mktemp("reporting")
    with Store(folder / "store") as store:
        store_study(store, folder, clot_mm=12, patient="ID-4711")
        store_study(store, folder, clot_mm=20, hours=5, patient="ID-4711")
        at_once(compare_studies(store, 1, 2))
        yield store


@pytest.fixture(scope="module")
def alone(store: Store) -> Subject:
    subject: Subject = at_once(load_subject(store, 1))
    return subject


@pytest.fixture(scope="module")
def compared(store: Store) -> Subject:
    (one,) = reportable(store, 2)
    subject: Subject = at_once(load_subject(store, 2, comparison_id=one.stored.id))
    return subject


def told(subject: Subject, *, identify: bool = False, language: str = "en") -> str:
    page = draw_preview(subject, language=language, identify=identify)
    return " ".join(run.text for run in page.runs)


def test_the_preview_is_the_page_that_is_written(alone: Subject) -> None:
    (png,) = make_files(alone, [Form.PNG], language="en", identify=False, created_at=AT)
    written = Image.open(io.BytesIO(png.content))
    shown = draw_preview(alone, language="en", identify=False)
    assert written.width / page_picture(shown).width == pytest.approx(200 / 110, rel=0.01)
    options = ReferralOptions(created_at=AT)
    page = draw_referral(alone.result, alone.volume, window=alone.window, options=options)
    assert np.array_equal(np.asarray(page_picture(page)), np.asarray(written))
    words, drawn = (
        [one.text for one in each.runs if "made" not in one.text] for each in (shown, page)
    )
    assert words == drawn


@pytest.mark.parametrize("language", ["en", "ja"])
def test_names_are_on_the_page_by_choice_only(alone: Subject, language: str) -> None:
    name = "山田 太郎（やまだ たろう）" if language == "ja" else "Yamada Tarou"
    assert name not in told(alone, language=language)
    assert name in told(alone, identify=True, language=language)
    assert name in dict(named_in_files(alone.result.identity, language)).values()


def test_every_file_is_free_of_names_unless_asked(alone: Subject, compared: Subject) -> None:
    for subject in (alone, compared):
        for identify in (False, True):
            files = make_files(subject, list(Form), language="ja", identify=identify, created_at=AT)
            assert [Path(one.name).suffix for one in files] == [
                ".pdf",
                ".png",
                ".json",
                ".dcm",
                ".dcm",
            ]
            for one in files:
                found = [name for name in NAMES if name in one.content]
                if one.name.endswith((".png", ".pdf")):
                    continue  # drawn and packed; the page's text is tested above
                assert bool(found) is identify, (one.name, found)
                assert not any(name.decode(errors="ignore") in one.name for name in NAMES)


def test_what_is_written_is_valid(alone: Subject, compared: Subject) -> None:
    files = {
        one.name.rsplit("-", 1)[-1]: one.content
        for one in make_files(alone, list(Form), language="en", identify=False, created_at=AT)
    }
    assert set(files) == {
        "referral.pdf",
        "referral.png",
        "result.json",
        "haematoma_seg.dcm",
        "triage_sr.dcm",
    }
    assert files["referral.pdf"].startswith(b"%PDF-")
    jsonschema.validate(json.loads(files["result.json"]), schema())
    assert dcmread(io.BytesIO(files["haematoma_seg.dcm"])).Modality == "SEG"
    (pair,) = make_files(compared, [Form.JSON], language="en", identify=False, created_at=AT)
    document = json.loads(pair.content)
    assert document["format"] == "hemx.comparison"
    assert document["expansion"]["he_30"]["answer"] == "yes"


def test_expansion_urges_in_the_report_too(store: Store, compared: Subject) -> None:
    assert compared.result.recommendation is Recommendation.CALL_NOW
    assert "Expansion since the earlier study" in told(compared)
    single = at_once(load_subject(store, 2))
    assert single.comparison is None
    assert single.result.recommendation is Recommendation.CALL_NOW
    assert "has expanded since an earlier study" in told(single)


def test_a_correction_is_what_is_reported(tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        number = store_study(store, tmp_path)
        later = store_study(store, tmp_path, clot_mm=20, hours=5)
        at_once(compare_studies(store, number, later))
        plain = at_once(load_subject(store, number))
        correct(store, number, grow=30)
        subject = at_once(load_subject(store, number))
        assert not plain.corrected
        assert subject.corrected
        assert subject.result.haematoma.volume_ml > plain.result.haematoma.volume_ml + 5
        assert "outline corrected by hand" in told(subject)
        files = make_files(subject, [Form.JSON, Form.DICOM], language="en", identify=False)
        assert json.loads(files[0].content)["versions"]["correction"] == "1"
        seg = dcmread(io.BytesIO(files[1].content))
        assert seg.SegmentSequence[0].SegmentAlgorithmType == "SEMIAUTOMATIC"
        assert seg.ContentDescription.endswith("corrected by hand")
        assert (
            sum(frame.any() for frame in seg.pixel_array) == subject.result.mask.any((1, 2)).sum()
        )
        # The stored comparison is of the uncorrected outline.
        assert reportable(store, later) == ()
        with pytest.raises(NotStoredError, match="changed since"):
            at_once(load_subject(store, later, comparison_id=1))
        at_once(compare_studies(store, number, later))
        (again,) = reportable(store, later)
        pair = at_once(load_subject(store, later, comparison_id=again.stored.id))
        assert pair.corrected
        earlier = pair.comparison.earlier.haematoma.volume_ml
        assert earlier == pytest.approx(pair.comparison.earlier_volume.volume_ml)


def test_every_export_is_in_the_audit_trail(
    store: Store, compared: Subject, tmp_path: Path
) -> None:
    def refuse(_files: object) -> None:
        raise OutputError("full")

    named = {"language": "en", "identify": True, "to": "folder"}
    forms = [Form.JSON, Form.DICOM]
    files, paths = at_once(
        export(store, compared, forms, lambda made: write_folder(made, tmp_path), **named)
    )
    assert [one.read_bytes() for one in paths] == [one.content for one in files]
    with pytest.raises(OutputError, match="full"):
        at_once(export(store, compared, forms, refuse, **named))
    failed, begun, done = store.audit.entries(newest=3)
    assert [one.action for one in (done, begun, failed)] == [EXPORTED, EXPORTED, exporting.FAILED]
    assert failed.detail == {"result": compared.result_id, "error": "OutputError"}
    assert done.study_id == 2
    assert done.detail == {
        "result": compared.result_id,
        "comparison": compared.comparison_id,
        "files": ["comparison.json", "haematoma_seg.dcm", "triage_sr.dcm"],
        "identified": True,
        "corrected": False,
        "to": "folder",
    }


FILES = (ExportFile("a.pdf", b"one"), ExportFile("b.json", b"two"))


def test_all_files_are_written(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("stays")
    paths = write_folder(FILES, tmp_path)
    assert [one.read_bytes() for one in paths] == [b"one", b"two"]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.pdf", "b.json", "other"]


def test_or_none_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if self.name == "b.json":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        write_folder(FILES, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("mine")
    with pytest.raises(OutputError, match="these names already"):
        write_folder(FILES, tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["b.json"]
    with pytest.raises(OutputError, match="not there"):
        write_folder(FILES, tmp_path / "gone")


def test_dicom_is_offered_where_highdicom_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_write_dicom()
    monkeypatch.setattr(exporting, "find_spec", lambda _name: None)
    assert not can_write_dicom()
