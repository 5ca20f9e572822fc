"""Which series is read, and why that one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hemx_core.errors import DicomSeriesError, NoSeriesError
from hemx_core.imaging._groups import SeriesPart
from hemx_core.imaging._kinds import head_score, is_sharp
from hemx_core.imaging._refusals import Refusal, refusal
from hemx_core.imaging.volume import Note

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
