"""Haematomas made of real ones' outlines and texture, with parts of known truth. Torch-free.

All lengths are pixels of the prepared grid and slices of the donor (5 mm assumed), densities are HU. A
slice is the mean of planes through its thickness, so partial volume is that of the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from hemx_core.phantoms.fields import Floats
from hemx_core.phantoms.grain import Grain
from hemx_core.phantoms.outlines import (
    FAR,
    Body,
    Donor,
    axes,
    blob,
    draw_bend,
    draw_warp,
    side_for,
    smooth_noise,
    tube,
)

PLANES = 5
"""Planes averaged through a slice."""
THICKNESS = (0.3, 1.0)
"""Of a slice, over which planes are averaged: the donor's outlines hold partial volume already."""
POINT_SPREAD_PX = 0.6
"""Of the scanner, on the grid."""
LOW_PART_HU, HIGH_PART_HU = 41.0, 72.0
"""Least of a blend sign's low part, as read real ones have it, and most of a clot's mean."""
BLEND_HU = (18.0, 28.0)
SERUM_HU, SEDIMENT_HU = (30.0, 48.0), (18.0, 32.0)
"""Upper part of a fluid level, and how much denser the settled part is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often each kind is drawn, of all haematomas.

    Near what is published on spontaneous haematomas: blend 15 to 17 %, hypodensities 15 to 40 %. Fluid levels
    are rarer in patients; below 10 % a network does not learn them.

    Args:
        blend: two parts with a sharp border, `BLEND_HU` apart.
        fluid: a fluid level.
        faint: two parts that are no blend sign: too little contrast, or a soft border.
        holes: hypodense regions inside, and through slices above and below.
        clefts: from the border inwards.
        lobes: knobs and notches of the border.
        satellites: small clots beside it.
        ventricles: blood in ventricles nearby.
        gradient: a smooth gradient.
    """

    blend: float = 0.16
    fluid: float = 0.12
    faint: float = 0.30
    holes: float = 0.45
    clefts: float = 0.30
    lobes: float = 0.25
    satellites: float = 0.15
    ventricles: float = 0.10
    gradient: float = 0.7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
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
class _Cut:
    """A tube of lower density."""

    distance: Floats
    radius: float
    height: float
    reach: float
    drop_hu: float
    softness: float
    wave: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Knob:
    """A blob at the border or beside it: adds cover, or takes it away."""

    distance: Floats
    height: float
    reach: float
    share: float
    adds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """A fluid level: above the row (nearer the nose) it is less dense."""

    row: float
    contrast_hu: float
    slope: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Section:
    """A slice of a haematoma without noise, all of shape (side, side).

    Args:
        cover: share of each pixel that is haematoma.
        hu: its density where there is any.
        drop: how much holes and clefts lower it, HU.
        high: share of the haematoma that belongs to the denser of two parts; 1 where there are none.
        upper: share above the fluid level; 0 where there is none.
        distance: mean signed distance to the border, pixels, positive inside.
    """

    cover: Floats
    hu: Floats
    drop: Floats
    high: Floats
    upper: Floats
    distance: Floats


class Haematoma:
    """One drawn haematoma, to be cut at any height.

    Args:
        rng: draws everything.
        donor: its outline.
        others: outlines that second parts are taken from.
        grain: its density (the texture is laid on by `compose`).
        mirror: turn the outline left to right.
        in_place: bend it only, with what surrounds it.
        rates: of the kinds.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        donor: Donor,
        others: Sequence[Donor],
        grain: Grain,
        *,
        mirror: bool,
        in_place: bool = False,
        rates: Rates | None = None,
    ) -> None:
        rates = rates or Rates()
        warp = draw_bend(rng) if in_place else draw_warp(rng, mirror=mirror)
        self.in_place = in_place
        self.side = side_for(donor, warp.scale)
        self.body = Body(rng, donor, warp, side=self.side)
        self.stretch = 1.0 if in_place else float(rng.uniform(0.8, 1.25))
        self.phase = 0.0 if in_place else float(rng.uniform(-0.5, 0.5))
        self.clot_hu = float(np.clip(grain.mean_hu + rng.normal(2.7, 1.5), 50, HIGH_PART_HU))
        middle = self.body.at(self.body.middle)
        inside = np.argwhere(middle > 0)
        if not len(inside):
            inside = np.array([[self.side // 2, self.side // 2]])
        self.centre = (float(inside[:, 0].mean()), float(inside[:, 1].mean()))
        self.extent = max(6.0, float(np.sqrt(len(inside))) / 1.2)
        kind = rng.random()
        self.part: _Part | None = None
        self.level: _Level | None = None
        if kind < rates.blend:
            self.part = self._draw_part(rng, others, inside, blend=True, mirror=mirror)
            self.clot_hu = min(max(self.clot_hu, LOW_PART_HU + self.part.contrast_hu), HIGH_PART_HU)
        elif kind < rates.blend + rates.fluid:
            self.level = self._draw_level(rng, inside)
        elif kind < rates.blend + rates.fluid + rates.faint:
            self.part = self._draw_part(rng, others, inside, blend=False, mirror=mirror)
        self.cuts = [
            *(self._draw_holes(rng) if rng.random() < rates.holes else ()),
            *(self._draw_clefts(rng) if rng.random() < rates.clefts else ()),
        ]
        self.knobs = [
            *(self._draw_knobs(rng) if rng.random() < rates.lobes else ()),
            *(self._draw_satellites(rng) if rng.random() < rates.satellites else ()),
        ]
        self._draw_density(rng, rates)
        self.flood_hu = float(rng.uniform(45, 62)) if rng.random() < rates.ventricles else None
        self.flood_share = float(rng.uniform(0.2, 1.0))
        self.rough = [smooth_noise(rng, self.side, 2.2) for _ in range(3)]
        self.roughness = float(rng.uniform(0.15, 0.7))
        self.softness = float(np.exp(rng.uniform(-0.3, 0.7))) * np.exp(
            np.float32(0.45) * smooth_noise(rng, self.side, 8.0)
        )
        self.thickness = float(rng.uniform(*THICKNESS))

    def heights(self) -> list[float]:
        """Heights of the slices that may show it, in slices of the donor's stack."""
        middle, count = self.body.middle, self.body.height
        lowest = int(np.floor((0.4 - middle) * self.stretch)) - 1
        highest = int(np.ceil((count - 1.4 - middle) * self.stretch)) + 1
        found = [middle + (step + self.phase) / self.stretch for step in range(lowest, highest + 1)]
        return [z for z in found if 0.4 <= z <= count - 1.4]

    def step(self, z: float) -> int:
        """Number of the slice at a height, counted from the middle one."""
        return round((z - self.body.middle) * self.stretch - self.phase)

    def section(self, z: float, allowed: Floats) -> Section:
        """The slice about a height.

        Args:
            z: from `heights`.
            allowed: share of each pixel where blood can be, shape (side, side).
        """
        shape = (self.side, self.side)
        cover, value, drop, high, upper, distance = (np.zeros(shape, np.float32) for _ in range(6))
        above = self._above()
        for offset in ((np.arange(PLANES) + 0.5) / PLANES - 0.5) * self.thickness / self.stretch:
            height = z + float(offset)
            border = self._border(height)
            dense = self._dense(height)
            if self.part is not None and self.part.joined and dense is not None:
                border = np.maximum(border, dense)
            share = self._cover(border, height)
            hu = self.clot_hu + self._gradient(height)
            hu -= self.dome_hu * np.exp(np.minimum(-border, 0) / self.dome_px)
            if self.part is not None and dense is not None:
                of_dense = np.clip(0.5 + dense / np.float32(self.part.softness), 0, 1)
                of_dense = 1 - of_dense if self.part.inverse else of_dense
                hu -= np.float32(self.part.contrast_hu) * (1 - of_dense)
                high += share * of_dense
            else:
                high += share
            if self.level is not None:
                hu -= np.float32(self.level.contrast_hu) * above
                upper += share * above
            lowered = self._drops(height)
            if lowered is not None:
                hu -= lowered
                drop += share * lowered
            cover += share
            value += share * hu
            distance += border
        parts = (
            cv2.GaussianBlur(part * (allowed / np.float32(PLANES)), (0, 0), POINT_SPREAD_PX)
            for part in (cover, value, drop, high, upper)
        )
        cover, value, drop, high, upper = parts
        some = np.maximum(cover, np.float32(1e-3))
        return Section(
            cover=cover,
            hu=value / some,
            drop=drop / some,
            high=high / some,
            upper=upper / some,
            distance=distance / np.float32(PLANES),
        )

    def _border(self, height: float) -> Floats:
        """Signed distance to the border with its roughness, which grows towards the caps."""
        cap = 1 + 2.5 * float(np.clip(0.5 - self.body.from_end(height), 0, 1))
        wave = self.rough[0] * np.cos(height * 1.3) + self.rough[1] * np.sin(height * 1.3)
        border: Floats = self.body.at(height) + np.float32(self.roughness * cap) * wave
        return border.astype(np.float32)

    def _dense(self, height: float) -> Floats | None:
        """Signed distance to the second body."""
        if self.part is None:
            return None
        z = (
            self.part.body.middle
            + self.part.offset
            + (height - self.body.middle) * self.part.stretch
        )
        dense: Floats = self.part.body.at(z) + np.float32(0.6) * self.rough[2]
        return dense

    def _cover(self, border: Floats, height: float) -> Floats:
        share = np.clip(0.5 + border / self.softness, 0, 1)
        for knob in self.knobs:
            if abs(height - knob.height) >= knob.reach:
                continue
            by = np.float32(knob.share) * np.clip(0.5 + knob.distance, 0, 1)
            share = np.maximum(share, by) if knob.adds else share * (1 - by)
        covered: Floats = share
        return covered

    def _gradient(self, height: float) -> Floats:
        row, column = axes(self.side)
        down = (row - np.float32(self.centre[0] - self.side / 2)) / self.extent
        right = (column - np.float32(self.centre[1] - self.side / 2)) / self.extent
        along = (height - self.body.middle) / max(2.0, self.body.height / 2)
        y, x, z = self.direction
        field = 0.6 * self.gradient_hu * (down * y + right * x + along * z)
        limit = 0.7 * self.gradient_hu
        smooth: Floats = np.clip(field, -limit, limit) + self.glow_hu * self.glow
        return smooth.astype(np.float32)

    def _above(self) -> Floats:
        if self.level is None:
            return np.zeros((self.side, self.side), np.float32)
        row, column = axes(self.side)
        border = np.float32(self.level.row - self.side / 2) + np.float32(self.level.slope) * column
        above: Floats = np.clip(0.5 - (row - border), 0, 1)
        return above

    def _drops(self, height: float) -> Floats | None:
        lowered: Floats | None = None
        for cut in self.cuts:
            left = 1 - ((height - cut.height) / cut.reach) ** 2
            if left <= 0:
                continue
            edge = np.float32(cut.radius * np.sqrt(left)) + cut.wave - cut.distance
            by = np.float32(cut.drop_hu) * np.clip(0.5 + edge / np.float32(cut.softness), 0, 1)
            lowered = by if lowered is None else np.maximum(lowered, by)
        return lowered

    def _draw_density(self, rng: np.random.Generator, rates: Rates) -> None:
        """Gradient, glow and the fall towards the border that real clots have."""
        damped = 0.4 if self.part is not None and self.part.is_blend else 1.0
        has = rng.random() < rates.gradient
        self.gradient_hu = float(rng.uniform(5, 17)) * has * damped
        direction = rng.normal(0, 1, 3)
        self.direction = tuple(float(v) for v in direction / np.linalg.norm(direction))
        self.glow = smooth_noise(rng, self.side, float(rng.uniform(3, 10)))
        self.glow_hu = float(rng.uniform(0.8, 2.6))
        self.dome_hu = float(rng.uniform(3, 10))
        self.dome_px = float(rng.uniform(1.5, 4.0))

    def _draw_part(
        self,
        rng: np.random.Generator,
        others: Sequence[Donor],
        inside: np.ndarray,
        *,
        blend: bool,
        mirror: bool,
    ) -> _Part:
        """A second outline over the first, moved so that it covers about half of it."""
        other = others[int(rng.integers(len(others)))]
        scale = np.sqrt(len(inside) / max(1, other.area_px)) * rng.uniform(0.6, 1.0)
        warp = draw_warp(rng, mirror=mirror, scale=float(np.clip(scale, 0.35, 1.6)))
        trial = Body(rng, other, warp, side=self.side)
        plane = trial.at(trial.middle)
        best, shift = 9.0, (0.0, 0.0)
        for _ in range(8):
            to = inside[int(rng.integers(len(inside)))] - self.side / 2
            matrix = np.array([[1.0, 0, to[1]], [0, 1.0, to[0]]])
            moved = cv2.warpAffine(plane, matrix, plane.shape, borderValue=float(FAR))
            share = float((moved[inside[:, 0], inside[:, 1]] > 0).mean())
            if abs(share - 0.5) < best:
                best, shift = abs(share - 0.5), (float(to[0]), float(to[1]))
        body = trial.moved(shift)
        if blend:
            contrast, softness = rng.uniform(*BLEND_HU), 1.0
        elif rng.random() < 0.5:
            contrast, softness = rng.uniform(4, 12), rng.uniform(1, 3)
        else:
            contrast, softness = rng.uniform(8, 17), rng.uniform(8, 20)
        joined = bool(rng.random() < 0.6)
        return _Part(
            body=body,
            offset=float(rng.uniform(-0.7, 0.7)),
            stretch=float(rng.uniform(0.6, 1.2)),
            contrast_hu=float(contrast),
            softness=float(softness),
            joined=joined,
            inverse=bool(not joined and rng.random() < 0.3),
            is_blend=blend,
        )

    def _draw_level(self, rng: np.random.Generator, inside: np.ndarray) -> _Level:
        serum, more = rng.uniform(*SERUM_HU), rng.uniform(*SEDIMENT_HU)
        self.clot_hu = float(min(serum + more, HIGH_PART_HU))
        height = float(np.ptp(inside[:, 0]))
        return _Level(
            row=self.centre[0] + float(rng.uniform(-0.25, 0.25)) * height,
            contrast_hu=self.clot_hu - float(serum),
            slope=float(rng.uniform(-0.05, 0.05)),
        )

    def _near_middle(self, rng: np.random.Generator) -> int:
        """A plane of the donor's own, most often near the middle."""
        pick = round(self.body.middle + rng.normal(0, 1.2))
        return int(np.clip(pick, 2, self.body.height - 3))

    def _draw_holes(self, rng: np.random.Generator) -> list[_Cut]:
        cuts = []
        for _ in range(int(rng.integers(1, 5))):
            plane = self._near_middle(rng)
            core = np.argwhere(self.body.at(plane) > 2.5)
            if len(core) < 8:
                continue
            start = core[int(rng.integers(len(core)))]
            line = tube(
                rng,
                self.side,
                (float(start[0]), float(start[1])),
                length=float(rng.uniform(0, 17)),
                angle=float(rng.uniform(0, 2 * np.pi)),
                bend=0.35,
            )
            cuts.append(
                self._cut(
                    rng, line, plane, radius=(1.3, 4.2), drop=(5.0, 26.0), softness=(1.0, 2.5)
                )
            )
        return cuts

    def _draw_clefts(self, rng: np.random.Generator) -> list[_Cut]:
        cuts = []
        for _ in range(int(rng.integers(1, 3))):
            plane = self._near_middle(rng)
            rim = np.argwhere(np.abs(self.body.at(plane)) < 1.0)
            if len(rim) < 5:
                continue
            start = rim[int(rng.integers(len(rim)))]
            inwards = np.arctan2(self.centre[0] - start[0], self.centre[1] - start[1])
            line = tube(
                rng,
                self.side,
                (float(start[0]), float(start[1])),
                length=float(rng.uniform(4, 15)),
                angle=float(inwards + rng.normal(0, 0.35)),
                bend=0.15,
            )
            cuts.append(
                self._cut(
                    rng, line, plane, radius=(1.0, 3.0), drop=(6.0, 30.0), softness=(1.0, 2.0)
                )
            )
        return cuts

    def _cut(
        self,
        rng: np.random.Generator,
        line: Floats,
        plane: int,
        *,
        radius: tuple[float, float],
        drop: tuple[float, float],
        softness: tuple[float, float],
    ) -> _Cut:
        return _Cut(
            distance=line,
            radius=float(rng.uniform(*radius)),
            height=plane + float(rng.uniform(-0.5, 0.5)),
            reach=float(rng.uniform(0.6, 1.8)),
            drop_hu=float(rng.uniform(*drop)),
            softness=float(rng.uniform(*softness)),
            wave=np.float32(0.7) * smooth_noise(rng, self.side, 2.5),
        )

    def _draw_knobs(self, rng: np.random.Generator) -> list[_Knob]:
        knobs = []
        for _ in range(int(rng.integers(1, 4))):
            plane = self._near_middle(rng)
            rim = np.argwhere(np.abs(self.body.at(plane)) < 1.5)
            if len(rim) < 5:
                continue
            at = rim[int(rng.integers(len(rim)))]
            adds = bool(rng.random() < 0.7)
            knobs.append(
                _Knob(
                    distance=blob(rng, self.side, (float(at[0]), float(at[1])), rng.uniform(2, 6)),
                    height=plane + float(rng.uniform(-0.5, 0.5)),
                    reach=float(rng.uniform(0.3, 0.9)),
                    share=float(rng.uniform(0.25, 0.75) if adds else rng.uniform(0.5, 1.0)),
                    adds=adds,
                )
            )
        return knobs

    def _draw_satellites(self, rng: np.random.Generator) -> list[_Knob]:
        knobs = []
        for _ in range(int(rng.integers(1, 4))):
            plane = self._near_middle(rng)
            away = self.body.at(plane)
            ring = np.argwhere((away < -4) & (away > -11))
            if len(ring) < 5:
                continue
            at = ring[int(rng.integers(len(ring)))]
            knobs.append(
                _Knob(
                    distance=blob(
                        rng, self.side, (float(at[0]), float(at[1])), rng.uniform(1.5, 3.5)
                    ),
                    height=plane + float(rng.uniform(-0.5, 0.5)),
                    reach=float(rng.uniform(0.3, 0.9)),
                    share=float(rng.uniform(0.5, 1.0)),
                    adds=True,
                )
            )
        return knobs
