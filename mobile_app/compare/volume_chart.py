"""Volumes of a patient over time, with their error bars."""

from __future__ import annotations

from dataclasses import dataclass

from kivy.clock import Clock
from kivy.core.text import Label as Text
from kivy.graphics import Color, Line, Rectangle
from kivy.metrics import dp
from kivy.properties import ListProperty, StringProperty
from kivy.uix.widget import Widget

from mobile_app import theme

TICK_STEPS = (1, 2, 5)
LEFT, RIGHT, BELOW, ABOVE = dp(44), dp(16), dp(44), dp(26)
INSET = dp(14)
"""From the left axis to 0: the first study lies there, and must not cover the axis' numbers."""


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """A point with its interval.

    Args:
        x: in the units of the axis below.
        value, low, high: in the units of the axis on the left; all the same where there is no interval.
        marked: drawn filled.
    """

    x: float
    value: float
    low: float
    high: float
    marked: bool


class VolumeChart(Widget):
    """Axes from 0, a line through the points in order, an error bar on each."""

    points = ListProperty()
    x_title = StringProperty()
    y_title = StringProperty()

    def __init__(self, **kwargs: object) -> None:
        kwargs.setdefault("size_hint_y", None)
        kwargs.setdefault("height", dp(230))
        super().__init__(**kwargs)
        self._redraw = Clock.create_trigger(self._draw, -1)
        for name in ("pos", "size", "points", "x_title", "y_title"):
            self.fbind(name, lambda *_: self._redraw())
        self._redraw()

    @property
    def span(self) -> tuple[float, float]:
        """Ends of both axes: the last tick at or above the largest value."""
        return (
            ticks(max((point.x for point in self.points), default=1.0))[-1],
            ticks(max((point.high for point in self.points), default=1.0))[-1],
        )

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a value lies in the window."""
        most_x, most_y = self.span
        width, height = self.width - LEFT - INSET - RIGHT, self.height - BELOW - ABOVE
        return self.x + LEFT + INSET + x / most_x * width, self.y + BELOW + y / most_y * height

    def _draw(self, *_ignored: object) -> None:
        self.canvas.clear()
        if not self.points:
            return
        most_x, most_y = self.span
        with self.canvas:
            for value in ticks(most_y):
                Color(*theme.LINE)
                start, y = self.x + LEFT, self.at(0, value)[1]
                Line(points=[start, y, *self.at(most_x, value)], width=1)
                self._write(f"{value:g}", (start, y), dx=-dp(6), right=True)
            for value in ticks(most_x):
                x, y = self.at(value, 0)
                Color(*theme.LINE)
                Line(points=[x, y, x, y - dp(4)], width=1)
                self._write(f"{value:g}", (x, y - dp(13)), middle=True)
            self._write(self.y_title, (self.x + dp(4), self.top - dp(10)))
            self._write(self.x_title, (self.center_x, self.y + dp(9)), middle=True)
            self._draw_points()

    def _draw_points(self) -> None:
        Color(*theme.ACCENT)
        line = [each for point in self.points for each in self.at(point.x, point.value)]
        if len(self.points) > 1:
            Line(points=line, width=dp(1.2))
        for point in self.points:
            (x, low), (_x, high) = self.at(point.x, point.low), self.at(point.x, point.high)
            if point.low < point.high:
                Color(*theme.MUTED)
                Line(points=[x, low, x, high], width=dp(1.2))
                for y in (low, high):
                    Line(points=[x - dp(5), y, x + dp(5), y], width=dp(1.2))
            x, y = self.at(point.x, point.value)
            side = dp(10)
            Color(*(theme.ACCENT if point.marked else theme.BACKGROUND))
            Rectangle(pos=(x - side / 2, y - side / 2), size=(side, side))
            Color(*theme.ACCENT)
            Line(rectangle=(x - side / 2, y - side / 2, side, side), width=dp(1.2))

    def _write(
        self,
        told: str,
        at: tuple[float, float],
        *,
        dx: float = 0.0,
        right: bool = False,
        middle: bool = False,
    ) -> None:
        """Text with its middle at a height, beginning, ending (`right`) or centred at an x."""
        label = Text(text=told, font_size=theme.SMALL)
        label.refresh()
        width, height = label.texture.size
        x = at[0] + dx - (width if right else width / 2 if middle else 0)
        Color(*theme.MUTED)
        Rectangle(texture=label.texture, pos=(x, at[1] - height / 2), size=(width, height))


def ticks(most: float, count: int = 4) -> list[float]:
    """From 0 in steps of 1, 2 or 5 times a power of ten, to the first one at or above `most`."""
    most = max(most, 1e-6)
    power = 1.0
    while power * 10 <= most / count:
        power *= 10
    while power > most / count:
        power /= 10
    step = next((power * step for step in TICK_STEPS if power * step >= most / count), power * 10)
    steps = 1
    while step * steps < most * (1 - 1e-9):
        steps += 1
    return [round(step * place, 9) for place in range(steps + 1)]
