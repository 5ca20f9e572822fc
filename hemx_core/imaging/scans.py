"""Which slices are one scan: what continues or interleaves is joined, what lies on top is told apart.

Headers disagree about one scan for trivial reasons (a frame of reference for every range, an id that was
corrected half way), and agree about two (plain and contrast in one series). The places of the slices decide:
two sets whose slices lie at the same places, or of which each is whole without the other, are two scans;
sets that fill each other's gaps or follow each other are one. AcquisitionNumber alone says nothing: old
scanners count every rotation with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from itertools import takewhile
from unicodedata import normalize

import numpy as np

from hemx_core.imaging.geometry import SAME_POSITION_MM, off_line_mm, offsets_mm, stack
from hemx_core.imaging.headers import SliceHeader

FEW = 3
"""Fewer slices on top of others are a seam or a repeated slice, and no scan of their own."""
_NEAR = 0.2
"""Slices nearer than this share of the step lie on top of each other."""
_FOLLOWS = 1.5
"""The largest distance, in steps, at which a set of slices follows another one."""
_WHOLE = 1.1
"""A step up to this times the slice thickness leaves no gap: a set with it is whole by itself."""
_OFF_LINE_MM = 1.0
_LIKE_ID = 3
"""An id must have so many signs for another one, longer at either end, to be like it."""

Headers = list[SliceHeader]
Key = Callable[[SliceHeader], Hashable]


def scans(headers: Sequence[SliceHeader]) -> list[Headers]:
    """Separate slices that fit into one stack into the scans, or reconstructions, that they are of.

    Args:
        headers: slices with geometry, alike in matrix, pixel spacing and orientation; not empty.
    Returns:
        Lists of slices. No two of a list are of different people, or on top of each other, but for a
        few at a seam and for copies of a file.
    """
    return [scan for group in _one_subject(list(headers)) for scan in _tell_apart(group)]


def same_person(a: SliceHeader, b: SliceHeader) -> bool:
    """Whether two slices of one series may be of one patient although their headers differ.

    Names, birth dates and sexes must not contradict each other. Then ids that are equal but for case,
    blanks and signs, or of which one is the other with something before or after it, are a stray one;
    other ids need the same name and the same birth date.
    """
    one, other = a.facts, b.facts
    names = _plain(one.patient_name), _plain(other.patient_name)
    births, sexes = (one.birth_date, other.birth_date), (one.sex, other.sex)
    if not _is_like(*names) or _contradict(*births) or ({"M", "F"} <= set(sexes)):
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


def follows(a: Sequence[SliceHeader], b: Sequence[SliceHeader], step: float) -> bool:
    """Whether two sets continue or interleave: neither on top, apart nor beside each other.

    Args:
        a: slices with geometry, not empty.
        b: more of them.
        step: the distance of slices, millimetres, as it is planned.
    """
    if not _may_share(a, b):
        return False
    at, other = offsets_mm(a), offsets_mm(b)
    gap = max(other.min() - at.max(), at.min() - other.max())
    away = max(_OFF_LINE_MM, off_line_mm(a), off_line_mm(b))
    return bool(gap <= _FOLLOWS * step) and off_line_mm([*a, *b]) <= away + 1e-6


def step_mm(headers: Sequence[SliceHeader]) -> float:
    """Median distance of neighbours along the normal; the thickness of a single slice, or 0."""
    steps = np.diff(np.sort(offsets_mm(headers)))
    steps = steps[steps > SAME_POSITION_MM]
    return float(np.median(steps)) if len(steps) else headers[0].thickness_mm or 0.0


def gather(
    sets: Iterable[Sequence[SliceHeader]],
    reach_mm: float,
    joined: Callable[[Headers, Headers], bool],
) -> list[Headers]:
    """Join sets of slices as long as two belong together, from the lowest up.

    Args:
        sets: slices of one orientation; none empty.
        reach_mm: sets that begin further above another one are not looked at.
        joined: whether two belong together.
    """
    waiting = sorted(map(list, sets), key=_lowest)
    done: list[Headers] = []
    while waiting:
        grown = waiting.pop(0)
        while (found := _first_joined(grown, waiting, reach_mm, joined)) is not None:
            grown = grown + waiting.pop(found)
        done.append(grown)
    return done


def _first_joined(
    grown: Headers,
    waiting: Sequence[Headers],
    reach_mm: float,
    joined: Callable[[Headers, Headers], bool],
) -> int | None:
    limit = float(offsets_mm(grown).max()) + reach_mm
    near = takewhile(lambda one: _lowest(one[1]) <= limit, enumerate(waiting))
    return next((index for index, one in near if joined(grown, one)), None)


def _lowest(headers: Sequence[SliceHeader]) -> float:
    return float(offsets_mm(headers).min())


def gather_following(sets: Sequence[Headers]) -> list[Headers]:
    """Join sets of slices that may be of one person and day, and continue each other."""
    step = step_mm([header for members in sets for header in members])

    def joined(a: Headers, b: Headers) -> bool:
        near = _day(a[0]) is None or _day(b[0]) is None or _day(a[0]) == _day(b[0])
        return near and same_person(a[0], b[0]) and follows(a, b, step)

    return gather(sets, _FOLLOWS * step + SAME_POSITION_MM, joined)


def _one_subject(headers: Headers) -> list[Headers]:
    """Slices of one patient, study and frame of reference, or of several that continue each other."""
    groups = _classes(headers, _subject)
    return gather_following(groups) if len(groups) > 1 else groups


def _subject(header: SliceHeader) -> Hashable:
    facts = header.facts
    person = (facts.patient_id, facts.patient_name, facts.birth_date, facts.sex)
    return (*person, facts.study_uid, facts.frame_of_reference)


def _day(header: SliceHeader) -> object:
    return header.acquired_at and header.acquired_at.date()


_KEYS: tuple[Key, ...] = (
    lambda header: header.kernel.casefold(),
    lambda header: header.kvp,
    lambda header: header.phase,
    lambda header: (header.facts.contrast.agents, header.facts.series_description),
    lambda header: None if header.thickness_mm is None else round(header.thickness_mm, 1),
    lambda header: header.acquisition,
    lambda header: header.image_type,
)
"""What tells scans and reconstructions apart that lie on top of each other; the plainest first."""


def _tell_apart(headers: Headers) -> list[Headers]:
    by_key = (_classes(headers, key) for key in _KEYS)
    by_order = (_runs(headers, order) for order in (_when, _number))
    for classes in (*by_key, *by_order):
        parts = _layers(classes) if len(classes) > 1 else []
        if len(parts) > 1 and sorted(map(len, parts))[-2] >= FEW:
            return [scan for part in parts for scan in _tell_apart(part)]
    return _by_rank(headers)


def _classes(headers: Headers, key: Key) -> list[Headers]:
    """Slices by what the key says, in the order in which they were made."""
    groups: dict[Hashable, Headers] = {}
    for header in sorted(headers, key=_when):
        groups.setdefault(key(header), []).append(header)
    return list(groups.values())


def _runs(headers: Headers, order: Callable[[SliceHeader], tuple[object, ...]]) -> list[Headers]:
    """Slices as they followed each other, cut where they turn back."""
    ordered = sorted(headers, key=order)
    steps = np.diff(offsets_mm(ordered))
    runs: list[Headers] = [ordered[:1]]
    way = 0.0
    for header, step in zip(ordered[1:], steps, strict=True):
        if abs(step) > SAME_POSITION_MM:
            if way * step < 0:
                runs.append([])
                way = 0.0
            else:
                way = float(step)
        runs[-1].append(header)
    return runs


def _when(header: SliceHeader) -> tuple[datetime, int, int, int]:
    at = header.acquired_at or datetime.min
    return at, _or_zero(header.acquisition), *_number(header)


def _number(header: SliceHeader) -> tuple[int, int]:
    return header.facts.instance_number, _or_zero(header.frame)


def _or_zero(value: int | None) -> int:
    return value or 0


def _layers(classes: Sequence[Headers]) -> list[Headers]:
    """Put sets of slices together that can share a stack, each with the last one if it can."""
    layers: list[Headers] = []
    for members in classes:
        home = next((layer for layer in reversed(layers) if _may_share(layer, members)), None)
        if home is None:
            layers.append(list(members))
        else:
            home += members
            layers.remove(home)
            layers.append(home)
    return layers


def _may_share(a: Sequence[SliceHeader], b: Sequence[SliceHeader]) -> bool:
    """Whether two sets are neither on top of each other nor each whole without the other."""
    known = {header.facts.sop_uid for header in a} - {""}
    b = [header for header in b if header.facts.sop_uid not in known]
    if not b:
        return True  # copies of the same files
    at, other = np.sort(offsets_mm(a)), np.sort(offsets_mm(b))
    near = max(SAME_POSITION_MM, _NEAR * min(step_mm(a), step_mm(b)))
    after = np.searchsorted(at, other).clip(1, max(1, len(at) - 1))
    nearest = np.minimum(np.abs(other - at[after - 1]), np.abs(other - at[after % len(at)]))
    on_top = int((nearest < near).sum())
    if on_top >= min(FEW, len(a), len(b)):
        return False
    low, high = max(at[0], other[0]), min(at[-1], other[-1])
    both = [[h for h, o in zip(s, offsets_mm(s), strict=True) if low <= o <= high] for s in (a, b)]
    return min(map(len, both)) < FEW or not all(map(_is_whole, both))


def _is_whole(headers: Sequence[SliceHeader]) -> bool:
    known = [header.thickness_mm for header in headers if header.thickness_mm is not None]
    return bool(known) and step_mm(headers) <= _WHOLE * float(np.median(known)) + 0.1


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
        near = slots[min(several, key=lambda other: abs(other - index))]
        for rank, image in enumerate(images):
            if len(images) == 1:
                rank = min(range(len(near)), key=lambda r: _apart(image[0], near[r][0]))
            layers[rank] += image
    return layers


def _images(slot: Sequence[SliceHeader]) -> list[Headers]:
    """The slices at one place, copies of one image together."""
    images: list[Headers] = []
    for header in slot:
        for image in images:
            if _is_copy(header, image[0]):
                image.append(header)
                break
        else:
            images.append([header])
    return images


def _is_copy(a: SliceHeader, b: SliceHeader) -> bool:
    one, other = a.facts, b.facts
    same = one.sop_uid == other.sop_uid and one.sop_uid != "" and a.frame == b.frame
    return same or _when(a) == _when(b)


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
