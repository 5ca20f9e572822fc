"""Stored pixel values to Hounsfield units, one slice at a time.

Decoding, then rescale, packing, padding and MONOCHROME1.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from hemx_core.errors import DicomSeriesError, UnreadablePixelsError
from hemx_core.imaging.headers import PixelFormat, SliceHeader
from hemx_core.imaging.parse import parse
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
) -> Iterator[tuple[SliceHeader, Stored | DicomSeriesError]]:
    """Decode slices in the given order, each file opened once where its frames follow each other.

    Yields:
        The header with its stored values, shape (rows, columns), or with what went wrong.
    """
    for _, group in groupby(headers, key=lambda header: id(header.facts.source)):
        waiting = list(group)
        while waiting:
            waiting = yield from _until_failure(waiting)


def _until_failure(
    headers: Sequence[SliceHeader],
) -> Generator[tuple[SliceHeader, Stored | DicomSeriesError], None, list[SliceHeader]]:
    """Decode slices of one file up to the first that fails; return those after it."""
    with closing(_frames(headers)) as frames:
        for index, header in enumerate(headers):
            try:
                pixels = _checked(next(frames), header)
            except Exception as error:  # decoders raise nearly anything on damaged data
                yield header, _unreadable(header, error)
                return list(headers[index + 1 :])
            yield header, pixels
    return []


def _frames(headers: Sequence[SliceHeader]) -> Generator[Stored, None, None]:
    facts = headers[0].facts
    syntax = facts.pixels.transfer_syntax
    # BitsStored is left to `HUConverter`: padding often lies outside of it.
    options: dict[str, Any] = {
        "indices": [header.frame or 0 for header in headers],
        "raw": True,
        "correct_unused_bits": False,
    }
    with facts.source.open() as stream:
        if syntax and syntax != DeflatedExplicitVRLittleEndian:
            yield from iter_pixels(stream, **options)
            return
        dataset = parse(stream, facts.source.name, stop_before_pixels=False)
        if not syntax:
            implicit, little = dataset.original_encoding
            dataset.file_meta.TransferSyntaxUID = UID(
                "1.2.840.10008.1.2" + ("" if implicit else ".1" if little else ".2")
            )
        yield from iter_pixels(dataset, **options)


def _checked(pixels: Stored, header: SliceHeader) -> Stored:
    expected = (header.facts.rows, header.facts.columns)
    if pixels.shape != expected or pixels.dtype.kind not in "iu":
        raise ValueError(f"{pixels.dtype} pixels of shape {pixels.shape}, not {expected}")
    return pixels


def _unreadable(header: SliceHeader, error: Exception) -> DicomSeriesError:
    if isinstance(error, DicomSeriesError):
        return error
    reason = " ".join(str(error).split())[:300]
    return UnreadablePixelsError(
        "pixels_unreadable", file=header.name, kind=type(error).__name__, reason=reason
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
