"""Every code that is used has its sentences, every sentence is used, and no value is missing.

Read off the source: `Note("code", …)`, `Reason("code", …)`, `SomeError("code", …)` and so on.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import hemx_core
import hemx_core.errors
import mobile_app.errors
from hemx_core.errors import HemxError
from hemx_core.imaging.choose import _CRITERIA, GROUNDS
from hemx_core.imaging.grouping import DIFFERENCES
from hemx_core.measure.expansion import DEFINITIONS
from hemx_core.notes import NAMED_BEFORE, Severity
from hemx_core.words import SEPARATOR, english, japanese, placeholders, required

CORE, APP = Path(hemx_core.__file__).parent, Path(mobile_app.errors.__file__).parent
PHRASES = {"Phrase", "Note", "Reason", "Refusal"}
DEVELOPERS = {
    "DatasetError",
    "TrainingError",
    "ExportError",
    "FoldError",
    "DelegationError",
    "ParityError",
    "BenchmarkError",
    "PackagingError",
}
"""Errors that may be English sentences."""
NOT_THE_USERS = ("nn", "data", "training", "phantoms", "commands")
"""Packages of the core that are no part of triage: their errors may be sentences too."""
ERRORS = {
    name
    for module in (hemx_core.errors, mobile_app.errors)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, HemxError)
} - DEVELOPERS
CHECKS = {"_require": 1, "_unusable": 0}
"""Functions that make an error of a code, and where the code stands."""
MADE_OF_PARTS = {f"refused.{code}": {"series", "reason", "rest", "needed"} for code in GROUNDS}
"""Errors whose code is put together, with the values that are given."""
UNNAMED = {
    "extras_failed",
    "stored",
    "unexpected",
    *(f"term.{one.code}" for one in DEFINITIONS),
    *(code for code, _ in _CRITERIA),
    *DIFFERENCES,
    *(code for code in english.SENTENCES if code.startswith("term.")),
}
"""Codes that are not written where they are used."""


@dataclass(frozen=True)
class Use:
    """One place that says something."""

    place: str
    name: str
    codes: tuple[str, ...]
    given: frozenset[str]
    severity: str | None


def _constants(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.IfExp):
        return (*_constants(node.body), *_constants(node.orelse))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    return ()


def uses_in(source: str, place: str) -> Iterator[Use]:
    """Every phrase and error that a module makes with a code of its own."""
    tree = ast.parse(source)
    assigned = {
        node.targets[0].id: _constants(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in PHRASES | ERRORS | CHECKS.keys():
            continue
        first = node.args[CHECKS.get(name, 0)]
        codes = assigned.get(first.id, ()) if isinstance(first, ast.Name) else _constants(first)
        sentence = isinstance(first, ast.JoinedStr)
        severity = getattr(node.args[1], "attr", None) if name == "Note" else None
        given = frozenset(one.arg for one in node.keywords if one.arg)
        if (codes or sentence) and codes != ("stored",):
            yield Use(f"{place}:{node.lineno}", name, codes, given, severity)


@cache
def uses() -> tuple[Use, ...]:
    """Of the core and the app, but for what only developers run."""
    found: list[Use] = []
    for root in (CORE, APP):
        for path in sorted(root.rglob("*.py")):
            inside = path.relative_to(root).parts
            if inside[0] not in NOT_THE_USERS or root is APP:
                found += uses_in(path.read_text("utf-8"), f"{root.name}/{'/'.join(inside)}")
    return tuple(found)


def template(table: object, code: str) -> tuple[str, ...]:
    """Sentences of a code: one of a phrase, three of an error."""
    sentences: dict[str, str] = vars(table)["SENTENCES"]
    errors: dict[str, str] = vars(table)["ERRORS"]
    return (sentences[code],) if code in sentences else tuple(errors[code].split(SEPARATOR))


def fields(told: tuple[str, ...]) -> list[set[str]]:
    """Values of each sentence, and those that each cannot do without."""
    return [names(one) for one in told for names in (placeholders, required)]


def test_both_languages_have_the_same_codes_with_the_same_values() -> None:
    for name in ("SENTENCES", "ERRORS", "SEVERITIES"):
        assert vars(english)[name].keys() == vars(japanese)[name].keys()
    assert english.SENTENCES.keys() & english.ERRORS.keys() == set()
    for code in (*english.SENTENCES, *english.ERRORS):
        assert fields(template(english, code)) == fields(template(japanese, code)), code


def test_every_stored_sentence_can_be_told_without_names_and_in_japanese() -> None:
    assert (
        english.STORED.keys() == NAMED_BEFORE < japanese.STORED.keys() <= japanese.SENTENCES.keys()
    )
    for told in (*english.STORED.values(), *japanese.STORED.values()):
        assert not placeholders(told)


def test_japanese_sentences_are_japanese() -> None:
    for code, told in japanese.SENTENCES.items():
        assert any(ord(character) > 0x3000 for character in told) or told.startswith("{"), code
    for code in japanese.ERRORS:
        found = template(japanese, code)[0]
        assert any(ord(one) > 0x3000 for one in found), code


def test_every_use_has_its_sentences_and_all_their_values() -> None:
    assert len(uses()) > 100, "the search finds the places"
    wrong = []
    for use in uses():
        if not use.codes:
            wrong.append(f"{use.place}: {use.name} is made of a sentence")
        known: set[str] = set()
        for code in use.codes:
            try:
                told = template(english, code)
            except KeyError:
                wrong.append(f"{use.place}: no sentence for {code!r}")
                continue
            known = known.union(*map(placeholders, told))
            needed = set().union(*map(required, told))
            if needed - use.given:
                wrong.append(f"{use.place}: {code} without {needed - use.given}")
        if known and use.given - known:
            wrong.append(f"{use.place}: {use.given - known} is not told")
    assert wrong == []


def test_every_note_has_a_severity() -> None:
    notes = [use for use in uses() if use.name == "Note"]
    assert len(notes) > 40
    valid = {one.name for one in Severity}
    assert [use.place for use in notes if use.severity not in valid] == []
    assert {one.value for one in Severity} == english.SEVERITIES.keys()


def test_every_sentence_is_used() -> None:
    used = {code for use in uses() for code in use.codes} | set(MADE_OF_PARTS) | set(GROUNDS)
    text = "".join(path.read_text("utf-8") for path in (CORE / "imaging").glob("*.py"))
    used |= {code for code in english.SENTENCES if f'"{code}"' in text}
    unused = {*english.SENTENCES, *english.ERRORS} - used - UNNAMED
    assert sorted(code for code in unused if not code.startswith("os.")) == []


MOST_WORDS, MOST_CHARACTERS = 20, 64
"""Of a sentence, a value counted as one."""


def test_notes_are_short_sentences() -> None:
    """What a clinician reads in a hurry: no sentence runs on behind colons, semicolons and commas."""
    codes = {code for use in uses() if use.name in {"Note", "Reason"} for code in use.codes}
    assert len(codes) > 60
    long = []
    for code in sorted(codes):
        english_told = re.sub(r"\{[^}]*\}", "X", english.SENTENCES[code])
        for sentence in re.split(r"[.?!](?=[\s\[\]]|$)", english_told):
            if len(sentence.split()) > MOST_WORDS:
                long.append((code, sentence))
        japanese_told = re.sub(r"\{[^}]*\}", "X", japanese.SENTENCES[code])
        long += [(code, one) for one in japanese_told.split("。") if len(one) > MOST_CHARACTERS]
    assert long == []


def test_a_refusal_gives_its_error_all_values() -> None:
    for code, given in MADE_OF_PARTS.items():
        for told in template(english, code):
            assert required(told) <= given


@pytest.mark.parametrize(
    ("source", "codes", "given"),
    [
        ('raise InputError("a", x=1)', ("a",), {"x"}),
        ('code = "a" if y else "b"\nraise errors.InputError(code)', ("a", "b"), set()),
        ('raise InputError(f"{x} is wrong")', (), set()),
    ],
)
def test_the_search_finds_codes(source: str, codes: tuple[str, ...], given: set[str]) -> None:
    (use,) = uses_in(source, "here")
    assert (use.codes, use.given) == (codes, given)
