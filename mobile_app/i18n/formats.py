"""Dates and numbers as each language writes them."""

from __future__ import annotations

from datetime import date, datetime

UNKNOWN = "-"
"""Stands for what is not known. At 13 pixels the font draws neither a dash nor a true minus: hyphens only."""


def date_time(language: str, moment: datetime | None) -> str:
    """A date with its time of day: 24 Nov 2026, 13:05 / 2026年11月24日 13:05.

    A time with a zone is told in the device's zone; one without, such as an acquisition's, as it is.
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
