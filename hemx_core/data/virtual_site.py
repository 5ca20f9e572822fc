"""Virtual sites: what another scanner and its habits would have made of slices that exist. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.phantom.fields import Floats

SITES = 12
WINDOWS_HU = ((-20.0, 100.0), (0.0, 80.0), (-10.0, 100.0), (0.0, 90.0))
SATURATED_HU = 1.0
"""Values this close to the window's ends are bone or air: they stay what they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualSite:
    """A change of slices that are there already.

    Args:
        name: the site's name.
        noise_sd_hu: standard deviation of the noise added.
        sharpness: kernel, -1 (smooth) to 1 (sharp, with edge enhancement); 0 changes nothing.
        offset_hu: calibration error.
        window_hu: the site's window; the answer is clipped to what it shares with the source's.
    """

    name: str
    noise_sd_hu: float
    sharpness: float
    offset_hu: float
    window_hu: tuple[float, float]


def draw_sites(seed: int, count: int = SITES) -> tuple[VirtualSite, ...]:
    """Draw sites: those of a smooth kernel get more noise, since smoothing takes some away."""
    rng = np.random.default_rng([seed, 47])
    sites = []
    for index in range(count):
        sharpness = float(rng.uniform(-0.8, 0.6))
        sites.append(
            VirtualSite(
                name=f"inserted-{index + 1:02d}",
                noise_sd_hu=float(rng.uniform(0.0, 2.5 - 1.0 * max(sharpness, 0))),
                sharpness=sharpness,
                offset_hu=float(rng.normal(0, 1.2)),
                window_hu=WINDOWS_HU[int(rng.integers(len(WINDOWS_HU)))],
            )
        )
    return tuple(sites)


def image_at(
    hu: NDArray[np.int16],
    site: VirtualSite,
    *,
    pixel_mm: float,
    window_hu: tuple[float, float],
    noise: Floats,
) -> tuple[NDArray[np.int16], tuple[float, float]]:
    """One slice as the site would show it: kernel, calibration, noise, window.

    Args:
        hu: shape (rows, columns), clipped to `window_hu`.
        site: the site.
        pixel_mm: pixel size.
        window_hu: the source's window.
        noise: of deviation 1, same shape, from `background.grain`.
    Returns:
        HU, same shape, and the window they are clipped to now.
    """
    lower = max(window_hu[0], site.window_hu[0])
    upper = min(window_hu[1], site.window_hu[1])
    picture = hu.astype(np.float32)
    if site.sharpness < 0:
        sigma = max(-0.6 * site.sharpness / pixel_mm, 0.05)
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    elif site.sharpness > 0:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.0 / pixel_mm)
        picture = picture + np.float32(0.6 * site.sharpness) * (picture - soft)
    picture += np.float32(site.offset_hu)
    picture += noise * np.float32(site.noise_sd_hu)
    # The true values of bone and air are lost: changed, they would read as tissue.
    ends = (hu <= window_hu[0] + SATURATED_HU) | (hu >= window_hu[1] - SATURATED_HU)
    changed = np.clip(np.where(ends, hu, np.rint(picture)), lower, upper).astype(np.int16)
    return changed, (lower, upper)
