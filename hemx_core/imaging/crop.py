"""The classifier's region: a fixed-size crop round the haematoma, cut from the prepared grid.

Training and triage both cut with `crop_around`, so the classifier sees the same region in both. The
crop is never resampled, and it is padded rather than shifted at the grid's edge, so that the
haematoma is always in its centre. A crop of the grid's own size is the whole slice, where it lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import VolumeError


def centroid(mask: NDArray[Any]) -> tuple[float, float]:
    """Centre of mass of a mask, in pixel indices (the centre of pixel (0, 0) is (0.0, 0.0)).

    Args:
        mask: shape (rows, columns), bool, or non-negative weights such as probabilities. Weights
            count as they are: a faint background pulls the centre, so threshold first if unwanted.
    Returns:
        (row, column); the centre of the picture where the mask is empty.
    """
    weights = np.asarray(mask, dtype=np.float64)
    rows, columns = weights.sum(axis=1), weights.sum(axis=0)
    total = rows.sum()
    if total <= 0:
        return (len(rows) - 1) / 2, (len(columns) - 1) / 2
    return (
        float(rows @ np.arange(len(rows)) / total),
        float(columns @ np.arange(len(columns)) / total),
    )


def crop_around(
    image: NDArray[np.float32], mask: NDArray[Any], size: int
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Cut a square centred on a mask's centroid; what lies outside the picture is 0.

    Args:
        image: prepared slice, shape (S, S), float32.
        mask: shape (S, S), bool or weights, see `centroid`.
        size: rows and columns of the crop, in grid pixels; may exceed S. With S itself the crop is the
            picture, unmoved: what classifiers of whole slices see.
    Returns:
        The crop, shape (size, size), a copy, and (row, column) of its first pixel on the grid,
        negative where the crop starts outside the picture.
    Raises:
        VolumeError: image and mask differ in shape, or the size is not positive.
    """
    if image.ndim != 2 or image.shape != mask.shape or size < 1:
        raise VolumeError(
            f"an image of shape {image.shape}, a mask of shape {mask.shape}, a crop of {size}",
            expected="two pictures of one shape, and a positive size",
            remedy="give the mask on the same grid as the prepared slice",
        )
    if image.shape == (size, size):
        return np.array(image, dtype=np.float32), (0, 0)
    row0, column0 = (_first_pixel(centre, size) for centre in centroid(mask))
    crop = np.zeros((size, size), dtype=np.float32)
    top, bottom = max(row0, 0), min(row0 + size, image.shape[0])
    left, right = max(column0, 0), min(column0 + size, image.shape[1])
    crop[top - row0 : bottom - row0, left - column0 : right - column0] = image[
        top:bottom, left:right
    ]
    return crop, (row0, column0)


def _first_pixel(centre: float, size: int) -> int:
    """First of `size` pixels whose middle lies nearest to `centre`; halves go up."""
    return int(np.floor(centre - (size - 1) / 2 + 0.5))
