"""The cards of the Result screen: each a function from facts to a widget."""

from __future__ import annotations

from collections.abc import Callable

from kivy.graphics import Color, Line, RoundedRectangle, Triangle
from kivy.metrics import dp
from kivy.properties import OptionProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.gridlayout import GridLayout
from kivy.uix.label import Label

from hemx_core.costs import START_UP
from hemx_core.measure.aggregate import LARGE_HAEMATOMA_ML
from hemx_core.measure.corrected import is_corrected
from hemx_core.measure.expansion import DEFINITIONS, Answer
from hemx_core.notes import Severity, gravest_first
from hemx_core.report.clauses import marker_clauses
from hemx_core.result import Haematoma, Recommendation, TriageResult
from hemx_core.words.report import Texts
from mobile_app import theme
from mobile_app.i18n import STRINGS, UNKNOWN, date_time, number, text
from mobile_app.result.expansion import Expansion, into
from mobile_app.result.findings import Facts
from mobile_app.store import Correction
from mobile_app.widgets.buttons import ActionButton, Card, Heading, Wrapped, level

INKS = {"alarm": theme.ALARM, "caution": theme.CAUTION, "calm": theme.MUTED}


NOTE_INKS = {
    Severity.WARNING: theme.ALARM,
    Severity.CAUTION: theme.CAUTION,
    Severity.INFO: theme.TEXT,
}


class StatusIcon(Label):
    """A shape for each tone."""

    tone = OptionProperty("calm", options=tuple(INKS))

    def __init__(self, **kwargs: object) -> None:
        kwargs.setdefault("size_hint", (None, None))
        kwargs.setdefault("size", (theme.TARGET * 1.1, theme.TARGET * 1.1))
        super().__init__(bold=True, **kwargs)
        for name in ("pos", "size", "tone"):
            self.fbind(name, self._draw)
        self._draw()

    def _draw(self, *_ignored: object) -> None:
        self.text = "" if self.tone == "calm" else "!"
        self.color = theme.BACKGROUND
        self.font_size = self.height * 0.5
        self.text_size = self.width, self.height * (0.82 if self.tone == "alarm" else 1.0)
        self.halign, self.valign = "center", "middle"
        self.canvas.before.clear()
        with self.canvas.before:
            Color(*INKS[self.tone])
            if self.tone == "alarm":
                points = [self.x, self.y, self.right, self.y, self.center_x, self.top]
                Triangle(points=points)
            elif self.tone == "caution":
                RoundedRectangle(pos=self.pos, size=self.size, radius=[dp(8)])
            else:
                Line(circle=(*self.center, self.width / 2 - dp(3)), width=dp(2.5))


TONES = {
    Recommendation.CALL_NOW: "alarm",
    Recommendation.DISCUSS: "caution",
    Recommendation.CANNOT_TELL: "alarm",
    Recommendation.NO_HAEMATOMA_FOUND: "calm",
}
FILLS = {"alarm": (0.27, 0.09, 0.09, 1), "caution": (0.24, 0.18, 0.07, 1), "calm": theme.SURFACE}
HUGE = theme.LARGE * 1.35


def small(told: str, ink: tuple[float, ...] = theme.MUTED) -> Wrapped:
    """A small line."""
    return Wrapped(text=told, font_size=theme.SMALL, color=ink)


def heading(told: str) -> Heading:
    """A card's heading."""
    return Heading(text=told, font_size=theme.BODY * 1.15, bold=True)


def pair(name: str, value: str, *, bold: bool = False) -> BoxLayout:
    """A name on the left, its value on the right."""
    right = Wrapped(text=value, bold=bold, size_hint_x=0.7, halign="right")
    return level(Wrapped(text=name), right)


def banner(language: str, facts: Facts, study_id: int, whose: str) -> Card:
    """The recommendation in one sentence, and why.

    Args:
        language: of the words.
        facts: of the study.
        study_id: in the store.
        whose: patient and time of the study: no advice stands without the patient that it is for.
    """
    result, tone = facts.shown, TONES[facts.shown.recommendation]
    card = Card(fill=FILLS[tone], orientation="horizontal", spacing=theme.GAP * 3)
    card.add_widget(StatusIcon(tone=tone, pos_hint={"top": 1}))
    words = BoxLayout(orientation="vertical", size_hint_y=None, spacing=theme.GAP)
    words.bind(minimum_height=words.setter("height"))
    tag = text(language, f"result.tag.{result.recommendation}")
    of_whom = small(whose)
    of_whom.halign = "right"
    urgency = Wrapped(text=tag, bold=True, color=INKS[tone], size_hint_x=0.4)
    words.add_widget(level(urgency, of_whom))
    sentence = Texts(language)(result.recommendation.value)
    words.add_widget(Heading(text=sentence, font_size=HUGE, bold=True))
    for told in warnings_first(language, result):
        words.add_widget(Wrapped(text=told, color=theme.ALARM, bold=True))
    for told in because(language, result):
        words.add_widget(Wrapped(text=told))
    # Not where no blood is left, as `expansion.urged`: a correction since then erased what had grown.
    grew = into(study_id, facts.expansions) if result.haematoma.volume_ml > 0 else ()
    for told in expanded(language, grew):
        words.add_widget(Wrapped(text=told, color=theme.ALARM, bold=True))
    card.add_widget(words)
    return card


def warnings_first(language: str, result: TriageResult) -> list[str]:
    """The result's warnings: no advice is read without them."""
    texts = Texts(language)
    # A correction is told by the volume's card, and growth by the lines below.
    own = ("corrected_mask", "expanded")
    return [
        texts.note(note)
        for note in result.notes
        if note.severity is Severity.WARNING and note.code not in own
    ]


def because(language: str, result: TriageResult) -> list[str]:
    """Why, in the referral's words."""
    texts = Texts(language)
    if result.recommendation is Recommendation.NO_HAEMATOMA_FOUND:
        return [texts("why_none")]
    if result.recommendation is Recommendation.CANNOT_TELL:
        return [texts("why_cannot_tell")]
    blood = result.haematoma
    clauses = [texts("why_haematoma", volume=volume_words(language, blood))]
    clauses += [texts("why_large")] * ((blood.at_most_ml or blood.volume_ml) >= LARGE_HAEMATOMA_ML)
    if result.markers:
        clauses += marker_clauses(result.markers.values(), texts)
    else:
        clauses.append(text(language, "result.not_judged"))
    return [texts("clause").join(clauses) + texts("stop")]


def volume_words(language: str, blood: Haematoma) -> str:
    """The volume without its unit: one figure, two, or a lower bound."""
    texts, told = Texts(language), number(language, blood.volume_ml, 1)
    if blood.at_most_ml is not None:
        told = texts("span", low=told, high=number(language, blood.at_most_ml, 1))
    return texts("at_least", volume=told) if blood.lower_bound else told


def expanded(language: str, expansions: tuple[Expansion, ...]) -> list[str]:
    """That the haematoma has expanded, by which definitions; nothing where that is not certain."""
    texts = Texts(language)
    for expansion in expansions:
        met = [
            each.code for each in DEFINITIONS if expansion.growth.answers[each.code] is Answer.YES
        ]
        if met:
            told = texts.joined([texts(code) for code in met])
            return [texts("why_expanded", definitions=told)]
    return []


def volume_card(language: str, facts: Facts, correction: Correction | None) -> Card:
    """Voxel volume with its interval, ABC/2, and what else was measured; the correction first."""
    texts, blood = Texts(language), facts.shown.haematoma
    corrected = is_corrected(facts.shown)
    card = Card()
    card.add_widget(heading(text(language, f"result.volume{'_corrected' * corrected}")))
    if blood.volume_ml <= 0:
        doubtful = facts.shown.recommendation is Recommendation.CANNOT_TELL
        card.add_widget(Wrapped(text=texts("cannot_judge" if doubtful else "none_found")))
    else:
        shown = f"{volume_words(language, blood)} mL"
        card.add_widget(Heading(text=shown, font_size=HUGE, bold=True))
        if facts.interval_ml is None:
            card.add_widget(small(text(language, "result.no_interval")))
        else:
            low, high = (number(language, bound, 1) for bound in facts.interval_ml)
            card.add_widget(small(text(language, "result.interval", low=low, high=high)))
    if correction is not None and corrected:
        at = date_time(language, correction.made_at)
        version = correction.version
        card.add_widget(
            small(text(language, "result.correction", version=version, at=at), theme.CAUTION)
        )
        automatic = f"{number(language, facts.automatic.haematoma.volume_ml, 1)} mL"
        card.add_widget(pair(text(language, "result.automatic"), automatic))
    if blood.volume_ml > 0:
        for name, value in measured(language, facts.shown):
            card.add_widget(pair(name, value))
    return card


def measured(language: str, result: TriageResult) -> list[tuple[str, str]]:
    """Names and values of the other measurements."""
    texts, blood = Texts(language), result.haematoma
    bloody = sum(area > 0 for area in blood.areas_mm2)
    filled = (texts("filled"), f"{number(language, blood.filled_ml, 1)} mL")
    return [
        # A part of the voxel volume that stands above, and not of ABC/2.
        *([filled] if blood.filled_ml > 0 else []),
        (texts("abc2"), f"{number(language, blood.abc2_volume_ml, 1)} mL"),
        (texts("components"), str(len(blood.component_volumes_ml))),
        (texts("diameter"), f"{number(language, blood.max_diameter_mm)} mm"),
        (texts("density"), f"{number(language, blood.mean_hu)} HU"),
        (texts("bloody"), texts("of", part=bloody, whole=len(blood.areas_mm2))),
    ]


def history_card(language: str, facts: Facts, to_compare: Callable[[], None]) -> Card:
    """All stored comparisons of the patient, newest first."""
    card = Card()
    card.add_widget(heading(text(language, "result.history")))
    if not facts.expansions:
        card.add_widget(small(text(language, "result.no_history")))
    for expansion in facts.expansions:
        card.add_widget(_history_row(language, expansion))
    button = ActionButton(text=text(language, "result.to_compare"))
    button.bind(on_release=lambda *_: to_compare())
    card.add_widget(button)
    card.compare_button = button
    return card


def _history_row(language: str, expansion: Expansion) -> BoxLayout:
    row = BoxLayout(orientation="vertical", size_hint_y=None, spacing=theme.GAP / 2)
    row.bind(minimum_height=row.setter("height"))
    row.padding = (0, theme.GAP / 2, 0, theme.GAP)
    answers = set(expansion.growth.answers.values())
    key, ink = (
        ("result.certain", theme.ALARM)
        if expansion.certain
        else ("result.no_growth", theme.TEXT)
        if answers == {Answer.NO}
        else ("result.not_certain", theme.CAUTION)
    )
    row.add_widget(
        Wrapped(text=f"{text(language, key)}: {grown(language, expansion)}", color=ink, bold=True)
    )
    moments = {
        "earlier": date_time(language, expansion.earlier_at),
        "later": date_time(language, expansion.later_at),
    }
    row.add_widget(small(text(language, "result.between", **moments)))
    if expansion.corrected:
        row.add_widget(small(Texts(language)("corrected"), theme.CAUTION))
    if expansion.outdated:
        row.add_widget(small(text(language, "result.outdated"), theme.CAUTION))
    return row


def grown(language: str, expansion: Expansion) -> str:
    """Growth in mL and per cent, and the hours between."""
    hours = (
        UNKNOWN
        if expansion.interval_hours is None
        else number(language, expansion.interval_hours, 1)
    )
    named = {"ml": signed(language, expansion.growth.ml, 1), "hours": hours}
    if expansion.growth.percent is None:
        return text(language, "result.grew_ml", **named)
    percent = signed(language, expansion.growth.percent)
    return text(language, "result.grew", percent=percent, **named)


def signed(language: str, value: float, digits: int = 0) -> str:
    """A number with its sign."""
    told = number(language, value, digits)
    return told if told.startswith("-") else f"+{told}"


def notes_card(language: str, result: TriageResult) -> Card:
    """Warnings first, each in a sentence."""
    card, texts = Card(), Texts(language)
    card.add_widget(heading(text(language, "result.notes")))
    for note in gravest_first(result.notes):
        card.add_widget(Wrapped(text=texts.note(note), color=NOTE_INKS[note.severity]))
    if not result.notes:
        card.add_widget(Wrapped(text=text(language, "result.no_notes")))
    return card


def model_card(language: str, facts: Facts) -> Card:
    """Which model, under which licence, and what each stage cost."""
    versions = facts.automatic.versions
    card = Card()
    card.add_widget(heading(text(language, "result.model")))
    hemx, recipe = versions.get("hemx", UNKNOWN), versions.get("recipe", UNKNOWN)
    card.add_widget(Wrapped(text=text(language, "result.version", hemx=hemx, recipe=recipe)))
    programs = {
        name: versions.get(f"{name}_sha256", UNKNOWN)[:12] for name in ("segmenter", "classifier")
    }
    card.add_widget(small(text(language, "result.programs", **programs)))
    card.add_widget(small(_licence(language, facts)))
    card.add_widget(_costs(language, facts.automatic))
    card.add_widget(small(Texts(language)("disclaimer"), theme.CAUTION))
    return card


def _licence(language: str, facts: Facts) -> str:
    if facts.model is None:
        return text(language, "result.no_licence")
    key = f"result.licence.{facts.model.licence}"
    known = text(language, key) if key in STRINGS else facts.model.licence or UNKNOWN
    return text(language, "result.licence", licence=known)


def _costs(language: str, result: TriageResult) -> GridLayout:
    table = GridLayout(cols=3, size_hint_y=None, spacing=(theme.GAP, 0))
    table.bind(minimum_height=table.setter("height"))
    rows = [tuple(text(language, f"result.{column}") for column in ("stage", "seconds", "mib"))]
    for cost in result.costs:
        key = f"result.stage.{cost.name}"
        name = text(language, key) if key in STRINGS else cost.name
        memory = number(language, cost.peak_rss_mib) if cost.peak_rss_mib else UNKNOWN
        rows.append((name, number(language, cost.seconds, 2), memory))
    total = sum(cost.seconds for cost in result.costs if cost.name != START_UP)
    peak = max((cost.peak_rss_mib for cost in result.costs), default=0.0)
    rows.append(
        (text(language, "result.total"), number(language, total, 2), number(language, peak))
    )
    for row in rows:
        for place, told in enumerate(row):
            cell = Label(
                text=told,
                font_size=theme.SMALL,
                color=theme.TEXT if row is rows[-1] else theme.MUTED,
                size_hint=(1 if place == 0 else 0.4, None),
                height=theme.SMALL * 1.7,
                halign="right" if place else "left",
                valign="middle",
                shorten=True,
            )
            cell.bind(size=lambda label, size: setattr(label, "text_size", size))
            table.add_widget(cell)
    return table
