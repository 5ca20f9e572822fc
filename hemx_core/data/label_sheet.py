"""The sheet of a study that a reader looks at: its slices with blood, plain and outlined."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.report.pictures import Picture, Scale, draw_ct, draw_outline, draw_text, framed

WINDOW = HUWindow(0.0, 80.0)
TILE_PIXELS = 400
MOST_TILES = 24
ACROSS = 6
TISSUE_HU, MOST_SLICES = -300, 0.5


def sheet_picture(
    volume: HUVolume, mask: NDArray[np.bool_], *, title: str, window: HUWindow = WINDOW
) -> Picture:
    """The slices with blood and one beyond, plain above and outlined below; no marker is named on it.

    Args:
        volume: the CT.
        mask: bool, of its shape; without blood slices through the whole volume are drawn.
        title: above the picture.
        window: HU.
    Returns:
        uint8, shape (height, width, 3), BGR. Slices are numbered from 1.
    """
    bloody = np.flatnonzero(mask.any((1, 2)))
    last = len(mask) - 1
    wanted = (
        np.arange(max(0, bloody[0] - 1), min(last, bloody[-1] + 1) + 1)
        if len(bloody)
        else np.arange(len(mask))
    )
    if len(wanted) > MOST_TILES:
        wanted = wanted[np.linspace(0, len(wanted) - 1, MOST_TILES).round().astype(int)]
    box = _head_box(volume.hu[wanted])
    size = (box[0].stop - box[0].start, box[1].stop - box[1].start)
    scale = Scale.fit(size, volume.geometry.pixel_spacing_mm, TILE_PIXELS)
    across = min(len(wanted), ACROSS)
    height, width = scale.shape
    down = -(-len(wanted) // across)
    body = np.zeros((down * 2 * height, across * width, 3), np.uint8)
    for place, index in enumerate(wanted):
        plain = draw_ct(volume.hu[index][box], window, scale)
        outlined = plain.copy()
        draw_outline(outlined, mask[index][box], scale, width=1)
        draw_text(plain, str(index + 1), (6, 20), size=0.6)
        top, left = place // across * 2 * height, place % across * width
        body[top : top + height, left : left + width] = plain
        body[top + height : top + 2 * height, left : left + width] = outlined
    told = (
        f"{len(bloody)} of {len(mask)} slices outlined, {len(wanted)} drawn, {window.lower:g} to "
    )
    return framed(body, (title, told + f"{window.upper:g} HU"))


def _head_box(hu: NDArray[np.int16]) -> tuple[slice, slice]:
    """Rows and columns that hold what is denser than air on most slices; air round a head tells nothing."""
    dense = (hu > TISSUE_HU).mean(0) >= MOST_SLICES
    if not dense.any():
        return slice(0, hu.shape[1]), slice(0, hu.shape[2])
    rows, columns = (np.flatnonzero(dense.any(axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
