"""A strip that shows blood area and a marker's probability per slice, and jumps by touch."""

from __future__ import annotations

from kivy.clock import Clock
from kivy.graphics import Color, Line, Rectangle
from kivy.metrics import dp
from kivy.properties import ListProperty, NumericProperty
from kivy.uix.widget import Widget

from mobile_app import theme


class SliceStrip(Widget):
    """Feet on the left. Bars: area against the largest; line: probability from 0 to 1."""

    areas = ListProperty()
    """Blood area of every slice, mm²."""
    probabilities = ListProperty()
    """Of every slice; None where it was not judged."""
    threshold = NumericProperty(None, allownone=True)
    index = NumericProperty(0)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._redraw = Clock.create_trigger(self._draw, -1)
        for name in ("pos", "size", "areas", "probabilities", "threshold", "index"):
            self.fbind(name, lambda *_: self._redraw())

    def on_touch_down(self, touch: object) -> bool:
        """Jump to the touched slice."""
        if not self.areas or not self.collide_point(*touch.pos):
            return False
        touch.grab(self)
        self._jump(touch.x)
        return True

    def on_touch_move(self, touch: object) -> bool:
        """Follow the finger."""
        if touch.grab_current is not self:
            return False
        self._jump(touch.x)
        return True

    def on_touch_up(self, touch: object) -> bool:
        """Let the finger go."""
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        return True

    def _jump(self, x: float) -> None:
        place = int((x - self.x) / self.width * len(self.areas))
        self.index = min(len(self.areas) - 1, max(0, place))

    def _draw(self, *_ignored: object) -> None:
        self.canvas.clear()
        if not self.areas:
            return
        step, largest = self.width / len(self.areas), max(*self.areas, 1.0)
        with self.canvas:
            Color(*theme.SURFACE)
            Rectangle(pos=self.pos, size=self.size)
            Color(*theme.PRESSED)
            Rectangle(pos=(self.x + self.index * step, self.y), size=(step, self.height))
            Color(*theme.BLOOD)
            for place, area in enumerate(self.areas):
                bar = (max(1.0, step - dp(1)), area / largest * self.height)
                Rectangle(pos=(self.x + place * step, self.y), size=bar)
            if self.threshold is not None:
                Color(*theme.MUTED)
                y = self.y + self.threshold * self.height
                Line(points=[self.x, y, self.right, y], width=1, dash_length=4, dash_offset=4)
            Color(*theme.MARKER)
            for place, one in enumerate(self.probabilities):
                if one is not None:
                    centre = (self.x + (place + 0.5) * step, self.y + one * self.height)
                    Line(circle=(*centre, dp(2)), width=dp(1.2))
