"""Records come back from JSON as they were, and nothing else comes back as a record."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

import pytest

from hemx_core.errors import OutputError
from hemx_core.records import Json, RecordError, converter, from_values, read_values, to_values


class Colour(StrEnum):
    RED = "red"


class Rank(IntEnum):
    FIRST = 1


class Said:
    """A class with a form of its own."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Said) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def to_json(self) -> str:
        return self.text.upper()

    @classmethod
    def from_json(cls, values: str) -> Said:
        return cls(values.lower())


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    share: float

    def __post_init__(self) -> None:
        if self.share < 0:
            raise OutputError("a share below 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    parts: tuple[Part, ...]
    box: tuple[int, float] | None
    colour: Colour
    rank: Rank
    at: datetime | None
    flags: dict[str, bool]
    said: Said
    free: Json = field(default_factory=dict)


WHOLE = Whole(
    parts=(Part("a", 0.1), Part("b", 2)),
    box=(1, 2.5),
    colour=Colour.RED,
    rank=Rank.FIRST,
    at=datetime(2026, 11, 30, 12, 0, 0, 5, tzinfo=UTC),
    flags={"on": True},
    said=Said("word"),
    free={"any": [1, {"deep": None}]},
)


def as_json() -> Json:
    values: Json = json.loads(json.dumps(to_values(WHOLE)))
    return values


def test_a_record_comes_back_as_it_was() -> None:
    assert from_values(Whole, as_json()) == WHOLE
    assert as_json() == {
        "parts": [{"name": "a", "share": 0.1}, {"name": "b", "share": 2}],
        "box": [1, 2.5],
        "colour": "red",
        "rank": 1,
        "at": "2026-11-30T12:00:00.000005+00:00",
        "flags": {"on": True},
        "said": "WORD",
        "free": {"any": [1, {"deep": None}]},
    }


def test_a_number_without_a_point_stays_so() -> None:
    text = '{"name": "b", "share": 2}'
    assert json.dumps(to_values(from_values(Part, json.loads(text)))) == text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"other": 1, "extra": 2}, "unknown extra, other @ Whole"),
        ({"colour": "blue"}, "'blue' is not a valid Colour @ Whole.colour"),
        ({"rank": 2}, "2 is not a valid Rank @ Whole.rank"),
        ({"box": [1]}, r"@ Whole\.box"),
        ({"box": [True, 2.5]}, r"True is not int @ Whole\.box\[0\]"),
        ({"box": "12"}, r"'12' is not a list @ Whole\.box"),
        ({"at": "yesterday"}, r"@ Whole\.at"),
        ({"flags": {"on": 1}}, r"1 is not bool @ Whole\.flags\['on'\]"),
        ({"parts": {}}, r"\{\} is not a list @ Whole\.parts"),
        ({"parts": [None]}, r"None is not an object @ Whole\.parts\[0\]"),
        ({"parts": [{"name": 1, "share": "1"}]}, r"parts\[0\]\.name; .*parts\[0\]\.share"),
        ({"parts": [{"name": "a"}]}, r"missing @ Whole\.parts\[0\]\.share"),
        ({"parts": [{"name": "a", "share": True}]}, r"True is not float"),
        ({"parts": [{"name": "a", "share": -1}]}, r"a share below 0.* @ Whole\.parts\[0\]"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_place(change: Json, told: str) -> None:
    with pytest.raises(RecordError, match=told):
        from_values(Whole, as_json() | change)


@pytest.mark.parametrize("values", [None, [], "text", 1])
def test_what_is_no_object_is_refused(values: Any) -> None:
    with pytest.raises(RecordError, match="is not an object"):
        from_values(Whole, values)


def test_a_copy_that_knows_more_types_reads_them_inside_others() -> None:
    made = converter().copy()
    made.register_structure_hook(float, lambda value, _kind: -value)
    found = read_values(made, Whole, as_json() | {"parts": [{"name": "a", "share": -3.0}]})
    assert found.parts == (Part("a", 3.0),)
    assert from_values(Whole, as_json()) == WHOLE
