"""Read a CT series: folder, file, DICOMDIR or zip to a volume in Hounsfield units.

    path -> files by content (_files) -> headers (_headers) -> series and parts (_groups)
         -> the best, or the one asked for (_choose, _refusals) -> pixels (_pixels, _hu, _assemble)

Strict where a measurement depends on it (geometry, rescale, contrast), lenient where it does not;
what was unusual travels with the volume as notes. Nothing is guessed.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydicom.uid import MediaStorageDirectoryStorage

from hemx_core.errors import DicomSeriesError, NoSeriesError, UnreadablePixelsError
from hemx_core.imaging._assemble import Progress, assemble
from hemx_core.imaging._choose import Candidate, choose, rank
from hemx_core.imaging._files import FoundFiles, open_input
from hemx_core.imaging._groups import split
from hemx_core.imaging._headers import SliceHeader, read_headers
from hemx_core.imaging.volume import HUVolume, Note

__all__ = ["Progress", "SeriesSummary", "list_series", "read_series"]

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSummary:
    """One series, or part of a series that mixes orientations or sizes.

    Args:
        key: what to give as `series=`: the series UID, with '#n' for a part.
        plane: 'axial', 'coronal', 'sagittal', or '' where unknown.
        thickness_mm: median slice thickness, None where unknown.
        usable: whether `read_series` may choose it by itself.
        reason: why it is not usable; empty where it is.
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
    reason: str
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
    """Tell all series under a path apart, best first; `read_series` takes the first if usable.

    Args:
        path: a folder (searched recursively), a DICOM file, a DICOMDIR or a zip.
        progress: called with ("headers", done, total).
    Raises:
        NoSeriesError: nothing readable.
        UnreadablePixelsError: damaged files only.
        UnsafeInputError: an input that leaves its folder or expands beyond bounds.
    """
    with _candidates(Path(path), progress or _silent) as (candidates, _):
        return tuple(_summary(one) for one in candidates)


@contextmanager
def _candidates(path: Path, progress: Progress) -> Iterator[tuple[list[Candidate], list[Note]]]:
    # pydicom warns of every odd value; what matters of it comes back as a note or an error.
    with warnings.catch_warnings(action="ignore"), open_input(path) as found:
        headers, bad = _read_all(found, progress)
        if not headers:
            raise _nothing(path, found, bad)
        yield rank(split(headers)), _file_notes(found, bad)


def _read_all(
    found: FoundFiles, progress: Progress
) -> tuple[list[SliceHeader], list[tuple[str, DicomSeriesError]]]:
    """Headers of all files; a damaged file among good ones is told, not fatal."""
    headers: list[SliceHeader] = []
    bad: list[tuple[str, DicomSeriesError]] = []
    for done, source in enumerate(found.sources, 1):
        try:
            slices = read_headers(source)
            facts = slices[0].facts
            if not (facts.modality or facts.sop_class):
                raise _damaged(source.name, "it names no modality")
            if facts.sop_class != MediaStorageDirectoryStorage:
                headers.extend(slices)
        except UnreadablePixelsError as error:
            bad.append((source.name, error))
        except OSError as error:
            bad.append((source.name, _damaged(source.name, error.strerror or str(error))))
        progress("headers", done, len(found.sources))
    return headers, bad


def _damaged(name: str, reason: str) -> UnreadablePixelsError:
    return UnreadablePixelsError(
        f"{name} cannot be read as DICOM ({reason})",
        expected="an undamaged DICOM file",
        remedy="copy or export the study again",
    )


def _nothing(
    path: Path, found: FoundFiles, bad: list[tuple[str, DicomSeriesError]]
) -> DicomSeriesError:
    if not bad:
        lost = f"; it names {len(found.missing)} files that are not there" if found.missing else ""
        return NoSeriesError(
            f"no DICOM images in {path.name or path} ({_files(len(found.not_dicom))} of other "
            f"kinds{lost})",
            expected="CT images in DICOM files",
            remedy="give the folder, DICOMDIR or zip of the CT study; unpack archives inside it",
        )
    if len(bad) == 1:
        return bad[0][1]
    return UnreadablePixelsError(
        f"none of {len(bad)} DICOM files can be read; the first: {bad[0][1].found}",
        expected=bad[0][1].expected,
        remedy=bad[0][1].remedy,
    )


def _file_notes(found: FoundFiles, bad: list[tuple[str, DicomSeriesError]]) -> list[Note]:
    notes = []
    if bad:
        names = ", ".join(name for name, _ in bad[:_SHOWN])
        message = f"WARNING: left out {_files(len(bad))}, damaged: {names}. {bad[0][1].found}."
        notes.append(Note("unreadable_files", message))
    if found.missing:
        names = ", ".join(found.missing[:_SHOWN])
        count = _files(len(found.missing))
        message = f"WARNING: {count} that the DICOMDIR names are not there: {names}."
        notes.append(Note("missing_files", message))
    if found.not_dicom:
        message = f"Passed over: {_files(len(found.not_dicom))} that are not DICOM."
        notes.append(Note("not_dicom", message))
    return notes


def _summary(one: Candidate) -> SeriesSummary:
    part, facts = one.part, one.part.first.facts
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
        usable=one.refusal is None,
        reason=one.refusal.reason if one.refusal else "",
        by_request=one.refusal is not None and one.refusal.yields_to_choice,
    )


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _silent(_stage: str, _done: int, _total: int) -> None:
    pass
