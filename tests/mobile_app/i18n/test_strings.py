from __future__ import annotations

import re
import string
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.core.text import Label

import mobile_app
from hemx_core.report.texts import LANGUAGES as REPORT_LANGUAGES
from mobile_app import theme
from mobile_app.i18n import LANGUAGES, STRINGS, merged
from mobile_app.i18n.formats import date_time, number


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


def test_every_string_of_the_frame_is_used() -> None:
    """Keys of these modules are written out in the source, or built from a prefix that is."""
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for path in Path(mobile_app.__file__).parent.rglob("*")
        if path.suffix in {".py", ".kv"} and path.parent.name != "i18n"
    )
    built = r"app\.(stage|advice)\.|studies\.(state|next|growth|plane|place)\."
    unused = [
        key
        for key in STRINGS
        if key.startswith(("app.", "studies.", "settings.", "lock."))
        and not re.match(built, key)
        and key not in source
        and key.partition(".")[2].rpartition("_")[0] + "_" not in source
        and f'"{key.partition(".")[2]}"' not in source
    ]
    assert set(unused) <= {f"app.{name}" for name in _screens()} | {
        "settings.en",
        "settings.ja",
    }


def _screens() -> tuple[str, ...]:
    from mobile_app.app import SCREENS

    return tuple(SCREENS)


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
