"""Lay a resynthesised haematoma over a real slice: noise, surroundings, blood in ventricles. Torch-free."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.phantoms.fields import Floats
from hemx_core.phantoms.resynthesis import Haematoma, Section

OUTLIER = 2.5
"""Beyond so many deviations a fine detail of the background is anatomy, not noise."""
NOISE_PX = 1.2
NEAR_PX, FAR_PX = 12.0, 22.0
"""Up to here a transplanted haematoma brings its surroundings along; beyond, they are the background's."""


def split_noise(picture: Floats, depth: Floats) -> tuple[Floats, Floats]:
    """A background's HU without its fine noise, and the noise, both of the picture's shape.

    Args:
        picture: HU; 0 outside the brain.
        depth: distance to the brain's border, pixels.
    """
    fine = np.where(depth > 0, picture - cv2.GaussianBlur(picture, (0, 0), NOISE_PX), 0)
    inside = np.abs(fine[depth > 3])
    limit = OUTLIER * (1.4826 * float(np.median(inside)) if inside.size else 2.0)
    noise: Floats = np.clip(fine, -limit, limit).astype(np.float32)
    return picture - noise, noise


def surroundings(
    lesion: Haematoma, section: Section, z: float, smooth: Floats, noise: Floats, depth: Floats
) -> tuple[Floats, Floats]:
    """A background with what surrounded the donor laid round the haematoma.

    Its oedema and what it has pushed aside come along, matched in level and noise. In place the background
    is that already.

    Args:
        lesion: the haematoma.
        section: its slice.
        z: the slice's height.
        smooth, noise: the background, from `split_noise`, shape (side, side).
        depth: distance to the brain's border, pixels.
    Returns:
        As `smooth` and `noise`.
    """
    found = None if lesion.in_place else lesion.body.around(z)
    if found is None:
        return smooth, noise
    hu, inner = found
    own, fine = split_noise(hu, inner)
    share = np.clip((FAR_PX + section.distance) / np.float32(FAR_PX - NEAR_PX), 0, 1)
    share *= np.clip((inner - 2) / 4, 0, 1) * np.clip((depth - 2) / 4, 0, 1)
    share = cv2.GaussianBlur(share, (0, 0), 1.5)
    seam = (share > 0.1) & (share < 0.9) & (own > 18) & (smooth > 18)
    if np.count_nonzero(seam) > LEAST_SEAM_PX:
        own = own + np.float32(np.median((smooth - own)[seam]))
        fine = fine * np.float32(noise[seam].std() / max(float(fine[seam].std()), 0.1))
    mixed = (noise * (1 - share) + fine * share) / _loudness(share)
    return smooth + share * (own - smooth), mixed


LEAST_SEAM_PX = 20


def _loudness(share: Floats) -> Floats:
    """Deviation of two independent noises of deviation 1 that are mixed by shares."""
    loudness: Floats = np.sqrt((1 - share) ** 2 + share**2)
    return loudness


VENTRICLE_HU = 18.0
VENTRICLE_PX = 16.0
"""Fluid so far from the brain's border lies in ventricles, not in sulci."""
SMALLEST_VENTRICLE_PX = 20


def flood(share: float, smooth: Floats, depth: Floats, blood: NDArray[np.bool_]) -> Floats:
    """Cover of blood that has settled in the ventricles of a slice, shape (rows, columns).

    Args:
        share: of the ventricles' height that is filled, from the back.
        smooth: the whole slice without noise, HU.
        depth: distance to the brain's border, pixels.
        blood: what the haematoma itself covers; not counted.
    """
    fluid = (smooth < VENTRICLE_HU) & (depth > VENTRICLE_PX) & ~blood
    rows = np.nonzero(fluid)[0]
    if len(rows) < SMALLEST_VENTRICLE_PX:
        return np.zeros_like(smooth)
    level = float(np.quantile(rows, 1 - share))
    below = np.clip(np.arange(len(smooth), dtype=np.float32)[:, None] - np.float32(level), 0, 1)
    cover: Floats = cv2.GaussianBlur(fluid.astype(np.float32) * below, (0, 0), 0.8)
    return cover


KERNEL_PX = 1.3


def compose(
    section: Section,
    smooth: Floats,
    noise: Floats,
    texture: Floats,
    depth: Floats,
    *,
    kernel: float = 0.0,
) -> Floats:
    """Lay a slice of a haematoma over a background, HU; all of shape (side, side).

    Args:
        section: the slice.
        smooth: the background without noise, see `surroundings`.
        noise: its noise.
        texture: as inside of real haematomas, HU.
        depth: distance to the brain's border, pixels; outside of it nothing changes.
        kernel: edge enhancement of the scanner's, which gives real haematomas a thin dark rim.
    """
    cover = section.cover
    grain = (noise * (1 - cover) + texture * cover) / _loudness(cover)
    clean = smooth * (1 - cover) + section.hu * cover
    edge = cv2.GaussianBlur(clean, (0, 0), KERNEL_PX)
    rim = (cover > 0.02) | (cv2.GaussianBlur(cover, (0, 0), KERNEL_PX) > 0.02)
    mixed = clean + np.where(rim, np.float32(kernel) * (clean - edge), 0) + grain
    painted: Floats = np.where(depth > 0, mixed, smooth + noise).astype(np.float32)
    return painted
