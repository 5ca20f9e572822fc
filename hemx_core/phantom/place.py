"""Where a phantom clot finds room in real slices: near its template, in the brain, off the ventricles."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hemx_core.phantom.background import Background
from hemx_core.phantom.lesion import TEMPLATE_MM, Clot
from hemx_core.phantom.spec import LesionSpec

CANDIDATES = 40
SKULL_GAP_MM = 2.5
SMALLEST_ML = 0.6
MAX_OUTSIDE, MAX_FLUID = 0.02, 0.06
"""Shares of the clot that may lie outside the brain, and where ventricles and sulci were."""
SEARCH_MM = 1.8
FARTHEST_MM = 12.0
"""From the location's template, along each axis."""
FALX_MM = 3.0
"""A clot keeps this distance from the midline."""
LABEL_RADIUS_MM = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a clot goes.

    Args:
        lesion: what is drawn, with the volume that the brain has room for.
        seed: draws the clot's shape and texture.
        row, column: of the clot's centre, native pixels.
        height_mm: of its centre above the first slice's middle.
        outside, fluid: shares of the clot beyond the brain and on ventricles and sulci.
    """

    lesion: LesionSpec
    seed: int
    row: float
    column: float
    height_mm: float
    outside: float
    fluid: float


def place(
    background: Background, lesion: LesionSpec, rng: np.random.Generator, *, seed: int
) -> Placement | None:
    """Find room for a clot near its location's template.

    Candidates are drawn round the template; the first that stays in the brain and off the
    ventricles is taken. Where none does, the clot is made smaller; at the smallest, the best wins.
    None where the stack does not reach the location.
    """
    while True:
        clot = Clot(lesion, seed=seed, slice_mm=background.slice_mm)
        shape = _coarse(clot, background)
        best: Placement | None = None
        for attempt in range(CANDIDATES):
            spread = 2.0 + 6.0 * attempt / CANDIDATES
            offset = np.clip(rng.normal(0, spread, 3), -FARTHEST_MM, FARTHEST_MM) * (1, 1, 0.7)
            found = _judge_place(background, lesion, seed, shape, clot.head_centre + offset)
            if found is None:
                continue
            if best is None or found.outside + found.fluid < best.outside + best.fluid:
                best = found
            if found.outside <= MAX_OUTSIDE and found.fluid <= MAX_FLUID:
                return _labelled(background, found)
        if lesion.volume_ml * 0.7 < SMALLEST_ML:
            return None if best is None else _labelled(background, best)
        lesion = replace(lesion, volume_ml=lesion.volume_ml * 0.7)


def grow_placement(placement: Placement, factor: float) -> Placement:
    """The same clot in the same place, `factor` times as large."""
    grown = replace(placement.lesion, volume_ml=placement.lesion.volume_ml * factor)
    return replace(placement, lesion=grown)


def carry(placement: Placement, background: Background, later: Background) -> Placement:
    """The same point of the head in another scan of it."""
    head = background.to_head(placement.row, placement.column, placement.height_mm)
    row, column, height = later.from_head(np.array(head))
    return replace(placement, row=row, column=column, height_mm=height)


def _coarse(clot: Clot, background: Background) -> dict[int, NDArray[np.bool_]]:
    """The clot on slices and a coarse grid about its centre: slice offset to mask."""
    reach = clot.reach_mm - 1.8 * clot.spec.oedema_mm
    axis = np.arange(-np.ceil(reach / SEARCH_MM), np.ceil(reach / SEARCH_MM) + 1) * SEARCH_MM
    flat = (axis / clot.radius_mm).astype(np.float32)
    count = int(np.ceil(reach / background.slice_mm))
    masks = {}
    for step in range(-count, count + 1):
        z = np.full((1, 1), step * background.slice_mm / clot.radius_mm, np.float32)
        inside = clot.surface(flat[None, :], flat[:, None], z) < 0
        if inside.any():
            masks[step] = inside
    return masks


def _judge_place(
    background: Background,
    lesion: LesionSpec,
    seed: int,
    shape: dict[int, NDArray[np.bool_]],
    head_mm: NDArray[np.float64],
) -> Placement | None:
    """How well a clot fits at a point of the head; None where slices are missing."""
    row, column, height = background.from_head(head_mm)
    middle = round(height / background.slice_mm)
    outside = fluid = total = 0
    for step, inside in shape.items():
        index = middle + step
        if not 0 <= index < len(background.hu) or not background.usable[index]:
            return None
        reach = (len(inside) - 1) // 2
        grid = (np.arange(-reach, reach + 1) * SEARCH_MM) / background.pixel_mm
        last_row, last_column = (side - 1 for side in background.fluid.shape[1:])
        r = np.clip(np.rint((row + grid - 0.5) / 2), 0, last_row).astype(int)[:, None]
        c = np.clip(np.rint((column + grid - 0.5) / 2), 0, last_column).astype(int)[None, :]
        away = background.depth_mm[index][r, c] < SKULL_GAP_MM
        away |= background.to_left_mm(2 * r + 0.5, 2 * c + 0.5) * np.sign(head_mm[0]) < FALX_MM
        total += int(np.count_nonzero(inside))
        outside += int(np.count_nonzero(inside & away))
        fluid += int(np.count_nonzero(inside & background.fluid[index][r, c] & ~away))
    if total == 0:
        return None
    return Placement(
        lesion=lesion,
        seed=seed,
        row=row,
        column=column,
        height_mm=height,
        outside=outside / total,
        fluid=fluid / total,
    )


def _labelled(background: Background, placement: Placement) -> Placement:
    """The location that the place itself has: of the nearest template, else subcortical."""
    x, y, z = background.to_head(placement.row, placement.column, placement.height_mm)
    here = np.array([abs(x), y, z])
    gaps = {name: float(np.linalg.norm(here - mm)) for name, mm in TEMPLATE_MM.items()}
    nearest = min(gaps, key=lambda name: gaps[name])
    location = nearest if gaps[nearest] <= LABEL_RADIUS_MM else "subcortical"
    side = "left" if x > 0 else "right"
    return replace(placement, lesion=replace(placement.lesion, location=location, side=side))
