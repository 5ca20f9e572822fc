"""The cards of the Result screen that show markers and rule-based signs, each with a way to its slice."""

from __future__ import annotations

from collections.abc import Callable

from kivy.clock import Clock
from kivy.graphics import Color, Line, Rectangle
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from hemx_core.labels.answers import Answer
from hemx_core.markers import MARKER_CODES
from hemx_core.report.json_report import sign_answer
from hemx_core.result import SignResult
from hemx_core.words.report import Texts
from mobile_app import theme
from mobile_app.i18n import date_time, number, text
from mobile_app.result.cards import heading, small
from mobile_app.result.findings import Facts, MarkerFinding, Opinion
from mobile_app.widgets.buttons import ActionButton, Card, Wrapped
from mobile_app.work.answer_words import answer_line, answer_told

HATCH = dp(7)
"""Distance of the zone's strokes, which set it apart from the bar without colour."""


class MarkerBar(Widget):
    """`present` colours the bar; words beside it say the same."""

    probability = NumericProperty(0.0)
    threshold = NumericProperty(0.5)
    band = ObjectProperty(None, allownone=True)
    """(low, high) of the uncertain zone; None draws none."""
    present = BooleanProperty(False)

    def __init__(self, **kwargs: object) -> None:
        kwargs.setdefault("size_hint_y", None)
        kwargs.setdefault("height", dp(30))
        super().__init__(**kwargs)
        self._redraw = Clock.create_trigger(self._draw, -1)
        for name in ("pos", "size", "probability", "threshold", "band", "present"):
            self.fbind(name, lambda *_: self._redraw())
        self._redraw()

    def at(self, share: float) -> float:
        """Where a probability lies, window x."""
        return float(self.x + share * self.width)

    def _draw(self, *_ignored: object) -> None:
        self.canvas.clear()
        low, high = self.y + dp(6), self.top - dp(6)
        with self.canvas:
            Color(*theme.RAISED)
            Rectangle(pos=(self.x, low), size=(self.width, high - low))
            Color(*(theme.ALARM if self.present else theme.MUTED))
            Rectangle(pos=(self.x, low), size=(self.probability * self.width, high - low))
            if self.band is not None:
                self._draw_band(low, high)
            Color(*theme.TEXT)
            x = self.at(self.threshold)
            Line(points=[x, self.y, x, self.top], width=dp(1.6))

    def _draw_band(self, low: float, high: float) -> None:
        left, right = (self.at(edge) for edge in self.band)
        Color(*theme.CAUTION[:3], 0.22)
        Rectangle(pos=(left, low), size=(right - left, high - low))
        Color(*theme.CAUTION)
        x = left
        while x < right:
            end = min(x + (high - low), right)
            Line(points=[x, low, end, low + (end - x)], width=1)
            x += HATCH
        for edge in (left, right):
            Line(points=[edge, low - dp(2), edge, high + dp(2)], width=dp(1))


Jump = Callable[[int], None]


def markers_card(language: str, facts: Facts, jump: Jump) -> Card:
    """Each marker's calibrated probability against its threshold, and what the rule of its name says."""
    card = Card(spacing=theme.GAP * 2)
    card.jumps, card.bars = {}, {}
    card.add_widget(heading(text(language, "result.markers")))
    if not facts.markers:
        card.add_widget(Wrapped(text=Texts(language)("not_judged")))
        for code in MARKER_CODES:
            _readers(language, code, None, facts, card)
        _own_word(language, facts, card)
        return card
    if not all(finding.marker.validated for finding in facts.markers):
        card.add_widget(small(text(language, "result.not_validated"), theme.CAUTION))
    known = facts.markers[0].half_width is not None
    card.add_widget(small(text(language, f"result.markers_hint{'' if known else '_plain'}")))
    for marker in facts.markers:
        card.add_widget(_marker(language, marker, jump, card))
        _readers(language, marker.marker.code, marker.marker.present, facts, card)
    if not known:
        card.add_widget(small(text(language, "result.no_band")))
    _own_word(language, facts, card)
    return card


def _readers(language: str, code: str, present: bool | None, facts: Facts, card: Card) -> None:
    """What readers answered to a marker, below what the network says of it."""
    for stored in facts.readings:
        answer = stored.reading.answers.get(code)
        if answer is None:
            continue
        told = text(
            language,
            "result.reader",
            who=stored.made_by or text(language, "result.reader_unnamed"),
            at=date_time(language, stored.made_at),
            # Below a marker of the network its name stands there already.
            answer=(answer_line if present is None else answer_told)(
                language, stored.reading, code
            ),
        )
        differs = answer in (Answer.YES, Answer.NO) and present is not (answer is Answer.YES)
        card.add_widget(
            small(told, theme.CAUTION if differs and present is not None else theme.TEXT)
        )


def _own_word(language: str, facts: Facts, card: Card) -> None:
    """Whose answers these are, and what they do not do."""
    if any(set(MARKER_CODES) & set(stored.reading.answers) for stored in facts.readings):
        card.add_widget(small(text(language, "result.readers")))


def _marker(language: str, finding: MarkerFinding, jump: Jump, card: Card) -> BoxLayout:
    marker = finding.marker
    row = BoxLayout(size_hint_y=None, spacing=theme.GAP * 2)
    words = BoxLayout(orientation="vertical", size_hint_y=None, spacing=theme.GAP / 2)
    words.bind(minimum_height=words.setter("height"))
    words.bind(height=lambda _words, height: setattr(row, "height", max(height, theme.TARGET)))
    words.add_widget(_verdict(language, finding))
    bar = MarkerBar(
        probability=marker.probability,
        threshold=marker.threshold,
        band=finding.band,
        present=marker.present and marker.validated,
    )
    words.add_widget(bar)
    value, limit = (number(language, each, 2) for each in (marker.probability, marker.threshold))
    told = text(language, "result.probability", value=value, limit=limit)
    words.add_widget(small(told))
    words.add_widget(_opinion(language, finding))
    row.add_widget(words)
    button = slice_button(language, marker.slice_index, jump)
    row.add_widget(button)
    card.jumps[marker.code], card.bars[marker.code] = button, bar
    return row


def _verdict(language: str, finding: MarkerFinding) -> BoxLayout:
    """The marker's name, and the answer in words."""
    row = BoxLayout(size_hint_y=None, spacing=theme.GAP)
    name = Wrapped(text=Texts(language).sign(finding.marker.code), bold=True)
    key = "present" if finding.marker.present else "absent"
    ink = theme.ALARM if finding.marker.present else theme.TEXT
    if not finding.marker.validated:
        key, ink = f"{key}_not_validated", theme.MUTED
    elif finding.uncertain:
        key, ink = f"{key}_uncertain", theme.CAUTION
    answer = Wrapped(text=text(language, f"result.{key}"), bold=True, color=ink, halign="right")
    for each in (name, answer):
        each.fbind("height", lambda *_: setattr(row, "height", max(name.height, answer.height)))
        row.add_widget(each)
    return row


def _opinion(language: str, finding: MarkerFinding) -> Wrapped:
    if finding.sign is None:
        return small(text(language, "result.no_opinion"))
    if finding.opinion is Opinion.UNDECIDED:
        return small(text(language, "result.undecided"))
    answer = _answer(language, finding.sign)
    told = text(language, f"result.{finding.opinion}", answer=answer)
    return small(told, theme.CAUTION if finding.opinion is Opinion.DISAGREES else theme.MUTED)


def _answer(language: str, sign: SignResult) -> str:
    """Yes or no, and the measured quantity against its limit."""
    texts = Texts(language)
    answer = texts(sign_answer(sign))
    if sign.value is None:
        return answer
    form = "from_up" if sign.at_least else "from_down"
    value, limit = (_quantity(language, sign, each) for each in (sign.value, sign.threshold))
    return f"{answer}{texts('list')}{texts(form, value=value, limit=limit)}"


def _quantity(language: str, sign: SignResult, value: float) -> str:
    if not sign.unit:
        return number(language, value, 3)
    if sign.unit == "pieces":
        return f"{number(language, value)} {Texts(language)('pieces')}".rstrip()
    return f"{number(language, value, 1)} {sign.unit}"


def signs_card(language: str, facts: Facts, jump: Jump) -> Card:
    """The rule-based signs that are no marker."""
    card, texts = Card(), Texts(language)
    card.jumps = {}
    card.add_widget(heading(text(language, "result.signs")))
    card.add_widget(small(text(language, "result.signs_hint")))
    signs = [sign for sign in facts.shown.signs if sign.code not in MARKER_CODES]
    if not signs:
        card.add_widget(Wrapped(text=texts("not_judged")))
    for sign in signs:
        row = BoxLayout(size_hint_y=None, height=theme.TARGET, spacing=theme.GAP * 2)
        ink = theme.ALARM if sign.present else theme.CAUTION if sign.present is None else theme.TEXT
        told = f"{texts.sign(sign.code)}: {_answer(language, sign)}"
        words = Wrapped(text=told, color=ink, pos_hint={"center_y": 0.5})
        row.add_widget(words)
        words.bind(
            height=lambda _one, height, row=row: setattr(row, "height", max(height, theme.TARGET))
        )
        if sign.slice_index is not None and sign.present is not False:
            button = slice_button(language, sign.slice_index, jump)
            row.add_widget(button)
            card.jumps[sign.code] = button
        card.add_widget(row)
    return card


def slice_button(language: str, index: int, jump: Jump) -> ActionButton:
    """Goes to Reading, at a slice."""
    button = ActionButton(
        text=text(language, "result.best_seen", number=index + 1),
        size_hint_x=None,
        width=theme.TARGET * 2.3,
        pos_hint={"center_y": 0.5},
        font_size=theme.SMALL,
    )
    button.bind(on_release=lambda *_: jump(index))
    return button
