"""Whether the compressed stream of a slice is whole, and of the picture that the header promises.

Decoders fill what a cut stream lacks with zeros and say nothing. So the stream is walked first, marker
by marker, and what only its bits can tell is proved by decoding them once more with other data behind.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from pydicom.uid import (
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from hemx_core.imaging.lossless import LosslessCode
from hemx_core.notes import Phrase


class DamageError(ValueError):
    """What is wrong with a stream, as a phrase: 'the compressed data ends before the picture does'."""

    def __init__(self, phrase: Phrase) -> None:
        self.phrase = phrase
        super().__init__(phrase.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the header says of one frame."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int

    def check(self, rows: int, columns: int, samples: int, precision: int) -> None:
        """Compare with what a stream says of itself; 0 rows or columns: it does not say.

        Raises:
            DamageError: they differ.
        """
        if rows not in (0, self.rows) or columns not in (0, self.columns):
            raise DamageError(
                Phrase(
                    "stream.size",
                    rows=rows,
                    columns=columns,
                    header_rows=self.rows,
                    header_columns=self.columns,
                )
            )
        if samples != self.samples or precision > self.bits_allocated:
            raise DamageError(Phrase("stream.format", samples=samples, bits=precision))


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A stream that has its end, as it is handed to a decoder.

    Args:
        data: must decode.
        other: must decode to the same picture: the same bits with other data behind them. A stream that
            is too short takes its last pixels from there. None: nothing to compare.
        less: must not decode to the same picture: the last bytes are gone. If it does, they were not
            needed, and the bits before them lost their step. None: nothing to compare.
        spare: the same without a last zero byte, which some encoders write before the end marker and strict
            decoders refuse; None where there is none.
        invalid_behind: behind the bits of `data` comes what no code begins with, so that a decoder that
            tells of invalid codes refuses a stream that is too short by itself.
        code: counts the bits that the decoded picture takes; if it fits, `other` and `less` need no look.
        ended: the stream had its end marker; where it had not, `data` has one.
    """

    data: bytes
    other: bytes | None = None
    less: bytes | None = None
    spare: bytes | None = None
    invalid_behind: bool = False
    code: LosslessCode | None = None
    ended: bool = True


def check_stream(syntax: str, frame: bytes, picture: Picture) -> Whole:
    """Walk the stream of one frame.

    Args:
        syntax: transfer syntax UID.
        frame: all fragments of the frame, joined.
        picture: what the header says.
    Raises:
        DamageError: it is cut, breaks the rules of its format, or holds another picture.
    """
    walkers: dict[str, Callable[[bytes, Picture], Whole]] = {
        RLELossless: _rle,
        **dict.fromkeys(JPEGTransferSyntaxes, _jpeg),
        **dict.fromkeys(JPEGLSTransferSyntaxes, _jpeg_ls),
        **dict.fromkeys(JPEG2000TransferSyntaxes, _jpeg_2000),
    }
    try:
        return walkers[syntax](frame, picture)
    except (IndexError, struct.error) as error:
        raise DamageError(Phrase("stream.short")) from error


# --- JPEG and JPEG-LS (ITU-T T.81, T.87) -----------------------------------------------------------

_END = b"\xff\xd9"
_ONES, _STRIPES = b"\xff\x00" * 64, b"\x55\xaa" * 64
_LONGEST_CODE = 5
"""Bytes that hold any Huffman code with its bits behind, 16 + 16, wherever it begins in a byte."""
_SIZES = frozenset(
    {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7}
)
_BETWEEN_SCANS = frozenset({0xC4, 0xDA, 0xDB, 0xDC, 0xDD, 0xF8, 0xFE, *range(0xE0, 0xF0)})
_JPEG_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
_JPEG_LS_MARKER = re.compile(rb"\xff+[\x80-\xcf\xd8-\xfe]", re.DOTALL)
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")


@dataclass(slots=True)
class _Scans:
    """What the markers of a JPEG or JPEG-LS stream say; `start` and `stop` enclose the last scan's bits."""

    frame: int = 0
    rows: int = 0
    columns: int = 0
    samples: int = 0
    precision: int = 0
    restart: int = 0
    selection: int = 0
    shift: int = 0
    tables: dict[int, tuple[int, ...]] = field(default_factory=dict)
    table: int = 0
    ones_are_a_code: bool = False
    scans: int = 0
    start: int = 0
    stop: int = 0
    ended: bool = False


def _jpeg(frame: bytes, picture: Picture) -> Whole:
    scans = _scans(frame, _JPEG_MARKER)
    picture.check(scans.rows, scans.columns, scans.samples, scans.precision)
    bits = frame[scans.start : scans.stop]
    _check_restarts(scans, bits)
    head, rest = frame[: scans.start], frame[scans.stop :] if scans.ended else _END
    huffman = scans.scans == 1 and scans.frame in (0xC0, 0xC1, 0xC3)
    ones = huffman and not scans.ones_are_a_code
    fewer = bits[:-_LONGEST_CODE].rstrip(b"\xff")
    return Whole(
        data=head + bits + (_ONES if ones else b"") + rest,
        other=head + bits + _STRIPES + rest,
        less=head + fewer + (_ONES if ones else _STRIPES) + rest
        if huffman and not _RESTART.search(bits, len(fewer) - 1)
        else None,
        invalid_behind=ones,
        code=_lossless_code(scans, bits),
        ended=scans.ended,
    )


def _jpeg_ls(frame: bytes, picture: Picture) -> Whole:
    scans = _scans(frame, _JPEG_LS_MARKER)
    picture.check(scans.rows, scans.columns, scans.samples, scans.precision)
    bits = frame[scans.start : scans.stop]
    head, rest = frame[: scans.start], frame[scans.stop :] if scans.ended else _END
    return Whole(
        data=head + bits + rest,
        other=head + bits + _STRIPES + rest,
        spare=head + bits[:-1] + rest if bits.endswith(b"\0") else None,
        ended=scans.ended,
    )


def _scans(frame: bytes, marker: re.Pattern[bytes]) -> _Scans:
    """Walk the markers up to the end marker, or to the end of the data inside a scan."""
    if frame[:2] != b"\xff\xd8":
        raise DamageError(Phrase("stream.start"))
    found, at = _Scans(), 2
    while True:
        if frame[at] != 0xFF:
            raise DamageError(Phrase("stream.structure"))
        while frame[at] == 0xFF:
            at += 1
        code = frame[at]
        if code == 0xD9:
            break
        if found.scans and code not in _BETWEEN_SCANS:
            raise DamageError(Phrase("stream.structure"))
        (length,) = struct.unpack_from(">H", frame, at + 1)
        segment, at = frame[at + 3 : at + 1 + length], at + 1 + length
        if length < 2 or at > len(frame):
            raise DamageError(Phrase("stream.short"))
        _read_segment(found, code, segment)
        if code == 0xDA:
            match = marker.search(frame, at)
            found.start, found.stop = at, match.start() if match else len(frame.rstrip(b"\xff"))
            if match is None:
                return found
            at = found.stop
    if not found.scans:
        raise DamageError(Phrase("stream.short"))
    found.ended = True
    return found


def _read_segment(found: _Scans, code: int, segment: bytes) -> None:
    if code in _SIZES:
        found.frame = code
        found.precision, found.rows, found.columns, found.samples = struct.unpack_from(
            ">BHHB", segment
        )
    elif code == 0xC4:
        for number, lengths, values in _huffman_tables(segment):
            found.ones_are_a_code |= _is_full(lengths)
            found.tables[number] = _lengths_of(lengths, values)
    elif code == 0xDD:
        (found.restart,) = struct.unpack_from(">H", segment)
    elif code == 0xDA:
        if not found.frame:
            raise DamageError(Phrase("stream.structure"))
        found.scans += 1
        if segment[0] == 1:
            found.table = segment[2] >> 4
            found.selection, found.shift = segment[3], segment[5] & 0xF


def _huffman_tables(segment: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Of each table of a DHT segment its number, how many codes of 1 to 16 bits it has, and their values."""
    at = 0
    while at < len(segment):
        lengths = segment[at + 1 : at + 17]
        end = at + 17 + sum(lengths)
        yield segment[at], lengths, segment[at + 17 : end]
        at = end


def _lengths_of(lengths: bytes, values: bytes) -> tuple[int, ...]:
    """The length of the code of each category, 0 to 16; 0 where it has none."""
    each = [bit for bit, count in enumerate(lengths, 1) for _ in range(count)]
    of_value = dict(zip(values, each, strict=False))
    return tuple(of_value.get(value, 0) for value in range(17))


def _lossless_code(scans: _Scans, bits: bytes) -> LosslessCode | None:
    """What counts the bits of a lossless scan; None for other streams."""
    plain = scans.frame == 0xC3 and scans.scans == scans.samples == 1 and not scans.restart
    if not plain or not 1 <= scans.selection <= 7 or scans.table not in scans.tables:
        return None
    return LosslessCode(
        lengths=scans.tables[scans.table],
        predictor=scans.selection,
        precision=scans.precision,
        shift=scans.shift,
        bits=8 * (len(bits) - bits.count(b"\xff\x00")),
    )


def _is_full(lengths: bytes) -> bool:
    """Whether a Huffman table leaves no code over; by the standard that of all ones is no code."""
    return sum(count << (15 - bit) for bit, count in enumerate(lengths)) >= 1 << 16


def _check_restarts(scans: _Scans, bits: bytes) -> None:
    """Each restart interval must be there (one component: a unit is a sample, or 8 x 8 of them)."""
    if not scans.restart or scans.samples != 1 or scans.scans != 1 or not scans.rows:
        return
    size = 1 if scans.frame == 0xC3 else 8
    units = -(-scans.rows // size) * -(-scans.columns // size)
    if len(_RESTART.findall(bits)) != -(-units // scans.restart) - 1:
        raise DamageError(Phrase("stream.short"))


# --- JPEG 2000 and HTJ2K (ITU-T T.800, T.814) ------------------------------------------------------

_LONGEST_ZEROS = 512
"""Zero bytes in a row: more than empty packets make, and what a lost block of a disk leaves."""
_LAST_ZEROS = 4
"""Zero bytes where the end marker is missing too."""


def _jpeg_2000(frame: bytes, picture: Picture) -> Whole:
    start = frame.find(b"\xff\x4f\xff\x51") if frame[4:8] == b"jP  " else 0
    if start < 0 or frame[start : start + 4] != b"\xff\x4f\xff\x51":
        raise DamageError(Phrase("stream.start"))
    tiles, at = 0, start + 2
    while frame[at : at + 2] != b"\xff\x90":
        marker, length = struct.unpack_from(">HH", frame, at)
        if marker < 0xFF00 or length < 2:
            raise DamageError(Phrase("stream.structure"))
        if marker == 0xFF51:
            tiles = _image_size(frame, at + 6, picture)
        at += 2 + length
    data_at, (at, ended) = at, _tile_parts(frame, at, tiles)
    zeros = _LONGEST_ZEROS if ended else _LAST_ZEROS
    if b"\0" * _LONGEST_ZEROS in frame[data_at:at] or not (
        ended or frame[at - zeros : at].strip(b"\0")
    ):
        raise DamageError(Phrase("stream.hole", bytes=zeros))
    return Whole(data=frame if ended else frame[:at] + _END, ended=ended)


def _image_size(frame: bytes, at: int, picture: Picture) -> int:
    """Compare the SIZ segment with the header; return the number of tiles."""
    right, lower, left, top, wide, high, tile_left, tile_top, samples = struct.unpack_from(
        ">8IH", frame, at
    )
    picture.check(lower - top, right - left, samples, (frame[at + 34] & 0x7F) + 1)
    if not wide or not high or lower <= top or right <= left:
        raise DamageError(Phrase("stream.structure"))
    return int(-(-(right - tile_left) // wide) * -(-(lower - tile_top) // high))


def _tile_parts(frame: bytes, at: int, tiles: int) -> tuple[int, bool]:
    """Follow the lengths of the tile parts; return where they end, and whether the end marker is there."""
    parts: dict[int, int] = {}
    promised: dict[int, int] = {}
    ended, filled = False, len(frame.rstrip(b"\0"))
    while not ended and at < filled:
        marker, _, tile, length, _, of = struct.unpack_from(">HHHIBB", frame, at)
        if marker != 0xFF90 or 0 < length < 14:
            raise DamageError(Phrase("stream.structure"))
        parts[tile] = parts.get(tile, 0) + 1
        promised[tile] = max(of, promised.get(tile, 0))
        if length:
            at += length
        else:  # the last one reaches to the end marker, wherever that is
            at = frame.rfind(_END, at)
            if at < 0:
                raise DamageError(Phrase("stream.no_end"))
        if at > len(frame):
            raise DamageError(Phrase("stream.short"))
        ended = frame[at : at + 2] == _END
    if len(parts) != tiles or any(0 < parts[tile] < promised[tile] for tile in parts):
        raise DamageError(Phrase("stream.short"))
    return at, ended


# --- RLE (DICOM PS3.5 annex G) ---------------------------------------------------------------------


def _rle(frame: bytes, picture: Picture) -> Whole:
    count, *offsets = struct.unpack_from("<16L", frame)
    segments = picture.samples * picture.bits_allocated // 8
    if count != segments:
        raise DamageError(Phrase("stream.structure"))
    ends = [*offsets[1:count], len(frame)]
    for start, end in zip(offsets[:count], ends, strict=True):
        if not 64 <= start <= end <= len(frame):
            raise DamageError(Phrase("stream.short"))
        _check_segment(frame[start:end], picture.rows * picture.columns)
    return Whole(data=frame)


# Bytes that a run takes from the segment, and that it makes, by its first byte.
_TAKES = np.array([2 + head if head < 128 else 2 if head > 128 else 1 for head in range(256)])
_MAKES = np.array([head + 1 if head < 128 else (257 - head) % 129 for head in range(256)])


def _check_segment(segment: bytes, wanted: int) -> None:
    """Add up the runs of a segment: they must make the wanted number of bytes, and nothing may follow.

    Zeros may: the segment is made even with one, and some writers add more.
    """
    at, heads, takes = 0, bytearray(), _TAKES.tolist()
    try:
        while True:
            head = segment[at]
            heads.append(head)
            at += takes[head]
    except IndexError:
        pass
    runs = np.frombuffer(heads, np.uint8)
    made = np.cumsum(_MAKES[runs])
    last = int(np.searchsorted(made, wanted))
    if last == len(made):
        raise DamageError(Phrase("stream.short"))
    at = int(_TAKES[runs[: last + 1]].sum())
    if at > len(segment):
        raise DamageError(Phrase("stream.short"))
    if made[last] > wanted or segment[at:].strip(b"\0"):
        raise DamageError(Phrase("stream.left_over"))
