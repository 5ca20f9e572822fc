"""Choose the series to read and give the reasons; a typed error says why a series cannot be read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hemx_core.errors import (
    ContrastSeriesError,
    DicomSeriesError,
    MissingGeometryError,
    NoSeriesError,
    NotCTError,
    TooFewSlicesError,
)
from hemx_core.imaging.geometry import directions
from hemx_core.imaging.series import SeriesPart, contrast_reason, has_geometry, head_score, is_sharp
from hemx_core.imaging.volume import Note

MIN_SLICES = 5
"""Fewer axial positions are no volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a series is not read.

    Args:
        reason: half a sentence about the series.
        expected: what would have been right.
        remedy: what the user can do.
        error: the error to raise.
        yields_to_choice: whether naming the series with `series=` reads it all the same.
        is_image: whether it was a CT image series at all (so its refusal tells the user most).
    """

    reason: str
    expected: str
    remedy: str
    error: type[DicomSeriesError]
    yields_to_choice: bool = False
    is_image: bool = True

    def raised(self, part: SeriesPart) -> DicomSeriesError:
        """The error for a series."""
        label = part.label
        return self.error(
            f"{label[0].upper()}{label[1:]}: {self.reason}",
            expected=self.expected,
            remedy=self.remedy,
        )


def refusal(part: SeriesPart) -> Refusal | None:
    """The first reason against reading a series; None where it can be read."""
    if part.kind and part.kind != "derived":
        return _kind(part)
    if not has_geometry(part.first):
        return _no_geometry(part)
    if part.plane != "axial":
        return Refusal(
            reason=f"its images are {part.plane}",
            expected="axial images",
            remedy="choose the axial series of the study",
            error=NoSeriesError,
        )
    if len(part.slots) < MIN_SLICES:
        return Refusal(
            reason=f"only {len(part.slots)} axial position{'s' * (len(part.slots) > 1)}",
            expected=f"at least {MIN_SLICES} slices",
            remedy="give the folder with the whole series, not a single slice of it",
            error=TooFewSlicesError,
        )
    return _contrast(part) or (_derived(part) if part.kind else None)


def _kind(part: SeriesPart) -> Refusal:
    modality = part.first.facts.modality or "no modality"
    axial = "choose the axial series of the study"
    return {
        "not_ct": Refusal(
            reason=f"not CT but {modality}",
            expected="non-contrast CT of the head",
            remedy="give the CT study",
            error=NotCTError,
            is_image=False,
        ),
        "secondary": Refusal(
            reason="a screenshot, report or colour picture, without Hounsfield units",
            expected="CT images",
            remedy=axial,
            error=NotCTError,
            is_image=False,
        ),
        "localizer": Refusal(
            reason="a localizer (scout)",
            expected="axial images",
            remedy=axial,
            error=NoSeriesError,
            is_image=False,
        ),
        "projection": Refusal(
            reason="a projection (MIP or rendering), whose values are not those of the tissue",
            expected="axial images",
            remedy=axial,
            error=NoSeriesError,
            is_image=False,
        ),
        "not_hu": Refusal(
            reason=f"its values are {part.first.rescale_type}, not Hounsfield units",
            expected="RescaleType HU",
            remedy="choose the ordinary series of the study",
            error=NotCTError,
        ),
    }[part.kind]


def _no_geometry(part: SeriesPart) -> Refusal:
    header = part.first
    checks: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("Rows and Columns", lambda: header.facts.rows > 0 and header.facts.columns > 0),
        ("PixelSpacing", lambda: header.spacing_mm is not None),
        ("ImagePositionPatient", lambda: header.position_mm is not None),
        ("ImageOrientationPatient", lambda: directions(header.orientation) is not None),
    )
    missing = ", ".join(name for name, present in checks if not present())
    hint = (
        " (ImagerPixelSpacing holds in the detector's plane, not in the patient)"
        if header.spacing_mm is None and header.facts.imager_spacing
        else ""
    )
    return Refusal(
        reason=f"{missing} missing or impossible{hint}",
        expected="size, spacing, position and orientation of every slice",
        remedy="export the original series from the scanner or PACS, not a converted copy",
        error=MissingGeometryError,
    )


def _contrast(part: SeriesPart) -> Refusal | None:
    reason = next(filter(None, map(contrast_reason, part.headers)), "")
    if not reason:
        return None
    return Refusal(
        reason=f"contrast medium was given ({reason})",
        expected="a non-contrast series: the markers are defined on it",
        remedy="choose the non-contrast series; if this is one, ask for it by name (--series)",
        error=ContrastSeriesError,
        yields_to_choice=True,
    )


def _derived(part: SeriesPart) -> Refusal:
    return Refusal(
        reason=f"derived images ({', '.join(part.first.image_type)})",
        expected="original images of the scanner",
        remedy="choose the original axial series, or ask for this one by name (--series)",
        error=NoSeriesError,
        yields_to_choice=True,
    )


_WHOLE_HEAD_MM = 80.0
_TRAINED_THICKNESS_MM = 5.0
_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A part of a series with what decides about it."""

    part: SeriesPart
    refusal: Refusal | None
    study_at: datetime | None
    """When its study began: the newest study of a patient is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The series to read, and notes that say why and what else there was."""

    part: SeriesPart
    notes: tuple[Note, ...]


_CRITERIA: tuple[tuple[str, Callable[[Candidate], float]], ...] = (
    ("its header names the head", lambda one: head_score(one.part.first)),
    ("it covers the head", lambda one: one.part.coverage_mm >= _WHOLE_HEAD_MM),
    ("it belongs to the newest study", lambda one: _seconds(one.study_at)),
    ("it has a soft-tissue kernel", lambda one: not is_sharp(one.part.first)),
    ("its slices are nearest to 5 mm", lambda one: -_thickness_steps(one.part)),
    ("it has most slices", lambda one: len(one.part.slots)),
    ("it was acquired last", lambda one: _seconds(one.part.acquired_at)),
    ("its number is lowest", lambda one: -_number(one.part)),
)
"""What decides, in this order, and the words for it."""


def rank(parts: Sequence[SeriesPart]) -> list[Candidate]:
    """All parts, the usable ones first, each group best first."""
    studies: dict[tuple[str, str], datetime] = {}
    for part in parts:
        at, study = part.acquired_at, _study(part)
        if at is not None:
            studies[study] = min(at, studies.get(study, at))
    candidates = [
        Candidate(part=part, refusal=refusal(part), study_at=studies.get(_study(part)))
        for part in parts
    ]
    return sorted(
        candidates,
        key=lambda one: (
            one.refusal is not None,
            one.refusal is not None and not one.refusal.is_image,
            *(-value(one) for _, value in _CRITERIA),
            one.part.key,
        ),
    )


def choose(candidates: Sequence[Candidate], series: str | None) -> Choice:
    """Choose the best usable series, or the one asked for.

    Args:
        candidates: ranked, not empty.
        series: series UID, its unique beginning or end, series number or description, with
            '#n' for a part of a split series; None chooses the best.
    Raises:
        DicomSeriesError: the subclass that fits the most telling refusal, or `NoSeriesError`
            where `series` names none or several.
    """
    if series is not None:
        return _asked_for(candidates, series)
    best = candidates[0]
    if best.refusal is not None:
        raise _nothing_usable(candidates)
    others = candidates[1:]
    usable = [one for one in others if one.refusal is None]
    reason = _why(best, usable[0]) if usable else "it is the only usable axial series"
    message = f"Read {best.part.label} because {reason}.{_alternatives(usable)}{_aside(others)}"
    return Choice(
        part=best.part, notes=(Note("series_choice", message), *_mixture(best, candidates))
    )


def _asked_for(candidates: Sequence[Candidate], series: str) -> Choice:
    found = _matching(candidates, series.strip())
    owners = {(one.part.first.facts.patient_id, *_series(one.part)) for one in found}
    if len(owners) != 1:
        what = "no series" if not owners else f"{len(owners)} series"
        raise NoSeriesError(
            f"{what} called {series!r}; there are: {_listing(candidates)}",
            expected="a series UID, its unique beginning or end, a number or a description",
            remedy="name one of these series",
        )
    chosen = found[0]
    if chosen.refusal is not None and not chosen.refusal.yields_to_choice:
        raise chosen.refusal.raised(chosen.part)
    others = [one for one in candidates if one is not chosen]
    usable = [one for one in others if one.refusal is None]
    message = f"Read {chosen.part.label} because it was asked for.{_alternatives(usable)}"
    notes = [Note("series_choice", message + _aside(others))]
    if chosen.refusal is not None:
        code = "contrast" if chosen.refusal.error is not NoSeriesError else "derived_images"
        notes.append(
            Note(
                code,
                f"WARNING: {chosen.refusal.reason}. Expected was {chosen.refusal.expected}; the "
                "series was read because it was named. Do not rely on the result.",
            )
        )
    return Choice(part=chosen.part, notes=(*notes, *_mixture(chosen, candidates)))


def _matching(candidates: Sequence[Candidate], asked: str) -> list[Candidate]:
    """Candidates that a name means: the first way of reading the name that fits any."""
    name, mark, number = asked.rpartition("#")
    if mark and number.isdigit():
        return [
            one
            for one in _matching(candidates, name)
            if one.part.key.endswith(f"#{number}") or ("#" not in one.part.key and number == "1")
        ]
    folded = asked.casefold()
    ways: tuple[Callable[[SeriesPart], bool], ...] = (
        lambda part: _uid(part) == asked,
        lambda part: asked.isdigit() and part.first.facts.series_number == int(asked),
        lambda part: part.first.facts.series_description.casefold() == folded,
        lambda part: _uid(part).startswith(asked) or _uid(part).endswith(asked),
        lambda part: folded in part.first.facts.series_description.casefold(),
    )
    if not asked:
        return []
    return next(filter(None, ([c for c in candidates if way(c.part)] for way in ways)), [])


def _nothing_usable(candidates: Sequence[Candidate]) -> DicomSeriesError:
    """The refusal of the largest CT image series; else of the largest of all, with the rest."""
    refused = [(one, one.refusal) for one in candidates if one.refusal is not None]
    one, why = max(refused, key=lambda pair: (pair[1].is_image, len(pair[0].part.slots)))
    error = why.raised(one.part)
    rest = [other for other in candidates if other is not one]
    if not rest:
        return error
    return type(error)(
        f"{error.found}; the rest is no better:{_aside(rest).removesuffix('.')}",
        expected=error.expected,
        remedy=error.remedy,
    )


def _why(best: Candidate, second: Candidate) -> str:
    for words, value in _CRITERIA:
        if value(best) > value(second):
            return words
    return "it comes first among equals"


def _mixture(chosen: Candidate, candidates: Sequence[Candidate]) -> list[Note]:
    images = [one.part for one in candidates if one.refusal is None or one.refusal.is_image]
    patients = {part.first.facts.patient_id for part in images} | {
        chosen.part.first.facts.patient_id
    }
    studies = {_study(part) for part in images} | {_study(chosen.part)}
    facts = chosen.part.first.facts
    notes = []
    if len(patients) > 1:
        notes.append(
            Note(
                "several_patients",
                f"WARNING: the input holds CT of {len(patients)} patients; this is patient "
                f"{facts.patient_id or 'without an ID'!r}. Make sure that it is the right one.",
            )
        )
    elif len(studies) > 1:
        at = chosen.study_at
        when = f", the one of {at:%Y-%m-%d %H:%M}" if at else ""
        notes.append(
            Note("several_studies", f"The input holds {len(studies)} studies; one was read{when}.")
        )
    return notes


def _alternatives(usable: Sequence[Candidate]) -> str:
    return f" Usable too: {_labels(usable)}." if usable else ""


def _aside(others: Sequence[Candidate]) -> str:
    refused = [(one.part.label, one.refusal) for one in others if one.refusal is not None]
    texts = [f"{label}: {why.reason}" for label, why in refused if why.is_image]
    kinds = Counter(why.reason for _, why in refused if not why.is_image)
    for reason, count in kinds.items():
        label = next(label for label, why in refused if why.reason == reason)
        texts.append(f"{label if count == 1 else f'{count} series or parts'}: {reason}")
    return f" Set aside: {_shortened(texts)}." if texts else ""


def _labels(candidates: Sequence[Candidate]) -> str:
    return _shortened([one.part.label for one in candidates])


def _listing(candidates: Sequence[Candidate]) -> str:
    return _shortened([f"{one.part.label}, UID {one.part.key or 'missing'}" for one in candidates])


def _shortened(texts: Sequence[str]) -> str:
    more = f"; and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return "; ".join(texts[:_SHOWN]) + more


def _series(part: SeriesPart) -> tuple[str, str]:
    return part.first.facts.study_uid, part.first.facts.series_uid


def _study(part: SeriesPart) -> tuple[str, str]:
    return part.first.facts.patient_id, part.first.facts.study_uid


def _uid(part: SeriesPart) -> str:
    return part.first.facts.series_uid


def _thickness_steps(part: SeriesPart) -> int:
    """How many factors of 1.5 the slice thickness is away from 5 mm; far where unknown."""
    if part.thickness_mm is None:
        return 10
    return round(abs(math.log(part.thickness_mm / _TRAINED_THICKNESS_MM, 1.5)))


def _number(part: SeriesPart) -> int:
    number = part.first.facts.series_number
    return 10**9 if number is None else number


def _seconds(at: datetime | None) -> float:
    return (at - datetime(1900, 1, 1)).total_seconds() if at else -1e12
