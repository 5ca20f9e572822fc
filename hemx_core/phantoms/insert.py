"""Insert a phantom haematoma into real slices without blood: exact truth on real texture.

Torch-free. The clot is placed near its template, in the brain and outside the ventricles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.markers import MARKER_CODES
from hemx_core.phantoms.background import Background, Window, follow_up
from hemx_core.phantoms.fields import Floats, SmoothField
from hemx_core.phantoms.lesion import OEDEMA_HU, TEMPLATE_MM, Clot, ClotShares
from hemx_core.phantoms.spec import LesionSpec
from hemx_core.phantoms.truth import judge_slice

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


PLANES = 4
"""Planes averaged through a slice."""
FAINTEST = 0.02
"""Share of a pixel that shows."""
EDGE_SIGMA_MM = 0.55
"""The scanner's point spread: what a clot's border is softened by beside its own raggedness."""
OEDEMA_SHARE = 0.45
"""Real clots of the first hours show a faint rim.

`benchmarks.accuracy.insertion_picture` compares the profiles.
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Inserted:
    """Slices with a clot and what is true of them.

    Args:
        placement: what was drawn where.
        background: what it was drawn into.
        changed: slices that clot or oedema changed: number to HU, shape (rows, columns), int16.
        mask: pixels that are clot to one half and more, shape (slices, rows, columns).
        touched: slices that hold any clot, shape (slices,).
        slice_markers: shape (slices, 4), rules in `hemx_core.phantoms.truth`.
    """

    placement: Placement
    background: Background
    changed: Mapping[int, NDArray[np.int16]]
    mask: NDArray[np.bool_]
    touched: NDArray[np.bool_]
    slice_markers: NDArray[np.int8]

    def hu(self, index: int) -> NDArray[np.int16]:
        """One slice with what was drawn into it."""
        return self.changed.get(index, self.background.hu[index])

    @property
    def volume_ml(self) -> float:
        """Volume of the mask."""
        voxel_ml = self.background.pixel_mm**2 * self.background.slice_mm / 1000
        return float(np.count_nonzero(self.mask)) * voxel_ml


def insert_lesion(background: Background, placement: Placement) -> Inserted:
    """Draw the clot into the background's slices, with the truth of every slice.

    The same placement with a larger volume is the same clot grown (shape and texture stay).
    """
    slices = len(background.hu)
    changed: dict[int, NDArray[np.int16]] = {}
    mask = np.zeros(background.hu.shape, np.bool_)
    touched = np.zeros(slices, np.bool_)
    markers = np.zeros((slices, len(MARKER_CODES)), np.int8)
    clot = Clot(placement.lesion, seed=placement.seed, slice_mm=background.slice_mm)
    window = _window(clot, placement, background)
    fields = _textures(clot, placement.seed)
    for index in np.flatnonzero(background.usable):
        height = index * background.slice_mm - placement.height_mm
        if abs(height) > clot.reach_mm + background.slice_mm:
            continue
        shares, grain = _shares(clot, background, placement, window, int(index), fields)
        if max(shares.clot.max(), shares.oedema.max()) <= FAINTEST:
            continue
        painted = _composite(background, int(index), window, shares, grain, placement.lesion)
        picture = background.hu[index].copy()
        picture[window] = np.rint(np.clip(painted, *background.window_hu)).astype(np.int16)
        changed[int(index)] = picture
        touched[index] = bool(shares.clot.max() > FAINTEST)
        mask[index][window] = shares.clot >= 0.5
        markers[index] = judge_slice(shares, placement.lesion, background.pixel_mm)
    return Inserted(
        placement=placement,
        background=background,
        changed=changed,
        mask=mask,
        touched=touched,
        slice_markers=markers,
    )


def insert_pair(
    background: Background, placement: Placement, factor: float, rng: np.random.Generator
) -> tuple[Inserted, Inserted]:
    """Two scans of one patient: the clot, and the same clot `factor` times as large later.

    The later scan is moved by up to 2 mm and 2 degrees in the plane and has other noise; place, shape
    and parts of the clot stay the same in the head.

    Args:
        background: of the first scan.
        placement: from `place`.
        factor: later volume over first volume, positive.
        rng: draws the movement and the noise.
    """
    later = follow_up(background, rng)
    moved = carry(grow_placement(placement, factor), background, later)
    return insert_lesion(background, placement), insert_lesion(later, moved)


def _textures(clot: Clot, seed: int) -> tuple[SmoothField, SmoothField]:
    """The clot's mild texture, coarse and fine, as `scene` has it."""
    extent = (clot.reach_mm + 6, clot.reach_mm + 6, clot.reach_mm + 12)
    rng = np.random.default_rng([seed, 29])
    return (
        SmoothField(rng, scale_mm=4.5, depth_mm=6, extent_mm=extent),
        SmoothField(rng, scale_mm=2.2, depth_mm=4, extent_mm=extent),
    )


def _window(clot: Clot, placement: Placement, background: Background) -> Window:
    """Rows and columns that clot and oedema can reach."""
    reach = clot.reach_mm / background.pixel_mm + 2
    _, rows, columns = background.hu.shape
    low_row, low_column = (max(int(at - reach), 0) for at in (placement.row, placement.column))
    high_row = min(int(placement.row + reach) + 1, rows)
    high_column = min(int(placement.column + reach) + 1, columns)
    return slice(low_row, high_row), slice(low_column, high_column)


def _shares(
    clot: Clot,
    background: Background,
    placement: Placement,
    window: Window,
    index: int,
    fields: tuple[SmoothField, SmoothField],
) -> tuple[ClotShares, Floats]:
    """The clot's shares of a slice's pixels in the window, and the texture there."""
    pixel = background.pixel_mm
    dy = (np.arange(window[0].start, window[0].stop) - placement.row).astype(np.float32) * pixel
    dx = (np.arange(window[1].start, window[1].stop) - placement.column).astype(np.float32) * pixel
    dx, dy = dx.astype(np.float32), dy.astype(np.float32)
    middle = index * background.slice_mm - placement.height_mm
    names = ("clot", "oedema", "hypodensity", "blend", "fluid")
    sums = dict.fromkeys(names, np.zeros((len(dy), len(dx)), np.float32))
    texture = np.zeros((len(dy), len(dx)), np.float32)
    for shift in ((np.arange(PLANES) + 0.5) / PLANES - 0.5) * background.slice_mm:
        height = float(middle + shift)
        grain = np.float32(0.75) * (
            fields[0].plane(dx, dy, height) + fields[1].plane(dx, dy, height)
        )
        z = np.full((1, 1), height, np.float32)
        part = clot.shares(
            dx[None, :], dy[:, None], z, ragged_mm=np.float32(0.3) * grain, width_mm=pixel
        )
        inside = part.clot
        values = (inside, part.oedema, *(getattr(part, name) * inside for name in names[2:]))
        sums = {name: sums[name] + value for name, value in zip(names, values, strict=True)}
        texture += grain
    allowed = np.clip((background.depth(index, window) - 1) / 2, 0, 1)
    sigma = EDGE_SIGMA_MM / pixel
    soft = {
        name: cv2.GaussianBlur(value * (allowed / PLANES), (0, 0), sigma)
        for name, value in sums.items()
    }
    return ClotShares(**soft), texture / np.float32(PLANES)


def _composite(
    background: Background,
    index: int,
    window: Window,
    shares: ClotShares,
    grain: Floats,
    lesion: LesionSpec,
) -> Floats:
    """Oedema, then clot, over the mean density; the noise stays."""
    smooth, noise = background.noise(index, window)
    hu = smooth + noise
    swollen = shares.oedema * np.float32(OEDEMA_SHARE) * np.clip((smooth - 14) / 6, 0, 1)
    result = hu + swollen * (OEDEMA_HU - smooth)
    share = np.clip(shares.clot, 1e-6, 1)
    drop = np.maximum(shares.fluid, np.maximum(shares.blend, shares.hypodensity)) / share
    clot = lesion.clot_hu + lesion.heterogeneity_hu * grain - drop + noise
    blended: Floats = result + shares.clot * (clot - result)
    return blended.astype(np.float32)
