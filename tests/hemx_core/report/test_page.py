from pathlib import Path

import numpy as np
import pytest

from hemx_core.errors import OutputError
from hemx_core.report import fonts
from hemx_core.report.fonts import (
    NO_GLYPH,
    advances,
    fallback_advances,
    font_path,
    is_in_fallback,
    is_printable,
)
from hemx_core.report.page import LINE_MM, Box, Panel
from tests.factories import blank_page


@pytest.mark.parametrize(("anchor", "start"), [("left", 30.0), ("right", 20.0)])
def test_text_begins_or_ends_at_its_anchor(anchor: str, start: float) -> None:
    page = blank_page()
    width = page.text_width("12.3 mL", 9)
    end = page.text(30, 20, "12.3 mL", 9, anchor=anchor)
    assert page.runs[0].x_mm == pytest.approx(30 - (30 - start) / 10 * width)
    assert end == pytest.approx(page.runs[0].x_mm + width)
    assert page.runs[0].y_mm == 20


def test_a_width_is_the_sum_of_the_characters_widths() -> None:
    page = blank_page()
    assert page.text_width("血腫", 72) == pytest.approx(2 * 25.4), "two full-width characters"
    parts = page.text_width("28.1", 9) + page.text_width(" mL", 9)
    assert page.text_width("28.1 mL", 9) == pytest.approx(parts)
    assert page.text_width("28.1 mL", 18) == pytest.approx(2 * parts)


def test_latin_breaks_between_words_and_japanese_between_characters() -> None:
    page = blank_page()
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
    page = blank_page()
    text = "血腫あり。"
    assert page.wrapped(text, page.text_width("血腫あり", 9) + 0.1, 9) == [text]


def test_a_word_wider_than_the_column_breaks_anywhere() -> None:
    page = blank_page()
    lines = page.wrapped("an intraparenchymal bleed", 12, 9)
    assert "".join(lines).replace(" ", "") == "anintraparenchymalbleed"
    assert all(page.text_width(line, 9) <= 12 for line in lines)
    assert page.wrapped("", 5, 9) == []


def test_what_does_not_fit_ends_with_an_ellipsis() -> None:
    page = blank_page()
    assert page.shortened("山田 太郎", 40, 9) == "山田 太郎"
    short = page.shortened("Wolfeschlegelsteinhausen" * 3, 40, 9)
    assert short.endswith("…")
    assert 35 < page.text_width(short, 9) <= 40


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("山﨑", "山" + NO_GLYPH),
        ("𠮷田", NO_GLYPH + "田"),
        ("1～2", "1~2"),  # the full-width tilde, as Windows writes it
        ("two\nlines\tone\u2028end", "two lines one end"),
        ("a\x00b\x1b[31m", "ab[31m"),
        ("\u202eabc\u2069", "abc"),
        ("Łódź, Đặng, Γιάννης, Иванов", "Łódź, Đặng, Γιάννης, Иванов"),
        ("Z\u030c", "Ž"),
        ("刘洋 김 علي", f"{NO_GLYPH}洋 {NO_GLYPH} {NO_GLYPH * 3}"),
        ("Müller (é)", "Müller (é)"),
    ],
)
def test_a_character_that_the_font_lacks_is_marked(text: str, shown: str) -> None:
    page = blank_page()
    page.text(10, 10, text)
    assert page.runs[0].text == shown
    assert set(shown) <= {*advances(), *fallback_advances()}


def test_what_each_font_is_for() -> None:
    assert not is_in_fallback("é")
    assert is_in_fallback("ź")
    assert is_printable("山田 Ивáн Đặng")
    assert not is_printable("김")
    assert is_printable(f"as printers do: {NO_GLYPH}")
    page = blank_page()
    width = page.text_width("aж", 10)
    assert width == pytest.approx(page.text_width("a", 10) + page.text_width("ж", 10))
    assert [line for line in page.wrapped("длинное слово", 20, 9) if line] == ["длинное", "слово"]


def test_pages_follow_each_other() -> None:
    page = blank_page(title="X", dpi=60)
    second = page.another()
    third = second.another()
    assert list(page.pages) == [page, second, third]
    assert (third.title, third.dpi, third.items) == ("X", 60, [])


def test_rules_and_frames_are_thin_boxes() -> None:
    page = blank_page()
    page.rule(10, 20, 50)
    page.frame(10, 30, 40, 20)
    rule, *edges = page.items
    assert isinstance(rule, Box)
    assert (rule.x_mm, rule.y_mm, rule.width_mm, rule.height_mm) == (10, 20, 40, LINE_MM)
    assert len(edges) == 4
    for edge in edges:
        assert isinstance(edge, Box)
        assert 10 <= edge.x_mm <= edge.x_mm + edge.width_mm <= 50
        assert 30 <= edge.y_mm <= edge.y_mm + edge.height_mm <= 50


def test_a_picture_is_kept_in_rgb() -> None:
    page = blank_page()
    picture = np.zeros((5, 7, 3), np.uint8)
    picture[..., 0] = 200  # blue in BGR
    page.picture(10, 20, picture)
    (panel,) = page.items
    assert isinstance(panel, Panel)
    assert (panel.x_mm, panel.y_mm) == (10, 20)
    assert (panel.rgb == (0, 0, 200)).all()


def test_a_missing_font_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for licence in ("OFL.txt", "DejaVu.txt"):
        assert font_path().with_name(licence).is_file(), "the fonts' licences lie beside them"
    assert font_path(fallback=True).stat().st_size < 200_000
    monkeypatch.setattr(fonts, "FONT_FILE", Path("nowhere", "none.ttf"))
    with pytest.raises(OutputError, match=r"no font none\.ttf"):
        font_path()
