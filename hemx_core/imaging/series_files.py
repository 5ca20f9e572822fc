"""A series before its pixels are read: which files it is made of, and what decoding it will take."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hemx_core.imaging._assemble import Progress, _identity
from hemx_core.imaging._choose import choose
from hemx_core.imaging._files import Source
from hemx_core.imaging._headers import SliceHeader
from hemx_core.imaging._pixels import check_decoder
from hemx_core.imaging.reader import _candidates, _silent
from hemx_core.imaging.volume import Note, SeriesIdentity

DEFLATED = "1.2.840.10008.1.2.1.99"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFiles:
    """The series that `read_series` would read, from its headers alone.

    Args:
        identity: as the volume's, except that damaged slices are not known yet.
        slices: positions along the normal.
        rows, columns: of a slice, as stored.
        bytes_per_value: of a stored value: 1, 2 or 4.
        sources: its files, in slice order; they can be opened while the series is open.
        held_bytes: of the largest file that is held in memory as a whole while it is read: a member of a
            zip, a deflated file with what it inflates to; 0 where slices are read one by one.
        compressed: whether the pixels go through a decoder.
        notes: why this series was chosen.
    """

    identity: SeriesIdentity
    slices: int
    rows: int
    columns: int
    bytes_per_value: int
    sources: tuple[Source, ...]
    held_bytes: int
    compressed: bool
    notes: tuple[Note, ...]


@contextmanager
def open_series(
    path: Path | str, *, series: str | None = None, progress: Progress | None = None
) -> Iterator[SeriesFiles]:
    """Choose a series as `read_series` does, without reading a pixel; a zip stays open in the block.

    Args:
        path: a folder (searched recursively), a DICOM file, a DICOMDIR or a zip.
        series: see `read_series`.
        progress: called with ("headers", done, total).
    Raises:
        DicomSeriesError: no usable series, or no decoder for its compression; see `read_series`.
    """
    path = Path(path)
    with _candidates(path, progress or _silent) as (candidates, notes):
        choice = choose(candidates, series)
        part = choice.part
        ordered = [one for slot in part.slots for one in slot]
        files = {id(one.facts.source): one.facts for one in ordered}
        syntaxes = {one.pixels.transfer_syntax for one in files.values()}
        for syntax in sorted(syntaxes):
            check_decoder(syntax)
        sources = tuple(one.source for one in files.values())
        yield SeriesFiles(
            identity=_identity(part, [slot[0] for slot in part.slots], str(path)),
            slices=len(part.slots),
            rows=part.first.facts.rows,
            columns=part.first.facts.columns,
            bytes_per_value=max(1, part.first.facts.pixels.bits_allocated // 8),
            sources=sources,
            held_bytes=_held_bytes(path, ordered),
            compressed=any(syntax not in _PLAIN for syntax in syntaxes),
            notes=(*choice.notes, *notes),
        )


_PLAIN = {"", DEFLATED, "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}
"""Transfer syntaxes whose pixels need no decoder."""


def _held_bytes(path: Path, ordered: Sequence[SliceHeader]) -> int:
    zipped = path.is_file() and zipfile.is_zipfile(path)
    frames = Counter(id(one.facts.source) for one in ordered)
    held = 0
    for facts in {id(one.facts.source): one.facts for one in ordered}.values():
        pixels = facts.pixels
        deflated = pixels.transfer_syntax == DEFLATED
        inflated = (
            frames[id(facts.source)] * facts.rows * facts.columns * pixels.bits_allocated // 8
        )
        if zipped or deflated:
            held = max(held, _size(facts.source) + deflated * inflated)
    return held


def _size(source: Source) -> int:
    """Bytes of a file as it is stored, or of a zip's member once it is unpacked."""
    with source.open() as stream:
        return stream.seek(0, 2)
