import io
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pypdf
import pytest
from PIL import Image

from hemx_core.errors import OutputError
from hemx_core.report import page as page_module
from hemx_core.report.page import Page, PdfMetadata, font_path, pdf_bytes, png_bytes

DPI = 100


def _ink(page: Page) -> np.ndarray:
    """Where something was drawn."""
    return np.asarray(page.image).min(axis=2) < 128


def test_text_stands_on_its_baseline_and_ends_where_it_says() -> None:
    page = Page(width_mm=60, height_mm=30, dpi=DPI)
    end = page.text(10, 20, "HEMX 血腫", 12)
    rows, columns = np.nonzero(_ink(page))
    assert rows.max() <= page.pixels(20) + page.pixels(1.2), "only what hangs below the baseline"
    assert rows.min() >= page.pixels(14)
    assert abs(columns.max() - page.pixels(end)) <= page.pixels(1)
    assert [one.text for one in page.runs] == ["HEMX 血腫"]


@pytest.mark.parametrize(("anchor", "start"), [("left", 30.0), ("right", 20.0), ("middle", 25.0)])
def test_anchors(anchor: str, start: float) -> None:
    page = Page(width_mm=60, height_mm=30, dpi=DPI)
    width = page.text_width("12.3 mL", 9)
    page.text(30, 20, "12.3 mL", 9, anchor=anchor)
    assert page.runs[0].x_mm == pytest.approx(30 - (30 - start) / 10 * width)


def test_latin_breaks_between_words_and_japanese_between_characters() -> None:
    page = Page(dpi=DPI)
    text = "expansion markers at or above threshold, blend sign"
    lines = page.wrapped(text, 30, 9)
    assert " ".join(lines) == text
    assert all(page.text_width(line, 9) <= 30 for line in lines)
    japanese = "血腫は検出されませんでした。出血を否定するものではありません。"
    lines = page.wrapped(japanese, 20, 9)
    assert "".join(lines) == japanese
    assert len(lines) > 2
    assert all(line[0] not in "。、）" for line in lines)


def test_a_full_stop_never_begins_a_line() -> None:
    page = Page(dpi=DPI)
    text = "血腫あり。"
    assert page.wrapped(text, page.text_width("血腫あり", 9) + 0.1, 9) == [text]


def test_a_word_wider_than_the_column_stays_whole() -> None:
    assert Page(dpi=DPI).wrapped("intraparenchymal", 5, 9) == ["intraparenchymal"]
    assert Page(dpi=DPI).wrapped("", 5, 9) == []


def test_a_picture_is_pasted_pixel_for_pixel() -> None:
    page = Page(width_mm=30, height_mm=30, dpi=DPI)
    picture = np.zeros((5, 7, 3), np.uint8)
    picture[..., 0] = 200  # blue in BGR
    page.picture(10, 10, picture)
    at = page.pixels(10)
    pasted = np.asarray(page.image)[at : at + 5, at : at + 7]
    assert (pasted == (0, 0, 200)).all()


def test_a_missing_font_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert font_path().with_name("OFL.txt").is_file(), "the font's licence lies beside it"
    monkeypatch.setattr(page_module, "FONT_FILE", Path("nowhere", "none.ttf"))
    with pytest.raises(OutputError, match=r"no font none\.ttf"):
        font_path()


METADATA = PdfMetadata(
    title="頭部CT",
    language="ja",
    producer="HEMX test",
    made_at=datetime(2026, 11, 24, 3, 15, tzinfo=timezone(timedelta(hours=9))),
)


def _read(page: Page) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf_bytes(page, png_bytes(page), METADATA)), strict=True)


def _page() -> Page:
    page = Page(dpi=60)
    page.box(20, 20, 50, 10, fill=(200, 30, 40))
    page.text(20, 50, "Haematoma of 28.1 mL", 12)
    page.text(20, 60, "血腫 28.1 mL（90 %区間）", 12)
    return page


def test_the_text_can_be_searched_and_copied() -> None:
    lines = _read(_page()).pages[0].extract_text().split("\n")
    assert [line.strip() for line in lines if line.strip()] == [
        "Haematoma of 28.1 mL",
        "血腫 28.1 mL（90 %区間）",
    ]


def test_text_of_more_characters_than_a_font_holds() -> None:
    page = Page(dpi=60)
    runs = ["".join(chr(0x4E00 + 80 * row + one) for one in range(80)) for row in range(5)]
    for row, text in enumerate(runs):
        page.text(10, 20 + 10 * row, text, 4)
    reader = _read(page)
    assert len(reader.pages[0]["/Resources"]["/Font"]) == 2
    text = reader.pages[0].extract_text()
    assert all(run in text for run in runs)


def test_the_page_is_a4_and_its_picture_is_the_png() -> None:
    page = _page()
    leaf = _read(page).pages[0]
    assert [float(one) for one in leaf.mediabox[2:]] == pytest.approx([595.276, 841.89], abs=0.01)
    shown = np.asarray(leaf.images[0].image.convert("RGB"))
    assert np.array_equal(shown, np.asarray(page.image))
    png = Image.open(io.BytesIO(png_bytes(page)))
    assert np.array_equal(np.asarray(png), shown)
    assert png.info["dpi"] == pytest.approx((60, 60), abs=0.1)


def test_where_the_text_stands() -> None:
    places = {}

    def visit(text: str, _: object, matrix: list[float], *__: object) -> None:
        if text.strip():
            places[text.strip()] = matrix[4:6]

    _read(_page()).pages[0].extract_text(visitor_text=visit)
    x, y = places["Haematoma of 28.1 mL"]
    assert (x, y) == pytest.approx((20 / 25.4 * 72, (297 - 50) / 25.4 * 72), abs=0.02)


def test_metadata() -> None:
    reader = _read(_page())
    assert reader.metadata is not None
    assert reader.metadata.title == "頭部CT"
    assert reader.metadata.creation_date == METADATA.made_at
    assert reader.metadata.creation_date.astimezone(UTC).hour == 18
    assert reader.trailer["/Root"]["/Lang"] == "ja"
