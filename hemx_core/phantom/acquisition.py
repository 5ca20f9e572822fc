"""The scanner: slices through the head with thickness, tilt, kernel, noise, streaks and holder."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import AIR_HU
from hemx_core.phantom.brain import paint_brain
from hemx_core.phantom.fields import Floats, SmoothField, cover, over
from hemx_core.phantom.lesion import OEDEMA_HU, REACH, Clot, ClotShares
from hemx_core.phantom.skull import inside_skull, paint_base, paint_outside
from hemx_core.phantom.spec import PhantomSpec

FEET_MM, HEAD_MM = -62.0, 84.0
REFERENCE_PIXEL_MM = 0.45
CROP_U_MM, CROP_V_MM = 96.0, 112.0


class Scanner:
    """Renders the slices of one phantom.

    Args:
        spec: the phantom.
    """

    def __init__(self, spec: PhantomSpec) -> None:
        self.spec = spec
        site = spec.site
        count = int(np.ceil((HEAD_MM - FEET_MM) * spec.head.scale / site.slice_spacing_mm))
        self.slices = site.slices or count
        matrix = site.matrix
        self._work = matrix // 2 if matrix >= 384 else matrix
        self.pixel_mm = site.field_of_view_mm / self._work
        axis = (np.arange(self._work, dtype=np.float32) - (self._work - 1) / 2) * np.float32(
            self.pixel_mm
        )
        self._axis = axis
        self._columns = _range(axis, -CROP_U_MM, CROP_U_MM)
        self._rows = _range(axis, -CROP_V_MM, CROP_V_MM)
        rng = np.random.default_rng([spec.seed, 11])
        extent = (CROP_U_MM + 8, CROP_V_MM + 8, 110.0)
        self._folds = SmoothField(rng, scale_mm=9, depth_mm=12, extent_mm=extent)
        self._texture = SmoothField(rng, scale_mm=16, depth_mm=18, extent_mm=extent)
        self._fine = SmoothField(rng, scale_mm=4.5, depth_mm=6, extent_mm=extent)
        self._grain = SmoothField(rng, scale_mm=2.2, depth_mm=4, extent_mm=extent)
        self._rotation = _rotation(spec)
        self.clot = (
            Clot(spec.lesion, seed=spec.seed, slice_mm=site.slice_thickness_mm)
            if spec.lesion
            else None
        )
        self._centre = (
            np.zeros(3)
            if self.clot is None
            else self._rotation.T @ (self.clot.head_centre * spec.head.scale)
        )
        self._noise = np.random.default_rng([spec.noise_seed, spec.seed, 23])

    def offsets_mm(self) -> NDArray[np.float64]:
        """Height of every slice's centre where it crosses the head's middle, shape (slices,)."""
        site = self.spec.site
        step = site.slice_spacing_mm / np.cos(np.deg2rad(site.tilt_deg))
        middle = (FEET_MM + HEAD_MM) / 2 * self.spec.head.scale
        return middle + (np.arange(self.slices) - (self.slices - 1) / 2) * step

    def slice(self, index: int) -> tuple[NDArray[np.int16], ClotShares | None, slice, slice]:
        """One slice.

        Returns:
            HU, shape (matrix, matrix); the clot's shares on the work grid inside the returned row
            and column ranges, None where there is no clot.
        """
        site = self.spec.site
        middle = float(self.offsets_mm()[index])
        samples = int(np.clip(round(site.slice_thickness_mm / 1.7), 1, 4))
        through = ((np.arange(samples) + 0.5) / samples - 0.5) * site.slice_thickness_mm
        total = np.zeros((len(self._axis[self._rows]), len(self._axis[self._columns])), np.float32)
        shares: list[ClotShares] = []
        for shift in through:
            hu, part = self._plane(middle, float(shift))
            total += hu
            shares.append(part) if part is not None else None
        total /= samples
        picture = np.full((self._work, self._work), float(AIR_HU + 24), np.float32)
        picture[self._rows, self._columns] = total
        self._paint_holder(picture)
        return self._digitise(picture, middle), _mean_shares(shares, samples), self._rows, self._columns

    def _plane(self, middle: float, shift: float) -> tuple[Floats, ClotShares | None]:
        """HU of one infinitely thin plane on the work grid, cropped round the head."""
        spec, head = self.spec, self.spec.head
        tilt = np.deg2rad(spec.site.tilt_deg)
        u, v = self._axis[self._columns], self._axis[self._rows]
        patient_x = np.broadcast_to(u[None, :], (len(v), len(u)))
        row_y = v * np.cos(tilt) - shift * np.sin(tilt)
        row_z = middle + v * np.sin(tilt) + shift * np.cos(tilt)
        patient_y = np.broadcast_to(row_y.astype(np.float32)[:, None], patient_x.shape)
        patient_z = np.broadcast_to(row_z.astype(np.float32)[:, None], patient_x.shape)
        turn = (self._rotation / head.scale).astype(np.float32)
        x, y, z = (
            row[0] * patient_x + row[1] * patient_y + row[2] * patient_z for row in turn
        )
        height = middle + shift
        texture, fine = (field.plane(u, v, height) for field in (self._texture, self._fine))
        width = self.pixel_mm / head.scale
        inner = inside_skull(x, y, z)
        hu = paint_outside(
            x, y, z, inner, skull_mm=head.skull_mm, texture=texture, fine=fine, width_mm=width
        )
        part = None
        if float(inner.min()) < 0:
            offsets = [
                axis - np.float32(centre)
                for axis, centre in zip((patient_x, patient_y, patient_z), self._centre, strict=True)
            ]
            moved = self._displace((x, y, z), offsets)
            brain = paint_brain(
                *moved,
                -inner,
                head=head,
                folds=self._furrows(*moved[:2], z, inner, height),
                texture=texture,
                fine=fine,
                width_mm=width,
            )
            part = self._bleed(brain, offsets, inner, height)
            over(hu, cover(inner, width), brain)
        if float(z.min()) < 12:
            paint_base(hu, x, y, z, inner, fine, width)
        return hu, part

    def _furrows(
        self, x: Floats, y: Floats, z: Floats, inner: Floats, height: float
    ) -> Floats:
        """The sulci's field, stretched along the depth so that sulci run inwards."""
        distance = np.sqrt(x * x + y * y + z * z)
        stretch = 1 - np.float32(0.6) * np.clip(inner, -24, 0) / np.maximum(distance, 25)
        return self._folds.at(x * stretch, y * stretch, height)

    def _displace(
        self, head_xyz: tuple[Floats, Floats, Floats], offsets: list[Floats]
    ) -> tuple[Floats, Floats, Floats]:
        """Mass effect: where the tissue now at each point came from, head coordinates."""
        if self.clot is None:
            return head_xyz
        radius = np.float32(self.clot.radius_mm)
        dx, dy, dz = offsets
        squared = dx * dx + dy * dy + dz * dz
        pull = np.float32(0.30) * radius**3 / (squared + radius**2) / np.sqrt(squared + 4)
        moved = [pull * offset for offset in offsets]
        turn = self._rotation.astype(np.float32)
        x, y, z = (
            axis - (row[0] * moved[0] + row[1] * moved[1] + row[2] * moved[2])
            for axis, row in zip(head_xyz, turn, strict=True)
        )
        return x, y, z

    def _bleed(
        self, brain: Floats, offsets: list[Floats], inner: Floats, height: float
    ) -> ClotShares | None:
        """Paint oedema and clot into the brain, in place; None where the plane misses them."""
        clot, lesion = self.clot, self.spec.lesion
        if clot is None or lesion is None:
            return None
        reach = REACH * clot.radius_mm + 2 * lesion.oedema_mm
        if float(np.abs(offsets[2]).min()) > reach:
            return None
        shares = clot.shares(*offsets, self.pixel_mm)
        allowed = cover(inner + 2.0, 2.0)
        swollen = shares.oedema * allowed * (brain > 16)
        over(brain, swollen * 0.85, OEDEMA_HU)
        share = shares.clot * allowed
        u, v = self._axis[self._columns], self._axis[self._rows]
        grain = self._grain.plane(u, v, height)
        drop = np.maximum(shares.fluid, np.maximum(shares.blend, shares.hypodensity))
        over(brain, share, lesion.clot_hu + lesion.heterogeneity_hu * grain - drop)
        return ClotShares(
            clot=share,
            oedema=swollen,
            hypodensity=shares.hypodensity * share,
            blend=shares.blend * share,
            fluid=shares.fluid * share,
        )

    def _paint_holder(self, picture: Floats) -> None:
        """A thin bright shell with foam, behind the head, fixed to the table."""
        kind = self.spec.site.holder
        if kind == "none":
            return
        u, v = self._axis[None, :], self._axis[:, None]
        radius = 128.0 if kind == "arc" else 104.0
        centre = 113.0 - radius if kind == "arc" else 8.0
        distance = np.sqrt(u**2 + (v - centre) ** 2) - radius
        opening = 62.0 if kind == "arc" else -30.0
        if kind == "cup":
            distance = np.where(v < centre, np.abs(u) - radius, distance)
        shell = np.maximum(np.abs(distance) - 1.2, opening - v + 0 * u).astype(np.float32)
        foam = np.maximum(distance + 1.2, np.maximum(-distance - 13, opening + 10 - v))
        free = picture < -900
        over(picture, cover(foam.astype(np.float32), 2) * free, -960.0)
        over(picture, cover(shell, self.pixel_mm) * (picture < -300), 180.0)

    def _digitise(self, picture: Floats, middle: float) -> NDArray[np.int16]:
        """Kernel, calibration, noise and streaks; then whole HU."""
        site = self.spec.site
        matrix = site.matrix
        if matrix != self._work:
            picture = cv2.resize(picture, (matrix, matrix), interpolation=cv2.INTER_CUBIC)
        fine_mm = site.field_of_view_mm / matrix
        if site.sharpness < 0:
            sigma = -0.6 * site.sharpness / fine_mm
            picture = cv2.GaussianBlur(picture, (0, 0), max(sigma, 0.05))
        elif site.sharpness > 0:
            soft = cv2.GaussianBlur(picture, (0, 0), 1.0 / fine_mm)
            picture += np.float32(0.6 * site.sharpness) * (picture - soft)
        axis = (np.arange(matrix, dtype=np.float32) - (matrix - 1) / 2) * np.float32(fine_mm)
        bowl = (axis[None, :] / 80) ** 2 + (axis[:, None] / 95) ** 2
        bowl = np.clip(1 - bowl, 0, 1)
        picture += (site.offset_hu - site.cupping_hu * bowl) * (picture > -500)
        picture += self._draw_noise(matrix, fine_mm, middle) * (0.75 + 0.4 * bowl)
        return np.rint(np.clip(picture, AIR_HU, 3071)).astype(np.int16)

    def _draw_noise(self, matrix: int, fine_mm: float, middle: float) -> Floats:
        """Band-limited noise as of a filtered back-projection, and dark streaks at the base."""
        site = self.spec.site
        sharp = 1 - 0.35 * site.sharpness
        sigma = max(0.34 * sharp / fine_mm, 0.3)
        white = self._noise.standard_normal((matrix, matrix), dtype=np.float32)
        noise = cv2.GaussianBlur(white, (0, 0), sigma)
        noise -= np.float32(0.5) * cv2.GaussianBlur(noise, (0, 0), 2.2 * sigma)
        base = float(np.clip((-15 - middle) / 30, 0, 1))
        larger = 1 + 0.35 * np.clip(fine_mm / REFERENCE_PIXEL_MM - 1, 0, 1)
        level = site.noise_sd_hu * (1 + 0.6 * base) / larger
        noise *= np.float32(level) / noise.std()
        if base > 0:
            streak = self._noise.standard_normal((matrix // 4, 1), dtype=np.float32)
            row = cv2.resize(streak, (1, matrix), interpolation=cv2.INTER_CUBIC)
            wide = np.exp(-((np.linspace(-2.2, 2.2, matrix, dtype=np.float32)[None]) ** 2))
            noise += np.float32(1.3 * base) * row * wide
        return noise


def _range(axis: Floats, lower: float, upper: float) -> slice:
    inside = np.flatnonzero((axis >= lower) & (axis <= upper))
    return slice(int(inside[0]), int(inside[-1]) + 1)


def _rotation(spec: PhantomSpec) -> NDArray[np.float64]:
    """Patient axes to head axes, shape (3, 3): yaw about z, roll about y, pitch about x."""
    yaw, roll, pitch = np.deg2rad([spec.head.yaw_deg, spec.head.roll_deg, spec.head.pitch_deg])
    about_z = [[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]]
    about_y = [[np.cos(roll), 0, np.sin(roll)], [0, 1, 0], [-np.sin(roll), 0, np.cos(roll)]]
    about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    return np.array(about_x) @ np.array(about_y) @ np.array(about_z)


def _mean_shares(parts: list[ClotShares], samples: int) -> ClotShares | None:
    """Average through the slice; planes that miss the clot count as zero."""
    if not parts:
        return None
    names = ("clot", "oedema", "hypodensity", "blend", "fluid")
    return ClotShares(
        **{name: sum(getattr(part, name) for part in parts) / samples for name in names}
    )
