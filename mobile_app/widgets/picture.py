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

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def _heat_colours() -> Bytes:
    """RGBA of every heat from 0 to 255, shape (256, 4); opacity rises with the root."""
    level = np.arange(256, dtype=np.uint8)
    rgb = cv2.applyColorMap(level[:, None], cv2.COLORMAP_INFERNO)[:, 0, ::-1]
    alpha = np.rint(np.sqrt(level / 255) * 255)
    return np.column_stack([rgb, alpha]).astype(np.uint8)


_HEAT_RGBA = _heat_colours()


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


def outline(mask: NDArray[np.bool_], width: int = 1) -> Bytes:
    """The mask's edge pixels, inside the mask.

    Args:
        mask: shape (rows, columns).
        width: of the line, pixels.
    Returns:
        RGBA, shape (rows, columns, 4), transparent elsewhere.
    """
    solid = mask.view(np.uint8)
    inner = cv2.erode(
        solid, _CROSS, iterations=width, borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    picture = np.zeros((*mask.shape, 4), np.uint8)
    picture[solid > inner] = (*OUTLINE_RGB, 255)
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
    level = np.rint(np.clip(spread, 0, 1) * 255).astype(np.uint8)
    return np.asarray(_HEAT_RGBA[level], dtype=np.uint8)
