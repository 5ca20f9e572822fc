"""Small building blocks of the phantom: soft edges, distances and smooth random fields."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def cover(distance: Floats, width_mm: float) -> Floats:
    """Share of a pixel inside a surface: 1 inside, 0 outside, a ramp `width_mm` wide between.

    Args:
        distance: signed distance, negative inside, mm.
        width_mm: width of the ramp.
    """
    return np.clip(0.5 - distance / np.float32(width_mm), 0, 1)


def over(hu: Floats, share: Floats, value: Floats | float) -> None:
    """Paint `value` over `hu` in place where `share` says so."""
    hu += share * (value - hu)


def ellipsoid(
    x: Floats,
    y: Floats,
    z: Floats,
    centre: tuple[float, float, float],
    radii: tuple[float, float, float],
) -> Floats:
    """Approximate signed distance to an axis-parallel ellipsoid, mm, negative inside.

    First order in the distance from the surface: d = rho (rho - 1) / |grad| would be exact to
    first order; the mean radius in place of the gradient is enough for edges a pixel wide.
    """
    cx, cy, cz = (np.float32(value) for value in centre)
    rx, ry, rz = (np.float32(1 / value) for value in radii)
    rho = np.sqrt(((x - cx) * rx) ** 2 + ((y - cy) * ry) ** 2 + ((z - cz) * rz) ** 2)
    return (rho - 1) * np.float32(min(radii))


def radial(x: Floats, y: Floats, z: Floats, rho: Floats) -> Floats:
    """Distance along the ray from the origin to the surface rho = 1, mm, negative inside."""
    return np.sqrt(x * x + y * y + z * z) * (1 - 1 / np.maximum(rho, np.float32(0.05)))


def capsule(
    x: Floats,
    y: Floats,
    z: Floats,
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    radius: float,
) -> Floats:
    """Signed distance to a segment with round ends, mm."""
    a, b = np.array(start, np.float32), np.array(end, np.float32)
    axis = b - a
    t = ((x - a[0]) * axis[0] + (y - a[1]) * axis[1] + (z - a[2]) * axis[2]) / (axis @ axis)
    t = np.clip(t, 0, 1)
    return np.sqrt(
        (x - a[0] - t * axis[0]) ** 2 + (y - a[1] - t * axis[1]) ** 2 + (z - a[2] - t * axis[2]) ** 2
    ) - np.float32(radius)


class SmoothField:
    """A random field, smooth over about `scale_mm`, with mean 0 and standard deviation 1.

    It lives in the scanner's slices (u to the right, v downwards, w along the stack), so that a
    plane of it is one small resampling.

    Args:
        rng: draws the field.
        scale_mm: distance of its grid points in the slice.
        depth_mm: distance of its grid planes along the stack.
        extent_mm: (u, v, w) half sizes covered.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        scale_mm: float,
        depth_mm: float,
        extent_mm: tuple[float, float, float],
    ) -> None:
        half_u, half_v, half_w = extent_mm
        self._depth = depth_mm
        self._half_w = half_w
        shape = [
            int(np.ceil(2 * half / step)) + 3
            for half, step in ((half_w, depth_mm), (half_v, scale_mm), (half_u, scale_mm))
        ]
        self._grid = rng.standard_normal(shape, dtype=np.float32) * np.float32(1.6)
        self._origin = (half_u, half_v)
        self._scale = scale_mm

    def _layer(self, w: float) -> Floats:
        """The grid of one plane at height w, standard deviation kept between grid planes."""
        position = float(np.clip((w + self._half_w) / self._depth, 0, len(self._grid) - 1.001))
        index = int(position)
        t = np.float32(position - index)
        t = t * t * (3 - 2 * t)
        layer: Floats = self._grid[index] * (1 - t) + self._grid[index + 1] * t
        layer /= np.sqrt(t * t + (1 - t) ** 2)
        return layer

    def plane(self, u: Floats, v: Floats, w: float) -> Floats:
        """Values on a regular grid of one plane.

        Args:
            u: columns, shape (columns,), mm, equally spaced.
            v: rows, shape (rows,), mm, equally spaced.
            w: position along the stack, mm.
        """
        step_u = float(u[1] - u[0]) / self._scale
        step_v = float(v[1] - v[0]) / self._scale
        first_u = (float(u[0]) + self._origin[0]) / self._scale + 1
        first_v = (float(v[0]) + self._origin[1]) / self._scale + 1
        matrix = np.array([[step_u, 0, first_u], [0, step_v, first_v]], np.float64)
        return cv2.warpAffine(
            self._layer(w),
            matrix,
            (len(u), len(v)),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )

    def at(self, u: Floats, v: Floats, w: float) -> Floats:
        """Values at any points of one plane.

        Args:
            u, v: positions, one shape, mm.
            w: position along the stack, mm.
        """
        finer = 4
        layer = cv2.resize(self._layer(w), None, fx=finer, fy=finer, interpolation=cv2.INTER_CUBIC)
        scale = np.float32(finer / self._scale)
        start = np.float32(finer * 1.5 - 0.5)
        return cv2.remap(
            layer,
            (u + np.float32(self._origin[0])) * scale + start,
            (v + np.float32(self._origin[1])) * scale + start,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )


def join(first: Floats, second: Floats, reach_mm: float) -> Floats:
    """Union of two surfaces with a fillet (polynomial smooth minimum)."""
    near = np.maximum(np.float32(reach_mm) - np.abs(first - second), 0)
    return np.minimum(first, second) - near * near * np.float32(0.25 / reach_mm)
