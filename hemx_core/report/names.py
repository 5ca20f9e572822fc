"""A DICOM person name for people: the group of it that can be shown."""

from __future__ import annotations

from collections.abc import Callable

from hemx_core.report.fonts import NO_GLYPH, is_printable, printable


def shown_name(name: str, language: str, *, can_show: Callable[[str], bool] = is_printable) -> str:
    """A DICOM person name for people: alphabetic=ideographic=phonetic (PS3.5 6.2.1.2).

    Japanese shows the ideographic group where there is one, with the phonetic one in brackets. A group
    that cannot be shown gives way to the next one.

    Args:
        name: as the file has it.
        language: "en" or "ja".
        can_show: whether the fonts have all of a text.
    Returns:
        Empty where there is no name, or none of its groups can be shown.
    """
    groups = [" ".join(part for part in group.split("^") if part) for group in name.split("=")]
    alphabetic, ideographic, phonetic = (*groups, "", "", "")[:3]
    told = [alphabetic, ideographic, phonetic]
    if language == "ja":
        both = f"{ideographic}（{phonetic}）" if ideographic and phonetic else ""
        told = [both, ideographic, phonetic, alphabetic] if ideographic else told
    shown = [one for one in told if one and can_show(one)]
    return shown[0] if shown else _with_gaps(ideographic) if language == "ja" else ""


def _with_gaps(ideographic: str) -> str:
    """A name of which a few kanji are missing, with their marks; empty where most of it is."""
    marked = printable(ideographic)
    return marked if 2 * marked.count(NO_GLYPH) < len(marked) else ""
