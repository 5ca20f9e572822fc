"""A comparison of two studies as a JSON document, as a picture, and both as files.

`comparison.schema.json` is the document's contract. The picture shows the slices with blood of both
studies, matched by their height in the head.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.comparison import ComparisonResult
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.intervals import Interval
from hemx_core.measure.estimate import VolumeEstimate
from hemx_core.measure.expansion import DEFINITIONS
from hemx_core.notes import gravest_first
from hemx_core.records import Json
from hemx_core.report.folder import (
    COMPARISON,
    COMPARISON_NAME,
    COMPARISON_PICTURE_NAME,
    new_run,
)
from hemx_core.report.json_report import (
    DISCLAIMER,
    dumps,
    said,
    to_document,
)
from hemx_core.report.nameless import nameless_note
from hemx_core.report.pictures import (
    GAP_PIXELS,
    Picture,
    Scale,
    draw_ct,
    draw_edge_letters,
    draw_outline,
    draw_text,
    framed,
)
from hemx_core.report.write import write_png
from hemx_core.result import TriageResult

FORMAT = COMPARISON.form
SCHEMA_VERSION = 3


def comparison_schema() -> Json:
    """The JSON Schema (2020-12) of the document; its studies are documents of `hemx triage`."""
    text = files("hemx_core.report").joinpath("comparison.schema.json").read_text(encoding="utf-8")
    loaded: Json = json.loads(text)
    return loaded


def to_comparison_document(
    result: ComparisonResult,
    *,
    identify: bool = False,
    pictures: Sequence[str] = (),
    created_at: datetime | None = None,
) -> Json:
    """The document of a comparison, plain JSON values.

    Args:
        result: the comparison.
        identify: include what names the patient, in both studies.
        pictures: files written beside the document.
        created_at: when the document was made; now by default.
    """
    at = created_at or datetime.now(UTC)
    growth = result.growth
    identities = (result.earlier.identity, result.later.identity)
    notes = result.notes
    if not identify:
        notes = tuple(nameless_note(note, *identities) for note in notes)
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "created_at": at.isoformat(timespec="seconds"),
        "disclaimer": DISCLAIMER,
        "notes": [said(note) for note in gravest_first(notes)],
        "interval_hours": _rounded(result.interval_hours),
        "volumes": {
            "earlier": _volume(result.earlier_volume),
            "later": _volume(result.later_volume),
        },
        "growth": {
            "ml": _rounded(growth.ml),
            "ml_interval": _pair(growth.ml_interval),
            "percent": _rounded(growth.percent),
            "percent_interval": _pair(growth.percent_interval),
        },
        "expansion": {
            definition.code: {
                "definition": definition.text,
                "answer": growth.answers[definition.code].value,
            }
            for definition in DEFINITIONS
        },
        "earlier": to_document(result.earlier, identify=identify, created_at=at),
        "later": to_document(result.later, identify=identify, created_at=at),
        "pictures": list(pictures),
    }


def _volume(estimate: VolumeEstimate) -> Json:
    return {
        "ml": _rounded(estimate.volume_ml),
        "interval_ml": _pair(estimate.interval_ml),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _pair(interval: Interval | None) -> list[Any] | None:
    return None if interval is None else [_rounded(end) for end in interval]


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
        _row(volume, study, name, places, window)
        for volume, study, name in (
            (earlier, result.earlier, "Earlier"),
            (later, result.later, "Later"),
        )
    ]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
    gap = np.zeros((GAP_PIXELS, width, 3), dtype=np.uint8)
    return framed(np.vstack([padded[0], gap, padded[1]]), _caption(result))


def _columns(result: ComparisonResult) -> int:
    """As many as the larger haematoma has slices; at least enough for the caption."""
    bloody = [
        np.count_nonzero(study.haematoma.areas_mm2) for study in (result.earlier, result.later)
    ]
    return int(np.clip(max(bloody), MIN_COLUMNS, MAX_COLUMNS))


def _row(
    volume: HUVolume, result: TriageResult, name: str, places: NDArray[np.float64], window: HUWindow
) -> Picture:
    """The study's panels, feet to head from the left."""
    scale = Scale.fit(volume.shape[1:], volume.geometry.pixel_spacing_mm, PANEL_PIXELS)
    bloody = np.flatnonzero(result.haematoma.areas_mm2)
    shown = bloody if len(bloody) else np.arange(len(volume.hu))
    panels = []
    for index in shown[np.round(places * (len(shown) - 1)).astype(int)]:
        panel = draw_ct(volume.hu[index], window, scale)
        draw_outline(panel, result.mask[index], scale, width=1)
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
    answers = [
        f"{definition.text}: {growth.answers[definition.code].value}" for definition in DEFINITIONS
    ]
    return first, "Expansion by " + "; ".join(answers)


@dataclass(frozen=True, slots=True)
class WrittenComparison:
    """Where the files lie."""

    comparison_json: Path
    picture: Path


def write_comparison(
    result: ComparisonResult,
    earlier: HUVolume,
    later: HUVolume,
    folder: Path,
    *,
    window: HUWindow,
    identify: bool = False,
) -> WrittenComparison:
    """Write comparison.json and comparison.png, in the place of an earlier comparison; see `new_run`.

    Args:
        result: the comparison.
        earlier, later: the compared volumes.
        folder: made where missing.
        window: display window of the picture, HU.
        identify: include what names the patient in comparison.json.
    Raises:
        OutputError: the folder cannot be used, or the disk refuses.
    """
    document = to_comparison_document(
        result, identify=identify, pictures=(COMPARISON_PICTURE_NAME,)
    )
    with new_run(folder, COMPARISON) as run:
        picture = pair_picture(result, earlier, later, window=window)
        write_png(run / COMPARISON_PICTURE_NAME, picture)
        (run / COMPARISON_NAME).write_text(dumps(document), encoding="utf-8")
    folder = folder.resolve()
    return WrittenComparison(folder / COMPARISON_NAME, folder / COMPARISON_PICTURE_NAME)
