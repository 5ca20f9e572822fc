"""Group slices into parts of series: each one scan, in one stack, of one kind.

A series that mixes orientations, sizes, kinds or scans is split; a scan that is spread over several
series is put together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from hemx_core.imaging.geometry import directions, turned_like
from hemx_core.imaging.headers import SliceHeader
from hemx_core.imaging.limits import Work
from hemx_core.imaging.scans import gather, scans, typical_first
from hemx_core.imaging.series import SeriesPart, has_geometry, set_aside


def split(headers: Sequence[SliceHeader], work: Work | None = None) -> tuple[SeriesPart, ...]:
    """Separate series, split what forms no single stack or several scans, and join what is spread.

    Slices of a series belong together where they are of one kind and agree in matrix, pixel spacing
    (0.1 %) and orientation (1 degree), and are one scan; see `scans`. So do slices of several series
    that agree in all but their UID and continue each other.

    Args:
        headers: of all files of an input.
        work: what the input has taken so far.
    Raises:
        UnsafeInputError: so much differs that telling it apart takes far more than a study does.
    """
    work = work or Work(name="")
    work.slices += len(headers)
    series: dict[tuple[str, ...], list[SliceHeader]] = {}
    for header in headers:
        facts = header.facts
        owner = (facts.series_uid,) if facts.series_uid else (facts.patient_id, facts.study_uid, "")
        series.setdefault(owner, []).append(header)
    parts = [part for members in series.values() for part in _parts(members, work)]
    return tuple(_joined(parts, work))


def _parts(series: Sequence[SliceHeader], work: Work) -> Iterator[SeriesPart]:
    stacks = [
        (kind, scan)
        for (kind, *_), group in _grouped(series, _fit).items()
        for alike in _alike(group, work)
        for scan in _scans(alike, work)
    ]
    stacks.sort(key=lambda stack_: (bool(stack_[0]), -len(stack_[1])))
    for number, (kind, members) in enumerate(stacks, 1):
        uid = members[0].facts.series_uid
        key = f"{uid}#{number}" if len(stacks) > 1 else uid
        yield _part(key, str(kind), members)


def _scans(alike: Sequence[SliceHeader], work: Work) -> list[list[SliceHeader]]:
    return scans(alike, work) if has_geometry(alike[0]) else _of_one_patient(alike)


def _of_one_patient(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """Without places, only the header says what belongs together."""
    owners = _grouped(
        headers,
        lambda one: (one.facts.patient_id, one.facts.study_uid, one.facts.frame_of_reference),
    )
    return list(owners.values())


def _part(key: str, kind: str, members: Sequence[SliceHeader]) -> SeriesPart:
    headers = typical_first(members)
    differ = tuple(
        name
        for name, of in DIFFERENCES.items()
        if any(of(one) != of(headers[0]) for one in headers)
    )
    if has_geometry(headers[0]):
        headers = tuple(turned_like(header, headers[0]) for header in headers)
    return SeriesPart(key=key, headers=headers, kind=kind, differ=differ)


_Item = TypeVar("_Item")
_Key = TypeVar("_Key")


def _grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> dict[_Key, list[_Item]]:
    groups: dict[_Key, list[_Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _fit(header: SliceHeader) -> tuple[object, ...]:
    facts = header.facts
    return set_aside(header), has_geometry(header), facts.rows, facts.columns


def _grid(header: SliceHeader) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    return header.spacing_mm, header.orientation


def _alike(headers: Sequence[SliceHeader], work: Work) -> list[list[SliceHeader]]:
    """Slices whose pixel spacing and orientation are those of one of them, within the tolerances."""
    groups: list[list[SliceHeader]] = []
    # The commonest first: a stray slice must not be the measure of the others.
    for exact in sorted(_grouped(headers, _grid).values(), key=lambda one: -len(one)):
        work.compare(len(groups) // _FITS_A_COMPARISON)
        home = next((group for group in groups if fits(exact[0], group[0])), None)
        if home is None:
            groups.append(list(exact))
        else:
            home += exact
    return groups


def fits(a: SliceHeader, b: SliceHeader) -> bool:
    """Whether two slices agree in pixel spacing and orientation within the tolerances of a stack."""
    if (a.spacing_mm is None) != (b.spacing_mm is None):
        return False
    spaced = zip(a.spacing_mm or (), b.spacing_mm or (), strict=True)
    if any(abs(one - other) > SAME_SPACING * other for one, other in spaced):
        return False
    mine, wanted = directions(a.orientation), directions(b.orientation)
    if mine is None or wanted is None:
        return mine is wanted
    return all(float(one @ other) >= SAME_COSINE for one, other in zip(mine, wanted, strict=True))


_FITS_A_COMPARISON = 20
"""How often `fits` takes as long as a comparison of sets."""
SAME_SPACING = 1e-3
"""Relative difference of pixel spacing within one stack."""
SAME_COSINE = math.cos(math.radians(1.0))
"""Of the angle between directions within one stack: one degree."""
DIFFERENCES: Mapping[str, Callable[[SliceHeader], object]] = MappingProxyType(
    {
        # Rounded: some writers print the same number with more or fewer digits.
        "differ.spacing": lambda header: _rounded(header.spacing_mm, 5),
        "differ.orientation": lambda header: _rounded(header.orientation, 4),
        "differ.frame": lambda header: header.facts.frame_of_reference,
        "differ.types": lambda header: header.image_type[:2],
        "differ.patient": lambda header: (header.facts.patient_id, header.facts.patient_name),
        "differ.study": lambda header: header.facts.study_uid,
        "differ.series": lambda header: header.facts.series_uid,
    }
)
"""In what slices of one scan may differ, by the code of its words."""


def _rounded(values: Sequence[float] | None, digits: int) -> tuple[float, ...] | None:
    return None if values is None else tuple(round(value, digits) for value in values)


def _joined(parts: Sequence[SeriesPart], work: Work) -> list[SeriesPart]:
    """Put a scan together that is spread over several series, as some converters leave it.

    First the parts that agree in number, description and frame of reference too; then single slices,
    to which such converters give each its own.
    """
    named = [
        part for like in _grouped(parts, _signature).values() for part in _one_scan(like, work)
    ]
    alone = _grouped(named, lambda part: len(part.slots) == 1 and _signature(part, named=False))
    single = [part for sign, like in alone.items() if sign for part in _one_scan(like, work)]
    return [*(part for sign, like in alone.items() if not sign for part in like), *single]


def _signature(part: SeriesPart, *, named: bool = True) -> object:
    """What series of one scan agree in; the part's key where it can share none."""
    first, facts = part.first, part.first.facts
    if not (facts.study_uid and has_geometry(first)):
        return part.key
    if part.kind not in ("", "derived") or part.plane != "axial":
        return part.key
    thickness = part.thickness_mm and round(part.thickness_mm, 1)
    made = (part.kind, first.kernel, first.kvp, facts.contrast.agents, facts.rows, facts.columns)
    named_so = (facts.series_number, facts.series_description, facts.frame_of_reference)
    return (facts.study_uid, thickness, *made, *(named_so if named else ()))


def _one_scan(parts: Sequence[SeriesPart], work: Work) -> list[SeriesPart]:
    """Parts of several series, those that continue each other joined."""
    first = parts[0].first
    alike = [part for part in parts if fits(part.first, first)]
    if len({uid for part in alike for uid in part.series_uids}) < 2 or not has_geometry(first):
        return list(parts)
    files = Counter(uid for part in alike for uid in {one.facts.sop_uid for one in part.headers})
    if max(files.values()) > 1:
        return list(parts)  # the same images in several series
    sets = [[turned_like(header, first) for header in part.headers] for part in alike]
    owner = {id(one): part for part, members in zip(alike, sets, strict=True) for one in members}
    joining = set(map(id, alike))
    result = [part for part in parts if id(part) not in joining]
    for scan in gather(sets, work):
        owners = list({owner[id(one)].key: owner[id(one)] for one in scan}.values())
        whole = _part(owner[id(typical_first(scan)[0])].key, owners[0].kind, scan)
        differ = {name for part in (*owners, whole) for name in part.differ}
        joined = replace(whole, differ=tuple(name for name in DIFFERENCES if name in differ))
        result.append(owners[0] if len(owners) == 1 else joined)
    return result
