"""A strip that shows blood area and a marker's probability per slice, and jumps by touch."""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.graphics import Color, InstructionGroup, Line, Rectangle, Triangle
from kivy.metrics import dp
from kivy.properties import ListProperty, NumericProperty
from kivy.uix.widget import Widget

from mobile_app import theme

MARK = dp(5)


class SliceStrip(Widget):
    """Feet on the left. Bars: area against the largest. Dots: probability from 0 to 1, filled from the
    threshold (the dashed line) up. Triangles on top: the slices most worth a look.
    """

    areas = ListProperty()
    """Blood area of every slice, mm²."""
    probabilities = ListProperty()
    """Of every slice; None where it was not judged."""
    threshold = NumericProperty(None, allownone=True)
    keys = ListProperty()
    """Indices of the slices most worth a look."""
    index = NumericProperty(0)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        with self.canvas:
            Color(*theme.SURFACE)
            self._ground = Rectangle()
        self._content = InstructionGroup()
        self.canvas.add(self._content)
        with self.canvas:
            self._cursor_color = Color(*theme.TEXT)
            self._cursor = Line(width=dp(1.2))
        self._redraw = Clock.create_trigger(self._draw, -1)
        for name in ("pos", "size", "areas", "probabilities", "threshold", "keys"):
            self.fbind(name, lambda *_: self._redraw())
        self.fbind("index", self._place_cursor)

    def on_touch_down(self, touch: Any) -> bool:
        """Jump to the touched slice."""
        if not self.areas or not self.collide_point(*touch.pos):
            return False
        touch.grab(self)
        self._jump(touch.x)
        return True

    def on_touch_move(self, touch: Any) -> bool:
        """Follow the finger."""
        if touch.grab_current is not self:
            return False
        self._jump(touch.x)
        return True

    def on_touch_up(self, touch: Any) -> bool:
        """Release the finger from the strip."""
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        return True

    def step(self, by: int) -> None:
        """Go some slices towards the head (or, negative, the feet); stops at the ends."""
        if self.areas:
            self.index = min(len(self.areas) - 1, max(0, int(self.index) + by))

    def _jump(self, x: float) -> None:
        place = int((x - self.x) / self.width * len(self.areas))
        self.index = min(len(self.areas) - 1, max(0, place))

    def _place_cursor(self, *_ignored: object) -> None:
        step = self.width / max(1, len(self.areas))
        width = max(step, dp(6))
        x = self.x + (self.index + 0.5) * step - width / 2
        left = min(self.right - width, max(self.x, x))
        self._cursor.rectangle = (left, self.y + dp(1), width, self.height - dp(2))
        self._cursor_color.a = 1 if self.areas else 0

    def _draw(self, *_ignored: object) -> None:
        self._ground.pos, self._ground.size = self.pos, self.size
        self._place_cursor()
        self._content.clear()
        if self.areas:
            step = self.width / len(self.areas)
            self._draw_areas(step)
            self._draw_probabilities(step)
            self._draw_keys(step)

    def _draw_areas(self, step: float) -> None:
        self._content.add(Color(*theme.BLOOD))
        largest = max(*self.areas, 1.0)
        for place, area in enumerate(self.areas):
            if area > 0:
                bar = (max(1.0, step - dp(1)), area / largest * (self.height - MARK))
                self._content.add(Rectangle(pos=(self.x + place * step, self.y), size=bar))

    def _draw_probabilities(self, step: float) -> None:
        add, limit = self._content.add, self.threshold
        if limit is not None:
            add(Color(*theme.TEXT))
            y = self._height_of(limit)
            add(Line(points=[self.x, y, self.right, y], width=1, dash_length=4, dash_offset=4))
        add(Color(*theme.MARKER))
        for place, probability in enumerate(self.probabilities):
            if probability is None:
                continue
            x, y, radius = self.x + (place + 0.5) * step, self._height_of(probability), dp(3)
            if limit is not None and probability >= limit:
                add(Line(circle=(x, y, radius / 2), width=radius / 2))
            else:
                add(Line(circle=(x, y, radius), width=dp(1)))

    def _draw_keys(self, step: float) -> None:
        self._content.add(Color(*theme.TEXT))
        for index in self.keys:
            x = self.x + (index + 0.5) * step
            points = [x - MARK, self.top, x + MARK, self.top, x, self.top - MARK]
            self._content.add(Triangle(points=points))

    def _height_of(self, probability: float) -> float:
        """Where a probability lies; its dot stays within the strip and below the marks of the key slices."""
        return float(self.y + dp(4) + probability * (self.height - dp(8) - MARK))
