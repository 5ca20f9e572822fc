"""Records to JSON values and back: one converter for manifest, keys, store, self-tests and data sets.

A record is a frozen dataclass; its form is an object of its fields, in their order. What is read must be
exactly that: no field unknown or missing, every value of the field's type. A number for a `float` may be
written without a point, and stays as it was written, so that a record reads and writes to the same bytes.
A class that is no dataclass and has `to_json` and `from_json` has a form of its own, and keeps it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import is_dataclass
from datetime import datetime
from enum import Enum, IntEnum, StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from hemx_core.errors import HemxError

if TYPE_CHECKING:
    from cattrs import Converter

Json = dict[str, Any]
"""A JSON object."""

T = TypeVar("T")
_PLAIN: dict[type, tuple[type, ...]] = {
    bool: (bool,),
    int: (int,),
    float: (float, int),
    str: (str,),
}
"""Types of a field, and of the values that fit: compared exactly, because True is an int to Python."""


class RecordError(ValueError):
    """Values that are not such a record: which field, and what is wrong with it."""


def parse_json(text: str | bytes) -> Any:
    """JSON whose meaning is one: no key twice in an object, no number that is none, no endless nesting.

    Raises:
        RecordError: anything else.
    """
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse_number, parse_float=_finite
        )
    except RecordError:
        raise
    except RecursionError as error:
        raise RecordError("nested too deeply") from error
    except ValueError as error:
        raise RecordError(str(error)) from error


def _object(pairs: list[tuple[str, Any]]) -> Json:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise RecordError("a key stands twice in an object")
    return made


def _refuse_number(name: str) -> float:
    raise RecordError(f"{name} is no number")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse_number(digits)


def to_values(record: object) -> Any:
    """A record's JSON values."""
    return converter().unstructure(record)


def from_values(kind: type[T], values: object) -> T:
    """The record that the values were made of.

    Args:
        kind: a dataclass.
        values: as `json.loads` gives them.
    Raises:
        RecordError: they do not fit, or the record refuses them.
    """
    return read_values(converter(), kind, values)


def read_values(made: Converter, kind: type[T], values: object) -> T:
    """As `from_values`, with a converter that knows more types."""
    from cattrs import BaseValidationError, transform_error

    try:
        return made.structure(values, kind)
    except (
        BaseValidationError,
        HemxError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
    ) as error:
        raise RecordError("; ".join(transform_error(error, kind.__name__, _told))) from error


@cache
def converter() -> Converter:
    """The one converter; those that need more types copy it."""
    # Imported here: the app's first frame needs no record.
    from cattrs import Converter
    from cattrs.cols import homogenous_tuple_structure_factory
    from cattrs.gen import make_dict_structure_fn

    # The factories take the converter that asks them: a copy with more types, perhaps.
    made = Converter(forbid_extra_keys=True)
    for kind, types in _PLAIN.items():
        made.register_structure_hook(kind, _exactly(kind, types))
    for enum in (Enum, IntEnum, StrEnum):
        made.register_structure_hook(enum, lambda value, kind: kind(value))
    made.register_unstructure_hook(datetime, lambda value: value.isoformat())
    made.register_structure_hook(datetime, lambda value, _kind: datetime.fromisoformat(value))

    @made.register_structure_hook_factory(is_dataclass)
    def of_object(kind: Any, asked: Converter) -> Callable[[Any, Any], Any]:
        inner = make_dict_structure_fn(kind, asked)
        return lambda values, kind: inner(_check(values, (dict,), "an object"), kind)

    @made.register_structure_hook_factory(lambda kind: getattr(kind, "__origin__", None) is tuple)
    def of_list(kind: Any, asked: Converter) -> Callable[[Any, Any], Any]:
        alike = get_args(kind)[-1] is Ellipsis
        inner: Callable[[Any, Any], Any] = (
            homogenous_tuple_structure_factory(kind, asked)
            if alike
            else asked.gen_structure_hetero_tuple(kind)
        )

        def read(values: Any, kind: Any) -> Any:
            # A text or an object would also give values one by one.
            return inner(_check(values, (list, tuple), "a list"), kind)

        return read

    made.register_structure_hook_func(_has_own_form, lambda values, kind: kind.from_json(values))
    made.register_unstructure_hook_func(_has_own_form, lambda record: record.to_json())
    return made


def _has_own_form(kind: Any) -> bool:
    return (
        isinstance(kind, type)
        and hasattr(kind, "to_json")
        and hasattr(kind, "from_json")
        and not is_dataclass(kind)
    )


def _exactly(kind: type, types: tuple[type, ...]) -> Callable[[Any, Any], Any]:
    return lambda value, _kind: _check(value, types, kind.__name__)


def _check(value: Any, types: tuple[type, ...], expected: str) -> Any:
    if type(value) not in types:
        raise TypeError(f"{value!r:.60} is not {expected}")
    return value


def _told(error: BaseException, _kind: type | None) -> str:
    from cattrs import ForbiddenExtraKeysError

    if isinstance(error, ForbiddenExtraKeysError):
        return f"unknown {', '.join(sorted(error.extra_fields))}"
    return "missing" if isinstance(error, KeyError) else str(error)
