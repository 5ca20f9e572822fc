"""Augmentation of prepared slices: geometry with OpenCV, grey values by noise, gain, offset and blur."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.training.config import Augmentation


def random_affine(rng: np.random.Generator, size: int, config: Augmentation) -> NDArray[np.float64]:
    """A random rotation, scaling, shift and flip about the centre, shape (2, 3), for cv2.warpAffine."""
    angle = rng.uniform(-config.rotation_deg, config.rotation_deg)
    scale = float(np.exp(rng.uniform(-np.log(config.scale), np.log(config.scale))))
    centre = (size - 1) / 2
    matrix = np.asarray(cv2.getRotationMatrix2D((centre, centre), angle, scale))
    matrix[:, 2] += rng.uniform(-config.shift_px, config.shift_px, 2)
    if rng.random() < config.flip:
        mirror = np.array([[-1.0, 0.0, size - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        matrix = matrix @ mirror
    return matrix


def warp(
    image: NDArray[np.float32], matrix: NDArray[np.float64], *, nearest: bool = False
) -> NDArray[np.float32]:
    """Apply an affine map to a slice, shape (size, size); the outside becomes 0."""
    flags = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(image, matrix, image.shape[::-1], flags=flags), np.float32)


def grey_values(
    rng: np.random.Generator, image: NDArray[np.float32], config: Augmentation
) -> NDArray[np.float32]:
    """Gain, offset, blur and noise of varying grain where there is tissue; result in [0, 1]."""
    tissue = image > 0
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.2, max(0.21, config.blur_px)))
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    if rng.random() < 0.5:
        # Resampled CT noise is correlated; blurring white noise and restoring its SD imitates it.
        noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.5, 1.2))
        noise /= max(float(noise.std()), 1e-6)
    gain = rng.uniform(1 - config.gain, 1 + config.gain)
    offset = rng.uniform(-config.offset, config.offset)
    changed = image * gain + offset + noise * rng.uniform(0, config.noise_sd)
    return np.clip(np.where(tissue, changed, 0.0), 0.0, 1.0).astype(np.float32)
