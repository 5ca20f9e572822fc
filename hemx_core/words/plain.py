"""Texts that came from files, fit to be shown: without what steers a terminal, a page or a reader's eye."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_JOINERS = "\u200c\u200d"
"""Zero-width, but letters of some scripts need them."""
_SUSPECT = re.compile(r"[^ -~\u00a1-\u00ac\u00ae-\u05ff\u3000-\ud7ff\uff01-\uffef]")
"""What has to be looked at one by one; most texts have none of it."""


def plain(text: str) -> str:
    """A text without control characters, in one line.

    Gone are control characters (so no terminal escape works), and format characters such as those that
    turn the direction of writing; line ends, tabs and other separators are blanks; what a file's name
    holds beyond Unicode is a question mark.
    """
    return _SUSPECT.sub(lambda found: _plain(found[0]), text)


@lru_cache(maxsize=1024)
def _plain(character: str) -> str:
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category == "Cs":
        return "?"
    return "" if category == "Cc" or (category == "Cf" and character not in _JOINERS) else character


def escaped(json_text: str) -> str:
    """A JSON document in which these characters stand as escapes, but for its own blanks and line ends."""
    return _SUSPECT.sub(lambda found: _escape(found[0]), json_text)


def _escape(character: str) -> str:
    if character in "\n\u00a0" or _plain(character) == character:
        return character
    return "".join(f"\\u{unit:04x}" for unit in _utf16(character))


def _utf16(character: str) -> list[int]:
    raw = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
