"""Read a CT series: folder, file, DICOMDIR or zip to a volume in Hounsfield units.

`open_series` gives the files of a series, and the memory that decoding will take, before its pixels are
read; `read_source_images` reads the headers again, for DICOM objects that refer to them.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

from hemx_core.errors import (
    DicomSeriesError,
    InputError,
    NoSeriesError,
    UnreadablePixelsError,
    cause,
)
from hemx_core.imaging.assemble import Progress, assemble, series_identity
from hemx_core.imaging.choose import Candidate, choose, rank
from hemx_core.imaging.files import FoundFiles, open_input
from hemx_core.imaging.grouping import split
from hemx_core.imaging.headers import SliceHeader, read_headers
from hemx_core.imaging.limits import Work
from hemx_core.imaging.parse import damaged, parse, text
from hemx_core.imaging.pixels import check_decoder
from hemx_core.imaging.source import Source
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from hemx_core.notes import Note, Phrase, Refusal, Severity, first_of

__all__ = [
    "Progress",
    "SeriesFiles",
    "SeriesSummary",
    "list_series",
    "open_series",
    "read_series",
    "read_source_images",
]


_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSummary:
    """One series, or part of a series that mixes orientations, sizes or scans.

    Args:
        key: what to give as `series=`: the series UID, with '#n' for a part.
        plane: 'axial', 'coronal', 'sagittal', or '' where unknown.
        thickness_mm: median slice thickness, None where unknown.
        usable: whether `read_series` may choose it by itself.
        refusal: why it is not usable; None where it is.
        by_request: whether `read_series` reads it if it is asked for by its key, although it is not usable.
    """

    key: str
    series_uid: str
    study_uid: str
    patient_id: str
    series_number: int | None
    description: str
    slices: int
    thickness_mm: float | None
    plane: str
    acquired_at: datetime | None
    usable: bool
    refusal: Refusal | None
    by_request: bool = False


def read_series(
    path: str | os.PathLike[str], *, series: str | None = None, progress: Progress | None = None
) -> HUVolume:
    """Read the best axial non-contrast head CT series, or the one asked for.

    Args:
        path: a folder (searched recursively), a DICOM file, a DICOMDIR or a zip.
        series: series UID, its unique beginning or end, a series number or a description.
        progress: called with ("headers" or "pixels", done, total).
    Returns:
        The volume: slices feet to head along their normal, nose up and the patient's left on the
        image's right; `stored_grid` leads back to the pixels as stored. Notes tell why this series
        was chosen ("series_choice") and what was unusual.
    Raises:
        NoSeriesError: nothing readable, or no such series.
        NotCTError: another modality, or pictures without HU.
        ContrastSeriesError: only contrast series, and none was asked for by name.
        MissingGeometryError: no pixel spacing, position or orientation.
        TooFewSlicesError: fewer than 5 axial positions.
        UnreadablePixelsError: damaged files, or no decoder for the compression.
        UnsafeInputError: an input that leaves its folder or expands beyond bounds.
        VolumeError: positions that contradict each other.
    """
    path = Path(path)
    report = progress or _silent
    with _candidates(path, report) as (candidates, notes):
        choice = choose(candidates, series)
        volume = assemble(choice.part, source=str(path), progress=report)
    return replace(volume, notes=(*choice.notes, *volume.notes, *notes))


def list_series(
    path: str | os.PathLike[str], *, progress: Progress | None = None
) -> tuple[SeriesSummary, ...]:
    """List the series under a path, best first; `read_series` takes the first if usable.

    Args:
        path: a folder (searched recursively), a DICOM file, a DICOMDIR or a zip.
        progress: called with ("headers", done, total).
    Raises:
        NoSeriesError: nothing readable.
        UnreadablePixelsError: damaged files only.
        UnsafeInputError: an input that leaves its folder or expands beyond bounds.
    """
    with _candidates(Path(path), progress or _silent) as (candidates, _):
        return tuple(_summary(candidate) for candidate in candidates)


@contextmanager
def _candidates(path: Path, progress: Progress) -> Iterator[tuple[list[Candidate], list[Note]]]:
    # pydicom warns of every odd value; what matters of it comes back as a note or an error.
    with warnings.catch_warnings(action="ignore"), open_input(path) as found:
        work = Work(name=path.name)
        headers, bad = _read_all(found, work, progress)
        if not headers:
            raise _nothing(path, found, bad)
        yield rank(split(headers, work)), _file_notes(found, bad)


def _read_all(
    found: FoundFiles, work: Work, progress: Progress
) -> tuple[list[SliceHeader], list[tuple[str, DicomSeriesError]]]:
    """Headers of all files; a damaged file among good ones is reported and not fatal."""
    headers: list[SliceHeader] = []
    bad: list[tuple[str, DicomSeriesError]] = []
    for done, source in enumerate(found.sources, 1):
        try:
            slices = read_headers(source, work)
            facts = slices[0].facts
            if not (facts.modality or UID(facts.sop_class).type):
                raise damaged(source.name, Phrase("dicom.no_modality"))
            if facts.sop_class != MediaStorageDirectoryStorage:
                headers.extend(slices)
        except UnreadablePixelsError as error:
            bad.append((source.name, error))
        except OSError as error:
            bad.append((source.name, damaged(source.name, cause(error))))
        progress("headers", done, len(found.sources))
    return headers, bad


def _nothing(
    path: Path, found: FoundFiles, bad: list[tuple[str, DicomSeriesError]]
) -> DicomSeriesError:
    if not bad:
        return NoSeriesError(
            "no_images",
            folder=path.name or str(path),
            others=len(found.not_dicom),
            lost=len(found.missing) or None,
        )
    if len(bad) == 1:
        return bad[0][1]
    return UnreadablePixelsError("files_unreadable", files=len(bad), first=bad[0][1].phrase)


def _file_notes(found: FoundFiles, bad: list[tuple[str, DicomSeriesError]]) -> list[Note]:
    notes = []
    if bad:
        names, because = first_of([name for name, _ in bad], _SHOWN), bad[0][1].phrase
        notes.append(
            Note(
                "unreadable_files",
                Severity.WARNING,
                count=len(bad),
                files=names,
                because=because,
            )
        )
    if found.missing:
        names = first_of(found.missing, _SHOWN)
        notes.append(Note("missing_files", Severity.WARNING, count=len(found.missing), files=names))
    if found.unlisted:
        names = first_of(found.unlisted, _SHOWN)
        count = len(found.unlisted)
        notes.append(Note("unlisted_files", Severity.WARNING, count=count, files=names))
    if found.not_dicom:
        notes.append(Note("not_dicom", Severity.INFO, count=len(found.not_dicom)))
    return notes


def _summary(candidate: Candidate) -> SeriesSummary:
    part, facts = candidate.part, candidate.part.first.facts
    return SeriesSummary(
        key=part.key,
        series_uid=facts.series_uid,
        study_uid=facts.study_uid,
        patient_id=facts.patient_id,
        series_number=facts.series_number,
        description=facts.series_description,
        slices=len(part.slots),
        thickness_mm=part.thickness_mm,
        plane=part.plane,
        acquired_at=part.acquired_at,
        usable=candidate.refusal is None,
        refusal=candidate.refusal,
        by_request=candidate.by_request,
    )


def _silent(_stage: str, _done: int, _total: int) -> None:
    pass


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
        ordered = [header for slot in part.slots for header in slot]
        files = {id(header.facts.source): header.facts for header in ordered}
        syntaxes = {facts.pixels.transfer_syntax for facts in files.values()}
        for syntax in sorted(syntaxes):
            check_decoder(syntax)
        sources = tuple(facts.source for facts in files.values())
        yield SeriesFiles(
            identity=series_identity(part, [slot[0] for slot in part.slots], str(path)),
            slices=len(part.slots),
            rows=part.first.facts.rows,
            columns=part.first.facts.columns,
            bytes_per_value=max(1, part.first.facts.pixels.bits_allocated // 8),
            sources=sources,
            held_bytes=_held_bytes(ordered),
            compressed=any(syntax not in _PLAIN for syntax in syntaxes),
            notes=(*choice.notes, *notes),
        )


_PLAIN = {
    "",
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
}
"""Transfer syntaxes whose pixels need no decoder."""


def _held_bytes(ordered: Sequence[SliceHeader]) -> int:
    frames = Counter(id(header.facts.source) for header in ordered)
    held = 0
    for facts in {id(header.facts.source): header.facts for header in ordered}.values():
        pixels = facts.pixels
        deflated = pixels.transfer_syntax == DeflatedExplicitVRLittleEndian
        inflated = (
            frames[id(facts.source)] * facts.rows * facts.columns * pixels.bits_allocated // 8
        )
        if deflated or facts.source.unpacked_bytes is not None:
            held = max(held, _size(facts.source) + deflated * inflated)
    return held


def _size(source: Source) -> int:
    """Bytes of a file as it is stored, or of a zip's member once it is unpacked."""
    if source.unpacked_bytes is not None:
        return source.unpacked_bytes
    with source.open() as stream:
        return stream.seek(0, 2)


def read_source_images(
    path: str | os.PathLike[str], identity: SeriesIdentity
) -> tuple[Dataset, ...]:
    """Read the headers of a volume's files, without pixels.

    Args:
        path: the input that the volume was read from.
        identity: of the volume.
    Returns:
        One data set for each file: for single images in slice order, for multi-frame files each once,
        in the order of their first slice.
    Raises:
        InputError: the volume has no SOP instance UIDs, or a file is not there any more.
        NoSeriesError: nothing at the path.
        UnsafeInputError: an input that leaves its folder or expands beyond bounds.
    """
    wanted = tuple(dict.fromkeys(identity.sop_instance_uids))
    if not wanted:
        raise InputError("no_instance_uids")
    with warnings.catch_warnings(action="ignore"), open_input(Path(path)) as found:
        headers = _headers(found, wanted)
    missing = [uid for uid in wanted if uid not in headers]
    if missing:
        raise InputError("files_gone", missing=len(missing), wanted=len(wanted))
    return tuple(headers[uid] for uid in wanted)


def _headers(found: FoundFiles, wanted: Sequence[str]) -> dict[str, Dataset]:
    headers: dict[str, Dataset] = {}
    for source in found.sources:
        try:
            with source.open() as stream:
                uid = text(parse(stream, source.name, tags=["SOPInstanceUID"]), "SOPInstanceUID")
                if uid in wanted and uid not in headers:
                    stream.seek(0)
                    headers[uid] = parse(stream, source.name)
        except (UnreadablePixelsError, OSError):
            continue  # the reader has told of it; if it is one of the volume's, it is missing
    return headers
