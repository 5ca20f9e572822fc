"""Outlines of real haematomas as stacks of signed distances: interpolated, warped and varied. Torch-free.

A stack is the body of one haematoma on parallel planes, in grid pixels. Signed distances (positive inside)
are interpolated between the planes (Raya and Udupa 1990), so that height and caps are the donor's own.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.phantoms.fields import Floats

FAR = np.float32(-40)
"""Signed distance of what lies outside a stack."""
MARGIN_PX = 30
"""Room round a body: for warps, lobes, satellites and oedema."""
LARGEST_PX = 176


@dataclass(frozen=True, kw_only=True, eq=False)
class Donor:
    """One real haematoma's outline.

    Args:
        patient: whose it is.
        distance: signed distances on neighbouring slices, feet to head, centred; shape
            (slices, side, side), float32, grid pixels.
        surround: what lies round it, HU, with the haematoma itself filled in; same shape.
        depth: distance to the brain's border there, pixels, same shape.
        row, column: of the centre on the grid, where the square's pixel (side / 2, side / 2) lies.
        height_mm: of the middle slice above the basal ganglia's level.
    """

    patient: str
    distance: Floats
    surround: Floats
    depth: Floats
    row: int
    column: int
    height_mm: float

    @property
    def middle(self) -> int:
        """The slice with the largest area."""
        return int((self.distance > 0).sum((1, 2)).argmax())

    @property
    def area_px(self) -> int:
        """Area on the middle slice."""
        return int(np.count_nonzero(self.distance[self.middle] > 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Warp:
    """How an outline is changed in the plane.

    Args:
        turn_deg: rotation.
        scale: size, above 1 larger.
        stretch: one axis by this, the other by its inverse.
        mirror: left to right.
        bends: wavelength (standard deviation, pixels) and amplitude (pixels) of each elastic field.
        fixed_rim: elastic fields end at the square's border, so that it still fits what is round it.
    """

    turn_deg: float
    scale: float
    stretch: float
    mirror: bool
    bends: tuple[tuple[float, float], ...]
    fixed_rim: bool = False


def draw_warp(rng: np.random.Generator, *, mirror: bool, scale: float | None = None) -> Warp:
    """Draw a change: mild enough that an outline stays one of a haematoma."""
    return Warp(
        turn_deg=float(rng.uniform(-25, 25)),
        scale=float(np.exp(rng.uniform(-0.28, 0.22))) if scale is None else scale,
        stretch=float(np.exp(rng.uniform(-0.12, 0.12))),
        mirror=mirror,
        bends=((12.0, float(rng.uniform(0.5, 2.2))), (5.0, float(rng.uniform(0.0, 0.5)))),
    )


def draw_bend(rng: np.random.Generator) -> Warp:
    """Draw a change of a haematoma that stays where it is, with what surrounds it."""
    return Warp(
        turn_deg=0.0,
        scale=1.0,
        stretch=1.0,
        mirror=False,
        bends=((10.0, float(rng.uniform(0.3, 2.2))), (5.0, float(rng.uniform(0.0, 0.5)))),
        fixed_rim=True,
    )


def fill_holes(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask without holes: a hypodensity inside is haematoma, and is drawn anew."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(filled, contours, -1, (1,), cv2.FILLED)
    return filled > 0


def signed_distance(mask: NDArray[np.bool_]) -> Floats:
    """Distance to a mask's border, pixels, positive inside; `FAR` everywhere where it is empty."""
    if not mask.any():
        return np.full(mask.shape, FAR, np.float32)
    inside = mask.astype(np.uint8)
    inner = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    outer = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    # Half a pixel lies between the outermost pixel's middle and the border.
    return np.asarray(np.where(mask, inner - 0.5, 0.5 - outer), np.float32)


@lru_cache(maxsize=64)
def axes(side: int) -> tuple[Floats, Floats]:
    """Row and column of every pixel of a square from its middle, each of shape (side, side)."""
    row, column = np.mgrid[:side, :side].astype(np.float32) - np.float32(side / 2)
    return row, column


@lru_cache(maxsize=64)
def _taper(side: int) -> Floats:
    """1 in the middle of a square, 0 on its border, smooth between."""
    row, column = axes(side)
    edge = np.minimum(side / 2 - np.abs(row), side / 2 - np.abs(column)) - 1
    share = np.clip(edge / MARGIN_PX, 0, 1)
    taper: Floats = (share * share * (3 - 2 * share)).astype(np.float32)
    return taper


def smooth_noise(rng: np.random.Generator, side: int, sigma: float) -> Floats:
    """A smooth field of mean 0 and deviation 1, shape (side, side)."""
    white = rng.standard_normal((side, side), dtype=np.float32)
    field = cv2.GaussianBlur(white, (0, 0), sigma)
    scaled: Floats = field / np.float32(max(float(field.std()), 1e-6))
    return scaled


def side_for(donor: Donor, scale: float) -> int:
    """Side of the square in which a donor's body of that size is drawn, a multiple of 8."""
    inside = np.argwhere((donor.distance > 0).any(0)) - donor.distance.shape[1] / 2
    reach = float(np.abs(inside).max()) * scale * 1.15 + MARGIN_PX
    return min(int(np.ceil(2 * reach / 8)) * 8, LARGEST_PX)


class Body:
    """A donor's stack after a warp, with a cap at each end, to be asked at any height.

    Args:
        rng: draws elastic fields and caps.
        donor: the outline.
        warp: the change in the plane.
        side: of the square, from `side_for`.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        donor: Donor,
        warp: Warp,
        *,
        side: int,
    ) -> None:
        v, u = axes(side)
        u = -u if warp.mirror else u
        turn = np.deg2rad(warp.turn_deg)
        cos, sin = np.cos(turn) / warp.scale, np.sin(turn) / warp.scale
        middle = donor.distance.shape[1] / 2
        x = (cos * warp.stretch * u + sin / warp.stretch * v + middle).astype(np.float32)
        y = (cos / warp.stretch * v - sin * warp.stretch * u + middle).astype(np.float32)
        taper = _taper(side) if warp.fixed_rim else np.float32(1)
        for sigma, amplitude in warp.bends:
            x += np.float32(amplitude) * taper * smooth_noise(rng, side, sigma)
            y += np.float32(amplitude) * taper * smooth_noise(rng, side, sigma)
        self.side = side
        self._donor, self._x, self._y = donor, x, y
        planes = [
            cv2.remap(
                plane,
                x,
                y,
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=float(FAR),
            )
            * np.float32(warp.scale)
            for plane in donor.distance
        ]
        below, above = (
            end - np.float32(rng.uniform(3, 9)) - 2 * smooth_noise(rng, side, 3.0)
            for end in (planes[0], planes[-1])
        )
        self._planes = np.stack([below - 12, below, *planes, above, above - 12]).astype(np.float32)
        self.height = len(self._planes)
        self.middle = int((self._planes > 0).sum((1, 2)).argmax())

    def moved(self, shift: tuple[float, float]) -> Body:
        """The same body elsewhere in its square.

        Args:
            shift: (rows, columns), pixels.
        """
        matrix = np.array([[1.0, 0.0, shift[1]], [0.0, 1.0, shift[0]]])
        size = self._planes.shape[1:]
        other = copy(self)
        other._planes = np.stack(
            [cv2.warpAffine(one, matrix, size, borderValue=float(FAR)) for one in self._planes]
        )
        return other

    def at(self, z: float) -> Floats:
        """Signed distance at a height in slices of the donor; the lowest plane is 0."""
        z = min(max(z, 0.0), self.height - 1.001)
        below = int(z)
        share = np.float32(z - below)
        plane: Floats = self._planes[below] * (1 - share) + self._planes[below + 1] * share
        return plane

    def around(self, z: float) -> tuple[Floats, Floats] | None:
        """What surrounded the donor at a height, and its depth in the brain; None beyond its slices."""
        plane = round(z) - 2
        if not 0 <= plane < len(self._donor.surround):
            return None
        hu = cv2.remap(
            self._donor.surround[plane],
            self._x,
            self._y,
            cv2.INTER_LANCZOS4,
            borderMode=cv2.BORDER_REPLICATE,
        )
        depth = cv2.remap(self._donor.depth[plane], self._x, self._y, cv2.INTER_LINEAR)
        return hu, depth

    def bent(self, picture: Floats) -> Floats:
        """A picture of the same square, changed as the body was (in place: no turn, no scale)."""
        offset = np.float32(picture.shape[0] / 2 - self._donor.distance.shape[1] / 2)
        bent: Floats = cv2.remap(
            picture,
            self._x + offset,
            self._y + offset,
            cv2.INTER_LANCZOS4,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return bent

    def from_end(self, z: float) -> float:
        """Distance to the nearer end of the donor's own planes, in its slices; negative beyond."""
        return min(z - 2, self.height - 3 - z)


def tube(
    rng: np.random.Generator,
    side: int,
    start: tuple[float, float],
    *,
    length: float,
    angle: float,
    bend: float,
) -> Floats:
    """Distance to a wavering line, pixels, shape (side, side).

    Args:
        start: (row, column), pixels of the square.
        length: pixels.
        angle: its first direction, radians from the columns' axis towards the rows'.
        bend: standard deviation of the turn from pixel to pixel, radians.
    """
    steps = max(2, int(length))
    angles = angle + np.cumsum(rng.normal(0, bend, steps))
    moves = np.stack([np.sin(angles), np.cos(angles)], 1) * (length / steps)
    points = np.array(start) + np.concatenate([np.zeros((1, 2)), np.cumsum(moves, 0)])
    canvas = np.full((side, side), 255, np.uint8)
    line = np.round(points[:, ::-1] * 8).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(canvas, [line], False, 0, 1, shift=3)
    distance: Floats = cv2.distanceTransform(canvas, cv2.DIST_L2, cv2.DIST_MASK_5)
    return distance


def blob(rng: np.random.Generator, side: int, centre: tuple[float, float], radius: float) -> Floats:
    """Signed distance to a wavering ellipse, positive inside, shape (side, side), pixels."""
    row, column = axes(side)
    v = row - np.float32(centre[0] - side / 2)
    u = column - np.float32(centre[1] - side / 2)
    turn, flat = rng.uniform(0, np.pi), np.float32(np.exp(rng.uniform(-0.5, 0.5)))
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    along, across = u * cos + v * sin, v * cos - u * sin
    reach = np.sqrt(along * along * flat + across * across / flat)
    distance: Floats = np.float32(radius) - reach + np.float32(0.8) * smooth_noise(rng, side, 2.5)
    return distance


Cells = TypeVar("Cells", bound=NDArray[Any])


def window(picture: Cells, row: int, column: int, side: int) -> Cells:
    """A square cut out of a picture, 0 where it lies outside."""
    cut = np.zeros((side, side), picture.dtype)
    inside, outside = _overlap(picture.shape, row, column, side)
    cut[inside] = picture[outside]
    return cut  # type: ignore[return-value]


def put(picture: Cells, square: Cells, row: int, column: int) -> Cells:
    """Inverse of `window`: lay a square into a picture, in place, and return the picture."""
    inside, outside = _overlap(picture.shape, row, column, len(square))
    picture[outside] = square[inside]
    return picture


def _overlap(
    shape: tuple[int, ...], row: int, column: int, side: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """What square and picture share, in each of them."""
    (r0, r1), (c0, c1) = (
        (max(0, at), max(0, at, min(length, at + side)))
        for at, length in zip((row, column), shape, strict=True)
    )
    inside = slice(r0 - row, r1 - row), slice(c0 - column, c1 - column)
    return inside, (slice(r0, r1), slice(c0, c1))
