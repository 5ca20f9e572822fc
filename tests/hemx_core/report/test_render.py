import hashlib
import io
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pypdf
import pytest
from PIL import Image

from hemx_core.report.fonts import NO_GLYPH
from hemx_core.report.page import MM_PER_INCH, POINTS_PER_INCH, Page
from hemx_core.report.render import page_picture, pdf_bytes, png_bytes
from tests.factories import blank_page

AT = datetime(2026, 11, 24, 3, 15, tzinfo=timezone(timedelta(hours=9)))


def _page() -> Page:
    page = blank_page(title="頭部CT", language="ja", made_at=AT, dpi=60)
    page.box(20, 20, 50, 10, (200, 30, 40))
    page.text(20, 50, "Haematoma of 28.1 mL", 12)
    page.text(20, 60, "血腫 28.1 mL（90 %区間）", 12, bold=True)
    return page


def _read(page: Page) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf_bytes(page)), strict=True)


def _ink(page: Page) -> np.ndarray:
    """Where something was drawn."""
    return np.asarray(page_picture(page)).min(axis=2) < 128


def test_text_stands_on_its_baseline_and_ends_where_it_says() -> None:
    page = blank_page(width_mm=60, height_mm=30, dpi=100)
    end = page.text(10, 20, "HEMX 血腫", 12)
    rows, columns = np.nonzero(_ink(page))
    assert rows.max() <= page.pixels(20) + page.pixels(1.2), "only what hangs below the baseline"
    assert rows.min() >= page.pixels(14)
    assert abs(columns.max() - page.pixels(end)) <= page.pixels(1)


def test_bold_text_has_more_ink_in_both() -> None:
    ink, content = [], []
    for bold in (False, True):
        page = blank_page(dpi=100)
        page.text(20, 20, "28.1 mL", 12, bold=bold)
        ink.append(_ink(page).sum())
        content.append(_read(page).pages[0].get_contents().get_data())
    assert ink[1] > 1.2 * ink[0]
    width = 2 * 0.6 / 28 * 12
    assert b" Tr" not in content[0]
    assert f"2 Tr {width:.2f} w".encode() in content[1], "filled, with a stroke of so many points"


def test_boxes_and_pictures_cover_their_pixels_and_no_others() -> None:
    page = blank_page(width_mm=60, height_mm=30, dpi=100)
    page.box(10, 10, 20, 5, (200, 30, 40))
    page.box(40, 10, 0.01, 5, (0, 0, 0))
    picture = np.zeros((5, 7, 3), np.uint8)
    picture[..., 0] = 200  # blue in BGR
    page.picture(10, 20, picture)
    rgb = np.asarray(page_picture(page))
    red = (rgb == (200, 30, 40)).all(axis=2)
    assert red.sum() == (page.pixels(30) - page.pixels(10)) * (page.pixels(15) - page.pixels(10))
    assert (rgb == 0).all(axis=2).any(axis=0).sum() == 1, "the thinnest line is seen"
    top, left = page.pixels(20), page.pixels(10)
    assert (rgb[top : top + 5, left : left + 7] == (0, 0, 200)).all()
    assert (rgb == (0, 0, 200)).all(axis=2).sum() == 35


def test_the_png_is_the_picture_with_its_resolution() -> None:
    page = _page()
    png = Image.open(io.BytesIO(png_bytes(page)))
    assert np.array_equal(np.asarray(png), np.asarray(page_picture(page)))
    assert png.info["dpi"] == pytest.approx((60, 60), abs=0.1)


def test_the_text_can_be_searched_and_copied() -> None:
    lines = _read(_page()).pages[0].extract_text().split("\n")
    assert [line.strip() for line in lines if line.strip()] == [
        "Haematoma of 28.1 mL",
        "血腫 28.1 mL（90 %区間）",
    ]


def test_a_character_without_a_glyph_is_marked_in_the_pdf_too() -> None:
    page = blank_page()
    page.text(20, 20, "山﨑")
    assert _read(page).pages[0].extract_text().strip() == "山" + NO_GLYPH


def test_the_font_holds_the_page_s_characters_only() -> None:
    page = blank_page()
    kanji = "".join(chr(code) for code in range(0x4E00, 0x4F00))
    for row in range(0, 250, 50):
        page.text(10, 20 + row, kanji[row : row + 50], 4)
    shown = "".join(run.text for run in page.runs)
    assert "".join(_read(page).pages[0].extract_text().split()) == shown
    assert len(pdf_bytes(page)) < 100_000, "the whole font takes 2.6 MB"


def test_the_page_is_a4_and_its_pictures_are_those_that_were_placed() -> None:
    page = _page()
    picture = np.random.default_rng(1).integers(0, 255, (40, 30, 3)).astype(np.uint8)
    page.picture(20, 100, picture)
    leaf = _read(page).pages[0]
    assert [float(side) for side in leaf.mediabox[2:]] == pytest.approx([595.276, 841.89], abs=0.01)
    (image,) = leaf.images
    assert np.array_equal(np.asarray(image.image.convert("RGB")), picture[..., ::-1])
    width, height = (pixels / 60 * POINTS_PER_INCH for pixels in (30, 40))
    left, bottom = 20 / MM_PER_INCH * POINTS_PER_INCH, 841.89 - 100 / MM_PER_INCH * POINTS_PER_INCH
    placed = f"q {width:.2f} 0 0 {height:.2f} {left:.2f} {bottom - height:.2f} cm /I1 Do Q"
    assert placed.encode() in leaf.get_contents().get_data()


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
    assert reader.metadata.producer.startswith("HEMX ")
    assert reader.metadata.creation_date == AT
    assert reader.metadata.creation_date.astimezone(UTC).hour == 18
    assert set(reader.metadata) == {"/Title", "/Producer", "/CreationDate"}
    assert reader.trailer["/Root"]["/Lang"] == "ja"


PRINT_HASH = """
import hashlib
from tests.hemx_core.report.test_render import _page, pdf_bytes
print(hashlib.sha256(pdf_bytes(_page())).hexdigest())
"""


def test_the_same_page_gives_the_same_bytes_in_another_process_too() -> None:
    here = hashlib.sha256(pdf_bytes(_page())).hexdigest()
    assert hashlib.sha256(pdf_bytes(_page())).hexdigest() == here
    run = subprocess.run(
        [sys.executable, "-c", PRINT_HASH],
        env={**os.environ, "PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stdout.strip() == here


def test_letters_of_the_other_font_are_text_in_the_pdf_and_ink_in_the_picture() -> None:
    page = blank_page(width_mm=60, height_mm=30, dpi=100)
    end = page.text(5, 15, "Ив 山 Łódź", 12)
    text = _read(page).pages[0].extract_text().replace("\n", " ")
    assert "".join(text.split()) == "Ив山Łódź"
    columns = np.flatnonzero(_ink(page).any(axis=0))
    assert abs(columns.max() - page.pixels(end)) <= page.pixels(1)


def test_pages_that_follow_are_in_both() -> None:
    page = _page()
    page.another().text(20, 50, "The second page", 12)
    reader = _read(page)
    assert [len(one.extract_text()) > 5 for one in reader.pages] == [True, True]
    assert "The second page" in reader.pages[1].extract_text()
    picture = page_picture(page)
    alone = page_picture(_page())
    assert picture.size == (alone.width, 2 * alone.height + 1)
    assert np.array_equal(np.asarray(picture)[: alone.height], np.asarray(alone))
    assert np.asarray(picture)[alone.height + 1 :].min() < 100
