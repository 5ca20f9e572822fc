"""A probability from 0 to 1 as a bar, with its threshold as a line and the uncertain zone round it."""

from __future__ import annotations

from kivy.clock import Clock
from kivy.graphics import Color, Line, Rectangle
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty
from kivy.uix.widget import Widget

from mobile_app import theme

HATCH = dp(7)
"""Distance of the zone's strokes: it is told from the bar without its colour."""


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
        return self.x + share * self.width

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
        left, right = (self.at(one) for one in self.band)
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
