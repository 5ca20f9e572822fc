"""Ask the program, as a user would, and take down what it answers."""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom

import hemx_core as hemx
from benchmarks.world.expect import Found, Said
from hemx_core.errors import HemxError
from hemx_core.notes import Note
from hemx_core.pipeline import TriageModels
from hemx_core.words import tell


def answered(question: Callable[[], Found]) -> Found:
    """The answer with its wall time; an error is an answer too."""
    began = time.perf_counter()
    try:
        found = question()
    except HemxError as error:
        # What was found, without the remedy: it names what may be wrong, too.
        found = Found(error=f"{error.code}: {error.found}")
    except Exception as error:  # what must not happen is counted, not passed on
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        found = Found(error=f"{type(error).__name__}: {error} ({where})", typed=False)
    return replace(found, seconds=time.perf_counter() - began)


def triage(study: Path | hemx.Volume, models: TriageModels, **options: Any) -> Found:
    """`hemx.triage`."""
    return of_triage(hemx.triage(study, models=models, **options))


def compare(folder: Path, models: TriageModels, **options: Any) -> Found:
    """`hemx.compare` of the folders `earlier` and `later`."""
    return compare_folders(folder / "earlier", folder / "later", models, **options)


def compare_folders(earlier: Path, later: Path, models: TriageModels, **options: Any) -> Found:
    """`hemx.compare`."""
    result = hemx.compare(earlier, later, models=models, **options)
    notes = (*result.notes, *result.earlier.notes, *result.later.notes)
    answers = {code: str(answer) for code, answer in result.growth.answers.items()}
    return replace(of_triage(result.later), notes=said(notes), answers=answers)


def save(
    study: Path,
    models: TriageModels,
    *,
    hidden: Iterable[str] = (),
    shown: Iterable[str] = (),
    **options: Any,
) -> Found:
    """`hemx.triage` and everything that can be written; an extra that fails is a note.

    Args:
        study: folder.
        models: loaded models.
        hidden: texts to look for in what was written.
        shown: texts to miss in the DICOM objects.
        **options: of `TriageResult.save`.
    """
    result = hemx.triage(study, models=models)
    with tempfile.TemporaryDirectory() as folder:
        notes: tuple[Said, ...] = ()
        try:
            notes = said(result.save(folder, **options).notes)
        except HemxError as error:
            notes = (Said(code=error.code, severity="extra", text=str(error)),)
        written = [path for path in Path(folder).rglob("*") if path.is_file()]
        leaked = tuple(text for text in hidden if any(_holds(path, text) for path in written))
        objects = [path for path in written if path.suffix == ".dcm"]
        absent = tuple(text for text in shown if not any(_holds(path, text) for path in objects))
        names = tuple(sorted({path.name for path in written}))
    found = of_triage(result)
    return replace(found, notes=(*found.notes, *notes), files=names, leaked=leaked, absent=absent)


def _holds(path: Path, text: str) -> bool:
    """Whether a file or its name holds a text: DICOM by its elements, PDF by its pages' words."""
    if text in path.name:
        return True
    if path.suffix == ".dcm":
        dataset = pydicom.dcmread(path)
        dataset.pop("PixelData", None)
        return text in str(dataset)
    if path.suffix == ".pdf":
        from pypdf import PdfReader

        return any(text in page.extract_text() for page in PdfReader(path).pages)
    return text.encode() in path.read_bytes()


def series(folder: Path) -> Found:
    """`hemx.list_series`, of which the first is the one that would be read."""
    first = hemx.list_series(folder)[0]
    error = "" if first.refusal is None else f"{first.refusal.code}: {tell(first.refusal)}"
    return Found(error=error, series=first.description, slices=first.slices)


def of_triage(result: hemx.TriageResult) -> Found:
    """What a triage result says."""
    return Found(
        recommendation=str(result.recommendation),
        volume_ml=result.haematoma.volume_ml,
        at_most_ml=result.haematoma.at_most_ml,
        lower_bound=result.haematoma.lower_bound,
        slices=len(result.slices),
        series=result.identity.series_description,
        notes=said(result.notes),
    )


def said(notes: Iterable[Note]) -> tuple[Said, ...]:
    """Notes with their English sentences."""
    return tuple(
        Said(code=note.code, severity=str(note.severity), text=tell(note)) for note in notes
    )
