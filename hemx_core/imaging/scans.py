"""Which slices are one scan: what continues or interleaves is joined, what lies on top is told apart.

Headers disagree about one scan for trivial reasons (a frame of reference for every range, an id that was
corrected half way), and agree about two (plain and contrast in one series). The places of the slices decide:
two sets are two scans where slices of one lie on top of the other's, or where they show tissue that the
other shows already; sets that fill each other's gaps or follow each other are one. AcquisitionNumber alone
says nothing: old scanners count every rotation with it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import takewhile
from unicodedata import normalize

import numpy as np

from hemx_core.imaging.geometry import (
    SAME_POSITION_MM,
    Vector,
    line_distances_mm,
    offsets_mm,
    stack,
)
from hemx_core.imaging.headers import SliceHeader
from hemx_core.imaging.limits import Work

FEW = 3
"""Fewer slices on top of others are a seam or a repeated slice, and no scan of their own."""
_PART = 0.3
"""Nor are fewer than this share of the smaller of two sets: ranges of a scan may overlap."""
_NEAR = 0.2
"""Slices nearer than this share of the step lie on top of each other."""
_FOLLOWS = 1.5
"""The largest distance, in steps, at which a set of slices follows another one."""
_NO_GAP = 1.1
"""Slices up to this times their thickness apart leave no gap that another slice would fill."""
_MIDDLE = 0.4
"""A slice nearer to one side than this share of a gap is not in its middle."""
_HALT = 0.6
"""A step below this share of the one before it is none of the same run."""
_OFF_LINE_MM = 1.0
_LIKE_ID = 3
"""An id must have so many signs for another one, longer at either end, to be like it."""

Headers = list[SliceHeader]


class _Set:
    """Slices of one orientation with their places, kept so that sets are joined without work."""

    def __init__(self, headers: Headers, like: SliceHeader) -> None:
        at = offsets_mm(headers, like)
        order = np.argsort(at, kind="stable")
        self.like = like
        self.headers = [headers[index] for index in order]
        self.at = at[order]
        positions = np.array([header.position_mm for header in headers], dtype=np.float64)
        self.positions = positions[order]
        thick = [header.thickness_mm or np.nan for header in headers]
        self.thick = np.array(thick, dtype=np.float64)[order]
        self.uids = {header.facts.sop_uid for header in headers} - {""}

    def __add__(self, other: _Set) -> _Set:
        both = _Set.__new__(_Set)
        at = np.concatenate([self.at, other.at])
        order = np.argsort(at, kind="stable")
        headers = [*self.headers, *other.headers]
        both.like = self.like
        both.headers = [headers[index] for index in order.tolist()]
        both.at = at[order]
        both.positions = np.concatenate([self.positions, other.positions])[order]
        both.thick = np.concatenate([self.thick, other.thick])[order]
        both.uids = self.uids | other.uids
        return both

    @property
    def step(self) -> float:
        """Median distance of neighbours; the thickness of a single slice, or 0."""
        steps = np.diff(self.at)
        steps = steps[steps > SAME_POSITION_MM]
        return float(np.median(steps)) if len(steps) else float(np.nan_to_num(self.thick[0]))

    @property
    def size(self) -> float:
        """The smaller of step and thickness."""
        return min(self.step, float(np.fmin.reduce(self.thick, initial=np.inf)))

    @property
    def off_line(self) -> float:
        return float(line_distances_mm(self.positions, self.at).max())


def scans(headers: Sequence[SliceHeader], work: Work) -> list[Headers]:
    """Separate slices that fit into one stack into the scans, or reconstructions, that they are of.

    Args:
        headers: slices with geometry, alike in matrix, pixel spacing and orientation; not empty.
        work: what the input has taken so far.
    Returns:
        Lists of slices. No two of a list are of different people, or on top of each other, but for a
        few at a seam and for copies of a file.
    Raises:
        UnsafeInputError: see `Work.compare`.
    """
    subjects = _classes(headers, _subject)
    groups = gather(subjects, work) if len(subjects) > 1 else subjects
    return [scan for group in groups for scan in _tell_apart(group, work)]


def gather(sets: Sequence[Headers], work: Work) -> list[Headers]:
    """Join sets of slices that may be of one person and day, and continue each other, from below.

    Args:
        sets: slices of one orientation; none empty.
        work: what the input has taken so far.
    Raises:
        UnsafeInputError: see `Work.compare`.
    """
    like = sets[0][0]
    placed = [_Set(members, like) for members in sets]
    step = _Set([header for members in sets for header in members], like).step
    waiting = sorted(placed, key=lambda one: float(one.at[0]))
    done: list[Headers] = []
    while waiting:
        grown = waiting.pop(0)
        while (found := _next(grown, waiting, step, work)) is not None:
            grown = grown + waiting.pop(found)
        done.append(grown.headers)
    return done


def _next(grown: _Set, waiting: Sequence[_Set], step: float, work: Work) -> int | None:
    limit = grown.at[-1] + _FOLLOWS * step + SAME_POSITION_MM
    near = takewhile(lambda one: one[1].at[0] <= limit, enumerate(waiting))
    for index, one in near:
        work.compare()
        if _continue(grown, one, step):
            return index
    return None


def _continue(a: _Set, b: _Set, step: float) -> bool:
    """Whether two sets of one person continue or interleave: neither on top, apart nor beside."""
    one, other = a.headers[0], b.headers[0]
    days = {_day(one), _day(other)} - {None}
    if len(days) > 1 or not same_person(one, other):
        return False
    both = a + b
    if not (_may_share(a, b) or _in_one_go(both)):
        return False
    gap = max(b.at[0] - a.at[-1], a.at[0] - b.at[-1])
    away = max(_OFF_LINE_MM, a.off_line, b.off_line)
    return bool(gap <= _FOLLOWS * step) and both.off_line <= away + 1e-6


def _in_one_go(both: _Set) -> bool:
    """Whether slices were numbered and acquired from end to end, as overlapping ones are."""
    numbers = np.diff([header.facts.instance_number for header in both.headers])
    acquired = np.diff([header.acquisition or 0 for header in both.headers])
    apart = bool((np.diff(both.at) > SAME_POSITION_MM).all())
    up = bool((numbers > 0).all() and (acquired >= 0).all())
    return apart and (up or bool((numbers < 0).all() and (acquired <= 0).all()))


def _day(header: SliceHeader) -> object:
    return header.acquired_at and header.acquired_at.date()


def _may_share(a: _Set, b: _Set, *, apart: bool = False) -> bool:
    """Whether two sets can be of one stack: neither shows what the other shows already.

    Args:
        a: slices.
        b: more of them.
        apart: they cannot interleave; only one after the other.
    """
    new = _distinct(b.at[[header.facts.sop_uid not in a.uids for header in b.headers]])
    old = _distinct(a.at)
    if not len(new):
        return True  # copies of the same files
    below, above = _neighbours(old, new)
    near = max(SAME_POSITION_MM, _NEAR * min(a.size, b.size))
    if _many(int((np.minimum(below, above) < near).sum()), min(len(old), len(new))):
        return False
    if apart:
        inside = [((x >= y[0]) & (x <= y[-1])).sum() for x, y in ((old, new), (new, old))]
        return not (_many(inside[0], len(old)) or _many(inside[1], len(new)))
    twice = (_superfluous(a, new), len(new)), (_superfluous(b, old), len(old))
    return not any(count >= FEW and _many(count, of) for count, of in twice)


def _many(count: int, of: int) -> bool:
    """Whether slices that another set shows too are more than a seam of ranges."""
    return count >= min(of, max(FEW, _PART * of))


def _distinct(at: Vector) -> Vector:
    return at[np.diff(at, prepend=-np.inf) > SAME_POSITION_MM]


def _neighbours(at: Vector, places: Vector) -> tuple[Vector, Vector]:
    """Distance of places from the nearest of `at` below and above; infinite where there is none."""
    padded = np.concatenate([[-np.inf], at, [np.inf]])
    index = np.searchsorted(at, places, side="right")
    return places - padded[index], padded[index + 1] - places


def _superfluous(stack_: _Set, places: Vector) -> int:
    """At how many places a stack has no gap that a slice would fill.

    None is where its slices touch, or where it is as wide as those beside it and the place is not in its
    middle: slices of one scan would lie there evenly.
    """
    below, above = _neighbours(stack_.at, places)
    inside = np.isfinite(below) & np.isfinite(above)
    below, above = below[inside], above[inside]
    index = np.searchsorted(stack_.at, places[inside], side="right")
    thick = np.fmax(stack_.thick[index - 1], stack_.thick[index])
    gap = below + above
    steps = np.diff(stack_.at, prepend=np.inf, append=np.inf)
    planned = gap <= _NO_GAP * np.minimum(np.abs(steps[index - 1]), np.abs(steps[index + 1])) + 0.1
    touching = gap <= _NO_GAP * thick + 0.1
    return int((touching | (planned & (np.minimum(below, above) < _MIDDLE * gap))).sum())


def same_person(a: SliceHeader, b: SliceHeader) -> bool:
    """Whether two slices of one series may be of one patient although their headers differ.

    Names, birth dates and sexes must not contradict each other. Then ids that are equal but for case,
    blanks and signs, or of which one is the other with something before or after it, are a stray one;
    other ids need the same name and the same birth date.
    """
    one, other = a.facts, b.facts
    names = _plain(one.patient_name), _plain(other.patient_name)
    births = one.birth_date, other.birth_date
    if not _is_like(*names) or _contradict(*births) or {"M", "F"} <= {one.sex, other.sex}:
        return False
    ids = _plain(one.patient_id), _plain(other.patient_id)
    if ids[0] == ids[1] or (all(ids) and _is_like(*ids)):
        return True
    named, born = ("" != pair[0] == pair[1] for pair in (names, births))
    return named and (born or not all(ids))


def _contradict(a: str, b: str) -> bool:
    return "" not in (a, b) and a != b


def _is_like(a: str, b: str) -> bool:
    """Whether one is unknown or the other with something before or after it."""
    short, long = sorted((a, b), key=len)
    if len(short) < _LIKE_ID:
        return short in ("", long)
    return long.startswith(short) or long.endswith(short)


def _plain(words: str) -> str:
    """Letters and digits alone, in one case and width."""
    return "".join(sign for sign in normalize("NFKC", words).casefold() if sign.isalnum())


def _subject(header: SliceHeader) -> Hashable:
    facts = header.facts
    person = (facts.patient_id, facts.patient_name, facts.birth_date, facts.sex)
    return (*person, facts.study_uid, facts.frame_of_reference)


_Key = Callable[[SliceHeader], Hashable]

_MADE: tuple[_Key, ...] = (
    lambda header: header.kernel.casefold(),
    lambda header: header.kvp,
    lambda header: header.phase,
)
"""What is one for a scan from end to end, but for ranges that follow each other."""
_SHOWN: tuple[_Key, ...] = (
    lambda header: None if header.thickness_mm is None else round(header.thickness_mm, 1),
    lambda header: header.image_type,
)
"""What else tells sets apart that show the same place."""


def _tell_apart(headers: Headers, work: Work) -> list[Headers]:
    for classes, apart in _ways(headers):
        parts = _layers(classes, work, apart=apart) if len(classes) > 1 else []
        if len(parts) > 1 and sorted(map(len, parts))[-2] >= FEW:
            return [scan for part in parts for scan in _tell_apart(part, work)]
    return _by_rank(headers)


def _agent(header: SliceHeader) -> Hashable:
    return header.facts.contrast.agents, header.facts.series_description


def _ways(headers: Headers) -> Iterator[tuple[list[Headers], bool]]:
    """Ways to divide slices, the plainest first, and whether what they divide cannot interleave."""
    for key in _MADE:
        known = all(key(header) not in ("", None) for header in headers)
        yield _classes(headers, key), known
    yield _classes(headers, _agent), False
    acquired = _classes(headers, lambda header: header.acquisition)
    # Rotations that are counted make no sets by themselves; the order of all of them does.
    if len(acquired) * FEW <= len(headers):
        yield acquired, False
    yield _runs(headers, _when), False
    for key in _SHOWN:
        yield _classes(headers, key), False
    yield _runs(headers, _number), False


def _classes(headers: Iterable[SliceHeader], key: _Key) -> list[Headers]:
    """Slices by what the key says, in the order in which they were made."""
    groups: dict[Hashable, Headers] = {}
    for header in sorted(headers, key=_when):
        groups.setdefault(key(header), []).append(header)
    return list(groups.values())


def _runs(headers: Headers, order: Callable[[SliceHeader], tuple[object, ...]]) -> list[Headers]:
    """Slices as they followed each other, cut where they turn back; none where they go to and fro."""
    ordered = sorted(headers, key=order)
    steps = np.diff(offsets_mm(ordered))
    near = max(SAME_POSITION_MM, _NEAR * float(np.median(np.abs(steps)))) if len(steps) else 0.0
    runs: list[Headers] = [ordered[:1]]
    way = 0.0
    for header, step in zip(ordered[1:], steps.tolist(), strict=True):
        copy = _is_copy(header, runs[-1][-1])
        if not copy:
            turned = way * step < 0 or abs(step) < max(near, _HALT * abs(way))
            if turned:
                runs.append([])
            way = 0.0 if turned else step
        runs[-1].append(header)
    return runs if len(runs) * FEW <= len(headers) else [headers]


def _when(header: SliceHeader) -> tuple[datetime, int, int, int]:
    return header.acquired_at or datetime.min, header.acquisition or 0, *_number(header)


def _number(header: SliceHeader) -> tuple[int, int]:
    return header.facts.instance_number, header.frame or 0


def _layers(classes: Sequence[Headers], work: Work, *, apart: bool) -> list[Headers]:
    """Put sets of slices together that can share a stack, each with the last one if it can."""
    layers: list[_Set] = []
    for members in classes:
        added = _Set(members, classes[0][0])
        home = None
        for one in reversed(layers):
            work.compare()
            if _may_share(one, added, apart=apart):
                home = one
                break
        if home is not None:
            layers.remove(home)
            added = home + added
        layers.append(added)
    return [layer.headers for layer in layers]


def _by_rank(headers: Headers) -> list[Headers]:
    """Slices that no header tells apart, by InstanceNumber: the first of each place, the second, and so on.

    Where a place has one slice alone, it goes with the neighbour whose number is nearest.
    """
    slots = [_images(slot) for slot in stack(headers)]
    if sum(len(images) - 1 for images in slots) < FEW:
        return [headers]
    layers: list[Headers] = [[] for _ in range(max(map(len, slots)))]
    several = [index for index, images in enumerate(slots) if len(images) > 1]
    for index, images in enumerate(slots):
        place = bisect_left(several, index)
        near = slots[min(several[max(0, place - 1) : place + 1], key=lambda at: abs(at - index))]
        for rank, image in enumerate(images):
            if len(images) == 1:
                rank = min(range(len(near)), key=lambda r: _apart(image[0], near[r][0]))
            layers[rank] += image
    return layers


def _images(slot: Sequence[SliceHeader]) -> list[Headers]:
    """The slices at one place, copies of one image together."""
    images: list[Headers] = []
    known: dict[Hashable, int] = {}
    for header in slot:
        marks = _marks(header)
        home = min((known[mark] for mark in marks if mark in known), default=len(images))
        if home == len(images):
            images.append([])
            for mark in marks:
                known.setdefault(mark, home)
        images[home].append(header)
    return images


def _is_copy(a: SliceHeader, b: SliceHeader) -> bool:
    return any(one == other for one in _marks(a) for other in _marks(b))


def _marks(header: SliceHeader) -> tuple[Hashable, ...]:
    """What copies of an image share: its UID with the frame, or when it was made with its numbers."""
    uid = header.facts.sop_uid
    return ((uid, header.frame), _when(header)) if uid else (_when(header),)


def _apart(a: SliceHeader, b: SliceHeader) -> int:
    return abs(a.facts.instance_number - b.facts.instance_number)


def typical_first(headers: Sequence[SliceHeader]) -> tuple[SliceHeader, ...]:
    """The slices with one first that has the patient, study and frame of reference of most."""
    counts = Counter(map(_subject, headers))
    first = min(
        headers,
        key=lambda header: (-counts[_subject(header)], *_number(header), header.facts.sop_uid),
    )
    return (first, *(header for header in headers if header is not first))
