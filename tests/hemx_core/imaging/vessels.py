"""Drawn vessels put into a plain head: a head after contrast medium, as far as one can be drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.survey import survey
from hemx_core.imaging.volume import HUVolume

Point = tuple[float, float, float]
WIDE_MM, LONG_MM, HIGH_MM = 67.0, 86.0, 72.0
"""Half the width and length of the cavity, and its height above the level of the vessels' origin."""


@dataclass(frozen=True)
class Phase:
    """HU of the vessels at a time after the injection, and how much brain gains."""

    arteries: float
    veins: float
    sinuses: float
    brain: float = 2.0


ARTERIAL = Phase(arteries=330, veins=120, sinuses=130)
VENOUS = Phase(arteries=170, veins=190, sinuses=200, brain=4)
LATE = Phase(arteries=105, veins=110, sinuses=115, brain=4)
"""Five minutes later."""


def _both(*points: Point) -> list[list[Point]]:
    return [list(points), [(-x, y, z) for x, y, z in points]]


def arteries() -> Iterator[tuple[list[Point], float]]:
    """Polylines (x to the left, y to the back, z up, mm) and radii: circle of Willis and branches."""
    for line in _both((12, -16, -34), (12, -15, -16), (38, -8, -10)):
        yield line, 1.7
    for y in (-18.0, -4.0, 12.0):
        for line in _both((38, -8, -10), (41, y, 0), (41, y, 20), (56, 1.5 * y, 34)):
            yield line, 1.1
    for line in _both((3, -20, -15), (2, -44, 0), (2, -40, 22), (2, -8, 38), (2, 34, 42)):
        yield line, 1.2
    yield [(0, -6, -48), (0, -3, -18)], 1.7
    for line in _both((4, 0, -18), (20, 16, -14), (15, 50, -4), (10, 68, 8)):
        yield line, 1.2


def veins() -> Iterator[tuple[list[Point], float]]:
    """Deep veins and those that rise to the sagittal sinus."""
    for line in _both((2, 0, 8), (2, 32, 6)):
        yield line, 1.2
    yield [(0, 30, 6), (0, 42, 4)], 2.5
    for y in np.linspace(-50, 55, 8):
        height = HIGH_MM * float(np.sqrt(1 - (y / LONG_MM) ** 2)) - 5
        for line in _both((48, y, 0.55 * height), (30, y, 0.85 * height), (4, y + 6, height)):
            yield line, 1.1


def sinuses() -> Iterator[tuple[list[Point], float]]:
    """Sagittal, straight and transverse sinuses."""
    arch = np.linspace(-1.2, 1.45, 40)
    yield (
        [(0, float((LONG_MM - 5) * np.sin(a)), float((HIGH_MM - 5) * np.cos(a))) for a in arch],
        4.0,
    )
    yield [(0, 81, 8), (0, 80, -14)], 4.0
    yield [(0, 42, 4), (0, 74, -12)], 2.5
    for line in _both((2, 78, -16), (34, 68, -20), (54, 40, -24)):
        yield line, 3.8


def enhanced(volume: HUVolume, phase: Phase) -> HUVolume:
    """The volume with vessels drawn in; each slice averages them over its thickness."""
    seen = survey(volume)
    largest = int(np.argmax(seen.cavity_mm2))
    rows, columns = np.nonzero(seen.cavity(largest))
    (dy, dx), (sy, sx) = volume.geometry.pixel_spacing_mm, seen.step
    centre = (sy * (rows.min() + rows.max()) / 2, sx * (columns.min() + columns.max()) / 2)
    scale = np.ptp(rows) * sy * dy / (2 * LONG_MM), np.ptp(columns) * sx * dx / (2 * WIDE_MM)
    top = seen.offset_mm[np.flatnonzero(seen.cavity_mm2 > 0)[-1]]
    heights = volume.geometry.slice_offsets_mm - top + HIGH_MM
    y = ((np.arange(volume.shape[1]) - centre[0]) * dy / scale[0]).astype(np.float32)[:, None]
    x = ((np.arange(volume.shape[2]) - centre[1]) * dx / scale[1]).astype(np.float32)[None, :]
    hu = volume.hu.astype(np.float32)
    thick = np.broadcast_to(volume.geometry.slice_thickness_mm, heights.shape)
    for index, (z, mm) in enumerate(zip(heights, thick, strict=True)):
        plane = hu[index]
        plane += phase.brain * ((plane > 5) & (plane < 60))
        for lines, value in (
            (arteries(), phase.arteries),
            (veins(), phase.veins),
            (sinuses(), phase.sinuses),
        ):
            share = _share(list(lines), x, y, float(z), float(mm), pixel_mm=dx)
            share *= plane < 300
            plane += share * np.maximum(value - plane, 0)
    return replace(volume, hu=np.rint(hu).astype(np.int16))


def _share(
    lines: list[tuple[list[Point], float]],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    z: float,
    thickness: float,
    *,
    pixel_mm: float,
) -> NDArray[np.float32]:
    """Which share of each pixel the tubes fill, averaged over five planes of the slice."""
    share = np.zeros((y.shape[0], x.shape[1]), np.float32)
    soft = max(pixel_mm, 0.8)
    for shift in (np.arange(5) - 2) / 5 * thickness:
        plane = np.zeros_like(share)
        for points, radius in lines:
            for a, b in pairwise(points):
                if min(a[2], b[2]) - radius > z + shift or max(a[2], b[2]) + radius < z + shift:
                    continue
                reach = radius + soft
                rows, columns = _near(y[:, 0], a[1], b[1], reach), _near(x[0], a[0], b[0], reach)
                distance = _distance(x[:, columns], y[rows], z + shift, a, b)
                part = plane[rows, columns]
                np.maximum(part, np.clip((radius - distance) / soft + 0.5, 0, 1), out=part)
        share += plane / 5
    return share


def _near(axis: NDArray[np.float32], a: float, b: float, reach: float) -> slice:
    """The part of an increasing axis that lies between two values, or so near."""
    return slice(*np.searchsorted(axis, (min(a, b) - reach, max(a, b) + reach)))


def _distance(
    x: NDArray[np.float32], y: NDArray[np.float32], z: float, a: Point, b: Point
) -> NDArray[np.float32]:
    """Distance of a plane's points from a line between two points."""
    along = np.subtract(b, a)
    length = float(along @ along)
    t = ((x - a[0]) * along[0] + (y - a[1]) * along[1] + (z - a[2]) * along[2]) / length
    t = np.clip(t, 0, 1)
    away = [
        np.square(axis - (start + t * step))
        for axis, start, step in zip((x, y, z), a, along, strict=True)
    ]
    return np.asarray(np.sqrt(sum(away)), np.float32)
