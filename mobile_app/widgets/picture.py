"""Slice, outline and heat map as 8-bit pictures, on the CPU; no Kivy."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.spec import HUWindow

Bytes = NDArray[np.uint8]

PRESETS: dict[str, HUWindow] = {
    "brain": HUWindow(0, 80),
    "subdural": HUWindow(-20, 180),
    "stroke": HUWindow(20, 60),
    "bone": HUWindow(-500, 1500),
}

OUTLINE_RGB = (255, 220, 60)


def luminance(hu: NDArray[np.int16], window: HUWindow) -> Bytes:
    """Window a slice.

    Args:
        hu: shape (rows, columns), HU.
        window: black and white, HU.
    Returns:
        Same shape, 0 (black) to 255 (white).
    """
    share = (hu.astype(np.float32) - window.lower) / (window.upper - window.lower)
    return np.asarray(np.rint(np.clip(share, 0, 1) * 255), dtype=np.uint8)


def outline(mask: NDArray[np.bool_]) -> Bytes:
    """The mask's edge pixels, one pixel wide and inside the mask.

    Args:
        mask: shape (rows, columns).
    Returns:
        RGBA, shape (rows, columns, 4), transparent elsewhere.
    """
    solid = np.pad(mask.astype(np.uint8), 1)
    inner = cv2.erode(solid, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))[1:-1, 1:-1]
    picture = np.zeros((*mask.shape, 4), np.uint8)
    picture[mask & (inner == 0)] = (*OUTLINE_RGB, 255)
    return picture


def heat(
    cam: NDArray[np.float32], box: tuple[float, float, float, float], shape: tuple[int, int]
) -> Bytes:
    """A heat map over a slice; the hotter, the more opaque.

    Args:
        cam: shape (k, k), [0, 1].
        box: (row, column, height, width) that it covers, native pixels; may reach outside.
        shape: (rows, columns) of the slice.
    Returns:
        RGBA, shape (rows, columns, 4).
    """
    row, column, height, width = box
    fy, fx = cam.shape[0] / height, cam.shape[1] / width
    # Pixel centres at whole numbers on both sides.
    matrix = np.array([[fx, 0, (0.5 - column) * fx - 0.5], [0, fy, (0.5 - row) * fy - 0.5]])
    spread = cv2.warpAffine(
        cam.astype(np.float32),
        matrix,
        (shape[1], shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    share = np.clip(spread, 0, 1)
    bgr = cv2.applyColorMap(np.rint(share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    alpha = np.rint(np.sqrt(share) * 255).astype(np.uint8)
    return np.asarray(np.dstack([bgr[..., ::-1], alpha]), dtype=np.uint8)
