"""The fonts of the page: Japanese and Latin, and another one for the letters that the first lacks.

BIZ UDPGothic has JIS X 0208's kana and kanji; the part of DejaVu Sans has Latin with all its accents,
Greek and Cyrillic. What neither has (simplified Chinese, Hangul, Arabic and others) is not printed: of a
person's name another of its groups is shown, see `hemx_core.report.names`.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

import hemx_core
from hemx_core.errors import OutputError
from hemx_core.words.plain import plain

_FOLDER = Path(hemx_core.__file__).resolve().parent / "assets" / "fonts"
FONT_FILE = _FOLDER / "BIZUDPGothic-Regular.ttf"
FALLBACK_FILE = _FOLDER / "DejaVuSans-Subset.ttf"

NO_GLYPH = "〓"
"""Printed for a character that the fonts lack, as Japanese printers do: nothing goes unnoticed."""


def font_path(*, fallback: bool = False) -> Path:
    """Where a font lies, in a checkout and installed alike.

    Raises:
        OutputError: it is not there.
    """
    path = FALLBACK_FILE if fallback else FONT_FILE
    if not path.is_file():
        raise OutputError("no_font", file=path.name)
    return path


@lru_cache(maxsize=1)
def advances() -> dict[str, float]:
    """Width of every character that the first font has, ems.

    Raises:
        OutputError: the font is not there.
    """
    return _advances(font_path())


@lru_cache(maxsize=1)
def fallback_advances() -> dict[str, float]:
    """The same of the other font.

    Raises:
        OutputError: the font is not there.
    """
    return _advances(font_path(fallback=True))


def _advances(path: Path) -> dict[str, float]:
    from fontTools.ttLib import TTFont

    with TTFont(path, lazy=True) as font:
        widths, em = font["hmtx"].metrics, font["head"].unitsPerEm
        return {chr(code): widths[glyph][0] / em for code, glyph in font.getBestCmap().items()}


def advance(character: str) -> float:
    """Width of a printable character, ems."""
    width = advances().get(character)
    return fallback_advances()[character] if width is None else width


def is_in_fallback(character: str) -> bool:
    """Whether a printable character stands in the other font alone."""
    return character not in advances()


def printable(text: str) -> str:
    """The text in characters that the fonts have: a compatible one, or else `NO_GLYPH`.

    Control characters are left out, line ends are blanks.
    """
    return "".join(map(_printable, unicodedata.normalize("NFC", plain(text))))


def is_printable(text: str) -> bool:
    """Whether the fonts have every character of a text, or a compatible one."""
    return NO_GLYPH not in printable(text.replace(NO_GLYPH, ""))


def is_in_first_font(text: str) -> bool:
    """Whether the first font has every character of a text: all that a screen with one font can show."""
    return text.isascii() or all(character in advances() for character in plain(text))


@lru_cache(maxsize=4096)
def _printable(character: str) -> str:
    if _is_known(character):
        return character
    compatible = unicodedata.normalize("NFKC", character)
    return compatible if all(map(_is_known, compatible)) else NO_GLYPH


def _is_known(character: str) -> bool:
    return character in advances() or character in fallback_advances()
