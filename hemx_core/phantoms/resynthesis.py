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
    Body,
    Donor,
    axes,
    draw_bend,
    draw_warp,
    side_for,
    smooth_noise,
)
from hemx_core.phantoms.parts import (
    HIGH_PART_HU,
    LOW_PART_HU,
    Level,
    Part,
    draw_clefts,
    draw_holes,
    draw_knobs,
    draw_level,
    draw_part,
    draw_satellites,
)

PLANES = 5
"""Planes averaged through a slice."""
THICKNESS = (0.3, 1.0)
"""Of a slice, over which planes are averaged: the donor's outlines hold partial volume already."""
POINT_SPREAD_PX = 0.9
"""Of the scanner, on the grid, before its kernel sharpens."""
KERNEL = (0.35, 0.6)


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
    clefts: float = 0.25
    lobes: float = 0.18
    satellites: float = 0.15
    ventricles: float = 0.10
    gradient: float = 0.7


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
        self.part: Part | None = None
        self.level: Level | None = None
        if kind < rates.blend:
            self.part = draw_part(rng, self.body, others, inside, blend=True, mirror=mirror)
            self.clot_hu = min(max(self.clot_hu, LOW_PART_HU + self.part.contrast_hu), HIGH_PART_HU)
        elif kind < rates.blend + rates.fluid:
            self.level, self.clot_hu = draw_level(rng, inside)
        elif kind < rates.blend + rates.fluid + rates.faint:
            self.part = draw_part(rng, self.body, others, inside, blend=False, mirror=mirror)
        self.cuts = [
            *(draw_holes(rng, self.body) if rng.random() < rates.holes else ()),
            *(draw_clefts(rng, self.body, self.centre) if rng.random() < rates.clefts else ()),
        ]
        self.knobs = [
            *(draw_knobs(rng, self.body) if rng.random() < rates.lobes else ()),
            *(draw_satellites(rng, self.body) if rng.random() < rates.satellites else ()),
        ]
        self._draw_density(rng, rates)
        self.flood_hu = float(rng.uniform(45, 62)) if rng.random() < rates.ventricles else None
        self.flood_share = float(rng.uniform(0.15, 0.7))
        self.rough = [smooth_noise(rng, self.side, 1.5) for _ in range(3)]
        self.roughness = float(rng.uniform(0.15, 0.6))
        self.softness = float(np.exp(rng.uniform(-0.35, 0.6))) * np.exp(
            np.float32(0.5) * smooth_noise(rng, self.side, 4.0)
        )
        self.thickness = float(rng.uniform(*THICKNESS))
        self.kernel = float(rng.uniform(*KERNEL))

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
        self.glow = smooth_noise(rng, self.side, float(rng.uniform(2.2, 9)))
        self.glow_hu = float(rng.uniform(0.8, 2.6))
        self.dome_hu = float(rng.uniform(3, 10))
        self.dome_px = float(rng.uniform(1.5, 4.0))
