"""The cards of the Compare screen: growth, definitions, chart, limits."""

from __future__ import annotations

from kivy.uix.boxlayout import BoxLayout

from hemx_core.measure.corrected import is_corrected
from hemx_core.measure.expansion import DEFINITIONS, Answer
from hemx_core.notes import Severity, gravest_first
from hemx_core.words.report import Texts
from mobile_app import theme
from mobile_app.compare.comparing import Compared, VolumePoint
from mobile_app.compare.volume_chart import ChartPoint, VolumeChart
from mobile_app.i18n import number, text
from mobile_app.result.cards import FILLS, HUGE, NOTE_INKS, StatusIcon, heading, pair, signed, small
from mobile_app.widgets.buttons import Card, Heading, Wrapped

DAYS_FROM_HOURS = 96.0
"""From this course on the chart counts days."""

INKS = {Answer.YES: theme.ALARM, Answer.NO: theme.TEXT, Answer.INDETERMINATE: theme.CAUTION}


def growth_card(language: str, compared: Compared) -> Card:
    """Growth in mL and per cent with their intervals, the volumes, the time between."""
    comparison = compared.comparison
    growth, hours = comparison.growth, comparison.interval_hours
    expanded = Answer.YES in growth.answers.values()
    card = Card(fill=FILLS["alarm"] if expanded else theme.SURFACE)
    card.add_widget(heading(text(language, "compare.growth")))
    told = f"{signed(language, growth.ml, 1)} mL"
    if growth.percent is not None:
        told += f"  ({signed(language, growth.percent)} %)"
    card.add_widget(Heading(text=told, font_size=HUGE))
    if expanded:
        card.add_widget(_urgent(language))
    volumes = {
        name: number(language, volume.volume_ml, 1)
        for name, volume in (
            ("earlier", comparison.earlier_volume),
            ("later", comparison.later_volume),
        )
    }
    card.add_widget(Wrapped(text=text(language, "compare.from_to", **volumes)))
    if hours is None:
        card.add_widget(
            Wrapped(text=text(language, "compare.interval_unknown"), color=theme.CAUTION)
        )
    else:
        between = number(language, hours, 1)
        card.add_widget(Wrapped(text=text(language, "compare.interval", hours=between)))
    if growth.ml_interval is None:
        card.add_widget(small(text(language, "compare.no_span")))
    else:
        card.add_widget(small(_span(language, growth.ml_interval, "mL", 1)))
    if growth.percent_interval is not None:
        card.add_widget(small(_span(language, growth.percent_interval, "%", 0)))
    elif growth.percent is None:
        card.add_widget(small(text(language, "compare.from_none")))
    card.add_widget(_outlines(language, compared))
    return card


def _urgent(language: str) -> BoxLayout:
    row = BoxLayout(size_hint_y=None, height=theme.TARGET, spacing=theme.GAP * 2)
    side = theme.TARGET * 0.8
    row.add_widget(StatusIcon(tone="alarm", size=(side, side), pos_hint={"center_y": 0.5}))
    words = Wrapped(text=text(language, "compare.urgent"), pos_hint={"center_y": 0.5})
    words.color = theme.ALARM
    words.bind(height=lambda _words, height: setattr(row, "height", max(height, theme.TARGET)))
    row.add_widget(words)
    return row


def _span(language: str, interval: tuple[float, float], unit: str, digits: int) -> str:
    low, high = (signed(language, bound, digits) for bound in interval)
    return text(language, "compare.span", low=low, high=high, unit=unit)


def _outlines(language: str, compared: Compared) -> Wrapped:
    """Whose outlines were measured."""
    corrected = [
        text(language, f"compare.{name}")
        for name, side in (("earlier", compared.earlier), ("later", compared.later))
        if is_corrected(side.result)
    ]
    if not corrected:
        return small(text(language, "compare.automatic"))
    which = Texts(language).joined(corrected)
    return small(text(language, "compare.corrected", which=which), theme.CAUTION)


def definitions_card(language: str, compared: Compared) -> Card:
    """The answer of every definition, in words."""
    card, texts, answers = Card(), Texts(language), compared.comparison.growth.answers
    card.add_widget(heading(text(language, "compare.definitions")))
    for definition in DEFINITIONS:
        answer = answers[definition.code]
        row = pair(texts(definition.code), text(language, f"compare.{answer}"))
        row.children[0].color = INKS[answer]
        card.add_widget(row)
    if Answer.INDETERMINATE in answers.values():
        card.add_widget(small(text(language, "compare.hint")))
    return card


def chart_card(language: str, compared: Compared) -> Card:
    """Volume over all studies of the patient."""
    card = Card()
    card.add_widget(heading(text(language, "compare.chart")))
    pairs = {compared.earlier.study_id, compared.later.study_id}
    points, unit = chart_points(compared.course, pairs)
    card.chart = VolumeChart(
        points=points,
        x_title=text(language, f"compare.{unit}"),
        y_title=text(language, "compare.ml"),
    )
    if points:
        card.add_widget(card.chart)
        card.add_widget(small(text(language, "compare.bars")))
    left_out = len(compared.course) - len(points)
    if left_out:
        told = text(language, "compare.left_out", count=left_out)
        card.add_widget(small(told, theme.CAUTION))
    return card


def chart_points(course: tuple[VolumePoint, ...], pairs: set[int]) -> tuple[list[ChartPoint], str]:
    """Points of the studies whose time is known, and the unit below: "hours" or "days".

    Args:
        course: in time.
        pairs: the compared studies' numbers.
    """
    timed = [(point, point.at) for point in course if point.at is not None]
    if not timed:
        return [], "hours"
    first = timed[0][1]
    hours = [(at - first).total_seconds() / 3600 for _one, at in timed]
    unit, divisor = ("days", 24.0) if hours[-1] >= DAYS_FROM_HOURS else ("hours", 1.0)
    points = []
    for (point, _at), at in zip(timed, hours, strict=True):
        low, high = point.interval_ml or (point.volume_ml, point.volume_ml)
        marked = point.study_id in pairs
        points.append(ChartPoint(at / divisor, point.volume_ml, low, high, marked))
    return points, unit


def limits_card(language: str, compared: Compared) -> Card:
    """Warnings of the pair, the most severe first, then each study's own warnings."""
    card, texts, comparison = Card(), Texts(language), compared.comparison
    card.add_widget(heading(text(language, "compare.limits")))
    told = [(texts.note(note), note.severity) for note in gravest_first(comparison.notes)]
    for name, result in (("earlier", comparison.earlier), ("later", comparison.later)):
        told += [
            (f"{text(language, f'compare.{name}')}: {texts.note(note)}", note.severity)
            for note in result.notes
            if note.severity is Severity.WARNING and note.code != "expanded"
        ]
    for sentence, severity in told:
        card.add_widget(Wrapped(text=sentence, color=NOTE_INKS[severity]))
    if not told:
        card.add_widget(Wrapped(text=texts("no_notes")))
    return card
