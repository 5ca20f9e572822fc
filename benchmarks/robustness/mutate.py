"""Damage to bytes, drawn from a seed: what media, transfers, other programs and attackers do to files."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Mapping

Bytes = bytearray
Damage = Callable[[Bytes, random.Random], Bytes]

HOSTILE_BYTES = (0x00, 0x01, 0x1B, 0x20, 0x2E, 0x2F, 0x5C, 0x7F, 0x80, 0xFE, 0xFF)
HOSTILE_WORDS = (0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31)
HOSTILE_NUMBERS = (
    b"0", b"-1", b"1e308", b"1e999", b"nan", b"inf", b"-inf", b"1e-300", b"99999999999999999999",
    b"0.0000001", b"2147483648", b"1\\2\\3", b"1,5", b"+-3", b"", b"\xff\xfe", b"0x10", b"../..",
    b"null", b"[]", b"{}", b'"', b"true", b"1e5", b"4097", b"65537",
)  # fmt: skip
_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d+)?")


def _flip(data: Bytes, rng: random.Random) -> Bytes:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _flips(data: Bytes, rng: random.Random) -> Bytes:
    for _ in range(rng.choice((2, 4, 16, 64))):
        _flip(data, rng)
    return data


def _byte(data: Bytes, rng: random.Random) -> Bytes:
    data[rng.randrange(len(data))] = rng.choice(HOSTILE_BYTES)
    return data


def _word(data: Bytes, rng: random.Random) -> Bytes:
    """A length, a count or an offset, two or four bytes, in either order."""
    form = rng.choice(("<H", ">H", "<L", ">L"))
    size = struct.calcsize(form)
    place = rng.randrange(max(1, len(data) - size))
    value = rng.choice((*HOSTILE_WORDS, len(data), 2**32 - 1, 2**32 - 2))
    data[place : place + size] = struct.pack(form, value % 2 ** (8 * size))
    return data


def _cut(data: Bytes, rng: random.Random) -> Bytes:
    return data[: rng.randrange(len(data))]


def _drop(data: Bytes, rng: random.Random) -> Bytes:
    start = rng.randrange(len(data))
    del data[start : start + rng.choice((1, 2, 16, 512, 4096))]
    return data


def _zeros(data: Bytes, rng: random.Random) -> Bytes:
    start = rng.randrange(len(data))
    end = min(len(data), start + rng.choice((8, 64, 512, 4096)))
    data[start:end] = bytes(end - start)
    return data


def _noise(data: Bytes, rng: random.Random) -> Bytes:
    start = rng.randrange(len(data))
    end = min(len(data), start + rng.choice((2, 16, 128, 1024)))
    data[start:end] = rng.randbytes(end - start)
    return data


def _insert(data: Bytes, rng: random.Random) -> Bytes:
    place = rng.randrange(len(data))
    data[place:place] = rng.randbytes(rng.choice((1, 2, 7, 64, 1024)))
    return data


def _repeat(data: Bytes, rng: random.Random) -> Bytes:
    start = rng.randrange(len(data))
    piece = data[start : start + rng.choice((4, 32, 256, 2048))]
    return data[:start] + piece * rng.choice((2, 2, 5, 40)) + data[start + len(piece) :]


def _move(data: Bytes, rng: random.Random) -> Bytes:
    """A block over another one, as a transfer that mixes its packets up."""
    size = rng.choice((8, 64, 512))
    start, end = (rng.randrange(max(1, len(data) - size)) for _ in range(2))
    data[end : end + size] = data[start : start + size]
    return data


def _number(data: Bytes, rng: random.Random) -> Bytes:
    """A number in text, replaced by one that nobody expects; as long as it was or not."""
    found = list(_NUMBER.finditer(data))
    if not found:
        return _byte(data, rng)
    one, value = rng.choice(found), rng.choice(HOSTILE_NUMBERS)
    if rng.random() < 0.6:  # what counts lengths still fits
        value = value[: len(one[0])].ljust(len(one[0]), rng.choice((b" ", b"0")))
    data[one.start() : one.end()] = value
    return data


DAMAGES: Mapping[str, Damage] = {
    "flip": _flip,
    "flips": _flips,
    "byte": _byte,
    "word": _word,
    "cut": _cut,
    "drop": _drop,
    "zeros": _zeros,
    "noise": _noise,
    "insert": _insert,
    "repeat": _repeat,
    "move": _move,
    "number": _number,
}
_OFTEN = ("flip", "flip", "word", "number")
SHORTENS = ("cut", "drop")
"""Damage that leaves less than there was."""


def mutate(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Damage bytes once, seldom twice.

    Returns:
        The bytes, and the names of what was done.
    """
    names = [rng.choice((*DAMAGES, *_OFTEN)) for _ in range(rng.choice((1, 1, 1, 2)))]
    data = Bytes(content)
    for name in names:
        if data:
            data = DAMAGES[name](data, rng)
    return bytes(data), "+".join(names)
