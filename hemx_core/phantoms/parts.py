"""Parts of a resynthesised haematoma: second bodies, fluid levels, holes, clefts, lobes. Torch-free.

Lengths are grid pixels, heights slices of the donor, densities HU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.phantoms.fields import Floats
from hemx_core.phantoms.outlines import FAR, Body, Donor, blob, draw_warp, smooth_noise, tube

LOW_PART_HU, HIGH_PART_HU = 41.0, 72.0
"""Least of a blend sign's low part, as read real ones have it, and most of a clot's mean."""
BLEND_HU = (18.0, 28.0)
SERUM_HU, SEDIMENT_HU = (30.0, 48.0), (18.0, 32.0)
"""Upper part of a fluid level, and how much denser the settled part is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """A second body: dense inside, less dense by `contrast_hu` outside of it."""

    body: Body
    offset: float
    stretch: float
    contrast_hu: float
    softness: float
    joined: bool
    inverse: bool
    is_blend: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """A tube of lower density."""

    distance: Floats
    radius: float
    height: float
    reach: float
    drop_hu: float
    softness: float
    wave: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Knob:
    """A blob at the border or beside it: adds cover, or takes it away."""

    distance: Floats
    height: float
    reach: float
    share: float
    adds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A fluid level: above the row (nearer the nose) it is less dense."""

    row: float
    contrast_hu: float
    slope: float


def draw_part(
    rng: np.random.Generator,
    body: Body,
    others: Sequence[Donor],
    inside: NDArray[np.intp],
    *,
    blend: bool,
    mirror: bool,
) -> Part:
    """A second outline over the first, moved so that it covers about half of it."""
    other = others[int(rng.integers(len(others)))]
    scale = np.sqrt(len(inside) / max(1, other.area_px)) * rng.uniform(0.6, 1.0)
    warp = draw_warp(rng, mirror=mirror, scale=float(np.clip(scale, 0.35, 1.6)))
    trial = Body(rng, other, warp, side=body.side)
    plane = trial.at(trial.middle)
    best, shift = 9.0, (0.0, 0.0)
    for _ in range(8):
        to = inside[int(rng.integers(len(inside)))] - body.side / 2
        matrix = np.array([[1.0, 0, to[1]], [0, 1.0, to[0]]])
        moved = cv2.warpAffine(plane, matrix, plane.shape, borderValue=float(FAR))
        share = float((moved[inside[:, 0], inside[:, 1]] > 0).mean())
        if abs(share - 0.5) < best:
            best, shift = abs(share - 0.5), (float(to[0]), float(to[1]))
    if blend:
        contrast, softness = rng.uniform(*BLEND_HU), 1.0
    elif rng.random() < 0.5:
        contrast, softness = rng.uniform(4, 12), rng.uniform(1, 3)
    else:
        contrast, softness = rng.uniform(8, 17), rng.uniform(8, 20)
    joined = bool(rng.random() < 0.4)
    return Part(
        body=trial.moved(shift),
        offset=float(rng.uniform(-0.7, 0.7)),
        stretch=float(rng.uniform(0.6, 1.2)),
        contrast_hu=float(contrast),
        softness=float(softness),
        joined=joined,
        inverse=bool(not joined and rng.random() < 0.3),
        is_blend=blend,
    )


def draw_level(rng: np.random.Generator, inside: NDArray[np.intp]) -> tuple[Level, float]:
    """A fluid level across a body's pixels, and the density of what has settled, HU."""
    serum, more = rng.uniform(*SERUM_HU), rng.uniform(*SEDIMENT_HU)
    settled = float(min(serum + more, HIGH_PART_HU))
    height = float(np.ptp(inside[:, 0]))
    level = Level(
        row=float(inside[:, 0].mean()) + float(rng.uniform(-0.25, 0.25)) * height,
        contrast_hu=settled - float(serum),
        slope=float(rng.uniform(-0.05, 0.05)),
    )
    return level, settled


def _near_middle(rng: np.random.Generator, body: Body) -> int:
    """A plane of the donor's own, most often near the middle."""
    pick = round(body.middle + rng.normal(0, 1.2))
    return int(np.clip(pick, 2, body.height - 3))


def draw_holes(rng: np.random.Generator, body: Body) -> list[Cut]:
    """Tubes of lower density that start inside."""
    cuts = []
    for _ in range(int(rng.integers(1, 5))):
        plane = _near_middle(rng, body)
        core = np.argwhere(body.at(plane) > 2.5)
        if len(core) < 8:
            continue
        start = core[int(rng.integers(len(core)))]
        line = tube(
            rng,
            body.side,
            (float(start[0]), float(start[1])),
            length=float(rng.uniform(0, 17)),
            angle=float(rng.uniform(0, 2 * np.pi)),
            bend=0.35,
        )
        cuts.append(
            _cut(rng, body, line, plane, radius=(1.3, 4.2), drop=(5.0, 26.0), softness=(1.0, 2.5))
        )
    return cuts


def draw_clefts(rng: np.random.Generator, body: Body, centre: tuple[float, float]) -> list[Cut]:
    """Tubes of lower density from the border inwards."""
    cuts = []
    for _ in range(int(rng.integers(1, 3))):
        plane = _near_middle(rng, body)
        rim = np.argwhere(np.abs(body.at(plane)) < 1.0)
        if len(rim) < 5:
            continue
        start = rim[int(rng.integers(len(rim)))]
        inwards = np.arctan2(centre[0] - start[0], centre[1] - start[1])
        line = tube(
            rng,
            body.side,
            (float(start[0]), float(start[1])),
            length=float(rng.uniform(4, 15)),
            angle=float(inwards + rng.normal(0, 0.35)),
            bend=0.15,
        )
        cuts.append(
            _cut(rng, body, line, plane, radius=(1.0, 3.0), drop=(6.0, 30.0), softness=(1.0, 2.0))
        )
    return cuts


def _cut(
    rng: np.random.Generator,
    body: Body,
    line: Floats,
    plane: int,
    *,
    radius: tuple[float, float],
    drop: tuple[float, float],
    softness: tuple[float, float],
) -> Cut:
    return Cut(
        distance=line,
        radius=float(rng.uniform(*radius)),
        height=plane + float(rng.uniform(-0.5, 0.5)),
        reach=float(rng.uniform(0.6, 1.8)),
        drop_hu=float(rng.uniform(*drop)),
        softness=float(rng.uniform(*softness)),
        wave=np.float32(0.7) * smooth_noise(rng, body.side, 2.5),
    )


def draw_knobs(rng: np.random.Generator, body: Body) -> list[Knob]:
    """Lobes and notches of the border."""
    knobs = []
    for _ in range(int(rng.integers(1, 4))):
        plane = _near_middle(rng, body)
        rim = np.argwhere(np.abs(body.at(plane)) < 1.5)
        if len(rim) < 5:
            continue
        at = rim[int(rng.integers(len(rim)))]
        adds = bool(rng.random() < 0.7)
        knobs.append(
            Knob(
                distance=blob(rng, body.side, (float(at[0]), float(at[1])), rng.uniform(2, 6)),
                height=plane + float(rng.uniform(-0.5, 0.5)),
                reach=float(rng.uniform(0.3, 0.9)),
                share=float(rng.uniform(0.25, 0.75) if adds else rng.uniform(0.5, 1.0)),
                adds=adds,
            )
        )
    return knobs


def draw_satellites(rng: np.random.Generator, body: Body) -> list[Knob]:
    """Small clots beside the body."""
    knobs = []
    for _ in range(int(rng.integers(1, 4))):
        plane = _near_middle(rng, body)
        away = body.at(plane)
        ring = np.argwhere((away < -4) & (away > -11))
        if len(ring) < 5:
            continue
        at = ring[int(rng.integers(len(ring)))]
        knobs.append(
            Knob(
                distance=blob(rng, body.side, (float(at[0]), float(at[1])), rng.uniform(1.5, 3.5)),
                height=plane + float(rng.uniform(-0.5, 0.5)),
                reach=float(rng.uniform(0.3, 0.9)),
                share=float(rng.uniform(0.5, 1.0)),
                adds=True,
            )
        )
    return knobs
