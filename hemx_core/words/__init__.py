"""What HEMX says, in English and Japanese: sentences made of codes with values.

`english` and `japanese` hold the sentences, `report` the referral's labels. A sentence is a
`str.format` template of its values, with four additions:

| written | told |
| --- | --- |
| `[, {more} more]` | nothing, where a value of it is missing; `[[` is a bracket |
| `{count:slice|slices}` | the first word for 1, the second otherwise; the number is not told |
| `{marker:term}` | the name that the tables have for it, as `term.blend` |
| `{series:first}` | with a capital letter |
| `{first:expected}`, `{first:remedy}` | what another error expected, and what to do about it |

Values are told without control characters. A phrase within a phrase is told in the same language, a list
with the language's comma, or with what stands in its format: `{parts:; }`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any, Literal, get_args

from hemx_core.notes import SENTENCE, Note, Phrase
from hemx_core.words import english, japanese
from hemx_core.words.plain import plain

Language = Literal["en", "ja"]
LANGUAGES: tuple[str, ...] = get_args(Language)

_TABLES = {"en": english, "ja": japanese}
SEPARATOR = " | "
"""Between the parts of an error's sentences."""

_OPTIONAL = re.compile(r"(?<!\[)\[(?!\[)([^\[\]]*)\]")


def tell(phrase: Phrase, language: str = "en") -> str:
    """The sentence of a code with values.

    Args:
        phrase: a note, reason, refusal or part of one; an error's `phrase` tells what was found.
        language: "en" or "ja".
    Raises:
        KeyError: no such code or language, or a value is missing.
    """
    if SENTENCE in phrase.values:
        return _tell_stored(phrase.code, str(phrase.values[SENTENCE]), language)
    table = _TABLES[language]
    template: str = table.SENTENCES.get(phrase.code) or table.ERRORS[phrase.code]
    template = template.partition(SEPARATOR)[0]
    return fill(template, phrase.values, language)


def _tell_stored(code: str, sentence: str, language: str) -> str:
    """An English sentence of before; in Japanese, and where it is withheld, the general one of its code."""
    general = _TABLES[language].STORED.get(code, "")
    told = sentence or general if language == "en" else general or sentence
    return plain(told)


def tell_labelled(note: Note, language: str = "en") -> str:
    """A note's sentence behind the word for its severity, as all outputs show it."""
    return fill(
        _TABLES[language].SEVERITIES[note.severity.value],
        {"note": tell(note, language)},
        language,
    )


def tell_error(code: str, values: Mapping[str, Any], language: str = "en") -> tuple[str, str, str]:
    """What was found, what was expected and what to do, of an error's code with its values.

    A code that the tables do not have is a sentence itself, with `expected` and `remedy` as values.
    """
    if not is_error_code(code):
        return code, values.get("expected", ""), values.get("remedy", "")
    found, expected, remedy = _TABLES[language].ERRORS[code].split(SEPARATOR)
    return (
        fill(found, values, language),
        fill(expected, values, language),
        fill(remedy, values, language),
    )


def is_code(code: str) -> bool:
    """Whether the tables have a phrase's sentence."""
    return code in english.SENTENCES


def is_error_code(code: str) -> bool:
    """Whether the tables have an error's sentences."""
    return code in english.ERRORS


def fill(template: str, values: Mapping[str, Any], language: str) -> str:
    """Fill a template; see the module's description.

    Raises:
        KeyError: a value is missing outside of brackets.
    """

    def optional(found: re.Match[str]) -> str:
        known = all(values.get(name) not in (None, "", ()) for name in placeholders(found[1]))
        return found[1] if known else ""

    chosen = _OPTIONAL.sub(optional, template).replace("[[", "[")
    return _Formatter(language).vformat(chosen, (), values)


def placeholders(template: str) -> set[str]:
    """Names of the values that a template is filled with."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def required(template: str) -> set[str]:
    """Those that it cannot do without."""
    return placeholders(_OPTIONAL.sub("", template))


class _Formatter(string.Formatter):
    """Formats values in a language: phrases, lists, numbers and terms."""

    def __init__(self, language: str) -> None:
        self.language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "first":
            told = self.format_field(value, "")
            return told[:1].upper() + told[1:]
        if isinstance(value, Phrase):
            if format_spec in ("expected", "remedy"):
                parts = tell_error(value.code, value.values, self.language)
                return parts[1 if format_spec == "expected" else 2]
            return tell(value, self.language)
        if isinstance(value, tuple):
            return self._list(value, format_spec)
        if format_spec == "term":
            return str(_TABLES[self.language].SENTENCES[f"term.{value}"])
        if "|" in format_spec:
            single, several = format_spec.split("|")
            return single if value == 1 else several
        if isinstance(value, str):
            value = plain(value)
        if isinstance(value, float) and not format_spec:
            format_spec = "g"
        return str(super().format_field(value, format_spec))

    def _list(self, values: tuple[Any, ...], spec: str) -> str:
        inner, comma = ("term", "") if spec == "term" else ("", spec)
        separator = comma or _TABLES[self.language].COMMA
        return separator.join(self.format_field(value, inner) for value in values)
