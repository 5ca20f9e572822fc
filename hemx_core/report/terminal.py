"""A triage result, a comparison and a list of series as Rich tables; plain text in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from hemx_core.comparison import ComparisonResult
from hemx_core.costs import peak_mib, start_up_seconds, study_seconds
from hemx_core.imaging.reader import SeriesSummary
from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.intervals import Interval
from hemx_core.markers import MARKERS
from hemx_core.measure.estimate import estimate_result
from hemx_core.measure.expansion import DEFINITIONS, Answer
from hemx_core.measure.signs import SIGNS
from hemx_core.notes import FILES, Note, Severity, gravest_first
from hemx_core.report.json_report import DISCLAIMER, sign_answer
from hemx_core.report.nameless import nameless_description, nameless_note
from hemx_core.result import Haematoma, MarkerResult, Recommendation, TriageResult
from hemx_core.words import tell, tell_labelled
from hemx_core.words.plain import plain

HEADLINES = {
    Recommendation.NO_HAEMATOMA_FOUND: ("No haematoma found", "bold green"),
    Recommendation.CANNOT_TELL: ("Cannot tell: look at the pictures, or scan again", "bold red"),
    Recommendation.DISCUSS: ("Discuss with a neurosurgical centre", "bold yellow"),
    Recommendation.CALL_NOW: ("Call a neurosurgical centre now", "bold red"),
}


def result_view(result: TriageResult, *, identify: bool = False) -> RenderableType:
    """Recommendation, measurements, markers, notes and costs, top to bottom.

    Args:
        result: the triage result.
        identify: let notes and descriptions name the patient; terminals are copied into mails. Files are
            named in any case.
    """
    if not identify:
        result = _nameless(result)
    headline, style = HEADLINES[result.recommendation]
    warnings, others = _split(result.notes)
    parts: list[RenderableType] = [Text(headline, style=style), *_notes(warnings)]
    parts.extend(Text(f"- {tell(reason)}") for reason in result.reasons)
    parts.append(_measurements(result))
    if result.markers:
        parts.append(_markers(result))
    if result.signs:
        parts.append(_signs(result))
    parts.extend(_notes(others))
    parts.append(Text(_cost_line(result)))
    parts.append(Text(DISCLAIMER, style="dim"))
    return Group(*parts)


def _nameless(result: TriageResult, *others: SeriesIdentity) -> TriageResult:
    """The result with notes and description that name nobody."""
    people = (result.identity, *others)
    description = nameless_description(result.identity.series_description, *people)
    return replace(
        result,
        identity=replace(result.identity, series_description=description),
        notes=tuple(nameless_note(note, *people, keep=FILES) for note in result.notes),
        reasons=tuple(nameless_note(reason, *people, keep=FILES) for reason in result.reasons),
    )


def series_view(summaries: Sequence[SeriesSummary]) -> Table:
    """One row for each series, in the given order; the last column is what `--series` takes."""
    table = Table()
    for column in ("No.", "Description", "Slices", "mm", "Plane", "Usable", "--series"):
        table.add_column(column, overflow="fold")
    for series in summaries:
        table.add_row(
            "-" if series.series_number is None else str(series.series_number),
            escape(plain(series.description)) or "-",
            str(series.slices),
            "-" if series.thickness_mm is None else f"{series.thickness_mm:g}",
            series.plane or "-",
            "yes" if series.refusal is None else escape(f"no: {tell(series.refusal)}"),
            escape(plain(series.key)) or "-",
        )
    return table


def _measurements(result: TriageResult) -> Table:
    haematoma, geometry = result.haematoma, result.geometry
    thicknesses = sorted({round(float(thickness), 2) for thickness in geometry.slice_thickness_mm})
    table = Table(title="Study", title_justify="left", show_header=False)
    table.add_column("what")
    table.add_column("value", justify="right")
    rows = [
        ("Series", escape(plain(result.identity.series_description)) or "-"),
        ("Slices", f"{len(result.slices)}, {sum(a > 0 for a in haematoma.areas_mm2)} with blood"),
        ("Slice thickness", " and ".join(f"{thickness:g}" for thickness in thicknesses) + " mm"),
        ("Gantry tilt", f"{geometry.tilt_deg:.1f} degrees"),
        ("Haematoma volume", _volume(haematoma)),
    ]
    if haematoma.mean_hu is not None:
        rows += [
            ("Its 90 % interval", _span(estimate_result(result).interval_ml, "mL")),
            ("ABC/2 (largest component)", f"{haematoma.abc2_volume_ml:.1f} mL"),
            ("Components", str(len(haematoma.component_volumes_ml))),
            ("Largest diameter", f"{haematoma.max_diameter_mm:.0f} mm"),
            ("Mean density", f"{haematoma.mean_hu:.0f} HU"),
        ]
    for row in rows:
        table.add_row(*row)
    return table


def _volume(haematoma: Haematoma) -> str:
    least = "at least " * haematoma.lower_bound
    most = "" if haematoma.at_most_ml is None else f" to {haematoma.at_most_ml:.1f} mL"
    return f"{least}{haematoma.volume_ml:.1f} mL{most}"


def _markers(result: TriageResult) -> Table:
    table = Table(title="Expansion markers", title_justify="left")
    table.add_column("Marker")
    for column in ("Probability", "Threshold", "Present", "Slice"):
        table.add_column(column, justify="right")
    for marker in MARKERS:
        judged = result.markers[marker.code]
        table.add_row(
            marker.name_en,
            f"{judged.probability:.2f}",
            f"{judged.threshold:.2f}",
            _present(judged),
            str(judged.slice_index + 1),
        )
    return table


def _present(marker: MarkerResult) -> str:
    if not marker.validated:
        return f"{'yes' if marker.present else 'no'}, not validated"
    return "[bold red]yes[/]" if marker.present else "no"


def _signs(result: TriageResult) -> Table:
    table = Table(title="Rule-based second opinion", title_justify="left")
    table.add_column("Sign")
    for column in ("Answer", "Measured", "Threshold", "Slice"):
        table.add_column(column, justify="right")
    for sign in result.signs:
        answer = sign_answer(sign)
        limit = ">=" if sign.at_least else "<="
        table.add_row(
            SIGNS[sign.code].name_en,
            f"[bold red]{answer}[/]" if sign.present else answer,
            "-" if sign.value is None else _quantity(sign.value, sign.unit),
            f"{limit} {_quantity(sign.threshold, sign.unit)}",
            "-" if sign.slice_index is None else str(sign.slice_index + 1),
        )
    return table


def _quantity(value: float, unit: str) -> str:
    """A number with its unit; ratios with three digits."""
    number = f"{value:.3f}" if not unit else f"{value:.0f}" if unit == "pieces" else f"{value:.1f}"
    return f"{number} {unit}".rstrip()


def _cost_line(result: TriageResult) -> str:
    costs = result.costs
    start_up = start_up_seconds(costs)
    after = f" after {start_up:.1f} s of start-up" if start_up else ""
    return f"Took {study_seconds(costs):.1f} s{after}, peak memory {peak_mib(costs):.0f} MiB."


TOLD_ONCE = frozenset({"markers_research", "volume_interval"})
"""Notes of a study that a comparison leaves out: its own say what the intervals rest on."""
_STYLES = {Answer.YES: "bold red", Answer.NO: "green", Answer.INDETERMINATE: "yellow"}


def comparison_view(result: ComparisonResult, *, identify: bool = False) -> RenderableType:
    """Warnings, volumes, growth, the answer of every definition and the other notes, top to bottom.

    Args:
        result: the comparison.
        identify: see `result_view`.
    """
    if not identify:
        pair = (result.earlier.identity, result.later.identity)
        result = replace(
            result,
            earlier=_nameless(result.earlier, *pair),
            later=_nameless(result.later, *pair),
            notes=tuple(nameless_note(note, *pair, keep=FILES) for note in result.notes),
        )
    growth = result.growth
    volumes = Table(title="Haematoma", title_justify="left")
    for column in ("", "Value", "90 % interval"):
        volumes.add_column(column, justify="right" if column else "left")
    for name, estimate in (("Earlier", result.earlier_volume), ("Later", result.later_volume)):
        volumes.add_row(name, f"{estimate.volume_ml:.1f} mL", _span(estimate.interval_ml, "mL"))
    volumes.add_row("Growth", f"{growth.ml:+.1f} mL", _span(growth.ml_interval, "mL"))
    if growth.percent is not None:
        volumes.add_row("", f"{growth.percent:+.0f} %", _span(growth.percent_interval, "%"))
    hours = result.interval_hours
    volumes.add_row("Interval", "not known" if hours is None else f"{hours:.1f} h", "")
    answers = Table(title="Haematoma expansion", title_justify="left")
    answers.add_column("Definition")
    answers.add_column("Answer")
    for definition in DEFINITIONS:
        answer = growth.answers[definition.code]
        answers.add_row(definition.text, Text(answer.value, style=_STYLES[answer]))
    warnings = _pair_notes(result, lambda note: note.severity is Severity.WARNING)
    others = _pair_notes(result, lambda note: note.severity is not Severity.WARNING)
    return Group(*warnings, volumes, answers, *others, Text(DISCLAIMER, style="dim"))


def _pair_notes(result: ComparisonResult, wanted: Callable[[Note], bool]) -> list[Text]:
    """The pair's own, then those of each study under its name."""
    told = _notes(filter(wanted, result.notes))
    for name, study in (("Earlier", result.earlier), ("Later", result.later)):
        notes = [note for note in study.notes if note.code not in TOLD_ONCE and wanted(note)]
        told += [Text(f"{name} study:", style="bold"), *_notes(notes)] if notes else []
    return told


def _split(notes: Iterable[Note]) -> tuple[list[Note], list[Note]]:
    """Warnings, which are told before any figure, and the others."""
    known = list(notes)
    warnings = [note for note in known if note.severity is Severity.WARNING]
    return warnings, [note for note in known if note not in warnings]


_NOTE_STYLES = {Severity.WARNING: "bold red", Severity.CAUTION: "yellow", Severity.INFO: ""}


def _notes(notes: Iterable[Note]) -> list[Text]:
    """Each note with its severity, the most severe first."""
    return [
        Text(tell_labelled(note), style=_NOTE_STYLES[note.severity])
        for note in gravest_first(notes)
    ]


def _span(interval: Interval | None, unit: str) -> str:
    if interval is None:
        return "-"
    digits = 0 if unit == "%" else 1
    return f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f} {unit}"
