"""Free text without what names a patient: names, numbers, dates, places; and descriptions by known words.

nameless_note        a note, each value by what it is
nameless_text        any text: what is known of the patient goes, and what looks like a number of one
nameless_description what people typed at the scanner: stays only where every word is a known one
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import TypeVar

from hemx_core.imaging.folding import fold, fold_character
from hemx_core.imaging.names import HONORIFICS
from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.notes import DESCRIPTIONS, Phrase

REMOVED = "[removed]"

_UNSPACED = "\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
"""Kana, Chinese characters and hangul, which no blanks part into words."""
_RUN = re.compile(rf"(?:(?![{_UNSPACED}])[^\W_])+")
"""Letters and digits without a gap, of scripts that have blanks."""
_PIECES = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])|\d+|[^\W_]")
"""DemoHanako1950 -> Demo, Hanako, 1950."""
_UID = re.compile(r"(?<![\d.])(?!1\.2\.840\.10008\.)\d+(?:\.\d+){4,}(?![\d.])")
_LONG_NUMBER = re.compile(r"(?<!\d)\d{6,}(?!\d)")
_DATE = re.compile(
    r"(?<!\d)(?:1[89]|20)\d\d[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?(?!\d)"
    r"|(?<!\d)\d{1,2}([-/.])\d{1,2}\1(?:1[89]|20)\d\d(?!\d)"
)
_SHAPES = (_UID, _DATE, _LONG_NUMBER)
"""What needs no identity to be known for a person's or a study's own: another UID than the standard's, a
date, a number of six digits and more."""

_LETTERS_OF_A_NAME = 2
_LETTERS_AT_AN_END = 4
_LETTERS_INSIDE = 5
"""Of a part of a name: to go as a word; where it begins or ends a longer word; anywhere in one."""
_DIGITS_OF_AN_ID = 4
"""Shorter ones go as whole words only."""
_MIN_PLACE = 3

Span = tuple[int, int]
Told = TypeVar("Told", bound=Phrase)


def nameless_note(note: Told, *people: SeriesIdentity, keep: frozenset[str] = frozenset()) -> Told:
    """A note or reason without what names a patient; see `Phrase.nameless`.

    Args:
        note: any of reader, preparation, triage or comparison.
        people: who must not be named.
        keep: see `Phrase.nameless`.
    """

    def masked(name: str, text: str) -> str:
        told = nameless_description if name in DESCRIPTIONS else nameless_text
        return told(text, *people)

    return note.nameless(masked, keep=keep)


def nameless_text(text: str, *people: SeriesIdentity) -> str:
    """A text in which names, IDs, UIDs, dates, site and input path of the people are `REMOVED`.

    A name goes as a word of any case, width and accents (underscores, digits and capitals end a word), and
    within a word that is made of the name's parts or holds a long one. Chinese characters, kana and
    hangul go wherever they stand. An ID goes with its prefix, leading zeros and hyphens. UIDs, dates and
    numbers of six digits and more go without being known.

    Args:
        text: a value of a header or an error; not a whole sentence of HEMX, whose words it might tear.
        people: who must not be named.
    """
    folded, places = _folded(text)
    spans: list[Span] = [found.span() for shape in _SHAPES for found in shape.finditer(text)]
    for person in people:
        spans += (_whole(found, places) for found in _of_person(folded, person))
        spans += _names_in_words(text, _name_parts(person.patient_name))
    return _without(text, spans)


def nameless_description(text: str, *people: SeriesIdentity) -> str:
    """A description that names nobody, or `REMOVED` as a whole.

    It stays where each of its words is in `protocol_words.txt` or is a number of up to three digits, a
    single letter, a unit or a kernel, and `nameless_text` finds nothing of the people in it.
    """
    known = not _CHAIN.search(text) and all(map(_is_known, _words(text)))
    return text if known and nameless_text(text, *people) == text else REMOVED


# What is known of a person


def _of_person(folded: str, person: SeriesIdentity) -> Iterator[Span]:
    """Where the folded text names a person's unspaced name, number or place."""
    for part in _name_parts(person.patient_name):
        if _IS_UNSPACED.search(part):
            yield from _found(re.escape(part), folded)
    for number in {person.patient_id, *person.other_ids}:
        for pattern in _number_patterns(number):
            yield from _found(pattern, folded)
    exact = (person.study_uid, person.series_uid, person.site, person.issuer, person.source)
    for value in map(fold, exact):
        if _IS_UNSPACED.search(value):
            yield from _found(re.escape(value), folded)
        elif len(value) >= _MIN_PLACE:
            yield from _found(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", folded)
    birth = re.sub(r"\D", "", person.birth_date)
    if len(birth) >= _DIGITS_OF_AN_ID:
        yield from _found(rf"(?<!\d){birth}(?!\d)", folded)


def _found(pattern: str, folded: str) -> Iterator[Span]:
    return (found.span() for found in re.finditer(pattern, folded))


def _name_parts(name: str) -> frozenset[str]:
    """Folded parts of all groups of a person name, but for honorifics."""
    parts = re.split(r"[\s^=,、・;/()（）-]+", fold(name).replace("'", "").replace("’", ""))
    wanted = frozenset(part.strip(".") for part in parts) - HONORIFICS
    return frozenset(
        part
        for part in wanted
        if len(part) >= (1 if _IS_UNSPACED.search(part) else _LETTERS_OF_A_NAME)
    )


def _number_patterns(number: str) -> Iterator[str]:
    """An ID as a word; a longer one also with other signs between, and its digits behind a prefix."""
    squeezed = re.sub(r"[\W_]", "", fold(number))
    if not squeezed.strip("0"):
        return
    yield rf"(?<![^\W_]){re.escape(fold(number))}(?![^\W_])"
    if len(squeezed) < _DIGITS_OF_AN_ID:
        return
    for core in {squeezed, max(re.findall(r"\d+", squeezed), key=len, default="")}:
        core = core.lstrip("0")
        if len(core) >= _DIGITS_OF_AN_ID:
            spread = r"[\W_]{0,2}".join(map(re.escape, core))
            before = r"(?<!\d)0*" if core[0].isdigit() else ""
            after = r"(?!\d)" if core[-1].isdigit() else ""
            yield before + spread + after


def _names_in_words(text: str, parts: frozenset[str]) -> Iterator[Span]:
    """Words that are a part of the name or are made of such parts."""
    spaced = frozenset(part for part in parts if not _IS_UNSPACED.search(part))
    if not spaced:
        return
    for run in _RUN.finditer(text):
        pieces = {fold(piece) for piece in _PIECES.findall(run[0])}
        words = re.findall(r"[^\W\d_]+", fold(run[0]))
        if spaced & (pieces | set(words)) or any(_holds(word, spaced) for word in words):
            yield run.span()


def _holds(word: str, parts: frozenset[str]) -> bool:
    """Whether a folded word is made of parts of a name, or has a long one within."""
    for part in parts:
        at_an_end = word.startswith(part) or word.endswith(part)
        if len(part) >= _LETTERS_INSIDE and part in word:
            return True
        if len(part) >= _LETTERS_AT_AN_END and at_an_end:
            return True
    return _made_of(word, parts)


def _made_of(word: str, parts: frozenset[str], least: int = 1) -> bool:
    """Whether a word is nothing but such parts of at least so many characters, one after the other."""
    reached = {0}
    for end in range(1, len(word) + 1):
        if any(end - start >= least and word[start:end] in parts for start in reached):
            reached.add(end)
    return len(word) in reached


# Spans of a text


def _folded(text: str) -> tuple[str, list[int]]:
    """The folded text, and of each of its characters the place in the text."""
    pieces = [(place, fold_character(character)) for place, character in enumerate(text)]
    places = [place for place, piece in pieces for _ in piece]
    return "".join(piece for _, piece in pieces), places


def _whole(span: Span, places: list[int]) -> Span:
    """The span of the text itself."""
    return places[span[0]], places[span[1] - 1] + 1


def _without(text: str, spans: Iterable[Span]) -> str:
    """The text with `REMOVED` for each span; spans that touch are one."""
    kept: list[str] = []
    end = 0
    for first, last in sorted(_grown(text, span) for span in spans):
        if first > end or not kept:
            kept += [text[end:first], REMOVED]
        end = max(end, last)
    return "".join([*kept, text[end:]])


def _grown(text: str, span: Span) -> Span:
    """A span with all of the words that it begins and ends in: no prefix and no year of birth stays."""
    first, last = span
    for run in _RUN.finditer(text):
        if run.start() < span[1] and span[0] < run.end():
            first, last = min(first, run.start()), max(last, run.end())
    return first, last


# Words of descriptions


@cache
def protocol_words() -> frozenset[str]:
    """The words that a description may have, folded."""
    lines = files("hemx_core.report").joinpath("protocol_words.txt").read_text("utf-8").splitlines()
    words = " ".join(line for line in lines if not line.startswith("#"))
    return frozenset(re.sub(r"[\W_]", "", fold(word)) for word in words.split())


_NUMBER = re.compile(r"\d{1,3}(?:[.,]\d{1,3})?|1024|2048")
_CHAIN = re.compile(r"\d+(?:[-/.]\d+){2,}")
"""A date or a number in groups, each of which would pass for a thickness."""
_KERNEL = re.compile(r"[bhtusjqidv][rvlfcpeqbs]?\d{2,3}[a-z]{0,2}|fc\d{2}")
"""Siemens H30s, Hr40f; Canon FC26."""


def _words(text: str) -> list[str]:
    """Folded runs of letters and digits; those of an unspaced script apart, decimals together."""
    unspaced = rf"(?:(?=[{_UNSPACED}])\w|[\u3099\u309a])+"
    return re.findall(rf"\d+[.,]\d+|{_RUN.pattern}|{unspaced}", fold(text))


def _is_known(word: str) -> bool:
    words = protocol_words()
    if word in words or _NUMBER.fullmatch(word) or _KERNEL.fullmatch(word):
        return True
    if _IS_UNSPACED.search(word):
        return _made_of(word, words)
    pieces = re.findall(r"\d+|\D+", word)
    if len(pieces) > 1:
        return all(map(_is_known, pieces))
    return len(word) == 1 or _made_of(word, words, _LETTERS_AT_AN_END)
