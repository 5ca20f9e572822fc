"""Slices to series, and series that mix orientations or sizes to their parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from statistics import median

import numpy as np

from hemx_core.imaging._geometry import SAME_DIRECTION, Slot, directions, plane, stack
from hemx_core.imaging._headers import SliceHeader
from hemx_core.imaging._kinds import set_aside


@dataclass(frozen=True, kw_only=True)
class SeriesPart:
    """Slices of one patient, study and series that fit into one stack, and are of one kind.

    Args:
        key: the series UID, followed by '#' and a number where the series was split.
        headers: not empty, as found.
        kind: why these images are set aside (see `_kinds.set_aside`), or "".
    """

    key: str
    headers: tuple[SliceHeader, ...]
    kind: str

    @property
    def first(self) -> SliceHeader:
        """A slice that stands for all where they agree."""
        return self.headers[0]

    @cached_property
    def plane(self) -> str:
        """'axial', 'coronal', 'sagittal' or ''."""
        return plane(self.first.orientation)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Slices in order along the normal; each on its own where the geometry is missing."""
        return (
            stack(self.headers)
            if has_geometry(self.first)
            else tuple((header,) for header in self.headers)
        )

    @cached_property
    def thickness_mm(self) -> float | None:
        """Median slice thickness; None where no slice tells it."""
        known = [one.thickness_mm for one in self.headers if one.thickness_mm is not None]
        return median(known) if known else None

    @cached_property
    def coverage_mm(self) -> float:
        """Distance of the first and last slice."""
        if not has_geometry(self.first):
            return 0.0
        ends = (self.slots[0][0].position_mm or (), self.slots[-1][0].position_mm or ())
        return float(np.linalg.norm(np.subtract(*ends)))

    @cached_property
    def acquired_at(self) -> datetime | None:
        """The earliest time of its slices."""
        return min((one.acquired_at for one in self.headers if one.acquired_at), default=None)

    @property
    def label(self) -> str:
        """Number, description and size, for messages."""
        facts = self.first.facts
        number = "without a number" if facts.series_number is None else str(facts.series_number)
        name = f" '{facts.series_description}'" if facts.series_description else ""
        part = f" part {self.key.rpartition('#')[2]}" if "#" in self.key else ""
        known = sorted({one.thickness_mm for one in self.headers if one.thickness_mm})
        thick = f", {' to '.join(f'{one:g}' for one in known[:: len(known) - 1 or 1])} mm"
        count = len(self.slots)
        thick = thick if known else ""
        return f"series {number}{name}{part} ({count} slice{'s' * (count != 1)}{thick})"


def has_geometry(header: SliceHeader) -> bool:
    """Whether a slice has its size, pixel spacing, position and a possible orientation."""
    return (
        header.facts.rows > 0
        and header.facts.columns > 0
        and header.spacing_mm is not None
        and header.position_mm is not None
        and directions(header.orientation) is not None
    )


def split(headers: Sequence[SliceHeader]) -> tuple[SeriesPart, ...]:
    """Tell patients, studies and series apart, then split what fits into no single stack.

    Slices of a series belong together where they agree in frame of reference, matrix, pixel
    spacing, kind and orientation.
    """
    series: dict[tuple[str, ...], list[SliceHeader]] = {}
    for header in headers:
        facts = header.facts
        series.setdefault((facts.patient_id, facts.study_uid, facts.series_uid), []).append(header)
    return tuple(part for one in series.values() for part in _parts(one))


def _parts(series: Sequence[SliceHeader]) -> Iterator[SeriesPart]:
    groups: dict[tuple[object, ...], list[SliceHeader]] = {}
    for header in series:
        groups.setdefault(_fit(header), []).append(header)
    stacks = [(str(fit[0]), one) for fit, group in groups.items() for one in _by_orientation(group)]
    stacks.sort(key=lambda stack_: (bool(stack_[0]), -len(stack_[1])))
    for number, (kind, members) in enumerate(stacks, 1):
        uid = members[0].facts.series_uid
        key = f"{uid}#{number}" if len(stacks) > 1 else uid
        yield SeriesPart(key=key, headers=tuple(members), kind=kind)


def _fit(header: SliceHeader) -> tuple[object, ...]:
    facts = header.facts
    spacing = tuple(round(value, 4) for value in header.spacing_mm or ())
    return (
        set_aside(header),
        has_geometry(header),
        facts.frame_of_reference,
        facts.rows,
        facts.columns,
        spacing,
    )


def _by_orientation(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    groups: list[list[SliceHeader]] = []
    for header in headers:
        for group in groups:
            if _same_orientation(header, group[0]):
                group.append(header)
                break
        else:
            groups.append([header])
    return groups


def _same_orientation(a: SliceHeader, b: SliceHeader) -> bool:
    if a.orientation is None or b.orientation is None:
        return a.orientation is b.orientation
    return bool(np.max(np.abs(np.subtract(a.orientation, b.orientation))) <= SAME_DIRECTION)
