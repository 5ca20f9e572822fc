from __future__ import annotations

import string
from datetime import UTC, datetime

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.core.text import Label

from hemx_core.words.report import LANGUAGES as REPORT_LANGUAGES
from mobile_app import theme
from mobile_app.i18n import LANGUAGES, STRINGS, date_time, merged, number


def test_both_languages_fill_the_same_placeholders() -> None:
    def names(told: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(told) if name}

    for key, (english, japanese) in STRINGS.items():
        assert english, key
        assert names(english) == names(japanese), key


def test_languages_are_the_reports() -> None:
    assert LANGUAGES == REPORT_LANGUAGES


def test_a_key_in_two_modules_is_refused() -> None:
    one = {"a.x": ("x", "x")}
    assert merged([one, {"b.x": ("y", "y")}]) == {"a.x": ("x", "x"), "b.x": ("y", "y")}
    with pytest.raises(ValueError, match=r"a\.x"):
        merged([one, one])


def _ink(character: str, size: int) -> bool:
    # As the app draws it: at small sizes thin glyphs vanish between two rows of pixels.
    label = Label(text=character, font_size=size, font_name=str(theme.FONT))
    label.refresh()
    return max(label.texture.pixels[3::4]) > 100


@pytest.mark.parametrize("size", [13, 15, 21])
def test_every_character_is_drawn(size: int) -> None:
    assert _ink("A", size)
    assert not _ink("\u2212", 13), "the check must find what is not drawn"
    used = {one for pair in STRINGS.values() for told in pair for one in told}
    used |= set(number("ja", -1234.5, 1) + date_time("ja", None))
    assert sorted(one for one in used if not one.isspace() and not _ink(one, size)) == []


def test_dates_by_language() -> None:
    moment = datetime(2026, 11, 4, 9, 5)
    assert date_time("en", moment) == "4 Nov 2026, 09:05"
    assert date_time("ja", moment) == "2026年11月4日 09:05"
    assert date_time("en", None) == "-"


def test_a_stored_time_is_told_in_the_devices_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert date_time("en", datetime(2026, 11, 4, 20, 0, tzinfo=UTC)) == "5 Nov 2026, 05:00"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("value", "digits", "told"),
    [(0.0, 0, "0"), (-0.04, 1, "0.0"), (-10, 0, "-10"), (12345.678, 2, "12,345.68")],
)
def test_numbers(value: float, digits: int, told: str) -> None:
    assert number("en", value, digits) == number("ja", value, digits) == told


def test_an_unknown_number() -> None:
    assert number("en", None) == "-"
