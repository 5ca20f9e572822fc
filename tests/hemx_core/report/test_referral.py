import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pypdf
import pytest
from PIL import Image

from hemx_core.comparison import ComparisonResult, compare_results
from hemx_core.errors import InputError, OutputError
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from hemx_core.manifest import ModelManifest
from hemx_core.notes import Note, Severity
from hemx_core.pipeline import triage_volume
from hemx_core.report.fonts import NO_GLYPH
from hemx_core.report.json_report import short_hash
from hemx_core.report.page import Page, TextRun
from hemx_core.report.pictures import OUTLINE
from hemx_core.report.referral import (
    PDF_NAME,
    PNG_NAME,
    ReferralOptions,
    draw_referral,
    write_referral,
)
from hemx_core.report.render import page_picture, pdf_bytes
from hemx_core.report.sheet import BOTTOM_MM
from hemx_core.result import Recommendation, TriageResult
from tests.factories import ThresholdModels, make_manifest, simple_head

PATIENT = SeriesIdentity(
    patient_id="ID-4711",
    patient_name="Yamada^Taro=山田^太郎=やまだ^たろう",
    study_uid="1.2.3.4",
    series_uid="1.2.3.4.5",
    acquired_at=datetime(2026, 11, 2, 8, 30),
    site="Secret Hospital",
    scanner="ACME One",
    series_description="Head Yamada",
    source="/home/taro/study",
)
AT = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
DPI = 50
PRESENT = (3.0, -2.0, 3.0, -2.0)

Case = tuple[HUVolume, TriageResult]


def _case(
    clot_mm: float = 14.0,
    logits: tuple[float, ...] = PRESENT,
    manifest: ModelManifest | None = None,
) -> Case:
    volume = simple_head(clot_mm=clot_mm, identity=PATIENT)
    return volume, triage_volume(volume, ThresholdModels(manifest, logits=logits))


def _page(
    case: Case,
    language: str = "en",
    *,
    identify: bool = False,
    comparison: ComparisonResult | None = None,
    notes: tuple[Note, ...] | None = None,
) -> Page:
    volume, result = case
    result = result if notes is None else replace(result, notes=notes)
    options = ReferralOptions(language=language, identify=identify, created_at=AT, dpi=DPI)
    return draw_referral(result, volume, window=HUWindow(), comparison=comparison, options=options)


def _text(page: Page) -> str:
    """Of all pages."""
    return "\n".join(run.text for one in page.pages for run in one.runs)


def test_it_says_what_to_do_why_and_how_sure() -> None:
    case = _case()
    text = _text(_page(case))
    volume_ml = case[1].haematoma.volume_ml
    for part in (
        "Call a neurosurgical centre now.",
        f"Haematoma of {volume_ml:.1f} mL; expansion markers at or above threshold: "
        "hypodensity, blend",
        f"{volume_ml:.1f} mL",
        "90 % interval",
        f"{case[1].haematoma.abc2_volume_ml:.1f} mL",
        "threshold 0.50, at or above, slice 3",
        "threshold 0.50, below, slice 3",
        f"{case[1].markers['blend'].probability:.2f}",
        "Second opinion by rules",
        "Research software, not a medical device",
        "model fake, segmenter aaaaaaaaaaaa, classifier bbbbbbbbbbbb",
        "Report made 2026-11-24 03:15 UTC",
        "Slice 3 of 6",
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ("language", "told", "none"),
    [
        ("en", "against a derived reference", "no interval: not measured"),
        ("ja", "参照輪郭（医師の輪郭ではない）との誤差", "区間なし（未測定）"),
    ],
)
def test_the_interval_says_what_it_rests_on(language: str, told: str, none: str) -> None:
    volume, result = _case()
    text = _text(_page((volume, result), language)).replace("\n", " ")
    assert told in text.replace(" ", "") if language == "ja" else told in text
    assert none not in text
    notes = tuple(note for note in result.notes if note.code != "volume_interval")
    bare = replace(result, volume_interval=None, notes=notes)
    text = _text(_page((volume, bare), language))
    assert none in text
    assert "90 %" not in text


def test_markers_that_are_not_validated_are_shown_as_such_and_are_no_reason() -> None:
    shown = make_manifest(validated=(True, True, False, False))
    both, only = (
        _case(logits=logits, manifest=shown) for logits in (PRESENT, (-2.0, -2.0, 3.0, -2.0))
    )
    text = _text(_page(both))
    assert "expansion markers at or above threshold: hypodensity; at or above" in text
    assert "but not validated and not counted: blend sign" in text
    assert text.count("threshold 0.50, not validated, slice 3") == 2
    text = _text(_page(only))
    assert "Discuss this patient with a neurosurgical centre." in text
    assert "no validated expansion marker reached its threshold" in text
    japanese = _text(_page(only, "ja")).replace("\n", "")
    assert "閾値に達した検証済みの血腫増大マーカーなし" in japanese
    assert "未検証のため判定に含めないマーカー：ブレンドサイン" in japanese
    for language in ("en", "ja"):
        for page in _page(both, language).pages:
            _check_boxes(page)


def test_japanese() -> None:
    text = _text(_page(_case(), "ja"))
    for part in (
        "直ちに脳神経外科施設へ連絡してください。",
        "閾値以上の血腫増大マーカー：低吸収域、ブレンドサイン。",
        "医療機器ではありません",
        "作成日時 2026年11月24日 03:15 UTC",
        "スライス 3 / 6",
        "研究段階の推定値です",
    ):
        assert part in text, part
    assert "threshold" not in text


def test_without_markers_or_blood() -> None:
    discuss = _text(_page(_case(logits=(-2.0,) * 4)))
    assert "Discuss this patient with a neurosurgical centre." in discuss
    assert "no expansion marker reached its threshold." in discuss
    nothing = _text(_page(_case(clot_mm=0)))
    assert "this does not rule out haemorrhage" in nothing
    assert nothing.count("Not judged: no haematoma was found.") == 2
    assert "Slices through the head" in nothing
    assert "interval" not in nothing


@pytest.mark.parametrize("language", ["en", "ja"])
def test_nothing_names_the_patient_unless_asked(language: str) -> None:
    secrets = (
        "Yamada",
        "山田",
        "4711",
        "Secret",
        "2026-11-02",
        "2026年11月2日",
        "1.2.3.4",
        "/home",
    )
    page = _page(_case(), language)
    reader = pypdf.PdfReader(io.BytesIO(pdf_bytes(page)))
    text = _text(page) + reader.pages[0].extract_text() + str(reader.metadata)
    assert [secret for secret in secrets if secret in text] == []


def test_an_identified_page_names_the_patient() -> None:
    asked = _text(_page(_case(), identify=True))
    for part in ("Yamada Taro", "ID-4711", "2026-11-02 08:30", "Secret Hospital"):
        assert part in asked
    assert "山田 太郎（やまだ たろう）" in _text(_page(_case(), "ja", identify=True))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_long_description_does_not_cut_the_study_code(language: str) -> None:
    volume, result = _case()
    wordy = replace(PATIENT, series_description="Head 5 mm soft tissue " * 10)
    text = _text(_page((volume, replace(result, identity=wordy)), language))
    assert short_hash(PATIENT.study_uid) in text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_pdf_s_text_is_the_page_s_and_its_bytes_are_repeatable(language: str) -> None:
    case = _case()
    page = _page(case, language, identify=True)
    pdf = pdf_bytes(page)
    found = "".join(pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split())
    assert [run.text for run in page.runs if "".join(run.text.split()) not in found] == []
    assert pdf_bytes(_page(case, language, identify=True)) == pdf


def test_names_that_the_font_cannot_write_and_notes_without_a_space_stay_on_the_page() -> None:
    volume, result = _case()
    identity = replace(PATIENT, patient_name="=山﨑^一郎\n" + "一" * 200)
    notes = (Note("n1", Severity.WARNING, sentence="x" * 400),)
    page = _page((volume, replace(result, identity=identity)), "ja", identify=True, notes=notes)
    name = next(run for run in page.runs if run.text.startswith("山"))
    assert name.text.startswith("山〓 一郎 一")
    assert name.text.endswith("…")
    english = _page((volume, result), notes=notes)
    assert sum("xxx" in run.text for run in english.runs) > 2
    for run in (*page.runs, *english.runs):
        assert run.x_mm + page.text_width(run.text, run.points) <= 198.3, run
    assert "山〓" in pypdf.PdfReader(io.BytesIO(pdf_bytes(page))).pages[0].extract_text()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_name_is_never_boxes(language: str) -> None:
    volume, result = _case()
    for name, told in (
        ("Liu^Yang=刘^洋", "Liu Yang"),
        ("Kim^Minjun=김^민준", "Kim Minjun"),
        ("Иванов^Иван", "Иванов Иван"),
        ("Yamazaki^Ichiro=山﨑^一郎", "Yamazaki Ichiro"),
    ):
        identity = replace(PATIENT, patient_name=name)
        page = _page((volume, replace(result, identity=identity)), language, identify=True)
        assert told in _text(page)
        assert NO_GLYPH not in _text(page)
    unknown = replace(PATIENT, patient_name="김^민준")
    page = _page((volume, replace(result, identity=unknown)), language, identify=True)
    expected = "not printed here: see the ID" if language == "en" else "IDを参照"
    assert expected in _text(page)
    assert "ID-4711" in _text(page)


def _comparison() -> tuple[Case, ComparisonResult]:
    earlier, later = _case(10.0), _case(20.0)
    return later, compare_results(earlier[1], later[1])


def test_the_comparison_is_shown_and_its_expansion_stands_beside_the_recommendation() -> None:
    case, comparison = _comparison()
    text = _text(_page(case, comparison=comparison))
    growth = comparison.growth
    assert f"{growth.ml:+.1f} mL ({growth.percent:+.0f} %)" in text
    assert "Expansion since the earlier study: " in text
    assert "Time between" in text
    same = compare_results(case[1], case[1])
    assert "Expansion since" not in _text(_page(case, comparison=same))


def test_every_warning_stands_before_every_figure_and_nothing_is_cut() -> None:
    long = " ".join(["The slices are not equally thick or spaced."] * 3)
    notes = [
        Note(f"n{number}", Severity.CAUTION, sentence=f"{number}: {long}") for number in range(30)
    ]
    notes += [
        Note(f"w{number}", Severity.WARNING, sentence=f"look here {number}.") for number in range(9)
    ]
    page = _page(_case(), notes=tuple(notes))
    text = _text(page)
    for number in range(9):
        assert text.index(f"WARNING: look here {number}.") < text.index("Haematoma of")
    for number in range(30):
        assert f"Caution: {number}: The" in text
    first, *more = page.pages
    assert len(more) >= 1
    assert f"Page 1 of {len(more) + 1}" in _text(first)
    for one in more:
        assert any("study code" in run.text for run in one.runs), "whose page it is"
        assert any("not a" in run.text for run in one.runs), "the disclaimer"
    assert "Page 1" not in _text(_page(_case()))


def test_more_warnings_than_a_page_holds_are_all_printed() -> None:
    notes = tuple(
        Note(f"w{number}", Severity.WARNING, sentence=f"look {number}: " + "see " * 60)
        for number in range(40)
    )
    page = _page(_case(), notes=notes, identify=True)
    pages = list(page.pages)
    assert len(pages) >= 3
    pdf = pypdf.PdfReader(io.BytesIO(pdf_bytes(page)))
    assert len(pdf.pages) == len(pages)
    text = " ".join(one.extract_text() for one in pdf.pages)
    assert all(f"look {number}:" in text for number in range(40))
    assert text.index("look 39") < text.index("Haematoma of")
    assert all("ID-4711" in one.extract_text() for one in pdf.pages)


def test_a_note_longer_than_a_page_goes_on() -> None:
    notes = (Note("n", Severity.CAUTION, sentence=" ".join(map(str, range(6000)))),)
    assert " 5999" in _text(_page(_case(), notes=notes))


def test_it_says_that_it_cannot_tell_in_both_languages() -> None:
    volume, result = _case(clot_mm=0)
    doubtful = replace(
        result,
        recommendation=Recommendation.CANNOT_TELL,
        notes=(Note("unreadable_slices", Severity.WARNING, count=2),),
    )
    english = _text(_page((volume, doubtful)))
    assert "Cannot tell" in english
    assert "WARNING: 2 of the series' slices cannot be read" in english
    assert "does not rule out" not in english
    assert "No haematoma was found." not in english, "never without the doubt"
    assert english.count("Cannot tell: see the warnings.") == 3
    assert "警告：" in _text(_page((volume, doubtful), "ja"))


def test_notes_on_reading_files_stay_in_the_json() -> None:
    notes = (
        Note("series_choice", Severity.INFO, sentence="Read this one."),
        Note("several_patients", Severity.WARNING, patients=2, patient="4712"),
    )
    text = _text(_page(_case(), notes=notes))
    assert "Read this one" not in text
    grave = (Note("series_choice", Severity.WARNING, sentence="Read this one."),)
    assert "WARNING: Read this one" in _text(_page(_case(), notes=grave)), "unless it warns"
    assert "WARNING: The input holds CT of 2 patients. Make sure" in text


def _boxes(page: Page) -> list[tuple[TextRun, float, float, float, float]]:
    """Left, top, right and bottom of every run, mm; the height of letters without accents."""
    return [
        (
            run,
            run.x_mm,
            run.y_mm - 0.26 * run.points,
            run.x_mm + page.text_width(run.text, run.points),
            run.y_mm + 0.02 * run.points,
        )
        for run in page.runs
    ]


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("kind", ["alone", "compared", "nothing", "crowded"])
def test_no_text_runs_into_another_or_off_the_page(language: str, kind: str) -> None:
    case, comparison = _comparison()
    if kind == "nothing":
        case = _case(clot_mm=0)
    notes = [
        Note(
            f"n{number}", Severity.CAUTION, sentence=f"{number}: " + "What limits this result. " * 8
        )
        for number in range(20)
    ]
    volume, result = case
    if kind == "crowded":
        identity = replace(PATIENT, patient_name="Wolfeschlegelsteinhausen^Hubert" * 3)
        result = replace(result, notes=tuple(notes), identity=identity)
    options = ReferralOptions(language=language, identify=kind == "crowded", dpi=200)
    page = draw_referral(
        result,
        volume,
        window=HUWindow(),
        comparison=comparison if kind in ("compared", "crowded") else None,
        options=options,
    )
    pages = list(page.pages)
    assert (len(pages) > 1) is (kind == "crowded")
    for one in pages:
        _check_boxes(one)


def _check_boxes(page: Page) -> None:
    boxes = _boxes(page)
    for run, left, top, right, bottom in boxes:
        assert left >= 11.9, run
        assert right <= 198.3, run
        assert top >= 5, run
        assert bottom <= 290, run
    for number, (run, left, top, right, bottom) in enumerate(boxes):
        for other, left2, top2, right2, bottom2 in boxes[number + 1 :]:
            apart = right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
            assert apart, (run, other)
    notes_end = max(run.y_mm for run in page.runs if run.y_mm < BOTTOM_MM + 4)
    assert notes_end <= BOTTOM_MM + 1


def test_slices_show_the_outline_and_bars_their_length() -> None:
    case = _case()
    page = draw_referral(
        case[1], case[0], window=HUWindow(), options=ReferralOptions(created_at=AT, dpi=100)
    )
    rgb = np.asarray(page_picture(page)).astype(int)
    outline = np.abs(rgb - OUTLINE[::-1]).sum(axis=2) < 90
    assert outline.sum() > 30
    alarm = (np.abs(rgb - (170, 20, 30)).sum(axis=2) < 10) & (
        np.arange(rgb.shape[1]) > 0.45 * rgb.shape[1]
    )
    longest = max(_runs(row) for row in alarm)
    track = (198 - 12 - (186 - 8) * 0.43 - 8 - 13) * 100 / 25.4
    probability = case[1].markers["blend"].probability
    # The threshold's mark, 2 pixels wide, cuts the bar at 0.5.
    assert longest == pytest.approx(max(probability - 0.5, 0.5) * track, abs=4)


def _caption_lines(page: Page) -> int:
    """On how many heights captions of slices stand."""
    heights = sorted(run.y_mm for run in page.runs if run.text.startswith("Slice "))
    return 1 + int((np.diff(heights) > 5).sum())


def test_the_largest_area_is_drawn_large_unless_warnings_need_the_room() -> None:
    volume = simple_head(clot_mm=14, slices=8, clot_slices=(1, 2, 3, 4, 5))
    case = volume, triage_volume(volume, ThresholdModels(logits=PRESENT))
    assert _caption_lines(_page(case)) == 2, "the large one's stands beside the lower two's"
    notes = tuple(
        Note(
            f"n{number}", Severity.CAUTION, sentence=f"n{number} " + "What limits this result. " * 8
        )
        for number in range(12)
    )
    assert _caption_lines(_page(case, notes=notes)) == 1
    assert _caption_lines(_page(_case(clot_mm=0))) == 1


def _runs(row: np.ndarray) -> int:
    """Length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
    return int(max(edges[1::2] - edges[::2], default=0))


def test_the_files_are_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    volume, result = _case()
    options = ReferralOptions(created_at=AT, dpi=DPI)
    written = write_referral(
        result, volume, tmp_path / "deep" / "out", window=HUWindow(), options=options
    )
    assert sorted(one.name for one in (tmp_path / "deep" / "out").iterdir()) == [PDF_NAME, PNG_NAME]
    assert (
        "Call a neurosurgical centre now." in pypdf.PdfReader(written.pdf).pages[0].extract_text()
    )
    picture = cv2.imread(str(written.png))
    assert picture is not None
    assert Image.open(written.png).size == (413, 585)
    before = written.pdf.read_bytes()
    monkeypatch.setattr(Path, "replace", _full)
    with pytest.raises(OutputError, match="No space left"):
        write_referral(result, volume, written.pdf.parent, window=HUWindow(), options=options)
    assert written.pdf.read_bytes() == before
    assert sorted(one.name for one in written.pdf.parent.iterdir()) == [PDF_NAME, PNG_NAME]


def _full(self: Path, target: Path) -> None:
    raise OSError(28, "No space left on device")


def test_an_unknown_language_is_refused_before_any_work() -> None:
    with pytest.raises(InputError, match="the language 'fr'"):
        ReferralOptions(language="fr")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InputError, match="en or ja"):
        ReferralOptions(language="fr")
