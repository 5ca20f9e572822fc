"""Overlay pictures of a triage result: one for each slice with blood, and an overview.

Pictures carry no patient name or identifier.
"""

from __future__ import annotations

import math

import numpy as np

from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.markers import MARKERS
from hemx_core.measure.signs import SIGNS
from hemx_core.report.drawing import (
    GREY,
    Picture,
    Scale,
    draw_ct,
    draw_edge_letters,
    draw_heat,
    draw_outline,
    draw_text,
)
from hemx_core.result import SliceResult, TriageResult

FOOTER = "Research software, not a medical device"
PANEL_PIXELS = 640
TILE_PIXELS = 320
MAX_TILES = 24
CAPTION_PIXELS = 58
FOOTER_PIXELS = 26
GAP_PIXELS = 4


def bloody_slices(result: TriageResult) -> tuple[int, ...]:
    """Indices of the slices that show blood."""
    return tuple(one.index for one in result.slices if one.blood_area_mm2 > 0)


def slice_picture(
    volume: HUVolume, result: TriageResult, index: int, *, window: HUWindow
) -> Picture:
    """One slice in three panels: plain, mask outline, and where the classifier looked.

    Args:
        volume: the triaged volume.
        result: its result.
        index: the slice.
        window: display window, HU.
    Returns:
        uint8, shape (height, width, 3), BGR. The third panel shows the map of the slice's most
        probable marker; it says so where there is none.
    """
    one = result.slices[index]
    rows, columns = volume.shape[1:]
    scale = Scale.fit((rows, columns), volume.geometry.pixel_spacing_mm, PANEL_PIXELS)
    plain = draw_ct(volume.hu[index], window, scale)
    outlined = plain.copy()
    draw_outline(outlined, result.mask[index], scale)
    heated = plain.copy()
    title = _draw_cam(heated, one, scale)
    draw_outline(heated, result.mask[index], scale, width=1)
    panels = (
        (plain, f"CT, {window.lower:g} to {window.upper:g} HU"),
        (outlined, "Haematoma outline"),
        (heated, title),
    )
    for panel, text in panels:
        draw_edge_letters(panel, volume.geometry)
        draw_text(panel, text, (8, scale.shape[0] - 10), size=0.55)
    gap = np.zeros((scale.shape[0], GAP_PIXELS, 3), dtype=np.uint8)
    strip = np.hstack([plain, gap, outlined, gap, heated])
    return framed(strip, _caption(one, result))


def overview_picture(volume: HUVolume, result: TriageResult, *, window: HUWindow) -> Picture:
    """A montage of the slices with blood, outlined; without blood, of slices through the volume.

    Args:
        volume: the triaged volume.
        result: its result.
        window: display window, HU.
    Returns:
        uint8, shape (height, width, 3), BGR, of at most `MAX_TILES` slices, evenly chosen.
    """
    bloody = bloody_slices(result)
    shown = _spread(bloody or tuple(range(len(result.slices))))
    rows, columns = volume.shape[1:]
    scale = Scale.fit((rows, columns), volume.geometry.pixel_spacing_mm, TILE_PIXELS)
    across = math.ceil(math.sqrt(len(shown) * scale.shape[0] / scale.shape[1]))
    down = math.ceil(len(shown) / across)
    height, width = scale.shape
    montage = np.zeros((down * height, across * width, 3), dtype=np.uint8)
    for place, index in enumerate(shown):
        tile = draw_ct(volume.hu[index], window, scale)
        draw_outline(tile, result.mask[index], scale, width=1)
        draw_text(tile, str(index + 1), (6, 20), size=0.6)
        top, left = place // across * height, place % across * width
        montage[top : top + height, left : left + width] = tile
    return framed(montage, _overview_caption(result, len(bloody), len(shown)))


def _draw_cam(panel: Picture, one: SliceResult, scale: Scale) -> str:
    """Draw the map of the slice's most probable marker; answers the panel's title."""
    if one.cam is None or one.cam_box is None:
        return "No CAM"
    strongest = int(np.argmax(one.probabilities))
    draw_heat(panel, one.cam[strongest], one.cam_box, scale)
    return f"CAM of: {MARKERS[strongest].name_en} ({one.probabilities[strongest]:.2f})"


def _caption(one: SliceResult, result: TriageResult) -> tuple[str, str]:
    count = len(result.slices)
    first = f"Slice {one.index + 1} of {count}    blood {one.blood_area_mm2 / 100:.2f} cm2"
    ruled = [s for s in result.signs if s.present and s.slice_index == one.index]
    if ruled:
        named = ", ".join(f"{SIGNS[s.code].name_en} {s.value:.3g} {s.unit}".rstrip() for s in ruled)
        first += f"    best for the rules of: {named}"
    pairs = zip(MARKERS, one.probabilities, strict=False)
    return first, "    ".join(f"{marker.name_en} {value:.2f}" for marker, value in pairs)


def _overview_caption(result: TriageResult, bloody: int, shown: int) -> tuple[str, str]:
    if not bloody:
        return "No haematoma found", f"{shown} of {len(result.slices)} slices"
    part = "" if shown == bloody else f" ({shown} shown)"
    present = [SIGNS[sign.code].name_en for sign in result.signs if sign.present]
    return (
        f"Haematoma {result.haematoma_volume_ml:.1f} mL, "
        f"{bloody} of {len(result.slices)} slices with blood{part}",
        f"Rule-based second opinion: {', '.join(present) or 'no sign'}",
    )


def _spread(indices: tuple[int, ...]) -> tuple[int, ...]:
    """At most `MAX_TILES` of the indices, evenly chosen, first and last among them."""
    if len(indices) <= MAX_TILES:
        return indices
    places = np.linspace(0, len(indices) - 1, MAX_TILES).round().astype(int)
    return tuple(indices[place] for place in places)


def framed(body: Picture, caption: tuple[str, str]) -> Picture:
    """Caption above and footer below a picture."""
    height, width = body.shape[:2]
    framed = np.zeros((CAPTION_PIXELS + height + FOOTER_PIXELS, width, 3), dtype=np.uint8)
    framed[CAPTION_PIXELS : CAPTION_PIXELS + height] = body
    draw_text(framed, caption[0], (8, 23), size=0.6)
    draw_text(framed, caption[1], (8, 47), size=0.5, color=GREY)
    draw_text(framed, FOOTER, (8, framed.shape[0] - 8), size=0.45, color=GREY)
    return framed
