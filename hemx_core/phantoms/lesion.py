"""The haematoma: one implicit surface with lobes, its parts and the oedema round it.

Lesion coordinates are the patient's axes (x left, y back, z up), from the clot's centre, in units
of its body's mean radius, so a larger volume keeps the shape (growth) and gravity is +y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemx_core.phantoms.fields import Floats, cover
from hemx_core.phantoms.spec import Hypodensity, LesionSpec

TEMPLATE_MM = {"putamen": (28.0, -3.0, 5.0), "thalamus": (14.0, 13.0, 8.0)}
LOBAR_MM = ((40.0, -38.0, 24.0), (42.0, 6.0, 34.0), (40.0, 40.0, 18.0), (44.0, 2.0, -14.0))
OEDEMA_HU = 19.0
GRID_RADII = 2.6
"""No clot is wider than this, body radii from its centre."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClotShares:
    """What a clot does to the pixels of one plane, all of one shape.

    Args:
        clot: share of the clot, 0 to 1.
        oedema: share of the oedema, 0 to 1.
        hypodensity, blend, fluid: how much each part lowers the clot, HU.
    """

    clot: Floats
    oedema: Floats
    hypodensity: Floats
    blend: Floats
    fluid: Floats


class Clot:
    """The shape of one haematoma, drawn from a seed.

    Args:
        spec: the lesion.
        seed: draws lobes, surface and texture.
        slice_mm: slice thickness; hypodensities are made at least this high.
    """

    def __init__(self, spec: LesionSpec, *, seed: int, slice_mm: float) -> None:
        rng = np.random.default_rng([seed, 71])
        self.spec = spec
        self._slice_mm = slice_mm
        sign = 1.0 if spec.side == "left" else -1.0
        lobar = LOBAR_MM[int(rng.integers(len(LOBAR_MM)))]
        place = np.array(TEMPLATE_MM.get(spec.location, lobar)) + np.array(spec.jitter_mm)
        self.head_centre = place * (sign, 1, 1)
        slim = {"putamen": (0.8, 1.25, 1.0)}.get(spec.location, (0.95, 1.05, 1.0))
        self._radii = np.array(slim, np.float32) * rng.uniform(0.92, 1.08, 3).astype(np.float32)
        self._bend, self._taper = rng.uniform(-0.1, 0.1, 2).astype(np.float32)
        self._lobes = self._draw_lobes(rng)
        self._waves = rng.normal(0, 1, (6, 3)).astype(np.float32)
        self._waves *= np.linspace(1.6, 4.2, 6, dtype=np.float32)[:, None]
        self._phases = rng.uniform(0, 2 * np.pi, 6).astype(np.float32)
        self._rough = np.float32(0.016 if spec.lobes == 0 else 0.045)
        self.radius_mm = float((spec.volume_ml * 1000 / self._unit_volume()) ** (1 / 3))
        tips = np.sqrt((self._lobes[:, :3] ** 2).sum(axis=1)) + self._lobes[:, 3]
        farthest = max(float(self._radii.max()), float(tips.max(initial=0))) + 8 * self._rough
        self.reach_mm = float(farthest) * self.radius_mm + 1.8 * spec.oedema_mm

    def _draw_lobes(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Centres and radii of the lobes, shape (lobes, 4), spread round the body."""
        count = self.spec.lobes
        start = rng.uniform(0, 2 * np.pi)
        lobes = np.zeros((count, 4), np.float32)
        for index in range(count):
            angle = start + 2 * np.pi * (index + rng.uniform(-0.25, 0.25)) / max(count, 1)
            height = rng.uniform(-0.35, 0.35)
            radius = rng.uniform(0.32, 0.6)
            out = rng.uniform(0.95, 1.25)
            lobes[index, :3] = (
                self._radii * (np.cos(angle), np.sin(angle), height) * np.float32(out)
            )
            lobes[index, 3] = radius
        return lobes

    def _unit_volume(self) -> float:
        step = np.float32(0.1)
        axis = np.arange(-GRID_RADII, GRID_RADII, step, dtype=np.float32)
        z, y, x = np.meshgrid(axis[::2], axis, axis, indexing="ij", sparse=True)
        inside = self.surface(x, y, z) < 0
        return float(np.count_nonzero(inside)) * 2 * float(step) ** 3

    def surface(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Signed distance to the clot's surface in body radii, at lesion coordinates."""
        rx, ry, rz = self._radii
        x = (x + self._bend * y * y) / np.maximum(1 + self._taper * y, np.float32(0.5))
        distance = np.sqrt((x / rx) ** 2 + (y / ry) ** 2 + (z / rz) ** 2) - 1
        fillet = np.float32(0.2)
        for cx, cy, cz, radius in self._lobes:
            lobe = np.sqrt((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2) - radius
            near = np.maximum(fillet - np.abs(distance - lobe), 0) / fillet
            distance = np.minimum(distance, lobe) - near * near * fillet / 4
        rough: Floats = distance + self._rough * self._wave(x, y, z)
        return rough

    def _wave(self, x: Floats, y: Floats, z: Floats, pace: float = 1.0) -> Floats:
        """Smooth noise of plane waves, standard deviation 1.7."""
        total = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), np.float32)
        for (kx, ky, kz), phase in zip(self._waves * np.float32(pace), self._phases, strict=True):
            total += np.sin(kx * x + ky * y + kz * z + phase)
        return total

    def shares(
        self, dx: Floats, dy: Floats, dz: Floats, *, ragged_mm: Floats, width_mm: float
    ) -> ClotShares:
        """Sample the clot.

        Args:
            dx, dy, dz: patient axes from the clot's centre, mm, one shape.
            ragged_mm: how much the surface is set in, a fine random field of the same shape, mm.
            width_mm: width of a soft edge.
        """
        size = np.float32(self.radius_mm)
        x, y, z = dx / size, dy / size, dz / size
        surface = self.surface(x, y, z)
        wave = self._wave(x, y, z, 0.8)
        clot = cover(surface * size + ragged_mm, max(width_mm, 1.5))
        width = self.spec.oedema_mm * (1 + 0.25 * wave)
        oedema = np.clip(1.15 - surface * size / np.maximum(width, 0.6), 0, 1)
        oedema = oedema * oedema * (3 - 2 * oedema)
        zero = np.zeros_like(surface)
        hypodensity = zero
        for part in self.spec.hypodensities:
            hypodensity = np.maximum(hypodensity, self._hypodensity(part, x, y, z, wave, width_mm))
        fluid, blend = zero, zero
        if self.spec.fluid_level is not None:
            level = self.spec.fluid_level
            fluid = level.contrast_hu * cover((y + level.height) * size, max(width_mm, 1.0))
        if self.spec.blend is not None:
            blend = self._blend(x, y, wave, width_mm) * (fluid < 1)
        return ClotShares(
            clot=clot, oedema=oedema, hypodensity=hypodensity, blend=blend, fluid=fluid
        )

    def _hypodensity(
        self, part: Hypodensity, x: Floats, y: Floats, z: Floats, wave: Floats, width_mm: float
    ) -> Floats:
        rx, ry, rz = part.radii
        rz = max(rz, 0.8 * self._slice_mm / self.radius_mm)
        cx, cy, cz = part.centre
        bent = 0.0 if part.sharp else 0.14
        rho = np.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2)
        distance = (rho - 1 + bent * wave) * np.float32(min(rx, ry) * self.radius_mm)
        return part.contrast_hu * cover(distance, width_mm if part.sharp else width_mm + 1.2)

    def _blend(self, x: Floats, y: Floats, wave: Floats, width_mm: float) -> Floats:
        part = self.spec.blend
        if part is None:
            return np.zeros_like(x)
        angle = np.deg2rad(part.direction_deg)
        along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
        across = -x * np.float32(np.sin(angle)) + y * np.float32(np.cos(angle))
        border = part.offset + 0.28 * across * across + 0.05 * wave - along
        return part.contrast_hu * cover(border * np.float32(self.radius_mm), width_mm + 0.4)
