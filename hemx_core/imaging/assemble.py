"""The chosen series to a volume: pixels into one array, duplicates settled, notes collected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import (
    DicomSeriesError,
    TooFewSlicesError,
    UnreadablePixelsError,
    UnsafeInputError,
)
from hemx_core.imaging.blank import Rows, blank_slices
from hemx_core.imaging.choose import MIN_SLICES
from hemx_core.imaging.geometry import build_geometry, geometry_notes, turn_for
from hemx_core.imaging.headers import SliceHeader
from hemx_core.imaging.pixels import HUConverter, check_decoder, stored_slices
from hemx_core.imaging.scans import FEW
from hemx_core.imaging.series import SeriesPart
from hemx_core.imaging.volume import HUVolume, SeriesIdentity, StoredGrid
from hemx_core.notes import Note, Phrase, Severity, Value, first_of

MAX_VOLUME_BYTES = 2 * 2**30
"""Size of the int16 HU array; a head of 4096 slices of 512 x 512 pixels."""
_SHOWN = 5

Progress = Callable[[str, int, int], None]
"""Called with the stage ("headers" or "pixels"), what is done and what there is."""


@dataclass(kw_only=True)
class _Pixels:
    """The pixels of the slices that could be read, and what happened to the others.

    Args:
        at_seams: whether all that differ are of another acquisition than the slice that is kept.
    """

    hu: NDArray[np.int16]
    kept: list[SliceHeader] = field(default_factory=list)
    same: list[SliceHeader] = field(default_factory=list)
    different: list[SliceHeader] = field(default_factory=list)
    at_seams: bool = True
    failed: list[tuple[SliceHeader, DicomSeriesError]] = field(default_factory=list)
    endless: list[SliceHeader] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    converter: HUConverter = field(default_factory=HUConverter)


def assemble(part: SeriesPart, *, source: str, progress: Progress) -> HUVolume:
    """Read the pixels of a series into a volume.

    Args:
        part: a series that is not refused.
        source: what the user gave, for the identity.
        progress: called after every slice.
    Raises:
        UnreadablePixelsError: no decoder, or more than half of the slices damaged.
        TooFewSlicesError: too few slices are left after the damaged ones.
        UnsafeInputError: the volume would be larger than `MAX_VOLUME_BYTES`.
        VolumeError: the geometry contradicts itself.
    """
    for syntax in sorted({header.facts.pixels.transfer_syntax for header in part.headers}):
        check_decoder(syntax)
    grid = turn_for(part.first.orientation or ())
    pixels = _read_pixels(part, grid, progress)
    _check_enough(part, pixels)
    geometry = build_geometry(pixels.kept, grid)
    return HUVolume(
        hu=pixels.hu[: len(pixels.kept)],
        geometry=geometry,
        identity=series_identity(part, pixels.kept, source),
        stored_grid=grid,
        notes=(
            *_pixel_notes(pixels),
            *pixels.converter.notes(),
            *geometry_notes(geometry, pixels.kept, grid),
            *_header_notes(pixels.kept),
        ),
    )


def _read_pixels(part: SeriesPart, grid: StoredGrid, progress: Progress) -> _Pixels:
    pixels = _Pixels(hu=_allocate(part, grid))
    slot_of = {id(header): index for index, slot in enumerate(part.slots) for header in slot}
    ordered = [header for slot in part.slots for header in slot]
    filled = -1
    for done, (header, stored, ended) in enumerate(stored_slices(ordered), 1):
        try:
            if isinstance(stored, DicomSeriesError):
                raise stored
            as_stored = pixels.converter.convert(stored, header)
            hu = grid.to_volume(as_stored)
        except UnreadablePixelsError as error:
            pixels.failed.append((header, error))
        else:
            if slot_of[id(header)] == filled:
                equal = np.array_equal(hu, pixels.hu[len(pixels.kept) - 1])
                (pixels.same if equal else pixels.different).append(header)
                pixels.at_seams &= equal or header.acquisition != pixels.kept[-1].acquisition
            else:
                pixels.hu[len(pixels.kept)] = hu
                pixels.kept.append(header)
                pixels.rows.append(Rows.of(as_stored, header.spacing_mm))
                filled = slot_of[id(header)]
            if not ended:
                pixels.endless.append(header)
        progress("pixels", done, len(ordered))
    _leave_out_blank(pixels)
    return pixels


def _leave_out_blank(pixels: _Pixels) -> None:
    """Count slices with rows that were never written among those that failed."""
    lost = blank_slices(pixels.rows)
    if not lost:
        return
    for index, (first, end) in lost.items():
        header, hu = pixels.kept[index], float(pixels.rows[index].level_hu[first])
        error = UnreadablePixelsError("rows_blank", file=header.name, rows=end - first, hu=hu)
        pixels.failed.append((header, error))
    left = [index for index in range(len(pixels.kept)) if index not in lost]
    pixels.hu = pixels.hu[left]
    pixels.kept = [pixels.kept[index] for index in left]


def _allocate(part: SeriesPart, grid: StoredGrid) -> NDArray[np.int16]:
    rows, columns = part.first.facts.rows, part.first.facts.columns
    shape = (len(part.slots), *((columns, rows) if grid.transpose else (rows, columns)))
    if 2 * int(np.prod(shape)) > MAX_VOLUME_BYTES:
        raise UnsafeInputError(
            "volume_too_large",
            series=part.label,
            rows=rows,
            columns=columns,
            gib=2 * int(np.prod(shape)) / 2**30,
            most_gib=MAX_VOLUME_BYTES / 2**30,
        )
    return np.empty(shape, dtype=np.int16)


def _check_enough(part: SeriesPart, pixels: _Pixels) -> None:
    failed = len(pixels.failed)
    if failed and (not pixels.kept or 2 * failed > len(part.headers)):
        raise UnreadablePixelsError(
            "slices_unreadable",
            failed=failed,
            slices=len(part.headers),
            first=pixels.failed[0][1].phrase,
        )
    if len(pixels.kept) < MIN_SLICES:
        raise TooFewSlicesError(
            "too_few_slices", series=part.label, found=len(pixels.kept), needed=MIN_SLICES
        )


def series_identity(part: SeriesPart, kept: Sequence[SliceHeader], source: str) -> SeriesIdentity:
    """Who and what a volume of these slices is of.

    Args:
        part: the series.
        kept: its slices in the volume, in order.
        source: what the user gave.
    """
    facts = part.first.facts
    uids = tuple(header.facts.sop_uid for header in kept)
    frames = tuple((header.frame or 0) + 1 for header in kept)
    at = part.acquired_at
    offsets = (header.utc_offset_minutes for header in part.headers if header.acquired_at == at)
    return replace(
        part.person,
        study_uid=facts.study_uid,
        series_uid=facts.series_uid,
        frame_of_reference_uid=facts.frame_of_reference,
        sop_instance_uids=uids if all(uids) else (),
        frame_numbers=frames if any(header.frame is not None for header in kept) else (),
        acquired_at=at,
        utc_offset_minutes=next(offsets, None),
        scanner=facts.scanner,
        series_description=facts.series_description,
        source=source,
    )


def _pixel_notes(pixels: _Pixels) -> Iterator[Note]:
    if pixels.same:
        files = _names(pixels.same)
        yield Note("duplicate_slices", Severity.INFO, count=len(pixels.same), files=files)
    if pixels.different:
        files, count = _names(pixels.different), len(pixels.different)
        # Two ranges of a scan may share a slice; more is another scan, or something else is wrong.
        if pixels.at_seams and count < FEW:
            yield Note("duplicate_slices_differ", Severity.CAUTION, count=count, files=files)
        else:
            yield Note("duplicate_slices_differ", Severity.WARNING, count=count, files=files)
    if pixels.endless:
        files, count = _names(pixels.endless), len(pixels.endless)
        yield Note("end_marker_missing", Severity.INFO, count=count, files=files)
    if pixels.failed:
        yield Note(
            "unreadable_slices",
            Severity.WARNING,
            count=len(pixels.failed),
            files=_names([header for header, _ in pixels.failed]),
            because=pixels.failed[0][1].phrase,
        )


def _header_notes(kept: Sequence[SliceHeader]) -> Iterator[Note]:
    if any(header.facts.pixels.lossy for header in kept):
        yield Note("lossy_compression", Severity.CAUTION)
    if any(header.facts.burned_in for header in kept):
        yield Note("burned_in", Severity.CAUTION)
    if any(header.facts.decimal_comma for header in kept):
        yield Note("decimal_comma", Severity.CAUTION)
    if any(header.rescale_type == "US" for header in kept):
        yield Note("rescale_type", Severity.CAUTION)
    if all(header.acquired_at is None for header in kept):
        yield Note("time_unknown", Severity.INFO, what=Phrase("time.none"))
    elif not any(header.time_known for header in kept):
        yield Note("time_unknown", Severity.INFO, what=Phrase("time.day_only"))


def _names(headers: Sequence[SliceHeader]) -> tuple[Value, ...]:
    return first_of([header.name for header in headers], _SHOWN)
