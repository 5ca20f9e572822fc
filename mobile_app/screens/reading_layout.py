"""Which tools of the Reading screen stand where, and what the key slices are called; no Kivy."""

from __future__ import annotations

from collections.abc import Sequence

from hemx_core.report.key_slices import KeySlice
from mobile_app.i18n import text

GROUPS = ("view", "window", "overlay", "correct")
MODES = {"view": ("scroll", "measure"), "window": ("free",), "correct": ("brush", "erase")}
KEYS = tuple(f"key{place}" for place in range(5))

Rows = tuple[tuple[str, ...], ...]
HEAD: tuple[Rows, Rows] = (
    (("view", "window", "overlay", "correct", "hide"),),
    (("view", "window"), ("overlay", "correct"), ("hide",)),
)
"""Names by row: below the slice in portrait, at its side in landscape."""

ROWS: dict[str, tuple[Rows, Rows]] = {
    "view": (
        (("scroll", "measure", "fit"), KEYS),
        (("scroll", "measure"), ("fit",), KEYS[:2], KEYS[2:4], KEYS[4:]),
    ),
    "window": (
        (("brain", "subdural", "stroke", "bone", "free"),),
        (("brain", "subdural"), ("stroke", "bone"), ("free",)),
    ),
    "overlay": (
        (("outline", "outline_opacity", "marker"), ("heat", "heat_opacity")),
        (("outline",), ("outline_opacity",), ("heat",), ("heat_opacity",), ("marker",)),
    ),
    "correct": (
        (("brush", "erase", "radius"), ("undo", "redo", "discard", "network", "save")),
        (("brush", "erase"), ("radius",), ("undo", "redo"), ("discard", "network"), ("save",)),
    ),
}
WIDE = {"outline_opacity": 2.0, "heat_opacity": 3.0, "radius": 1.6}
"""Shares of a row, where others have 1."""


def key_label(language: str, keys: Sequence[KeySlice], place: int, *, in_full: bool) -> str:
    """Number of a key slice and what it shows; empty where there are fewer.

    Args:
        keys: all of them.
        place: which.
        in_full: everything that it shows, or the first and how many more.
    """
    if place >= len(keys):
        return ""
    shows = [text(language, f"reading.key.{code}") for code in keys[place].shows]
    if not shows:
        with_blood = any(one.shows for one in keys)
        told = text(language, f"reading.key.{'blood' if with_blood else 'none'}")
    elif len(shows) == 1 or in_full:
        told = text(language, "reading.list").join(shows)
    else:
        told = text(language, "reading.key.more", first=shows[0], count=len(shows) - 1)
    key = "reading.key_in_full" if in_full else "reading.key"
    return text(language, key, number=keys[place].index + 1, shows=told)
