"""One file of an input: its name, and how it is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Source:
    """One DICOM file.

    Args:
        name: for messages, relative to what the user gave.
        open: opens it, at its start, seekable; raises OSError where it cannot be read.
        unpacked_bytes: of a zip's member: its size, and what is held in memory while all of it is read;
            None for a file, which is read in place.
        verify: of a zip's member: reads it whole, in pieces, and raises OSError where it is damaged.
    """

    name: str
    open: Callable[[], BinaryIO]
    unpacked_bytes: int | None = None
    verify: Callable[[], None] | None = None


def broken_source(name: str, error: OSError) -> Source:
    """A source that is known to be damaged: it tells so whenever it is opened."""

    def refuse() -> BinaryIO:
        raise error

    return Source(name, refuse)
