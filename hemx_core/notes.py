"""What HEMX has to say, as data: a code with values; `hemx_core.words` makes the sentences of it.

| class | says |
| --- | --- |
| `Phrase` | part of another one, such as a series' name in the note on its choice |
| `Note` | a warning, a limit or a fact that travels with the data, with its severity |
| `Reason` | why triage advises what it advises |
| `Refusal` | why a series is not read |

Errors (`hemx_core.errors`) are codes with values too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self, Union

Value = Union[bool, int, float, str, "Phrase", tuple["Value", ...]]

NAMING = frozenset({"patient", "at", "file", "files", "folder", "path"})
"""Values of these names may name a patient, a date or files: `Phrase.nameless` leaves them out."""

FILES = frozenset({"file", "files", "folder", "path"})
"""Those of them that a person at the computer must know."""

DESCRIPTIONS = frozenset({"description", "agent"})
"""Values of these names are what people typed at the scanner: nameless, they stay by known words only."""

TERMS = frozenset({"extra", "facts", "marker", "met", "now", "plane", "record", "was", "what"})
"""Values of these names are codes that the tables have terms for: they name nobody and go through no mask."""

SENTENCE = "sentence"
"""Name of a value that is shown unchanged: in records made before codes had values."""


NAMED_BEFORE = frozenset(
    {
        "several_patients",
        "several_studies",
        "unreadable_files",
        "missing_files",
        "duplicate_slices",
        "duplicate_slices_differ",
        "unreadable_slices",
    }
)
"""Notes whose stored sentences name a patient, a date or files: nameless they become general ones."""


class Severity(StrEnum):
    """How grave a note is."""

    INFO = "info"
    """A fact about how the data was read."""
    CAUTION = "caution"
    """A limit of the measurement."""
    WARNING = "warning"
    """The result may be wrong, or of another patient."""

    @property
    def rank(self) -> int:
        """Place in a list, the most severe first."""
        return (Severity.WARNING, Severity.CAUTION, Severity.INFO).index(self)


class Phrase:
    """A code with values, immutable; equal where both are.

    Args:
        code: stable; a key of the tables in `hemx_core.words`.
        values: what the sentence is filled with. None stands for nothing: it is left out.
    """

    __slots__ = ("code", "values")

    code: str
    values: Mapping[str, Value]

    def __init__(self, code: str, /, **values: Value | None) -> None:
        # A NumPy number is stored and told as the Python number that it is.
        known = {n: getattr(v, "item", lambda v=v: v)() for n, v in values.items() if v is not None}
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "values", MappingProxyType(known))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def _key(self) -> tuple[object, ...]:
        return self.code, frozenset(self.values.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Phrase) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        told = [repr(self.code), *(f"{name}={value!r}" for name, value in self.values.items())]
        return f"{type(self).__name__}({', '.join(told)})"

    def __reduce__(self) -> tuple[Callable[..., Phrase], tuple[type[Phrase], dict[str, Any]]]:
        return _again, (type(self), self.to_json())

    def _with(self, values: Mapping[str, Value]) -> Self:
        """The same with other values."""
        return type(self)(self.code, **values)

    def nameless(
        self, mask: Callable[[str, str], str], *, keep: frozenset[str] = frozenset()
    ) -> Self:
        """The phrase without what may name a patient.

        Values that are named in `NAMING` are left out. So is a phrase within the phrase that has
        one, however deep: its sentence needs it. All other texts but `TERMS` go through the mask.

        Args:
            mask: given a value's name and its text, takes names out of the text.
            keep: names of `NAMING` whose values go through the mask instead.
        """
        if SENTENCE in self.values and self.code in NAMED_BEFORE:
            return self._with({SENTENCE: ""})
        left_out = NAMING - keep
        kept = {name: value for name, value in self.values.items() if name not in left_out}
        masked = {name: _nameless(name, value, mask, keep) for name, value in kept.items()}
        return self._with({name: value for name, value in masked.items() if value is not None})

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` makes an equal phrase of them."""
        return {"code": self.code, "values": {n: _plain(v) for n, v in self.values.items()}}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        return cls(document["code"], **_values(document["values"]))


class Note(Phrase):
    """A warning, a limit or a fact that travels with the data.

    Args:
        code: see `Phrase`.
        severity: how grave it is.
        values: see `Phrase`.
    """

    __slots__ = ("severity",)

    severity: Severity

    def __init__(self, code: str, severity: Severity, /, **values: Value | None) -> None:
        super().__init__(code, **values)
        object.__setattr__(self, "severity", Severity(severity))

    def _key(self) -> tuple[object, ...]:
        return *super()._key(), self.severity

    def __repr__(self) -> str:
        told = f"{self.code!r}, {self.severity.value!r}"
        return super().__repr__().replace(repr(self.code), told, 1)

    def _with(self, values: Mapping[str, Value]) -> Self:
        return type(self)(self.code, self.severity, **values)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` makes an equal note of them."""
        return {"severity": self.severity.value, **super().to_json()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`; also reads records of before: a code with a sentence."""
        if "message" in document:
            sentence = document["message"].removeprefix("WARNING: ")
            grave = sentence != document["message"]
            severity = Severity.WARNING if grave else Severity.CAUTION
            return cls(document["code"], severity, sentence=sentence)
        severity = Severity(document["severity"])
        return cls(document["code"], severity, **_values(document["values"]))


class Reason(Phrase):
    """Why triage advises what it advises."""

    __slots__ = ()

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | str) -> Self:
        """Inverse of `to_json`; also reads records of before: a sentence."""
        if isinstance(document, str):
            return cls("stored", sentence=document)
        return super().from_json(document)


class Refusal(Phrase):
    """Why a series is not read."""

    __slots__ = ()


def gravest_first(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Warnings, then cautions, then facts; each in their order."""
    return tuple(sorted(notes, key=lambda note: note.severity.rank))


def first_of(told: Sequence[Value], most: int) -> tuple[Value, ...]:
    """The first of a list, with how many more there are."""
    more = len(told) - most
    return (*told[:most], Phrase("more", count=more)) if more > 0 else tuple(told)


def _nameless(
    name: str, value: Value, mask: Callable[[str, str], str], keep: frozenset[str]
) -> Value | None:
    if isinstance(value, str):
        return value if name in TERMS else mask(name, value)
    if isinstance(value, Phrase):
        nameless = value.nameless(mask, keep=keep)
        return nameless if nameless.values.keys() == value.values.keys() else None
    if isinstance(value, tuple):
        masked = (_nameless(name, part, mask, keep) for part in value)
        return tuple(part for part in masked if part is not None)
    return value


def _plain(value: Value) -> Any:
    if isinstance(value, Phrase):
        return value.to_json()
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _values(document: Mapping[str, Any]) -> dict[str, Value]:
    return {name: _value(value) for name, value in document.items()}


def _value(plain: Any) -> Value:
    if isinstance(plain, dict):
        return Phrase.from_json(plain)
    if isinstance(plain, list):
        return tuple(_value(part) for part in plain)
    known: Value = plain
    return known


def _again(kind: type[Phrase], document: dict[str, Any]) -> Phrase:
    return kind.from_json(document)
