"""Drawn heads and other things for the tests of what pictures tell: coarse, uniform, quick."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import HUVolume

PIXEL_MM, SLICE_MM = 1.0, 5.0
ROWS = 230
BRAIN_MM = 130.0
"""Height of the brain, foramen magnum to vertex."""

Picture = NDArray[np.int16]


def ellipse(hu: Picture, half_mm: tuple[float, float], value: int, *, down_mm: float = 0.0) -> None:
    """Paint a filled ellipse of half axes (across, down) round the picture's middle."""
    centre = hu.shape[1] // 2, hu.shape[0] // 2 + round(down_mm / PIXEL_MM)
    axes = round(half_mm[0] / PIXEL_MM), round(half_mm[1] / PIXEL_MM)
    cv2.ellipse(hu, centre, axes, 0, 0, 360, int(value), -1)


def head_slice(height_mm: float) -> Picture:
    """A slice of a head, `height_mm` above the foramen magnum: face at the base, a dome above."""
    hu = np.full((ROWS, ROWS), -1000, np.int16)
    above = max(height_mm - 65.0, 0.0) / 65.0
    dome = float(np.sqrt(max(1.0 - above**2, 0.0)))
    head = float(np.sqrt(max(1.0 - (max(height_mm - 65.0, 0.0) / 76.0) ** 2, 0.0)))
    if head == 0.0:
        return hu
    ellipse(hu, (76 * head, 96 * head), 40)
    if height_mm >= 40:
        ellipse(hu, (71 * head, 91 * head), 900)
        ellipse(hu, (65 * dome, 85 * dome), 32)
        return hu
    # Posterior fossa in its ring, and a face with air cells and an arch of bone.
    fossa = (34 + 0.4 * height_mm) * (height_mm > 0)
    ellipse(hu, (fossa + 6, fossa * 0.85 + 6), 900, down_mm=40)
    ellipse(hu, (fossa, fossa * 0.85), 32, down_mm=40)
    ellipse(hu, (12, 18), -1000, down_mm=-55)
    for side in (-50, 50):
        cv2.circle(hu, (ROWS // 2 + side, ROWS // 2 - 45), 8, 900, -1)
    return hu


@cache
def _noise() -> NDArray[np.float32]:
    """Three pictures of it, of deviation 1."""
    return np.random.default_rng(5).standard_normal((3, ROWS, ROWS), dtype=np.float32)


def stack(slices: Sequence[Picture], *, noise: float = 4.0, **options: object) -> HUVolume:
    """Slices, feet to head, as a volume with noise."""
    rows, columns = slices[0].shape
    drawn = _noise()[:, :rows, :columns]
    hu = np.stack([one + noise * drawn[place % len(drawn)] for place, one in enumerate(slices)])
    return HUVolume(hu, spacing_mm=(SLICE_MM, PIXEL_MM, PIXEL_MM), **options)  # type: ignore[arg-type]


def head_slices(from_mm: float = 2.5, to_mm: float = 145.0) -> list[Picture]:
    """Slices of a head between two heights above the foramen magnum."""
    return [head_slice(height) for height in np.arange(from_mm, to_mm, SLICE_MM)]
