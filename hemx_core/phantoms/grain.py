"""Texture of real haematomas, resynthesised from patches of their interior. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.phantoms.fields import Floats

PATCH_PX = 9
STEP_PX = 4
LATTICES = 3
PITCH_PX = LATTICES * STEP_PX
DETREND_PX = 4.0
"""Standard deviation of the mean that is taken off: what is smoother is drawn as a gradient."""
RIM_PX = 2.2
"""Nearer the border a pixel's residual is partial volume, not texture."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Grain:
    """What one real haematoma's interior looks like.

    Args:
        patient: whose it is.
        patches: residuals inside, shape (patches, `PATCH_PX`, `PATCH_PX`), float32, HU.
        mean_hu: density of the interior.
        noise_hu: fine noise of the brain round it: grains go into backgrounds of like noise.
    """

    patient: str
    patches: Floats
    mean_hu: float
    noise_hu: float

    @property
    def sd_hu(self) -> float:
        """Standard deviation of the residuals."""
        return float(self.patches.std())


def residual(hu: Floats, inside: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    """What is left inside of a haematoma without its smooth part, and where it may be used.

    Args:
        hu: shape (rows, columns).
        inside: the haematoma.
    Returns:
        HU, 0 where not used, and the pixels of the core.
    """
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    core = depth > RIM_PX
    weight = cv2.GaussianBlur(core.astype(np.float32), (0, 0), DETREND_PX)
    total = cv2.GaussianBlur(np.where(core, hu, 0).astype(np.float32), (0, 0), DETREND_PX)
    left = np.where(core, hu - total / np.maximum(weight, 1e-3), 0)
    return left.astype(np.float32), core


def cut_patches(left: Floats, core: NDArray[np.bool_], *, every: int = 2) -> Floats:
    """All patches that lie in the core, shape (patches, `PATCH_PX`, `PATCH_PX`)."""
    whole = cv2.erode(core.astype(np.uint8), np.ones((PATCH_PX, PATCH_PX), np.uint8), borderValue=0)
    half = PATCH_PX // 2
    found = [
        left[r - half : r + half + 1, c - half : c + half + 1]
        for r, c in np.argwhere(whole)[:: max(every, 1)]
        if half <= r < len(left) - half and half <= c < left.shape[1] - half
    ]
    empty = np.zeros((0, PATCH_PX, PATCH_PX), np.float32)
    return np.stack(found).astype(np.float32) if found else empty


SKEW = (0.02, 0.08)
"""Overlapping patches come near to a bell curve; real texture has more dark than bright outliers."""


def skewed(rng: np.random.Generator, field: Floats) -> Floats:
    """A texture with a share of its square taken off: mean 0 stays, dark outliers are added."""
    spread = np.float32(max(float(field.std()), 1e-3))
    unit = field / spread
    share = np.float32(rng.uniform(*SKEW))
    return (spread * (unit - share * (unit * unit - 1))).astype(np.float32)


def quilt(rng: np.random.Generator, patches: Floats, side: int) -> Floats:
    """A field of a grain's texture: overlapping random patches, weighted so that their variance stays.

    Patches are mirrored at random but never turned: a scanner's noise is not alike along rows and columns.

    Args:
        rng: draws the patches.
        patches: shape (patches, `PATCH_PX`, `PATCH_PX`).
        side: of the field.
    Returns:
        shape (side, side), HU.
    """
    count = -(-(side + 2 * PATCH_PX) // PITCH_PX)
    total = np.zeros((count * PITCH_PX + 2 * STEP_PX,) * 2, np.float32)
    window = _window()
    picks = rng.integers(0, len(patches), (LATTICES, LATTICES, count, count))
    mirrored = rng.random((LATTICES, LATTICES)) < 0.5
    block = np.zeros((count, PITCH_PX, count, PITCH_PX), np.float32)
    for i in range(LATTICES):
        for j in range(LATTICES):
            # Patches of one lattice do not overlap, so that they are laid down at once.
            tiles = patches[picks[i, j]] * window
            tiles = tiles[..., ::-1] if mirrored[i, j] else tiles
            block[:, :PATCH_PX, :, :PATCH_PX] = tiles.transpose(0, 2, 1, 3)
            length = count * PITCH_PX
            rows = slice(i * STEP_PX, i * STEP_PX + length)
            columns = slice(j * STEP_PX, j * STEP_PX + length)
            total[rows, columns] += block.reshape(length, length)
    row, column = rng.integers(PATCH_PX, PATCH_PX + STEP_PX, 2)
    norm = _norm(side)[row % STEP_PX :, column % STEP_PX :][:side, :side]
    field: Floats = total[row : row + side, column : column + side] / norm
    return field


@lru_cache(maxsize=1)
def _window() -> Floats:
    """Weight of a patch's pixels."""
    ramp = np.hanning(PATCH_PX + 2)[1:-1].astype(np.float32)
    window: Floats = np.outer(ramp, ramp)
    return window


@lru_cache(maxsize=64)
def _norm(side: int) -> Floats:
    """Root of the sum of squared weights at every pixel of the lattice, from one of its corners on."""
    squares = _window() ** 2
    cell = np.zeros((STEP_PX, STEP_PX), np.float32)
    for row in range(PATCH_PX):
        for column in range(PATCH_PX):
            cell[row % STEP_PX, column % STEP_PX] += squares[row, column]
    repeats = side // STEP_PX + 2
    norm: Floats = np.sqrt(np.tile(cell, (repeats, repeats)))
    return norm
