"""One DICOM file to a pydicom data set, within bounds; and typed values out of a data set."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from io import BytesIO
from typing import Any, BinaryIO, cast

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import _read_file_meta_info, read_dataset, read_preamble
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from hemx_core.errors import UnreadablePixelsError, UnsafeInputError
from hemx_core.imaging import limits
from hemx_core.imaging.limits import Metered, TooMuchError, Work
from hemx_core.notes import Phrase, Value
from hemx_core.words.plain import plain

_PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)\s*$", re.ASCII)
_HOUR, _LARGEST_OFFSET = 60, 14 * 60


def parse(
    stream: BinaryIO,
    name: str,
    *,
    stop_before_pixels: bool = True,
    tags: Sequence[str] | None = None,
    work: Work | None = None,
) -> Dataset:
    """Read a DICOM file with or without a preamble.

    Args:
        stream: the file, at its start; seekable.
        name: for messages.
        stop_before_pixels: leave the pixel data out.
        tags: keywords to keep; None keeps everything.
        work: what the input has taken so far; the file's share is added.
    Raises:
        UnsafeInputError: a deflated file that inflates beyond `limits.MAX_INFLATED_BYTES`, or all files
            together have taken too much.
        UnreadablePixelsError: no data set can be read from the file, or it takes too much.
    """
    metered = Metered(stream, limits.MAX_HEADER_BYTES)
    try:
        return _read(metered, name, stop_before_pixels, tags, work)
    except UnsafeInputError:
        raise
    except RecursionError as error:
        raise damaged(name, Phrase("dicom.nested")) from error
    except TooMuchError as error:
        raise damaged(name, Phrase("dicom.too_much")) from error
    except Exception as error:  # a damaged file makes pydicom raise nearly anything
        raise damaged(name, f"{type(error).__name__}: {error}") from error
    finally:
        if work is not None:
            work.cost += metered.cost
            work.files += 1
            work.check()


def _read(
    metered: Metered,
    name: str,
    stop_before_pixels: bool,
    tags: Sequence[str] | None,
    work: Work | None,
) -> Dataset:
    """As `pydicom.dcmread`, which would inflate a deflated file in one go, without a limit.

    The meta information is read by the very function that `dcmread` uses, private as it is: two
    readers that disagree about the transfer syntax would be a way past the limit.
    """
    fp = cast(BinaryIO, metered)
    read_preamble(fp, True)
    meta = _read_file_meta_info(fp)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        metered.seek(0)
        return pydicom.dcmread(
            fp,
            force=True,
            stop_before_pixels=stop_before_pixels,
            specific_tags=None if tags is None else [_tag(tag) for tag in tags],
        )
    inflated = _inflate(metered, name)
    data = Metered(BytesIO(inflated), len(inflated))
    try:
        dataset = read_dataset(
            cast(BinaryIO, data),
            is_implicit_VR=False,
            is_little_endian=True,
            stop_when=_begins_pixels if stop_before_pixels else None,
            specific_tags=None if tags is None else [_tag(tag) for tag in tags],
        )
    finally:
        if work is not None:
            work.inflated_bytes += len(inflated)
            work.cost += data.cost
    dataset.file_meta = meta
    return dataset


def _begins_pixels(tag: int, _vr: str | None, _length: int) -> bool:
    return tag in _PIXELS


def _inflate(metered: Metered, name: str) -> bytes:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    pieces, size, pending = [], 0, metered.read()
    while not inflate.eof:
        piece = inflate.decompress(pending, 2**20)
        pending = inflate.unconsumed_tail
        if not piece and not pending:
            raise EOFError("the deflated data ends too early")
        pieces.append(piece)
        size += len(piece)
        if size > limits.MAX_INFLATED_BYTES:
            raise UnsafeInputError(
                "inflates_too_far", file=name, most_mib=limits.MAX_INFLATED_BYTES / 2**20
            )
    return b"".join(pieces)


def damaged(name: str, reason: Value) -> UnreadablePixelsError:
    """The error for a file that cannot be read as DICOM."""
    return UnreadablePixelsError("not_readable_dicom", file=name, reason=reason)


def text(dataset: Dataset, keyword: str) -> str:
    """A text value, stripped; multiple values joined by a backslash; empty where unreadable."""
    return "\\".join(texts(dataset, keyword))


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Text values, stripped and without control characters; empty where absent or unreadable."""
    value = _value(dataset, keyword)
    if value is None:
        return ()
    many = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
    return tuple(plain(str(part)).strip() for part in many)


def whole(dataset: Dataset, keyword: str) -> int | None:
    """A whole number; None where absent, unreadable or broken."""
    value = numbers(dataset, keyword, 1)
    return int(value[0]) if value and value[0].is_integer() else None


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Exactly `count` finite numbers; None otherwise. A comma counts as the decimal point."""
    value = _with_points(dataset, keyword) or _value(dataset, keyword)
    if value is None or isinstance(value, bytes):
        return None
    many = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
    try:
        result = tuple(float(part) for part in many)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if len(result) == count and all(map(math.isfinite, result)) else None


def has_comma(dataset: Dataset, keyword: str) -> bool:
    """Whether a number is written with a decimal comma, which DICOM does not allow."""
    return _with_points(dataset, keyword) is not None


def _with_points(dataset: Dataset, keyword: str) -> list[str] | None:
    """The parts of numbers written with commas, with points; None where there is no comma."""
    tag = _tag(keyword)
    try:
        raw = dataset.get_item(tag) if tag in dataset.keys() else None  # noqa: SIM118
    except Exception:  # of an element without a value pydicom looks at its VR, which may be none
        return None
    written = raw.value if isinstance(raw, RawDataElement) else None
    if not isinstance(written, bytes) or b"," not in written or raw is None or raw.VR != "DS":
        return None
    return written.decode("ascii", "replace").replace(",", ".").split("\\")


def items(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    """The items of a sequence; empty where absent or unreadable."""
    value = _value(dataset, keyword)
    return value if isinstance(value, pydicom.Sequence) else ()


def moment(date: str, time: str = "") -> datetime | None:
    """A DICOM date and time (DA and TM, or one DT) as the scanner's local time.

    A time zone is left out: people at the scanner go by its clock; `utc_offset_minutes` has it. None
    where the date or the time of day is missing or wrong.
    """
    digits = date.split("+")[0].split("-")[0] if not time else date.replace(".", "")
    digits = (digits + time.replace(":", "")).strip()
    whole_part, _, fraction = digits.partition(".")
    if len(whole_part) < 10 or not whole_part.isascii() or not whole_part.isdigit():
        return None
    padded = whole_part[:14].ljust(14, "0")
    micro = fraction[:6].ljust(6, "0") if fraction.isascii() and fraction.isdigit() else "000000"
    try:
        return datetime.strptime(padded + micro, "%Y%m%d%H%M%S%f")
    except ValueError:
        return None


def utc_offset_minutes(told: str) -> int | None:
    """The offset from UTC at the end of a DT or in TimezoneOffsetFromUTC, &ZZXX; None without one."""
    found = _OFFSET.search(told)
    if found is None:
        return None
    minutes = int(found["hours"]) * 60 + int(found["minutes"])
    within = minutes <= _LARGEST_OFFSET and int(found["minutes"]) < _HOUR
    return (-minutes if found["sign"] == "-" else minutes) if within else None


@cache
def _tag(keyword: str) -> BaseTag:
    return Tag(keyword)


def _value(dataset: Dataset, keyword: str) -> Any:
    tag = _tag(keyword)
    # A data set itself takes a keyword, too, but looks it up anew each time.
    if tag not in dataset.keys():  # noqa: SIM118
        return None
    try:
        return dataset[tag].value
    except Exception:  # one damaged element counts as absent; what needs it says that it is missing
        return None
