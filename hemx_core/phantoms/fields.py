"""Small building blocks of the phantom: points, soft edges, distances, smooth random fields."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Vector = tuple[float, float, float]

FAR_MM = np.full((), 999.0, np.float32)
"""Distance to a shape that the plane does not meet; broadcasts against any plane."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Head coordinates of one plane's pixels, mm, arrays of one shape.

    Args:
        x, y, z: to the patient's left, to the back, to the vertex.
        lowest, highest: range of z, so that shapes far above or below cost nothing.
    """

    x: Floats
    y: Floats
    z: Floats
    lowest: float
    highest: float

    @classmethod
    def of(cls, x: Floats, y: Floats, z: Floats) -> Points:
        """Points with the range of z filled in."""
        return cls(x=x, y=y, z=z, lowest=float(z.min()), highest=float(z.max()))

    def with_x(self, x: Floats) -> Points:
        """The same points with another x: both sides at once (|x|), or a slanted shape."""
        return Points(x=x, y=self.y, z=self.z, lowest=self.lowest, highest=self.highest)

    def with_y(self, y: Floats) -> Points:
        """The same points with another y."""
        return Points(x=self.x, y=y, z=self.z, lowest=self.lowest, highest=self.highest)

    def misses(self, low: float, high: float) -> bool:
        """Whether the plane lies more than 4 mm away from the heights low to high."""
        return self.lowest > high + 4 or self.highest < low - 4


def cover(distance: Floats, width_mm: float) -> Floats:
    """Share of a pixel inside a surface: 1 inside, 0 outside, a ramp `width_mm` wide between.

    Args:
        distance: signed distance, negative inside, mm.
        width_mm: width of the ramp.
    """
    share: Floats = np.clip(np.float32(0.5) - distance * np.float32(1 / width_mm), 0, 1)
    return share


def over(hu: Floats, share: Floats, value: Floats | float) -> None:
    """Paint `value` over `hu` in place where `share` says so."""
    if share.ndim == 0 and share == 0:
        return
    hu += share * (value - hu)


def ellipsoid(points: Points, centre: Vector, radii: Vector) -> Floats:
    """Approximate signed distance to an axis-parallel ellipsoid, mm, negative inside.

    To first order the distance is rho (rho - 1) / |grad rho^2 / 2|; the smallest radius in place
    of the gradient is enough for edges a pixel wide.
    """
    if points.misses(centre[2] - radii[2], centre[2] + radii[2]):
        return FAR_MM
    cx, cy, cz = (np.float32(value) for value in centre)
    rx, ry, rz = (np.float32(1 / value) for value in radii)
    squared = np.square((points.x - cx) * rx)
    squared += np.square((points.y - cy) * ry)
    squared += np.square((points.z - cz) * rz)
    distance: Floats = (np.sqrt(squared, out=squared) - 1) * np.float32(min(radii))
    return distance


def capsule(points: Points, start: Vector, end: Vector, radius: float) -> Floats:
    """Signed distance to a segment with round ends, mm."""
    if points.misses(min(start[2], end[2]) - radius, max(start[2], end[2]) + radius):
        return FAR_MM
    a, axis = np.array(start, np.float32), np.array(end, np.float32) - np.array(start, np.float32)
    dx, dy, dz = points.x - a[0], points.y - a[1], points.z - a[2]
    t = np.clip((dx * axis[0] + dy * axis[1] + dz * axis[2]) * (1 / (axis @ axis)), 0, 1)
    dx -= t * axis[0]
    dy -= t * axis[1]
    dz -= t * axis[2]
    distance: Floats = np.sqrt(dx * dx + dy * dy + dz * dz) - np.float32(radius)
    return distance


def slant(along: Floats, by: Floats, slope: float) -> Floats:
    """A coordinate sheared by another one: along + slope * by."""
    sheared: Floats = np.add(along, by * np.float32(slope), dtype=np.float32)
    return sheared


def join(first: Floats, second: Floats, reach_mm: float) -> Floats:
    """Union of two surfaces with a fillet (polynomial smooth minimum)."""
    if second.ndim == 0:
        return first
    if first.ndim == 0:
        return second
    near = np.maximum(np.float32(reach_mm) - np.abs(first - second), 0)
    joined: Floats = np.minimum(first, second) - near * near * np.float32(0.25 / reach_mm)
    return joined


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
        self, rng: np.random.Generator, *, scale_mm: float, depth_mm: float, extent_mm: Vector
    ) -> None:
        half_u, half_v, half_w = extent_mm
        steps = ((half_w, depth_mm), (half_v, scale_mm), (half_u, scale_mm))
        shape = [int(np.ceil(2 * half / step)) + 3 for half, step in steps]
        # Cubic resampling of white noise averages neighbours: 1.6 brings the deviation back to 1.
        self._grid = rng.standard_normal(shape, dtype=np.float32) * np.float32(1.6)
        self._depth, self._half_w = depth_mm, half_w
        self._origin, self._scale = (half_u, half_v), scale_mm

    def _layer(self, w: float) -> Floats:
        """The grid of one plane at height w, its deviation kept between grid planes."""
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
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        size = (len(u), len(v))
        values: Floats = cv2.warpAffine(
            self._layer(w), matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT
        )
        return values

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
        values: Floats = cv2.remap(
            layer,
            (u + np.float32(self._origin[0])) * scale + start,
            (v + np.float32(self._origin[1])) * scale + start,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        return values
