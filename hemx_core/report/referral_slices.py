"""The referral's slices: a row of five, or the largest area drawn large with the others beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hemx_core.imaging.head import head_mask
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.corrected import is_corrected
from hemx_core.report.page import MM_PER_INCH, MUTED, line_height_mm
from hemx_core.report.pictures import (
    LARGEST,
    KeySlice,
    Picture,
    Scale,
    draw_ct,
    draw_edge_letters,
    draw_outline,
    key_slices,
)
from hemx_core.report.sheet import MARGIN_MM, SMALL, WIDTH_MM, Sheet

PANELS = 5
GAP_MM = 1.5
ROW_HEIGHT_MM, COMPACT_HEIGHT_MM = 46.0, 40.0
"""Greatest height of a panel in a row; the smaller where a comparison needs its room too."""
SMALL_HEIGHTS_MM = (27.0, 42.0)
"""Least and greatest height of the panels beside the large one."""
CAPTION_LINES = 2
HEAD_RIM_MM = 3.0

_TITLE, _TINY = 5.0, 6.5
_NUMBER_MM = 4.6
CAPTION_MM = _NUMBER_MM + CAPTION_LINES * line_height_mm(_TINY)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    """Place of a panel, mm, and the scale that fits it."""

    x_mm: float
    y_mm: float
    width_mm: float
    scale: Scale


@dataclass(frozen=True, slots=True)
class _Cut:
    """Rows and columns of every panel, native pixels."""

    rows: slice
    columns: slice


def draw_slices(sheet: Sheet, y: float, bottom: float) -> float:
    """The most informative slices with the haematoma's outline, cut to the head.

    Args:
        sheet: the page.
        y: where the section begins, mm.
        bottom: where it must end if the largest area is to be drawn large, mm.
    Returns:
        Where it ends.
    """
    chosen = key_slices(sheet.result, PANELS)
    found = sheet.result.haematoma.volume_ml > 0
    lower, upper = (f"{edge:g}" for edge in (sheet.window.lower, sheet.window.upper))
    drawn = "key_slices_corrected" if is_corrected(sheet.result) else "key_slices"
    title = sheet.texts(drawn if found else "key_slices_none", lower=lower, upper=upper)
    sheet.page.paragraph(MARGIN_MM, y + 3.0, WIDTH_MM, title, SMALL, ink=MUTED)
    y += _TITLE
    cut = _Cut(*head_box(sheet.volume, [key_slice.index for key_slice in chosen]))
    small_mm = min((bottom - y) / 2 - CAPTION_MM, SMALL_HEIGHTS_MM[1])
    if found and small_mm >= SMALL_HEIGHTS_MM[0]:
        slots = _around_a_large_one(sheet, chosen, cut, y, small_mm)
    else:
        slots = _row(sheet, len(chosen), cut, y)
    ends = [
        _draw(sheet, key_slice, slot, cut) for key_slice, slot in zip(chosen, slots, strict=True)
    ]
    return max(ends) + 1.5


def _row(sheet: Sheet, count: int, cut: _Cut, y: float) -> list[_Slot]:
    width = (WIDTH_MM - (PANELS - 1) * GAP_MM) / PANELS
    height = ROW_HEIGHT_MM if sheet.comparison is None else COMPACT_HEIGHT_MM
    scale = _fit(sheet, cut, width, height)
    return [
        _Slot(x_mm=MARGIN_MM + place * (width + GAP_MM), y_mm=y, width_mm=width, scale=scale)
        for place in range(count)
    ]


def _around_a_large_one(
    sheet: Sheet, chosen: Sequence[KeySlice], cut: _Cut, y: float, height: float
) -> list[_Slot]:
    """The slice of the largest area at the left, the others two by two at its right."""
    width = (WIDTH_MM - 3 * GAP_MM) / 4
    small = _fit(sheet, cut, width, height)
    step = _height(sheet, small) + CAPTION_MM
    wide = 2 * width + GAP_MM
    large = _fit(sheet, cut, wide, step + _height(sheet, small))
    slots, place = [], 0
    for key_slice in chosen:
        if LARGEST in key_slice.shows:
            slots.append(_Slot(x_mm=MARGIN_MM, y_mm=y, width_mm=wide, scale=large))
            continue
        x = MARGIN_MM + (2 + place % 2) * (width + GAP_MM)
        slots.append(_Slot(x_mm=x, y_mm=y + place // 2 * step, width_mm=width, scale=small))
        place += 1
    return slots


def _draw(sheet: Sheet, key_slice: KeySlice, slot: _Slot, cut: _Cut) -> float:
    """Draw a panel with its caption; answers where that ends."""
    page, texts, volume = sheet.page, sheet.texts, sheet.volume
    panel = draw_ct(volume.hu[key_slice.index, cut.rows, cut.columns], sheet.window, slot.scale)
    mask = sheet.result.mask[key_slice.index, cut.rows, cut.columns]
    draw_outline(panel, mask, slot.scale, width=1)
    draw_edge_letters(panel, volume.geometry)
    page.picture(slot.x_mm, slot.y_mm, _padded(panel, page.pixels(slot.width_mm)))
    y = slot.y_mm + _height(sheet, slot.scale)
    number = texts("slice_of", number=key_slice.index + 1, count=len(volume.hu))
    page.text(slot.x_mm, y + 3.2, number, SMALL, bold=True)
    shows = [texts(code) if code == LARGEST else texts.sign(code) for code in key_slice.shows]
    lines = _caption(sheet, texts.joined(shows), slot.width_mm)
    for line, text in enumerate(lines):
        below = y + 6.2 + line * line_height_mm(_TINY)
        page.text(slot.x_mm, below, text, _TINY, ink=MUTED)
    return y + _NUMBER_MM + len(lines) * line_height_mm(_TINY)


def _caption(sheet: Sheet, text: str, width_mm: float) -> list[str]:
    """What a slice shows, in as many lines as there is room for."""
    lines = sheet.page.wrapped(text, width_mm, _TINY)
    if len(lines) > CAPTION_LINES:
        last = lines[CAPTION_LINES - 1].rstrip(", 、")
        lines = [*lines[: CAPTION_LINES - 1], last + "…"]
    return lines


def _fit(sheet: Sheet, cut: _Cut, width_mm: float, height_mm: float) -> Scale:
    """The scale at which a panel fills a width or a height, whichever it reaches first."""
    dy, dx = sheet.volume.geometry.pixel_spacing_mm
    rows, columns = sheet.volume.hu[0, cut.rows, cut.columns].shape
    share = min(width_mm / (columns * dx), height_mm / (rows * dy))
    size = sheet.page.pixels(max(rows * dy, columns * dx) * share)
    return Scale.fit((rows, columns), (dy, dx), size)


def _height(sheet: Sheet, scale: Scale) -> float:
    return scale.shape[0] * MM_PER_INCH / sheet.page.dpi


def head_box(volume: HUVolume, indices: Sequence[int]) -> tuple[slice, slice]:
    """Rows and columns that hold the head on all of some slices, with a rim."""
    dy, dx = volume.geometry.pixel_spacing_mm
    held = np.zeros(volume.shape[1:], bool)
    for index in indices:
        held |= (
            head_mask(
                volume.hu[index], pixel_spacing_mm=(dy, dx), clipped_to_hu=volume.clipped_to_hu
            )
            != 0
        )
    if not held.any():
        return slice(None), slice(None)
    bounds = []
    for axis, mm in ((1, dy), (0, dx)):
        places = np.flatnonzero(held.any(axis=axis))
        rim = round(HEAD_RIM_MM / mm)
        bounds.append(slice(max(int(places[0]) - rim, 0), int(places[-1]) + rim + 1))
    return bounds[0], bounds[1]


def _padded(panel: Picture, width: int) -> Picture:
    """Black beside a panel that is narrower than its place."""
    spare = max(width - panel.shape[1], 0)
    return np.pad(panel, ((0, 0), (spare // 2, spare - spare // 2), (0, 0)))
