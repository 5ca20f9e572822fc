"""Decode stored pixel values, one slice at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from hemx_core.errors import DicomSeriesError, UnreadablePixelsError
from hemx_core.imaging._headers import SliceHeader
from hemx_core.imaging._parse import parse

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
        raise UnreadablePixelsError(
            f"the pixels are stored as {uid.name}, which is not supported",
            expected="uncompressed, RLE, JPEG, JPEG-LS or JPEG 2000",
            remedy="export the series again without compression",
        ) from error
    if not decoder.is_available:
        raise UnreadablePixelsError(
            f"the pixels are compressed as {uid.name}, and no decoder for it is installed",
            expected="a decoder",
            remedy='pip install "hemx[dicom]", or export the series again without compression',
        )


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
        f"the pixels of {header.name} cannot be read ({type(error).__name__}: {reason})",
        expected="complete pixel data",
        remedy="copy or export the series again",
    )
