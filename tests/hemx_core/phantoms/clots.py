"""Drawn outlines, textures and sections, for tests of resynthesised haematomas."""

import cv2
import numpy as np

from hemx_core.phantoms.grain import PATCH_PX, Grain
from hemx_core.phantoms.outlines import Donor, axes, signed_distance
from hemx_core.phantoms.resynthesis import Rates, Section

NOTHING = Rates(
    blend=0, fluid=0, faint=0, holes=0, clefts=0, lobes=0, satellites=0, gradient=0, ventricles=0
)
SIDE = 80


def disc(radius: float, *, row: float = 0.0, column: float = 0.0, side: int = SIDE) -> np.ndarray:
    """A round mask; its centre is given from the square's middle."""
    y, x = axes(side)
    return np.hypot(y - row, x - column) <= radius


def ball_donor(patient: str = "0001", *, radius: float = 14.0, slices: int = 5) -> Donor:
    """An ellipsoid: a round section on every slice, smaller towards the ends."""
    places = np.linspace(-0.8, 0.8, slices)
    masks = [disc(radius * np.sqrt(1 - z * z)) for z in places]
    return Donor(
        patient=patient,
        distance=np.stack([signed_distance(mask) for mask in masks]),
        surround=np.full((slices, SIDE, SIDE), 30, np.float32),
        depth=np.full((slices, SIDE, SIDE), 40, np.float32),
        row=128,
        column=160,
        height_mm=0.0,
    )


def noisy_grain(patient: str = "0002", *, sd: float = 4.0, mean_hu: float = 62.0) -> Grain:
    """Patches of smoothed noise."""
    rng = np.random.default_rng(8)
    field = cv2.GaussianBlur(rng.standard_normal((300, 300), dtype=np.float32), (0, 0), 0.8)
    field *= sd / field.std()
    places = rng.integers(0, 300 - PATCH_PX, (200, 2))
    patches = np.stack([field[r : r + PATCH_PX, c : c + PATCH_PX] for r, c in places])
    return Grain(patient=patient, patches=patches, mean_hu=mean_hu, noise_hu=2.0)


def section(
    mask: np.ndarray,
    *,
    hu: float | np.ndarray = 62.0,
    drop: np.ndarray | float = 0.0,
    high: np.ndarray | float = 1.0,
    upper: np.ndarray | float = 0.0,
) -> Section:
    """A slice with hard borders."""
    cover = mask.astype(np.float32)
    parts = [
        np.broadcast_to(np.asarray(part, np.float32), mask.shape)
        for part in (hu, drop, high, upper)
    ]
    return Section(
        cover=cover,
        hu=parts[0] - parts[1],
        drop=parts[1],
        high=parts[2],
        upper=parts[3],
        distance=signed_distance(mask),
    )
