"""A comparison of two studies as a Rich table and as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hemx_core.compare import ComparisonResult
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.expansion import DEFINITIONS, Answer, Interval
from hemx_core.report.comparison_json import FORMAT, to_comparison_document
from hemx_core.report.json_report import DISCLAIMER, dumps
from hemx_core.report.pair_picture import pair_picture
from hemx_core.report.write import check_output, draft_folder, write_png
from hemx_core.result import TriageResult

COMPARISON_NAME = "comparison.json"
PICTURE_NAME = "comparison.png"
_STYLES = {Answer.YES: "bold red", Answer.NO: "green", Answer.INDETERMINATE: "yellow"}


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


def _span(interval: Interval, unit: str) -> str:
    digits = 0 if unit == "%" else 1
    return f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f} {unit}"
