"""One infinitely thin plane through the phantom: head, brain, mass effect, oedema and clot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hemx_core.phantoms.anatomy import inside_skull, paint_base, paint_brain, paint_outside
from hemx_core.phantoms.fields import Floats, Points, SmoothField, cover, over
from hemx_core.phantoms.lesion import OEDEMA_HU, Clot, ClotShares
from hemx_core.phantoms.spec import PhantomSpec

HALF_WIDTH_MM, HALF_LENGTH_MM = 96.0, 112.0
"""The head lies within this of the scanner's axis."""

Window = tuple[slice, slice]


class Scene:
    """The phantom in the scanner, sampled plane by plane.

    Args:
        spec: the phantom.
        pixel_mm: pixel size of the planes asked for; edges are as soft as a pixel.
    """

    def __init__(self, spec: PhantomSpec, *, pixel_mm: float) -> None:
        self.spec = spec
        self._pixel_mm = pixel_mm
        rng = np.random.default_rng([spec.seed, 11])
        extent = (HALF_WIDTH_MM + 8, HALF_LENGTH_MM + 8, 110.0)
        self._folds = SmoothField(rng, scale_mm=9, depth_mm=12, extent_mm=extent)
        self._texture = SmoothField(rng, scale_mm=16, depth_mm=18, extent_mm=extent)
        self._fine = SmoothField(rng, scale_mm=4.5, depth_mm=6, extent_mm=extent)
        self._grain = SmoothField(rng, scale_mm=2.2, depth_mm=4, extent_mm=extent)
        self._rotation = _rotation(spec)
        self.clot: Clot | None = None
        self._centre = np.zeros(3, np.float32)
        if spec.lesion is not None:
            self.clot = Clot(spec.lesion, seed=spec.seed, slice_mm=spec.site.slice_thickness_mm)
            centre = self._rotation.T @ (self.clot.head_centre * spec.head.scale)
            self._centre = centre.astype(np.float32)

    def clot_window(self, u: Floats, v: Floats, height_mm: float) -> Window | None:
        """Rows and columns of a slice that the clot and its oedema can reach; None for none."""
        if self.clot is None:
            return None
        tilt = np.deg2rad(self.spec.site.tilt_deg)
        thick = self.spec.site.slice_thickness_mm
        reach = self.clot.reach_mm + thick
        columns = np.flatnonzero(np.abs(u - self._centre[0]) <= reach)
        rows = np.abs(v * np.cos(tilt) - self._centre[1]) <= reach
        rows &= np.abs(height_mm + v * np.sin(tilt) - self._centre[2]) <= reach
        found = np.flatnonzero(rows)
        if len(found) < 2 or len(columns) < 2:
            return None
        return slice(found[0], found[-1] + 1), slice(columns[0], columns[-1] + 1)

    def plane(
        self, u: Floats, v: Floats, *, height_mm: float, shift_mm: float, window: Window | None
    ) -> tuple[Floats, ClotShares | None]:
        """HU of one plane.

        Args:
            u: columns to the patient's left, shape (columns,), mm.
            v: rows towards the back along the tilted plane, shape (rows,), mm.
            height_mm: where the slice's middle crosses the scanner's axis.
            shift_mm: distance of this plane from the slice's middle, along the normal.
            window: where the clot may lie, from `clot_window`.
        Returns:
            HU, shape (rows, columns), and the clot's shares within the window.
        """
        head = self.spec.head
        patient = self._patient(u, v, height_mm, shift_mm)
        turn = (self._rotation / head.scale).astype(np.float32)
        points = Points.of(
            *(row[0] * patient[0] + row[1] * patient[1] + row[2] * patient[2] for row in turn)
        )
        height = height_mm + shift_mm
        texture, fine = self._texture.plane(u, v, height), self._fine.plane(u, v, height)
        width = self._pixel_mm / head.scale
        inner = inside_skull(points)
        hu = paint_outside(
            points, inner, skull_mm=head.skull_mm, texture=texture, fine=fine, width_mm=width
        )
        shares = None
        if float(inner.min()) < 0:
            offsets = [axis - centre for axis, centre in zip(patient, self._centre, strict=True)]
            moved = self._displace(points, offsets)
            brain = paint_brain(
                moved,
                -inner,
                head=head,
                folds=self._furrows(moved, inner, height),
                texture=texture,
                fine=fine,
                width_mm=width,
            )
            if self.clot is not None and window is not None:
                grain = self._grain.plane(u[window[1]], v[window[0]], height)
                grain = np.float32(0.75) * (grain + fine[window])
                near = [np.broadcast_to(axis, inner.shape)[window] for axis in offsets]
                shares = self._bleed(self.clot, brain[window], near, inner[window], grain)
            over(hu, cover(inner, width), brain)
        paint_base(hu, points, inner, texture, fine, width)
        return hu, shares

    def _patient(
        self, u: Floats, v: Floats, height_mm: float, shift_mm: float
    ) -> tuple[Floats, Floats, Floats]:
        """Patient axes of a plane's pixels: x shape (1, columns), y and z shape (rows, 1), mm."""
        tilt = np.deg2rad(self.spec.site.tilt_deg)
        y = v * np.cos(tilt) - shift_mm * np.sin(tilt)
        z = height_mm + v * np.sin(tilt) + shift_mm * np.cos(tilt)
        return u[None, :], y.astype(np.float32)[:, None], z.astype(np.float32)[:, None]

    def _furrows(self, points: Points, inner: Floats, height_mm: float) -> Floats:
        """The sulci's field, stretched along the depth so that sulci run inwards."""
        distance = np.sqrt(points.x * points.x + points.y * points.y + points.z * points.z)
        stretch = 1 - np.float32(0.6) * np.clip(inner, -24, 0) / np.maximum(distance, 25)
        return self._folds.at(points.x * stretch, points.y * stretch, height_mm)

    def _displace(self, points: Points, offsets: list[Floats]) -> Points:
        """Mass effect: where the tissue now at each point came from."""
        if self.clot is None:
            return points
        radius = np.float32(self.clot.radius_mm)
        dx, dy, dz = offsets
        squared = dx * dx + dy * dy + dz * dz
        pull = np.float32(0.30) * radius**3 / ((squared + radius**2) * np.sqrt(squared + 4))
        turn = self._rotation.astype(np.float32)
        x, y, z = (
            axis - pull * (row[0] * dx + row[1] * dy + row[2] * dz)
            for axis, row in zip((points.x, points.y, points.z), turn, strict=True)
        )
        return Points.of(x, y, z)

    def _bleed(
        self, clot: Clot, brain: Floats, offsets: list[Floats], inner: Floats, grain: Floats
    ) -> ClotShares:
        """Paint oedema and clot into the brain, in place, and say how much of each pixel they are."""
        lesion = clot.spec
        shares = clot.shares(
            offsets[0],
            offsets[1],
            offsets[2],
            ragged_mm=np.float32(0.3) * grain,
            width_mm=self._pixel_mm,
        )
        allowed = cover(inner + 2, 2.0)
        swollen = shares.oedema * allowed * np.clip((brain - 14) / 6, 0, 1)
        over(brain, swollen * np.float32(0.92), OEDEMA_HU)
        share = shares.clot * allowed
        drop = np.maximum(shares.fluid, np.maximum(shares.blend, shares.hypodensity))
        over(brain, share, lesion.clot_hu + lesion.heterogeneity_hu * grain - drop)
        return ClotShares(
            clot=share,
            oedema=swollen,
            hypodensity=shares.hypodensity * share,
            blend=shares.blend * share,
            fluid=shares.fluid * share,
        )


def _rotation(spec: PhantomSpec) -> NDArray[np.float64]:
    """Patient axes to head axes, shape (3, 3): yaw about z, roll about y, pitch about x."""
    yaw, roll, pitch = np.deg2rad([spec.head.yaw_deg, spec.head.roll_deg, spec.head.pitch_deg])
    about_z = [[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]]
    about_y = [[np.cos(roll), 0, np.sin(roll)], [0, 1, 0], [-np.sin(roll), 0, np.cos(roll)]]
    about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    return np.array(about_x) @ np.array(about_y) @ np.array(about_z)
