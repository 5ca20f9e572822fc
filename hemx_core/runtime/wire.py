"""What crosses between the app and the process that runs the programs: a header, a text, arrays.

    header    magic, kind, number of a program, bytes of the text, bytes of the arrays
    text      JSON: what to open, or an error; empty where nothing is said
    arrays    C order, one behind the other; both sides know their shapes from the `ProgramSpec`

Nothing is unpickled. Reading and writing a pipe lets other threads run.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from hemx_core.errors import (
    BackendError,
    HemxError,
    IntegrityError,
    ManifestError,
    ModelInputError,
    cause,
)
from hemx_core.manifest import TensorSpec
from hemx_core.notes import Phrase
from hemx_core.runtime.program import Array

MAGIC = b"HXP1"
HEADER = struct.Struct("<4sBxxxIIQ")
LARGEST_TEXT = 2**20
ERRORS: dict[str, type[HemxError]] = {
    error.__name__: error
    for error in (BackendError, IntegrityError, ManifestError, ModelInputError)
}
"""What a runtime raises; anything else comes back as a BackendError."""


class Kind(IntEnum):
    """What a message asks or answers."""

    READY = 1
    OPEN = 2
    RUN = 3
    CLOSE = 4
    DONE = 5
    FAILED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message without its arrays, which are still to be read.

    Args:
        kind: what it asks or answers.
        program: number of the program that it is about; 0 for none.
        text: what its JSON holds.
        size: bytes of the arrays behind it.
    """

    kind: Kind
    program: int
    text: Any
    size: int


def send(
    descriptor: int,
    kind: Kind,
    *,
    program: int = 0,
    text: Any = None,
    arrays: Sequence[Array] = (),
) -> None:
    """Write one message.

    Args:
        descriptor: of a pipe.
        kind: see `Kind`.
        program: see `Message`.
        text: what JSON can hold; None writes none.
        arrays: in C order.
    Raises:
        OSError: nobody reads.
    """
    said = b"" if text is None else json.dumps(text).encode()
    size = sum(array.nbytes for array in arrays)
    # One write: a header by itself would wake the other side twice.
    _write(descriptor, HEADER.pack(MAGIC, kind, program, len(said), size) + said)
    for array in arrays:
        _write(descriptor, _bytes_of(array))


def receive(descriptor: int) -> Message:
    """Read a message up to its arrays.

    Raises:
        EOFError: the other side has ended.
        ValueError: what came is no message.
    """
    head = bytearray(HEADER.size)
    _fill(descriptor, memoryview(head))
    magic, kind, program, length, size = HEADER.unpack(head)
    if magic != MAGIC or length > LARGEST_TEXT:
        raise ValueError(f"a message that starts with {bytes(head)!r}")
    said = bytearray(length)
    _fill(descriptor, memoryview(said))
    text = json.loads(said) if length else None
    return Message(kind=Kind(kind), program=program, text=text, size=size)


def receive_arrays(descriptor: int, message: Message, arrays: Sequence[Array]) -> None:
    """Read a message's arrays into arrays of the right shapes, in C order.

    Raises:
        EOFError: the other side has ended.
        ValueError: another number of bytes was sent.
    """
    expected = sum(array.nbytes for array in arrays)
    if message.size != expected:
        raise ValueError(f"{message.size} bytes of arrays instead of {expected}")
    for array in arrays:
        _fill(descriptor, _bytes_of(array))


def empty_arrays(specs: Iterable[TensorSpec]) -> tuple[Array, ...]:
    """Arrays to read into."""
    return tuple(np.empty(spec.shape, np.dtype(spec.dtype)) for spec in specs)


def error_text(error: Exception) -> dict[str, Any]:
    """An error's kind, code and values."""
    if not isinstance(error, HemxError):
        error = BackendError("runtime_failed", kind=type(error).__name__, reason=cause(error))
    return {"error": type(error).__name__, **Phrase(error.code, **error.values).to_json()}


def error_of(text: dict[str, Any]) -> HemxError:
    """The error from the text that `error_text` made."""
    said = Phrase.from_json(text)
    return ERRORS.get(text["error"], BackendError)(said.code, **said.values)


def _bytes_of(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _write(descriptor: int, content: bytes | memoryview) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _fill(descriptor: int, space: memoryview) -> None:
    while space:
        count = os.readv(descriptor, [space])
        if not count:
            raise EOFError("the pipe has ended")
        space = space[count:]
