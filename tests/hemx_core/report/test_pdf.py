import io
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pypdf
import pytest
from PIL import Image

from hemx_core.report.page import Page
from hemx_core.report.pdf import PdfMetadata, pdf_bytes, png_bytes

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
