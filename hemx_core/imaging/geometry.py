"""Slice positions to an ordered stack and a `VolumeGeometry`, with notes on irregularities.

Noted are tilt, changing spacing, missing slices, gaps and turned pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.headers import SliceHeader
from hemx_core.imaging.spacing import MOST_OVERLAP, regular_steps
from hemx_core.imaging.volume import THICKNESS_MM, StoredGrid, VolumeGeometry
from hemx_core.notes import Note, Phrase, Severity, first_of

SAME_POSITION_MM = 0.05
"""Slices nearer than this along the normal lie at one position."""
_ROUNDING = 5e-4
"""Directions nearer than this (0.03 degrees) are the same: corners are then off by less than 0.1 mm."""
_UNIT_TOLERANCE = 0.01

Vector = NDArray[np.float64]
Slot = tuple[SliceHeader, ...]
"""The slices at one position, the first InstanceNumber first."""


def directions(orientation: Sequence[float] | None) -> tuple[Vector, Vector] | None:
    """Row and column direction as orthogonal unit vectors; None where they cannot be such.

    Rounded cosines are made exact (Gram-Schmidt).
    """
    if orientation is None:
        return None
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if max(abs(length - 1) for length in lengths) > _UNIT_TOLERANCE:
        return None
    if abs(row @ column) > _UNIT_TOLERANCE:
        return None
    row = row / lengths[0]
    column = column - (column @ row) * row
    return row, column / np.linalg.norm(column)


def plane(orientation: Sequence[float] | None) -> str:
    """'axial', 'coronal' or 'sagittal': the plane nearest to the image's; '' without one.

    A gantry tilt of a head scan (up to 30 degrees) leaves a slice axial.
    """
    axes = directions(orientation)
    if axes is None:
        return ""
    normal = np.cross(*axes)
    return ("sagittal", "coronal", "axial")[int(np.argmax(np.abs(normal)))]


def stack(headers: Sequence[SliceHeader]) -> tuple[Slot, ...]:
    """Order slices of one orientation along their normal, feet to head; equal places share a slot.

    Args:
        headers: slices with orientation and position, not empty.
    """
    if directions(headers[0].orientation) is None:
        return tuple((header,) for header in headers)
    offsets = offsets_mm(headers)
    slots: list[list[SliceHeader]] = []
    lowest = -math.inf
    for index in np.argsort(offsets, kind="stable").tolist():
        if offsets[index] - lowest < SAME_POSITION_MM:
            slots[-1].append(headers[index])
        else:
            slots.append([headers[index]])
            lowest = float(offsets[index])
    return tuple(tuple(sorted(slot, key=_instance)) for slot in slots)


def offsets_mm(headers: Sequence[SliceHeader], along: SliceHeader | None = None) -> Vector:
    """Position of every slice along a normal that points to the head; shape (slices,).

    Args:
        headers: slices with positions.
        along: the slice with a possible orientation whose normal it is; by default the first one.
    """
    row, column = directions((along or headers[0]).orientation) or (np.zeros(3), np.zeros(3))
    normal = np.cross(row, column)
    if normal[np.argmax(np.abs(normal))] < 0:
        normal = -normal
    return np.array([header.position_mm for header in headers], dtype=np.float64) @ normal


def turned_like(header: SliceHeader, like: SliceHeader) -> SliceHeader:
    """A slice of about the same orientation, turned about its centre into the other's.

    A stack has one orientation. Corners alone would not do: half a degree lifts them by a millimetre.
    Differences of rounding leave the slice as it is.
    """
    if header.orientation == like.orientation:
        return header
    mine, wanted = directions(header.orientation), directions(like.orientation)
    if mine is None or wanted is None or header.position_mm is None or header.spacing_mm is None:
        return header
    if float(np.max(np.abs(np.subtract(mine, wanted)))) < _ROUNDING:
        return header
    dy, dx = header.spacing_mm
    reach = dx * (header.facts.columns - 1) / 2, dy * (header.facts.rows - 1) / 2
    centre = header.position_mm + reach[0] * mine[0] + reach[1] * mine[1]
    corner = centre - reach[0] * wanted[0] - reach[1] * wanted[1]
    return replace(header, orientation=like.orientation, position_mm=tuple(corner.tolist()))


def line_distances_mm(positions: Vector, offsets: Vector) -> Vector:
    """Distance of every position, shape (slices, 3), from the line through the lowest and highest."""
    low, high = int(offsets.argmin()), int(offsets.argmax())
    if offsets[high] <= offsets[low]:
        return np.zeros(len(offsets))
    share = (offsets - offsets[low]) / (offsets[high] - offsets[low])
    line = positions[low] + share[:, None] * (positions[high] - positions[low])
    return np.asarray(np.linalg.norm(positions - line, axis=1))


def _instance(header: SliceHeader) -> tuple[int, int, str]:
    return header.facts.instance_number, header.frame or 0, header.name


def turn_for(orientation: Sequence[float]) -> StoredGrid:
    """The exact turn that brings an axial image to nose up, patient's left on the image's right."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    transpose = abs(row[0]) < abs(column[0])
    if transpose:
        row, column = column, row
    return StoredGrid(
        transpose=bool(transpose), flip_rows=bool(column[1] < 0), flip_columns=bool(row[0] < 0)
    )


def build_geometry(headers: Sequence[SliceHeader], grid: StoredGrid) -> VolumeGeometry:
    """Geometry of ordered slices after they were turned by `grid`.

    Args:
        headers: one slice for each position, feet to head, all with geometry.
        grid: the turn applied to the pixels.
    Raises:
        VolumeError: the positions contradict each other.
    """
    first = headers[0]
    row, column = directions(first.orientation) or (np.zeros(3), np.zeros(3))
    dy, dx = first.spacing_mm or (0.0, 0.0)
    rows, columns = first.facts.rows, first.facts.columns
    positions = np.array([header.position_mm for header in headers], dtype=np.float64)
    if grid.transpose:
        row, column, dy, dx, rows, columns = column, row, dx, dy, columns, rows
    if grid.flip_columns:
        positions = positions + row * dx * (columns - 1)
        row = -row
    if grid.flip_rows:
        positions = positions + column * dy * (rows - 1)
        column = -column
    normal = np.cross(row, column)
    return VolumeGeometry(
        positions_mm=positions,
        row_direction=row,
        column_direction=column,
        pixel_spacing_mm=(dy, dx),
        slice_thickness_mm=thicknesses(headers, positions @ normal),
    )


def thicknesses(headers: Sequence[SliceHeader], offsets_mm: Vector) -> Vector:
    """SliceThickness of every slice; where it is not known, the distance to the nearest neighbour.

    At most what a slice can have: a neighbour may be far.
    """
    steps = np.abs(np.diff(offsets_mm))
    result = []
    for index, header in enumerate(headers):
        near = steps[max(index - 1, 0) : index + 1]
        nearest = min(float(near.min()), THICKNESS_MM[1]) if len(near) else 1.0
        result.append(header.thickness_mm or nearest)
    return np.array(result)


_SHIFT_MM = 1.0


def geometry_notes(
    geometry: VolumeGeometry, headers: Sequence[SliceHeader], grid: StoredGrid
) -> Iterator[Note]:
    """Everything about a stack's geometry that a measurement or a reader should know of.

    Slices are counted from 1, feet to head.
    """
    if geometry.is_tilted:
        yield Note("gantry_tilt", Severity.INFO, degrees=abs(geometry.tilt_deg))
    steps = np.diff(geometry.slice_offsets_mm).tolist()
    yield from _missing(geometry)
    yield from _unequal(geometry, steps)
    yield from _labelled(geometry, steps)
    yield from _doubtful(geometry, headers, steps)
    yield from _shifted(geometry)
    unknown = sum(header.thickness_mm is None for header in headers)
    if unknown:
        yield Note("thickness_unknown", Severity.CAUTION, count=unknown)
    if not grid.is_identity:
        yield Note("reoriented", Severity.INFO)
    position = headers[0].facts.patient_position
    if position and not position.endswith("S"):
        yield Note("patient_position", Severity.CAUTION, position=position)


_MOST_TOLD = 6
"""Places in a sentence; that there are more is told."""


def _missing(geometry: VolumeGeometry) -> Iterator[Note]:
    if not geometry.gaps:
        return
    offsets = geometry.slice_offsets_mm - geometry.slice_offsets_mm[0]
    places = tuple(
        Phrase(
            "gap",
            count=gap.count,
            below=gap.below + 1,
            above=gap.below + 2,
            offset_mm=float(offsets[gap.below]),
            step_mm=gap.step_mm,
        )
        for gap in geometry.gaps
    )
    total = sum(gap.count for gap in geometry.gaps)
    shown = first_of(places, _MOST_TOLD)
    yield Note("missing_slices", Severity.CAUTION, count=total, places=shown)


def _unequal(geometry: VolumeGeometry, steps: Sequence[float]) -> Iterator[Note]:
    thickness = np.round(geometry.slice_thickness_mm, 2).tolist()
    gaps = {gap.below for gap in geometry.gaps}
    planned = [index for first, end, _ in regular_steps(steps) for index in range(first, end)]
    rest = [step for index, step in enumerate(steps) if index not in gaps]
    spacing_differs = rest and max(rest) > min(rest) * 1.05 + 0.1
    if len(set(thickness)) == 1 and not spacing_differs:
        return
    parts: list[Phrase] = []
    start = 0
    for value, run in groupby(thickness):
        end = start + len(list(run))
        inner = [(i, steps[i]) for i in range(start, end - 1) if i not in gaps]
        apart = _distances(inner)
        parts.append(Phrase("run", first=start + 1, last=end, thickness_mm=value, apart=apart))
        if end < len(thickness):
            parts.append(Phrase("step", mm=steps[end - 1], below=end, above=end + 1))
        start = end
    odd = None if planned else Phrase("no_distance_recurs")
    yield Note("unequal_spacing", Severity.INFO, parts=first_of(parts, _MOST_TOLD), odd=odd)


def _distances(steps: Sequence[tuple[int, float]]) -> tuple[Phrase, ...]:
    """The distance of the slices, with the places where it changes."""
    runs = []
    for value, run in groupby(steps, key=lambda step: round(step[1], 1)):
        indices = [index for index, _ in run]
        runs.append((value, indices[0] + 1, indices[-1] + 2))
    if len(runs) == 1:
        return (Phrase("apart", mm=runs[0][0]),)
    if len(runs) > 6:
        values = [value for _, value in steps]
        return (Phrase("apart_range", low_mm=min(values), high_mm=max(values)),)
    return tuple(Phrase("apart_between", mm=v, first=a, last=b) for v, a, b in runs)


def _labelled(geometry: VolumeGeometry, steps: Sequence[float]) -> Iterator[Note]:
    """Where the thickness that the header names and the distance of the slices disagree."""
    thickness = geometry.slice_thickness_mm.tolist()
    gaps = {gap.below for gap in geometry.gaps}
    inside = {index for first, end, _ in regular_steps(steps) for index in range(first, end)}
    ordinary = sorted(inside or set(range(len(steps))) - gaps)
    wide = [i for i in ordinary if steps[i] > 1.1 * max(thickness[i : i + 2]) + 0.1]
    if wide:
        worst = max(wide, key=lambda index: steps[index])
        thick = thickness[worst]
        yield Note("slice_gap", Severity.CAUTION, thickness_mm=thick, step_mm=steps[worst])
    narrow = [i for i in ordinary if min(thickness[i : i + 2]) > 1.1 * steps[i] + 0.1]
    if narrow:
        worst = max(narrow, key=lambda index: thickness[index] / steps[index])
        thick = thickness[worst]
        apart = steps[worst]
        if thick <= MOST_OVERLAP * apart + 0.1:
            yield Note("slices_overlap", Severity.INFO, thickness_mm=thick, step_mm=apart)
        else:
            yield Note("slices_overlap", Severity.CAUTION, thickness_mm=thick, step_mm=apart)


_DOUBTFUL_RATIO = 1.5
"""Of SliceLocation's distances to those of the positions: a tilt makes at most 1.15 of it."""
_SHORT_MM = 60.0
"""A stack shorter than this covers no head."""
_HEAD_MM = 100.0


def _doubtful(
    geometry: VolumeGeometry, headers: Sequence[SliceHeader], steps: Sequence[float]
) -> Iterator[Note]:
    """Where positions contradict what else the header says, as positions in centimetres do."""
    if not steps:
        return
    step = float(np.median(steps))
    located = _located_mm(headers)
    if located is not None and not 1 / _DOUBTFUL_RATIO < located / step < _DOUBTFUL_RATIO:
        witness = Phrase("by.slice_location")
        yield Note("distance_doubtful", Severity.WARNING, mm=step, other_mm=located, by=witness)
        return
    thick = float(np.median(geometry.slice_thickness_mm))
    if thick > MOST_OVERLAP * step and sum(steps) < _SHORT_MM and thick * len(headers) > _HEAD_MM:
        witness = Phrase("by.slice_thickness")
        yield Note("distance_doubtful", Severity.WARNING, mm=step, other_mm=thick, by=witness)


def _located_mm(headers: Sequence[SliceHeader]) -> float | None:
    """Distance of neighbours by SliceLocation; None where it does not go up or down with the slices."""
    places = [header.location_mm for header in headers]
    if None in places:
        return None
    steps = np.diff(np.array(places, dtype=np.float64))
    if not ((steps > 0).all() or (steps < 0).all()):
        return None
    return float(np.median(np.abs(steps)))


def _shifted(geometry: VolumeGeometry) -> Iterator[Note]:
    if len(geometry.positions_mm) < 3:
        return
    away = line_distances_mm(geometry.positions_mm, geometry.slice_offsets_mm)
    if away.max() > _SHIFT_MM:
        worst = int(away.argmax())
        yield Note("shifted_slices", Severity.CAUTION, slice=worst + 1, mm=float(away[worst]))
