"""Two studies over each other: the slices with blood of both, matched by their height in the head.

Pictures carry no patient name or identifier.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hemx_core.compare import ComparisonResult
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.expansion import DEFINITIONS
from hemx_core.report.drawing import (
    Picture,
    Scale,
    draw_ct,
    draw_edge_letters,
    draw_outline,
    draw_text,
)
from hemx_core.report.overlay import GAP_PIXELS, framed
from hemx_core.result import TriageResult

PANEL_PIXELS = 360
MIN_COLUMNS, MAX_COLUMNS = 3, 6


def pair_picture(
    result: ComparisonResult, earlier: HUVolume, later: HUVolume, *, window: HUWindow
) -> Picture:
    """Slices of both studies with the haematoma's outline, the earlier study above, feet to head.

    The studies are not registered: slices are paired by their place between the haematoma's lowest
    and highest slice, which is good for looking and is not used for measuring.

    Args:
        result: the comparison.
        earlier, later: the compared volumes.
        window: display window, HU.
    Returns:
        uint8, shape (height, width, 3), BGR.
    """
    places = np.linspace(0, 1, _columns(result))
    rows = [
        _row(volume, one, name, places, window)
        for volume, one, name in (
            (earlier, result.earlier, "Earlier"),
            (later, result.later, "Later"),
        )
    ]
    width = max(one.shape[1] for one in rows)
    padded = [np.pad(one, ((0, 0), (0, width - one.shape[1]), (0, 0))) for one in rows]
    gap = np.zeros((GAP_PIXELS, width, 3), dtype=np.uint8)
    return framed(np.vstack([padded[0], gap, padded[1]]), _caption(result))


def _columns(result: ComparisonResult) -> int:
    """As many as the larger haematoma has slices; at least enough for the caption."""
    bloody = [np.count_nonzero(one.haematoma.areas_mm2) for one in (result.earlier, result.later)]
    return int(np.clip(max(bloody), MIN_COLUMNS, MAX_COLUMNS))


def _row(
    volume: HUVolume, one: TriageResult, name: str, places: NDArray[np.float64], window: HUWindow
) -> Picture:
    """The study's panels, feet to head from the left."""
    scale = Scale.fit(volume.shape[1:], volume.geometry.pixel_spacing_mm, PANEL_PIXELS)
    bloody = np.flatnonzero(one.haematoma.areas_mm2)
    shown = bloody if len(bloody) else np.arange(len(volume.hu))
    panels = []
    for index in shown[np.round(places * (len(shown) - 1)).astype(int)]:
        panel = draw_ct(volume.hu[index], window, scale)
        draw_outline(panel, one.mask[index], scale, width=1)
        draw_edge_letters(panel, volume.geometry)
        text = f"{name}, slice {index + 1} of {len(volume.hu)}"
        draw_text(panel, text, (8, scale.shape[0] - 8), size=0.45)
        panels.append(panel)
    return np.asarray(np.hstack(panels), dtype=np.uint8)


def _caption(result: ComparisonResult) -> tuple[str, str]:
    growth, hours = result.growth, result.interval_hours
    percent = "" if growth.percent is None else f" ({growth.percent:+.0f} %)"
    after = "" if hours is None else f" in {hours:.1f} h"
    first = (
        f"{result.earlier_volume.volume_ml:.1f} mL to {result.later_volume.volume_ml:.1f} mL: "
        f"{growth.ml:+.1f} mL{percent}{after}"
    )
    answers = [f"{one.text}: {growth.answers[one.code].value}" for one in DEFINITIONS]
    return first, "Expansion by " + "; ".join(answers)
