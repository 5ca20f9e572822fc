"""Notes on a stack's geometry: tilt, changing spacing, missing slices, gaps, turned pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from hemx_core.imaging._geometry import missing_after, regular_steps
from hemx_core.imaging._headers import SliceHeader
from hemx_core.imaging.orientation import StoredGrid
from hemx_core.imaging.volume import Note, VolumeGeometry

_SHIFT_MM = 1.0


def geometry_notes(
    geometry: VolumeGeometry, headers: Sequence[SliceHeader], grid: StoredGrid
) -> Iterator[Note]:
    """Everything about a stack's geometry that a measurement or a reader should know of.

    Slices are counted from 1, feet to head.
    """
    if geometry.is_tilted:
        yield Note(
            "gantry_tilt",
            f"The slices are tilted by {abs(geometry.tilt_deg):.1f} degrees against the stack; "
            "distances are measured along the slices' normal.",
        )
    steps = np.diff(geometry.slice_offsets_mm).tolist()
    yield from _missing(geometry, steps)
    yield from _unequal(geometry, steps)
    yield from _unseen(geometry, steps)
    yield from _shifted(geometry)
    yield from _unknown_thickness(headers)
    if not grid.is_identity:
        yield Note(
            "reoriented",
            "The stored images were not nose up with the patient's left on the right; they were "
            "turned exactly (flips and transposition only), and the geometry with them.",
        )
    position = headers[0].facts.patient_position
    if position and not position.endswith("S"):
        yield Note(
            "patient_position",
            f"The patient did not lie on the back ({position}): blood settles in another "
            "direction than the fluid level sign expects.",
        )


def _missing(geometry: VolumeGeometry, steps: Sequence[float]) -> Iterator[Note]:
    gaps = missing_after(steps)
    if not gaps:
        return
    offsets = geometry.slice_offsets_mm - geometry.slice_offsets_mm[0]
    places = "; ".join(
        f"{count} between slices {index + 1} and {index + 2}, {offsets[index]:.1f} mm above the "
        f"first slice, where {step:.1f} mm lie between neighbours"
        for index, count, step in gaps
    )
    total = sum(count for _, count, _ in gaps)
    yield Note(
        "missing_slices",
        f"{_slices(total)} {'is' if total == 1 else 'are'} missing: {places}. "
        "What lies there is not seen and not measured.",
    )


def _unequal(geometry: VolumeGeometry, steps: Sequence[float]) -> Iterator[Note]:
    thickness = np.round(geometry.slice_thickness_mm, 2).tolist()
    gaps = {index for index, _, _ in missing_after(steps)}
    planned = [index for first, end, _ in regular_steps(steps) for index in range(first, end)]
    rest = [step for index, step in enumerate(steps) if index not in gaps]
    spacing_differs = rest and max(rest) > min(rest) * 1.05 + 0.1
    if len(set(thickness)) == 1 and not spacing_differs:
        return
    parts: list[str] = []
    start = 0
    for value, run in groupby(thickness):
        end = start + len(list(run))
        inner = [(i, steps[i]) for i in range(start, end - 1) if i not in gaps]
        parts.append(f"slices {start + 1} to {end}: {value:g} mm thick{_distances(inner)}")
        if end < len(thickness):
            parts.append(f"{steps[end - 1]:.1f} mm between slices {end} and {end + 1}")
        start = end
    odd = "" if planned else " No distance recurs."
    yield Note(
        "unequal_spacing",
        f"The slices are not equally thick or spaced: {'; '.join(parts)}.{odd} "
        "Volumes count every slice with its own extent.",
    )


def _distances(steps: Sequence[tuple[int, float]]) -> str:
    """', 4.0 mm apart', with the places where the distance changes."""
    if not steps:
        return ""
    texts = []
    for value, run in groupby(steps, key=lambda step: round(step[1], 1)):
        indices = [index for index, _ in run]
        texts.append((value, indices[0] + 1, indices[-1] + 2))
    if len(texts) == 1:
        return f", {texts[0][0]:.1f} mm apart"
    if len(texts) > 6:
        values = [value for _, value in steps]
        return f", {min(values):.1f} to {max(values):.1f} mm apart"
    return ", " + ", ".join(f"{v:.1f} mm apart from {a} to {b}" for v, a, b in texts)


def _unseen(geometry: VolumeGeometry, steps: Sequence[float]) -> Iterator[Note]:
    thickness = geometry.slice_thickness_mm
    plan = regular_steps(steps)
    inside = [index for first, end, _ in plan for index in range(first, end)]
    wide = [i for i in inside if steps[i] > 1.1 * max(thickness[i], thickness[i + 1]) + 0.1]
    if wide:
        worst = max(wide, key=lambda index: steps[index])
        yield Note(
            "slice_gap",
            f"Slices of {thickness[worst]:g} mm lie {steps[worst]:.1f} mm apart: the tissue "
            "between them is not seen.",
        )


def _shifted(geometry: VolumeGeometry) -> Iterator[Note]:
    positions, offsets = geometry.positions_mm, geometry.slice_offsets_mm
    if len(positions) < 3:
        return
    share = (offsets - offsets[0]) / (offsets[-1] - offsets[0])
    line = positions[0] + share[:, None] * (positions[-1] - positions[0])
    away = np.linalg.norm(positions - line, axis=1)
    if away.max() > _SHIFT_MM:
        yield Note(
            "shifted_slices",
            f"The slices do not lie in one line: slice {int(away.argmax()) + 1} is "
            f"{away.max():.1f} mm off sideways. The series may hold two scans.",
        )


def _unknown_thickness(headers: Sequence[SliceHeader]) -> Iterator[Note]:
    count = sum(header.thickness_mm is None for header in headers)
    if count:
        yield Note(
            "thickness_unknown",
            f"SliceThickness is missing in {_slices(count)}; the distance to the nearest "
            "neighbour stands in.",
        )


def _slices(count: int) -> str:
    return "1 slice" if count == 1 else f"{count} slices"
