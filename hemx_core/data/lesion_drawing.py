"""Draw a haematoma from real material and lay it into a real patient's slices. Torch-free.

Half of them are drawn anew where a real one was, so that oedema and what is pushed aside are real; the others
go into other patients' brains, so that outline and surroundings tell nothing of each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemx_core.data.lesion_material import Ground, Material
from hemx_core.errors import DatasetError
from hemx_core.phantoms.fields import Floats
from hemx_core.phantoms.grain import Grain, quilt, skewed
from hemx_core.phantoms.outlines import Donor, put, smooth_noise, window
from hemx_core.phantoms.overlay import compose, flood, split_noise, surroundings
from hemx_core.phantoms.picture_truth import judge_section
from hemx_core.phantoms.resynthesis import Haematoma, Rates

ATTEMPTS = 60
IN_PLACE = 0.5
"""How often a haematoma is drawn anew where a real one was, with all that surrounds it."""
CANDIDATES = 8
"""Backgrounds of which the one most like the donor's own surroundings is taken."""
UNLIKE_HU = 15.0
"""More than this one pixel does not count: fluid and bone would outweigh all else."""
LEAST_INSIDE, MOST_FLUID = 0.93, 0.25
"""Shares of the largest section that must lie in the brain, and may lie on ventricles and sulci."""
SKULL_GAP_PX = 2.0
LEAST_SECTIONS = 0.8
"""Share of the sections for which the background has a slice."""
LIKE_NOISE = 8
"""A texture is drawn from so many whose brain's noise is nearest to the background's."""
SMALLEST_MM2 = 10.0
FAINTEST = 0.1
"""Cover of blood in ventricles from which a pixel is left open."""
FLOOD_HU = 8.0
"""Blood in ventricles is so much less dense at its surface than at the back."""
MOTTLE_HU, MOTTLE_PX = (0.6, 1.9), 1.8
"""What patches lack: texture as coarse as they are."""
LOUDNESS = (0.98, 1.15)
"""Of a texture against its patches: overlapping ones lose a little."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """One study's slices with blood.

    Args:
        ground: the background.
        index: of each slice in the background's, shape (slices,).
        hu: shape (slices, size, size), float32.
        mask: cover of at least one half, same shape.
        known: False on blood in ventricles, which no haematoma's reference counts, same shape.
        markers: shape (slices, 4), see `picture_truth`.
        in_place: drawn where the donor's own haematoma was.
    """

    ground: Ground
    index: NDArray[np.intp]
    hu: Floats
    mask: NDArray[np.bool_]
    known: NDArray[np.bool_]
    markers: NDArray[np.int8]
    in_place: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sections:
    """Where a haematoma goes: first pixel of its square, and the background's slice of each section."""

    row: int
    column: int
    slices: tuple[tuple[float, int], ...]


def draw_lesion(
    rng: np.random.Generator,
    material: Material,
    *,
    pixel_mm: float,
    rates: Rates | None = None,
    top_hu: float = 80.0,
) -> Drawn:
    """Draw a haematoma and lay it over a background.

    Args:
        rng: draws everything.
        material: outlines, textures, backgrounds.
        pixel_mm: of the grid.
        rates: of the kinds.
        top_hu: HU of the backgrounds' grey value 255, with 0 HU at 0.
    Raises:
        DatasetError: no haematoma fits into a background.
    """
    here = rng.random() < IN_PLACE
    for _ in range(ATTEMPTS):
        make = _in_place if here else _transplanted
        drawn = make(rng, material, pixel_mm, rates, top_hu)
        if drawn is not None:
            return drawn
    raise DatasetError(
        f"no haematoma fits into {len(material.grounds)} backgrounds",
        expected="backgrounds with slices at the level of the outlines",
        remedy="take more patients",
    )


def _in_place(
    rng: np.random.Generator,
    material: Material,
    pixel_mm: float,
    rates: Rates | None,
    top_hu: float,
) -> Drawn | None:
    """A haematoma where its donor's was, in the donor's own slices; None where nothing shows."""
    donor, ground = material.own[int(rng.integers(len(material.own)))]
    grain = _grain(rng, material, ground)
    lesion = Haematoma(rng, donor, material.donors, grain, mirror=False, in_place=True, rates=rates)
    first = round(ground.ganglia + donor.height_mm / 5) - donor.middle
    numbers = {int(number) - first: place for place, number in enumerate(ground.number)}
    slices = [(z, numbers[round(z) - 2]) for z in lesion.heights() if round(z) - 2 in numbers]
    half = lesion.side // 2
    spot = _Sections(row=donor.row - half, column=donor.column - half, slices=tuple(slices))
    return _paint(rng, lesion, spot, ground, grain.patches, pixel_mm, top_hu)


def _transplanted(
    rng: np.random.Generator,
    material: Material,
    pixel_mm: float,
    rates: Rates | None,
    top_hu: float,
) -> Drawn | None:
    """A haematoma in another brain, the most alike of some; None where that has no room for it."""
    donor = material.donors[int(rng.integers(len(material.donors)))]
    others = [ground for ground in material.grounds if ground.patient != donor.patient]
    if not others:
        return None
    mirror = bool(rng.random() < 0.5)
    picks = rng.permutation(len(others))[:CANDIDATES]
    spots = [
        spot
        for pick in picks
        if (spot := _spot(rng, donor, others[int(pick)], mirror=mirror, top_hu=top_hu)) is not None
    ]
    if not spots:
        return None
    best = min(spots, key=lambda spot: spot.unlike)
    grain = _grain(rng, material, best.ground)
    lesion = Haematoma(rng, donor, material.donors, grain, mirror=mirror, rates=rates)
    sections = _fitting(lesion, best)
    if sections is None:
        return None
    return _paint(rng, lesion, sections, best.ground, grain.patches, pixel_mm, top_hu)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Spot:
    """A point of a background where a donor's haematoma might go.

    Args:
        ground: the background.
        row, column: of the centre on the grid.
        level: number of the slice for the donor's middle one.
        unlike: mean difference to the donor's own surroundings, HU.
    """

    ground: Ground
    row: int
    column: int
    level: int
    unlike: float


def _spot(
    rng: np.random.Generator, donor: Donor, ground: Ground, *, mirror: bool, top_hu: float
) -> _Spot | None:
    """The donor's own place in the head, a little off; None where the background has no slice there."""
    size, side = ground.image.shape[1], donor.distance.shape[1]
    row = round(donor.row + rng.normal(0, 4))
    column = round((size - 1 - donor.column if mirror else donor.column) + rng.normal(0, 3))
    level = round(ground.ganglia + donor.height_mm / 5 + rng.normal(0, 0.7))
    place = np.flatnonzero(ground.number == level)
    if not len(place):
        return None
    there = window(ground.image[place[0]], row - side // 2, column - side // 2, side)
    own = donor.surround[donor.middle]
    own = own[:, ::-1] if mirror else own
    apart = np.abs(there.astype(np.float32) * np.float32(top_hu / 255) - own)
    around = donor.distance[donor.middle] < 0
    around = around[:, ::-1] if mirror else around
    unlike = float(np.minimum(apart[around], UNLIKE_HU).mean())
    return _Spot(ground=ground, row=row, column=column, level=level, unlike=unlike)


def _fitting(lesion: Haematoma, spot: _Spot) -> _Sections | None:
    """The sections at a spot; None where slices are missing, or the brain has no room."""
    ground = spot.ground
    numbers = {int(number): place for place, number in enumerate(ground.number)}
    heights = lesion.heights()
    slices = [
        (z, numbers[spot.level + lesion.step(z)])
        for z in heights
        if spot.level + lesion.step(z) in numbers
    ]
    if len(slices) < LEAST_SECTIONS * len(heights):
        return None
    top, left = spot.row - lesion.side // 2, spot.column - lesion.side // 2
    inside = lesion.body.at(lesion.body.middle) > 0
    depth = window(ground.depth[numbers[spot.level]], top, left, lesion.side).astype(np.float32)
    fluid = window(ground.fluid[numbers[spot.level]], top, left, lesion.side)
    if not inside.any() or float((depth[inside] > SKULL_GAP_PX).mean()) < LEAST_INSIDE:
        return None
    if float(fluid[inside].mean()) > MOST_FLUID:
        return None
    return _Sections(row=top, column=left, slices=tuple(slices))


def _grain(rng: np.random.Generator, material: Material, ground: Ground) -> Grain:
    """A texture from a patient whose brain is about as noisy as the background."""
    nearest = sorted(material.grains, key=lambda one: abs(one.noise_hu - ground.noise_hu))
    return nearest[int(rng.integers(min(LIKE_NOISE, len(nearest))))]


def _paint(
    rng: np.random.Generator,
    lesion: Haematoma,
    spot: _Sections,
    ground: Ground,
    patches: Floats,
    pixel_mm: float,
    top_hu: float,
) -> Drawn | None:
    """All sections of a haematoma, each in its slice; None where nothing shows."""
    index, pictures, masks, knowns, markers = [], [], [], [], []
    loudness, mottle = (np.float32(rng.uniform(*span)) for span in (LOUDNESS, MOTTLE_HU))
    side, place_at = lesion.side, (spot.row, spot.column)
    for z, place in spot.slices:
        whole = ground.image[place].astype(np.float32) * np.float32(top_hu / 255)
        depth = window(ground.depth[place], *place_at, side).astype(np.float32)
        section = lesion.section(z, np.clip((depth - 0.5) / 2, 0, 1))
        mask = section.cover >= 0.5
        if np.count_nonzero(mask) * pixel_mm**2 < SMALLEST_MM2:
            continue
        back = window(whole, *place_at, side)
        smooth, noise = split_noise(back, depth)
        if lesion.in_place:
            loud = noise.std()  # which bending between pixels would lower
            smooth, noise = split_noise(lesion.body.bent(back), depth)
            noise *= loud / max(noise.std(), np.float32(1e-3))
        smooth, noise = surroundings(lesion, section, z, smooth, noise, depth)
        texture = skewed(rng, quilt(rng, patches, side)) * loudness
        texture += mottle * smooth_noise(rng, side, MOTTLE_PX)
        painted = compose(section, smooth, noise, texture, depth, kernel=lesion.kernel)
        put(whole, painted, *place_at)
        covered = put(np.zeros(whole.shape, np.bool_), section.cover > FAINTEST, *place_at)
        whole, flooded = _flooded(rng, lesion, ground, place, whole, covered, patches)
        index.append(place)
        pictures.append(np.clip(whole, 0, top_hu))
        masks.append(put(np.zeros(whole.shape, np.bool_), mask, *place_at))
        knowns.append((flooded < FAINTEST) | masks[-1])
        beside = window(flooded, *place_at, side)
        markers.append(judge_section(section, pixel_mm=pixel_mm, beside=beside))
    if not index:
        return None
    return Drawn(
        ground=ground,
        index=np.array(index),
        hu=np.stack(pictures),
        mask=np.stack(masks),
        known=np.stack(knowns),
        in_place=lesion.in_place,
        markers=np.stack(markers),
    )


def _flooded(
    rng: np.random.Generator,
    lesion: Haematoma,
    ground: Ground,
    place: int,
    whole: Floats,
    covered: NDArray[np.bool_],
    patches: Floats,
) -> tuple[Floats, Floats]:
    """A slice with blood in its ventricles, denser at the back, and the blood's cover."""
    if lesion.flood_hu is None:
        return whole, np.zeros_like(whole)
    depth = ground.depth[place].astype(np.float32)
    smooth, noise = split_noise(whole, depth)
    cover = flood(lesion.flood_share, smooth, depth, covered)
    if cover.any():
        rows = np.nonzero(cover > FAINTEST)[0]
        height = max(float(np.ptp(rows)), 1.0) if len(rows) else 1.0
        down = (np.arange(len(whole)) - float(rows.max(initial=0))) / height
        dense = np.float32(lesion.flood_hu) + FLOOD_HU * np.clip(down, -1, 0)[:, None]
        grain = quilt(rng, patches, len(whole))
        whole = smooth + cover * (dense + grain - smooth) + noise * (1 - cover)
    return whole.astype(np.float32), cover
