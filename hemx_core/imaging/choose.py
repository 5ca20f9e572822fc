"""Choose the series to read and give the reasons; a typed error says why a series cannot be read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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
from hemx_core.imaging.contrast import Said, read_words
from hemx_core.imaging.geometry import directions
from hemx_core.imaging.left_out import scan_notes
from hemx_core.imaging.person import count_people
from hemx_core.imaging.series import SeriesPart, contrast, has_geometry, head_score, is_sharp
from hemx_core.notes import Note, Phrase, Refusal, Severity, Value, first_of, gravest_first

MIN_SLICES = 5
"""Fewer axial positions are no volume."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a refusal means for the choice.

    Args:
        error: the error to raise.
        yields_to_choice: whether naming the series with `series=` reads it all the same.
        is_image: whether it was a CT image series at all (so its refusal tells the user most).
    """

    error: type[DicomSeriesError]
    yields_to_choice: bool = False
    is_image: bool = True


GROUNDS = {
    "not_ct": Ground(NotCTError, is_image=False),
    "no_modality": Ground(NotCTError, is_image=False),
    "secondary": Ground(NotCTError, is_image=False),
    "localizer": Ground(NoSeriesError, is_image=False),
    "projection": Ground(NoSeriesError, is_image=False),
    "not_hu": Ground(NotCTError),
    "no_geometry": Ground(MissingGeometryError),
    "not_axial": Ground(NoSeriesError),
    "few_positions": Ground(TooFewSlicesError),
    "contrast_given": Ground(ContrastSeriesError, yields_to_choice=True),
    "derived": Ground(NoSeriesError, yields_to_choice=True),
}
"""By the refusal's code."""


def refusal(part: SeriesPart) -> Refusal | None:
    """The first reason against reading a series; None where it can be read."""
    if part.kind and part.kind != "derived":
        return _kind(part)
    if not has_geometry(part.first):
        return _no_geometry(part)
    if part.plane != "axial":
        return Refusal("not_axial", plane=part.plane or None)
    if len(part.slots) < MIN_SLICES:
        return Refusal("few_positions", count=len(part.slots))
    sign = next((told.given for told in map(contrast, part.headers) if told.given), None)
    if sign is not None:
        return Refusal("contrast_given", sign=sign)
    return Refusal("derived", types=part.first.image_type) if part.kind else None


def _kind(part: SeriesPart) -> Refusal:
    modality = part.first.facts.modality
    if part.kind == "not_ct":
        return Refusal("not_ct", modality=modality) if modality else Refusal("no_modality")
    if part.kind == "not_hu":
        return Refusal("not_hu", rescale_type=part.first.rescale_type)
    return Refusal(part.kind)


def _no_geometry(part: SeriesPart) -> Refusal:
    header = part.first
    checks: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("Rows", lambda: header.facts.rows > 0),
        ("Columns", lambda: header.facts.columns > 0),
        ("PixelSpacing", lambda: header.spacing_mm is not None),
        ("ImagePositionPatient", lambda: header.position_mm is not None),
        ("ImageOrientationPatient", lambda: directions(header.orientation) is not None),
    )
    detector = header.spacing_mm is None and header.facts.imager_spacing
    return Refusal(
        "no_geometry",
        missing=tuple(name for name, present in checks if not present()),
        hint=Phrase("imager_spacing") if detector else None,
    )


def _refused(part: SeriesPart, why: Refusal, rest: Sequence[Candidate] = ()) -> DicomSeriesError:
    """The error for a series that is not read."""
    return GROUNDS[why.code].error(
        f"refused.{why.code}", series=part.label, reason=why, rest=_aside(rest), needed=MIN_SLICES
    )


_WHOLE_HEAD_MM = 80.0
_NEXT_ACQUISITION_S = 20.0
"""A series that begins so long after another one ends is another acquisition."""
_MUCH = 0.9
"""A scan that reaches less than this share of another one is not the whole one."""
_TRAINED_THICKNESS_MM = 5.0
_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A part of a series with what decides about it."""

    part: SeriesPart
    refusal: Refusal | None
    study_at: datetime | None
    """When its study began: the newest study of a patient is read."""
    acquisition: int | None
    """Which acquisition of its study it is, counted from 0; None where the time is unknown."""
    is_whole: bool
    """Whether no other scan in its series reaches much further."""

    @property
    def is_image(self) -> bool:
        """Whether it is a CT image series, usable or not."""
        return self.refusal is None or GROUNDS[self.refusal.code].is_image

    @property
    def by_request(self) -> bool:
        """Whether it is read only where it is named."""
        return self.refusal is not None and GROUNDS[self.refusal.code].yields_to_choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The series to read, and notes that say why and what else there was."""

    part: SeriesPart
    notes: tuple[Note, ...]


_CRITERIA: tuple[tuple[str, Callable[[Candidate], float]], ...] = (
    ("because.names_head", lambda candidate: head_score(candidate.part.first)),
    ("because.covers_head", lambda candidate: candidate.part.coverage_mm >= _WHOLE_HEAD_MM),
    ("because.newest_study", lambda candidate: _seconds(candidate.study_at)),
    ("because.no_contrast_doubt", lambda candidate: not _contrast_notes(candidate.part)),
    ("because.soft_kernel", lambda candidate: not is_sharp(candidate.part.first)),
    ("because.whole_scan", lambda candidate: candidate.is_whole),
    ("because.acquired_first", lambda candidate: -_order(candidate)),
    ("because.nearest_to_5_mm", lambda candidate: -_thickness_steps(candidate.part)),
    ("because.most_slices", lambda candidate: len(candidate.part.slots)),
    ("because.says_plain", lambda candidate: contrast(candidate.part.first).plain),
    ("because.lowest_number", lambda candidate: -_number(candidate.part)),
)
"""Criteria in the order in which they decide, by the code of their sentence."""
# Records of before may hold "because.acquired_last": its sentence stays.


def rank(parts: Sequence[SeriesPart]) -> list[Candidate]:
    """All parts, the usable ones first, each group best first."""
    studies: dict[tuple[str, str], datetime] = {}
    for part in parts:
        at, study = part.acquired_at, _study(part)
        if at is not None:
            studies[study] = min(at, studies.get(study, at))
    acquisitions, longest = _acquisitions(parts), _longest(parts)
    candidates = [
        Candidate(
            part=part,
            refusal=refusal(part),
            study_at=studies.get(_study(part)),
            acquisition=acquisitions.get(place),
            is_whole=part.coverage_mm >= _MUCH * max(longest[uid] for uid in part.series_uids),
        )
        for place, part in enumerate(parts)
    ]
    return sorted(
        candidates,
        key=lambda candidate: (
            candidate.refusal is not None,
            not candidate.is_image,
            *(-value(candidate) for _, value in _CRITERIA),
            candidate.part.key,
        ),
    )


def _longest(parts: Sequence[SeriesPart]) -> dict[str, float]:
    """How far the longest axial scan of each series reaches, millimetres."""
    longest: dict[str, float] = {}
    for part in parts:
        for uid in part.series_uids:
            reach = 0.0 if part.kind or not uid or part.plane != "axial" else part.coverage_mm
            longest[uid] = max(reach, longest.get(uid, 0.0))
    return longest


def _acquisitions(parts: Sequence[SeriesPart]) -> dict[int, int]:
    """Which acquisition of its study a part is of, both by number; those that overlap share one."""
    times: dict[tuple[str, str], list[tuple[datetime, datetime, int]]] = {}
    for place, part in enumerate(parts):
        known = [one.acquired_at for one in part.headers if one.acquired_at and one.time_known]
        if known and not part.kind:
            times.setdefault(_study(part), []).append((min(known), max(known), place))
    found: dict[int, int] = {}
    for study in times.values():
        number, end = 0, datetime.max
        for first, last, place in sorted(study):
            if (first - end).total_seconds() > _NEXT_ACQUISITION_S:
                number, end = number + 1, last
            end = last if end == datetime.max else max(end, last)
            found[place] = number
    return found


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
    usable = next((candidate for candidate in others if candidate.refusal is None), None)
    because = _why(best, usable) if usable else "because.only_usable"
    notes = (
        _choice(best, others, because),
        *_contrast_notes(best.part),
        *_acquired_again(best, others),
        *_mixture(best, candidates),
        *_scan(best, others),
    )
    return Choice(part=best.part, notes=notes)


def _scan(chosen: Candidate, others: Sequence[Candidate]) -> Iterator[Note]:
    parts = {id(other.part): other for other in others}
    return scan_notes(
        chosen.part,
        [other.part for other in others],
        lambda part: _label(parts[id(part)], chosen),
    )


def _contrast_notes(part: SeriesPart) -> tuple[Note, ...]:
    """What its header leaves open on contrast medium; the gravest of its slices speaks for all."""
    doubts = (told.doubt for told in map(contrast, part.headers))
    return gravest_first(dict.fromkeys(filter(None, doubts)))[:1]


def _acquired_again(chosen: Candidate, others: Sequence[Candidate]) -> list[Note]:
    """A warning where the study has another series like the one that is read, of another time.

    The first is mostly the plain one, and the second the one after contrast medium. A series that
    only differs in its reconstruction has the same time.
    """
    # Beside a "HEAD W/O" a "HEAD W" is what it says.
    description = chosen.part.first.facts.series_description
    unnamed = read_words(description) is not Said.NOT_GIVEN
    heads = [
        other
        for other in others
        if (other.refusal is None or (unnamed and _only_called_later(other)))
        and _study(other.part) == _study(chosen.part)
        # `scan_notes` tells of several scans in one series.
        and not other.part.series_uids & chosen.part.series_uids
        and None not in (other.acquisition, chosen.acquisition)
        and all(value(other) >= value(chosen) for code, value in _CRITERIA if code in _HEADS)
    ]
    earlier = [other for other in heads if _order(other) < _order(chosen)]
    later = [other for other in heads if _order(other) > _order(chosen) and _alike(other, chosen)]
    notes = []
    if earlier:
        told = first_of([_label(one, chosen) for one in earlier], _SHOWN)
        notes.append(Note("acquired_before", Severity.WARNING, series=told))
    if later:
        told = first_of([_label(one, chosen) for one in later], _SHOWN)
        notes.append(Note("acquired_after", Severity.WARNING, series=told))
    return notes


_HEADS = {"because.names_head", "because.covers_head"}


def _only_called_later(candidate: Candidate) -> bool:
    """Whether it was set aside for a bare "POST" or "WITH" alone: it may be a second plain scan."""
    given = [told for told in map(contrast, candidate.part.headers) if told.given]
    return (
        candidate.refusal is not None
        and candidate.refusal.code == "contrast_given"
        and all(told.bare for told in given)
    )


def _alike(a: Candidate, b: Candidate) -> bool:
    """Whether two series are of one kind of kernel and thickness."""
    kinds = [(is_sharp(one.part.first), _thickness_steps(one.part)) for one in (a, b)]
    return kinds[0] == kinds[1]


def _order(candidate: Candidate) -> float:
    return math.inf if candidate.acquisition is None else candidate.acquisition


def _choice(chosen: Candidate, others: Sequence[Candidate], because: str) -> Note:
    return Note(
        "series_choice",
        Severity.INFO,
        series=chosen.part.label,
        because=Phrase(because),
        usable=first_of(
            [_label(other, chosen) for other in others if other.refusal is None], _SHOWN
        ),
        aside=_aside(others, chosen),
    )


PART_OF_A_UID = 8
"""Digits alone shorter than this are a series number, not the beginning or end of a UID."""
EXACT_WAYS = 3
"""The ways of reading a name that compare the whole of it: UID, number, description."""


def _asked_for(candidates: Sequence[Candidate], series: str) -> Choice:
    found = _matching(candidates, series.strip())
    owners = {
        (candidate.part.first.facts.patient_id, *_series(candidate.part)) for candidate in found
    }
    if len(owners) != 1:
        what = "series_ambiguous" if owners else "series_unknown"
        raise NoSeriesError(what, count=len(owners), asked=series, listing=_listing(candidates))
    chosen = found[0]
    if chosen.refusal is not None and not chosen.by_request:
        raise _refused(chosen.part, chosen.refusal)
    others = [candidate for candidate in candidates if candidate is not chosen]
    notes = [_choice(chosen, others, "because.asked_for")]
    if chosen.refusal is not None:
        code = "contrast" if chosen.refusal.code == "contrast_given" else "derived_images"
        notes.append(Note(code, Severity.WARNING, reason=chosen.refusal))
    notes.extend(_contrast_notes(chosen.part))
    return Choice(
        part=chosen.part, notes=(*notes, *_mixture(chosen, candidates), *_scan(chosen, others))
    )


def _matching(candidates: Sequence[Candidate], asked: str) -> list[Candidate]:
    """Candidates that a name means: the first way of reading the name that fits any."""
    name, mark, number = asked.rpartition("#")
    if mark and number.isdigit():
        return [
            candidate
            for candidate in _matching(candidates, name)
            if candidate.part.key.endswith(f"#{number}")
            or (number == "1" and "#" not in candidate.part.key)
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
    if asked.isdigit() and len(asked) < PART_OF_A_UID:
        # A number that no series bears must not fall through to the "5" in another's UID or "5 mm".
        ways = ways[:EXACT_WAYS]
    return next(filter(None, ([c for c in candidates if way(c.part)] for way in ways)), [])


def _nothing_usable(candidates: Sequence[Candidate]) -> DicomSeriesError:
    """The refusal of the largest CT image series; else of the largest of all, with the rest."""
    refused = [(each, each.refusal) for each in candidates if each.refusal is not None]
    largest, why = max(refused, key=lambda pair: (pair[0].is_image, len(pair[0].part.slots)))
    return _refused(largest.part, why, [other for other in candidates if other is not largest])


def _why(best: Candidate, second: Candidate) -> str:
    for code, value in _CRITERIA:
        if value(best) > value(second):
            return code
    return "because.first_of_equals"


def _mixture(chosen: Candidate, candidates: Sequence[Candidate]) -> list[Note]:
    images = [candidate.part for candidate in candidates if candidate.is_image]
    patients = count_people([part.person for part in (chosen.part, *images)])
    studies = {_study(part) for part in images} | {_study(chosen.part)}
    if patients > 1:
        patient = chosen.part.first.facts.patient_id or None
        return [Note("several_patients", Severity.WARNING, patients=patients, patient=patient)]
    if len(studies) > 1:
        at = f"{chosen.study_at:%Y-%m-%d %H:%M}" if chosen.study_at else None
        return [Note("several_studies", Severity.CAUTION, studies=len(studies), at=at)]
    return []


def _label(candidate: Candidate, chosen: Candidate | None) -> Phrase:
    """A series' label; another patient's names the patient, so that it is left out where names are."""
    part = candidate.part
    if chosen is None or part.patient == chosen.part.patient:
        return part.label
    return part.labelled(patient=next(filter(None, part.patient), ""))


def _aside(others: Sequence[Candidate], chosen: Candidate | None = None) -> tuple[Value, ...]:
    """Series that are not read and why; those that are no CT images counted by kind."""
    refused = [(other, other.refusal) for other in others if other.refusal is not None]
    told = [
        Phrase("aside", series=_label(other, chosen), reason=why)
        for other, why in refused
        if other.is_image
    ]
    kinds = Counter(why for other, why in refused if not other.is_image)
    for reason, count in kinds.items():
        label = next(_label(other, chosen) for other, why in refused if why == reason)
        told.append(
            Phrase("aside", series=label, reason=reason)
            if count == 1
            else Phrase("aside_several", count=count, reason=reason)
        )
    return first_of(told, _SHOWN)


def _listing(candidates: Sequence[Candidate]) -> tuple[Value, ...]:
    listed = [Phrase("listed", series=c.part.label, uid=c.part.key or "-") for c in candidates]
    return first_of(listed, _SHOWN)


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
