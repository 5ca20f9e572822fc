"""What a recommendation looks like without its colour: a triangle with "!", a square with "!", a ring."""

from __future__ import annotations

from kivy.graphics import Color, Line, RoundedRectangle, Triangle
from kivy.metrics import dp
from kivy.properties import OptionProperty
from kivy.uix.label import Label

from mobile_app import theme

INKS = {"alarm": theme.ALARM, "caution": theme.CAUTION, "calm": theme.MUTED}


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
