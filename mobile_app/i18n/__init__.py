"""Every string of the screens, English and Japanese; results use those of the referral.

Each module has its `STRINGS`; this one merges them, and writes dates and numbers. Plain tables and
not gettext: the tablet needs no compiled catalogue.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from importlib import import_module

LANGUAGES: tuple[str, ...] = ("en", "ja")
"""As `hemx_core.words.report` has them; a test holds the two together."""

Table = Mapping[str, tuple[str, str]]


def merged(tables: Iterable[Table]) -> dict[str, tuple[str, str]]:
    """All tables as one.

    Raises:
        ValueError: a key stands in two of them.
    """
    strings: dict[str, tuple[str, str]] = {}
    for table in tables:
        if twice := strings.keys() & table.keys():
            raise ValueError(f"strings that stand in two modules: {', '.join(sorted(twice))}")
        strings |= table
    return strings


def _tables() -> Iterable[Table]:
    for module in pkgutil.iter_modules(__path__):
        yield getattr(import_module(f"{__name__}.{module.name}"), "STRINGS", {})


STRINGS: dict[str, tuple[str, str]] = merged(_tables())


def text(language: str, key: str, **named: object) -> str:
    """The string of a key in a language, its placeholders filled.

    Raises:
        ValueError: no such language.
        KeyError: no such string.
    """
    return STRINGS[key][LANGUAGES.index(language)].format(**named)


UNKNOWN = "-"
"""Stands for what is not known. At 13 pixels the font draws neither a dash nor a true minus: hyphens only."""


def date_time(language: str, moment: datetime | None) -> str:
    """A date with its time of day: 24 Nov 2026, 13:05 / 2026年11月24日 13:05.

    A time with a zone is shown in the device's zone; one without, such as an acquisition's, unchanged.
    """
    if moment is None:
        return UNKNOWN
    if moment.tzinfo is not None:
        moment = moment.astimezone()
    clock = f"{moment:%H:%M}"
    return (
        f"{day(language, moment)} {clock}"
        if language == "ja"
        else f"{day(language, moment)}, {clock}"
    )


def day(language: str, moment: date | None) -> str:
    """A date: 24 Nov 2026 / 2026年11月24日. Months by name: 4/5 is two days in two countries."""
    if moment is None:
        return UNKNOWN
    if language == "ja":
        return f"{moment.year}年{moment.month}月{moment.day}日"
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def number(language: str, value: float | None, digits: int = 0) -> str:
    """A number with so many decimals, thousands apart, never "-0".

    The minus is a hyphen: the true one (U+2212) vanishes at 13 pixels, and -10 would read as 10.
    """
    if value is None:
        return UNKNOWN
    told = f"{value:,.{digits}f}"
    # Both languages write 1,234.5; the language stays an argument for those that do not.
    return told[1:] if told.startswith("-") and float(told.replace(",", "")) == 0 else told


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
