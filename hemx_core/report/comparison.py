"""A comparison of two studies as a JSON document, a Rich table and files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hemx_core.compare import ComparisonResult
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.expansion import DEFINITIONS, Answer, Interval
from hemx_core.measure.uncertainty import VolumeEstimate
from hemx_core.report.deidentify import nameless_note
from hemx_core.report.json_report import DISCLAIMER, Json, dumps, to_document
from hemx_core.report.pair_picture import pair_picture
from hemx_core.report.write import check_output, draft_folder, write_png
from hemx_core.result import TriageResult

FORMAT = "hemx.comparison"
SCHEMA_VERSION = 1
COMPARISON_NAME = "comparison.json"
PICTURE_NAME = "comparison.png"
_STYLES = {Answer.YES: "bold red", Answer.NO: "green", Answer.INDETERMINATE: "yellow"}


@dataclass(frozen=True, slots=True)
class WrittenComparison:
    """Where the files lie."""

    comparison_json: Path
    picture: Path


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
        for identity in identities:
            notes = tuple(nameless_note(note, identity) for note in notes)
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "created_at": at.isoformat(timespec="seconds"),
        "disclaimer": DISCLAIMER,
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
            one.code: {"definition": one.text, "answer": growth.answers[one.code].value}
            for one in DEFINITIONS
        },
        "notes": [{"code": note.code, "message": note.message} for note in notes],
        "earlier": to_document(result.earlier, identify=identify, created_at=at),
        "later": to_document(result.later, identify=identify, created_at=at),
        "pictures": list(pictures),
    }


def write_comparison(
    result: ComparisonResult,
    earlier: HUVolume,
    later: HUVolume,
    folder: Path,
    *,
    window: HUWindow,
    identify: bool = False,
) -> WrittenComparison:
    """Write comparison.png and then comparison.json, each whole or not at all.

    Args:
        result: the comparison.
        earlier, later: the compared volumes.
        folder: made where missing.
        window: display window of the picture, HU.
        identify: include what names the patient in comparison.json.
    Raises:
        OutputError: the folder cannot be used, or the disk refuses.
    """
    folder = folder.resolve()
    check_output(folder, COMPARISON_NAME, FORMAT)
    document = to_comparison_document(result, identify=identify, pictures=(PICTURE_NAME,))
    with draft_folder(folder) as draft:
        write_png(draft / PICTURE_NAME, pair_picture(result, earlier, later, window=window))
        (draft / COMPARISON_NAME).write_text(dumps(document), encoding="utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        for name in (PICTURE_NAME, COMPARISON_NAME):
            (draft / name).replace(folder / name)
    return WrittenComparison(folder / COMPARISON_NAME, folder / PICTURE_NAME)


def comparison_view(result: ComparisonResult) -> RenderableType:
    """Volumes, growth, the answer of every definition and the notes, top to bottom."""
    growth = result.growth
    volumes = Table(title="Haematoma", title_justify="left")
    for column in ("", "Value", "90 % interval"):
        volumes.add_column(column, justify="right" if column else "left")
    for name, one in (("Earlier", result.earlier_volume), ("Later", result.later_volume)):
        volumes.add_row(name, f"{one.volume_ml:.1f} mL", _span(one.interval_ml, "mL"))
    volumes.add_row("Growth", f"{growth.ml:+.1f} mL", _span(growth.ml_interval, "mL"))
    if growth.percent is not None and growth.percent_interval is not None:
        volumes.add_row("", f"{growth.percent:+.0f} %", _span(growth.percent_interval, "%"))
    hours = result.interval_hours
    volumes.add_row("Interval", "not known" if hours is None else f"{hours:.1f} h", "")
    answers = Table(title="Haematoma expansion", title_justify="left")
    answers.add_column("Definition")
    answers.add_column("Answer")
    for definition in DEFINITIONS:
        answer = growth.answers[definition.code]
        answers.add_row(definition.text, Text(answer.value, style=_STYLES[answer]))
    notes = [Text(f"Note: {note.message}") for note in result.notes]
    notes += _study_notes("Earlier", result.earlier) + _study_notes("Later", result.later)
    return Group(volumes, answers, *notes, Text(DISCLAIMER, style="dim"))


def _study_notes(study: str, result: TriageResult) -> list[Text]:
    return [
        Text(f"Note, {study.lower()} study: {note.message}")
        for note in result.notes
        if note.code != "markers_research"
    ]


def _volume(one: VolumeEstimate) -> Json:
    return {
        "ml": _rounded(one.volume_ml),
        "interval_ml": _pair(one.interval_ml),
        "surface_mm2": round(one.surface_mm2, 1),
        "sampling_sd_ml": _rounded(one.sampling_sd_ml),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _pair(interval: Interval | None) -> list[Any] | None:
    return None if interval is None else [_rounded(one) for one in interval]


def _span(interval: Interval, unit: str) -> str:
    digits = 0 if unit == "%" else 1
    return f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f} {unit}"
