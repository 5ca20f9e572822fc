"""Heads of ellipses with noise, for tests that put lesions into slices that exist."""

import numpy as np
from numpy.typing import NDArray

from hemx_core.phantoms.background import Background, find_brain, grain, make_background

PIXEL_MM = 0.9
SLICES = 22


def plain_slice(
    *, matrix: int = 256, pixel_mm: float = PIXEL_MM, yaw_deg: float = 0.0, seed: int = 0
) -> NDArray[np.int16]:
    """Brain of 30 HU with noise, a ventricle on either side, a skull, air; clipped to -20 to 100."""
    axis = (np.arange(matrix) - (matrix - 1) / 2) * pixel_mm
    right, down = axis[None, :], axis[:, None]
    cos, sin = np.cos(np.deg2rad(yaw_deg)), np.sin(np.deg2rad(yaw_deg))
    x, y = right * cos - down * sin, right * sin + down * cos
    hu = np.full((matrix, matrix), -20.0, np.float32)
    hu[np.hypot(x / 74, y / 93) < 1] = 100
    noise = grain(np.random.default_rng(seed), hu.shape, pixel_mm)
    brain = np.hypot(x / 67, y / 86) < 1
    hu[brain] = (30 + 2.5 * noise)[brain]
    hu[np.hypot((np.abs(x) - 9) / 4, (y + 5) / 20) < 1] = 5
    return np.rint(hu).astype(np.int16)


def plain_background(*, yaw_deg: float = 0.0, usable: slice = slice(None)) -> Background:
    """A stack of plain slices, its highest one the vertex."""
    hu = np.stack([plain_slice(yaw_deg=yaw_deg, seed=index) for index in range(SLICES)])
    kept = np.zeros(SLICES, bool)
    kept[usable] = True
    background = make_background(
        hu,
        brains=[find_brain(one, pixel_mm=PIXEL_MM, upper_hu=100) for one in hu],
        usable=kept,
        pixel_mm=PIXEL_MM,
        slice_mm=5.0,
        window_hu=(-20.0, 100.0),
        yaw_rad=float(np.deg2rad(yaw_deg)),
    )
    assert background is not None
    return background
