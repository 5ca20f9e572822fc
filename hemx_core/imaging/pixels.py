"""Stored pixel values to Hounsfield units, one slice at a time.

Decoding, then rescale, packing, padding and MONOCHROME1.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import groupby
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import (
    encapsulate,
    generate_fragments,
    get_frame,
    parse_basic_offsets,
    parse_fragments,
)
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from hemx_core.errors import DicomSeriesError, UnreadablePixelsError
from hemx_core.imaging import limits
from hemx_core.imaging.headers import FileFacts, PixelFormat, SliceHeader
from hemx_core.imaging.limits import Metered, TooMuchError
from hemx_core.imaging.parse import parse
from hemx_core.imaging.streams import DamageError, Picture, check_stream
from hemx_core.imaging.volume import AIR_HU
from hemx_core.notes import Note, Phrase, Severity

Stored = NDArray[np.integer[Any]]


def check_decoder(transfer_syntax: str) -> None:
    """Check that a transfer syntax can be decoded here.

    Raises:
        UnreadablePixelsError: it is unknown, or its decoder is not installed.
    """
    if not transfer_syntax:
        return
    uid = UID(transfer_syntax)
    try:
        decoder = get_decoder(uid)
    except NotImplementedError as error:
        raise UnreadablePixelsError("syntax_unsupported", syntax=uid.name) from error
    if not decoder.is_available:
        raise UnreadablePixelsError("no_decoder", syntax=uid.name)


def stored_slices(
    headers: Sequence[SliceHeader],
) -> Iterator[tuple[SliceHeader, Stored | DicomSeriesError, bool]]:
    """Decode slices in the given order, each file opened once where its frames follow each other.

    Yields:
        The header with its stored values, shape (rows, columns), or with what went wrong; and whether the
        stream had its end marker.
    """
    for _, group in groupby(headers, key=lambda header: id(header.facts.source)):
        frames = list(group)
        try:
            with frames[0].facts.source.open() as stream:
                element = _pixel_element(stream, frames[0].facts)
                for header in frames:
                    yield header, *_stored(element, header)
        except Exception as error:  # a damaged file makes pydicom raise nearly anything
            for header in frames:
                yield header, _unreadable(header, error), True


@dataclass(frozen=True, slots=True, kw_only=True)
class _PixelElement:
    """The pixel data of one open file.

    Args:
        stream: the file, or the pixel data alone.
        start: where the value of the element begins in the stream.
        length: of the value by its tag, in bytes; of compressed pixels it means nothing.
        options: what the header says, as pydicom's decoders take it.
        decoder: for the transfer syntax.
        fragments: where each fragment of compressed frames begins; empty for a single frame.
    """

    stream: BinaryIO
    start: int
    length: int
    options: dict[str, Any]
    decoder: Decoder
    fragments: tuple[int, ...] = ()

    @property
    def frames(self) -> int:
        """How many the header promises."""
        return int(self.options["number_of_frames"])


_PIXEL_ELEMENTS = {8: "FloatPixelData", 9: "DoubleFloatPixelData", 16: "PixelData"}
# fmt: off
_PIXEL_TAGS = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows",
    "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation", "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths", *_PIXEL_ELEMENTS.values(),
)
# fmt: on
_UNDEFINED = 0xFFFFFFFF


def _pixel_element(stream: BinaryIO, facts: FileFacts) -> _PixelElement:
    syntax, name = facts.pixels.transfer_syntax, facts.source.name
    _check_size(facts)
    in_place = syntax != DeflatedExplicitVRLittleEndian
    dataset = parse(stream, name, stop_before_pixels=in_place, tags=_PIXEL_TAGS)
    implicit, little = map(bool, dataset.original_encoding)
    # BitsStored is left to `HUConverter`: padding often lies outside of it.
    options = as_pixel_options(dataset, correct_unused_bits=False)
    if in_place:
        length = _read_tag(stream, implicit, little, options)
    else:
        held = [dataset[key] for key in _PIXEL_ELEMENTS.values() if key in dataset]
        if not held:
            raise AttributeError("the dataset has no pixel data")
        options |= {"pixel_keyword": held[0].keyword, "pixel_vr": held[0].VR}
        stream, length = BytesIO(held[0].value), len(held[0].value)
    if not syntax:
        syntax = "1.2.840.10008.1.2" + ("" if implicit else ".1" if little else ".2")
    element = _PixelElement(
        stream=stream,
        start=stream.tell(),
        length=length,
        options=options,
        decoder=get_decoder(UID(syntax)),
    )
    if element.frames == 1 or not element.decoder.is_encapsulated:
        return element
    whole = Metered(stream, sys.maxsize, anywhere=True)
    parse_basic_offsets(whole)
    return replace(element, fragments=tuple(parse_fragments(whole)[1]))


def _check_size(facts: FileFacts) -> None:
    """Refuse a zip's member with more in it than its pictures: as far as it is read it is held."""
    found, wanted = facts.source.unpacked_bytes, facts.frames * facts.frame_bytes
    if found is not None and found > limits.MAX_HEADER_BYTES + _ROOM * wanted:
        raise DamageError(Phrase("stream.many_bytes", found=found, wanted=wanted))


def _read_tag(stream: BinaryIO, implicit: bool, little: bool, options: dict[str, Any]) -> int:
    """Read past the tag of the pixel data, into the options; return the length it gives."""
    order, tag = "<" if little else ">", stream.read(8)
    if len(tag) < 8:
        raise AttributeError("the dataset has no pixel data")
    _, element, length = struct.unpack(f"{order}HHL", tag)
    if not implicit:
        options["pixel_vr"] = tag[4:6].decode("latin-1")
        (length,) = struct.unpack(f"{order}L", stream.read(4))
    options["pixel_keyword"] = _PIXEL_ELEMENTS[element]
    return int(length)


def _stored(element: _PixelElement, header: SliceHeader) -> tuple[Stored | DicomSeriesError, bool]:
    """One slice's stored values, or what went wrong; and whether its stream had its end marker."""
    try:
        if element.decoder.is_encapsulated:
            pixels, ended = _decoded(element, header)
        else:
            pixels, ended = _native(element, header.frame or 0), True
        expected = (header.facts.rows, header.facts.columns)
        if pixels.shape != expected or pixels.dtype.kind not in "iu":
            raise ValueError(f"{pixels.dtype} pixels of shape {pixels.shape}, not {expected}")
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic of a decoder in Rust is no Exception
        return _unreadable(header, error), True
    return pixels, ended


def _unreadable(header: SliceHeader, error: BaseException) -> DicomSeriesError:
    if isinstance(error, DicomSeriesError):
        return error
    if isinstance(error, TooMuchError):
        error = DamageError(Phrase("dicom.too_much"))
    if isinstance(error, DamageError):
        syntax = UID(header.facts.pixels.transfer_syntax).name or None
        return UnreadablePixelsError(
            "stream_damaged", file=header.name, syntax=syntax, what=error.phrase
        )
    reason = " ".join(str(error).split())[:300]
    return UnreadablePixelsError(
        "pixels_unreadable", file=header.name, kind=type(error).__name__, reason=reason
    )


def _native(element: _PixelElement, index: int) -> Stored:
    """Uncompressed pixels; the element must hold what the header promises, and no more than padding."""
    options, stream = element.options, element.stream
    if element.length == _UNDEFINED:
        raise DamageError(Phrase("stream.structure"))
    row = options["columns"] * options["samples_per_pixel"] * options["bits_allocated"] // 8
    wanted, until = (row * options["rows"] * frames for frames in (element.frames, index + 1))
    found = min(element.length, stream.seek(0, os.SEEK_END) - element.start)
    if found < until:
        raise DamageError(Phrase("stream.few_bytes", found=found, wanted=wanted))
    if found >= wanted + max(row, 2):
        if found - wanted > _MOST_PADDING:
            raise DamageError(Phrase("stream.many_bytes", found=found, wanted=wanted))
        stream.seek(element.start + wanted)
        behind = stream.read(found - wanted)
        if behind.strip(behind[:1]):
            raise DamageError(Phrase("stream.many_bytes", found=found, wanted=wanted))
    stream.seek(element.start)
    pixels, _ = element.decoder.as_array(stream, index=index, raw=True, **options)
    return cast(Stored, pixels)


_MOST_PADDING = 2**20
"""Bytes behind the pixels, all alike, that are passed over."""
_ROOM = 2
"""How many times its uncompressed size a compressed picture may take, and some for tables."""
_PLUGINS = ("pyjpegls", "pylibjpeg", "pillow", "gdcm", "pydicom")
"""pydicom's decoders, the strictest first; only the first that is there is asked. One that refuses a
damaged stream must not be overruled by another that lets it pass."""


_SPARE_BITS = 8
"""Less than a byte of fill bits; a writer that leaves more is looked at twice."""


def _decoded(element: _PixelElement, header: SliceHeader) -> tuple[Stored, bool]:
    """Pixels of a compressed frame, proved to be whole; and whether its stream had its end marker."""
    facts = header.facts
    picture = Picture(
        rows=facts.rows,
        columns=facts.columns,
        samples=facts.pixels.samples,
        bits_allocated=facts.pixels.bits_allocated,
    )
    frame = _encoded_frame(element, header.frame or 0, _ROOM * facts.frame_bytes + 2**20)
    whole = check_stream(element.decoder.UID, frame, picture)
    there = element.decoder.available_plugins
    plugin = next((name for name in _PLUGINS if name in there), there[0])

    def decode(data: bytes) -> Stored:
        options = {**element.options, "number_of_frames": 1, "pixel_keyword": "PixelData"}
        options.pop("extended_offsets", None)
        pixels, _ = element.decoder.as_array(
            encapsulate([data]), index=0, raw=True, decoding_plugin=plugin, **options
        )
        return cast(Stored, pixels)

    def agrees(data: bytes | None, pixels: Stored) -> bool:
        try:
            return data is not None and np.array_equal(decode(data), pixels)
        except Exception:
            return False

    try:
        pixels = decode(whole.data)
    except Exception as refused:
        if whole.spare is None:
            raise DamageError(Phrase("stream.decoder")) from refused
        try:
            pixels, whole = decode(whole.spare), replace(whole, other=None)
        except Exception as error:
            raise DamageError(Phrase("stream.decoder")) from error
    if whole.code is not None and whole.code.fits(pixels, _SPARE_BITS):
        return pixels, whole.ended
    tells = plugin == "pyjpegls" or (plugin == "pylibjpeg" and whole.invalid_behind)
    if not tells and whole.other is not None and not agrees(whole.other, pixels):
        raise DamageError(Phrase("stream.short"))
    if agrees(whole.less, pixels):
        raise DamageError(Phrase("stream.left_over"))
    return pixels, whole.ended


def _encoded_frame(element: _PixelElement, index: int, most_bytes: int) -> bytes:
    """All fragments of a frame, joined; offset tables count only where the fragments do not tell."""
    stream = Metered(element.stream, most_bytes, anywhere=True)
    stream.seek(element.start)
    if element.frames == 1:
        parse_basic_offsets(stream)
        return b"".join(generate_fragments(stream))
    if len(element.fragments) == element.frames:
        stream.seek(element.fragments[index])
        return next(generate_fragments(stream))
    return get_frame(
        stream,
        index,
        number_of_frames=element.frames,
        extended_offsets=element.options.get("extended_offsets"),
    )


_INT16 = np.iinfo(np.int16)
_COULD_BE_TISSUE_HU = (-200.0, 3100.0)
_HIGHEST_CORNER_HU = 300
_AIR_BELOW_HU = -500


@dataclass(kw_only=True)
class HUConverter:
    """Converts the slices of one series and counts what was unusual."""

    clipped: int = 0
    stray_bits: int = 0
    kept_padding_hu: float | None = None
    inverted: bool | None = None
    """Whether MONOCHROME1 values are inverted; None before the first such slice."""

    def convert(self, stored: Stored, header: SliceHeader) -> NDArray[np.int16]:
        """Stored values to HU, shape (rows, columns); padding becomes `AIR_HU`.

        HU = RescaleSlope * stored + RescaleIntercept (DICOM PS3.3 C.11.1), clipped to int16.

        Raises:
            UnreadablePixelsError: no usable rescale, or values that cannot be HU.
        """
        slope, intercept = header.slope, header.intercept
        if slope is None or intercept is None or slope == 0:
            raise UnreadablePixelsError("no_rescale", file=header.name)
        pixels = header.facts.pixels
        padded = self._padded(stored, pixels, slope, intercept)
        values = self._significant(stored, pixels, padded)
        if pixels.photometric == "MONOCHROME1":
            values = self._upright(values, header, slope, intercept, padded)
        hu = np.rint(values * slope + intercept)
        hu[padded] = AIR_HU
        self.clipped += int(np.count_nonzero((hu < _INT16.min) | (hu > _INT16.max)))
        clipped: NDArray[np.int16] = np.clip(hu, _INT16.min, _INT16.max).astype(np.int16)
        return clipped

    def notes(self) -> Iterator[Note]:
        """What was out of the ordinary in the slices converted so far."""
        if self.clipped:
            yield Note("clipped", Severity.CAUTION, count=self.clipped)
        if self.stray_bits:
            yield Note("stray_bits", Severity.INFO, count=self.stray_bits)
        if self.kept_padding_hu is not None:
            yield Note("padding_kept", Severity.INFO, hu=self.kept_padding_hu)
        if self.inverted is not None:
            what = Phrase("monochrome.inverted" if self.inverted else "monochrome.display")
            yield Note("monochrome1", Severity.CAUTION, what=what)

    def _padded(
        self, stored: Stored, pixels: PixelFormat, slope: float, intercept: float
    ) -> NDArray[np.bool_]:
        """Mask of padding. Compared before BitsStored is applied: padding often lies outside it."""
        if pixels.padding is None:
            return np.zeros(stored.shape, dtype=bool)
        ends = (
            pixels.padding,
            pixels.padding if pixels.padding_limit is None else pixels.padding_limit,
        )
        # The element may hold the value as signed or unsigned: only its bits count.
        low, high = sorted(_wrapped(end, stored.dtype) for end in ends)
        hu = sorted((low * slope + intercept, high * slope + intercept))
        if hu[1] >= _COULD_BE_TISSUE_HU[0] and hu[0] <= _COULD_BE_TISSUE_HU[1]:
            self.kept_padding_hu = max(hu[0], _COULD_BE_TISSUE_HU[0])
            return np.zeros(stored.shape, dtype=bool)
        mask: NDArray[np.bool_] = (stored >= low) & (stored <= high)
        return mask

    def _significant(
        self, stored: Stored, pixels: PixelFormat, padded: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Values of the BitsStored bits up to HighBit, with their sign, int64 (PS3.5 8.1.1)."""
        values = stored.astype(np.int64)
        bits = pixels.bits_stored
        size = stored.dtype.itemsize * 8
        if not 0 < bits < size:
            return values
        shift = pixels.high_bit + 1 - bits
        values = values >> (shift if 0 < shift <= size - bits else 0)
        kept = values & ((1 << bits) - 1)
        if pixels.signed:
            kept[kept >= 1 << (bits - 1)] -= 1 << bits
        else:
            self.stray_bits += int(np.count_nonzero((kept != values) & ~padded))
        return kept

    def _upright(
        self,
        values: NDArray[np.int64],
        header: SliceHeader,
        slope: float,
        intercept: float,
        padded: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """Undo an inversion of MONOCHROME1 values, if there is one.

        By the standard MONOCHROME1 changes the display, not the meaning of the values, so the
        rescale holds. Some converters invert the values all the same; then the corners of a
        slice, which lie in air, are dense, and air after inverting back.
        """
        pixels = header.facts.pixels
        back = (-1 if pixels.signed else (1 << pixels.bits_stored) - 1) - values
        if self.inverted is None:
            self.inverted = _is_inverted(
                _corners(values * slope + intercept, padded),
                _corners(back * slope + intercept, padded),
                header.name,
            )
        return back if self.inverted else values


def _is_inverted(as_stored_hu: float, turned_hu: float, name: str) -> bool:
    if as_stored_hu <= _HIGHEST_CORNER_HU:
        return False
    if turned_hu <= _AIR_BELOW_HU:
        return True
    raise UnreadablePixelsError(
        "inverted_unclear", file=name, hu=as_stored_hu, inverted_hu=turned_hu
    )


def _corners(hu: NDArray[np.floating[Any]], padded: NDArray[np.bool_]) -> float:
    """Median HU of the unpadded corner pixels; air where all are padding."""
    ends = np.ix_((0, -1), (0, -1))
    values = hu[ends][~padded[ends]]
    return float(np.median(values)) if values.size else float(AIR_HU)


def _wrapped(value: int, dtype: np.dtype[np.integer]) -> int:
    """A value with the same low bits, in the range of an integer type."""
    size = dtype.itemsize * 8
    value &= (1 << size) - 1
    return value - (1 << size) if dtype.kind == "i" and value >> (size - 1) else value
