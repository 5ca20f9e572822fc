"""The slice with its touches: window, zoom and scrolling.

One finger: scroll, window, measure or draw, as `mode` says; a tap reads the pixel (not while drawing). Two
fingers: zoom and pan, in every mode. A wheel scrolls, away towards the head; with Ctrl it zooms.
"""

from __future__ import annotations

import math
from typing import Any

from kivy.core.window import Window
from kivy.metrics import dp
from kivy.properties import OptionProperty

from hemx_core.imaging.spec import HUWindow
from mobile_app.widgets.picture import PRESETS
from mobile_app.widgets.slice_view import SliceView

MIN_WINDOW_HU = 4.0
MAX_ZOOM = 12.0
WHEEL_ZOOM = 1.2
TAP = dp(8)
SHORT_STROKE = dp(24)
"""A second finger this early means a pinch, and takes back what the first one drew."""

DRAWS = ("brush", "erase")


class SliceViewer(SliceView):
    """A `SliceView` with gestures.

    Events:
        on_stroke: (phase, row, column), phase "begin", "move", "end" or "cancel"; native pixels.
    """

    mode = OptionProperty("scroll", options=["scroll", "free", "measure", *DRAWS])

    __events__ = ("on_stroke",)

    def __init__(self, **kwargs: object) -> None:
        self._touches: list[Any] = []
        self._start: tuple[float, float, int, HUWindow] = (0.0, 0.0, 0, PRESETS["brain"])
        self._pinch: tuple[float, float, float, float, tuple[float, float]] | None = None
        self._moved = False
        self._draws = False
        super().__init__(**kwargs)

    def on_stroke(self, _phase: str, _row: float, _column: float) -> None:
        """Nothing by default."""

    def on_touch_down(self, touch: Any) -> bool:
        """Begin a gesture; a wheel scrolls or zooms."""
        if self.volume is None or not self.collide_point(*touch.pos):
            return False
        if getattr(touch, "is_mouse_scrolling", False):
            self._wheel(touch)
            return True
        touch.grab(self)
        self._touches.append(touch)
        self._moved = len(self._touches) > 1
        if self._moved:
            self._leave_stroke()
        elif self.mode in DRAWS:
            self._draws = True
            self.brush_at = touch.pos
            self.dispatch("on_stroke", "begin", *self.to_slice(*touch.pos))
        self._start = (*touch.pos, int(self.index), self.window)
        self._begin_pinch()
        return True

    def on_touch_move(self, touch: Any) -> bool:
        """Go on with a gesture."""
        if touch.grab_current is not self:
            return False
        if len(self._touches) >= 2:
            self._pinch_to()
        elif self._draws:
            self.brush_at = touch.pos
            self.dispatch("on_stroke", "move", *self.to_slice(*touch.pos))
        elif self.mode not in DRAWS:
            self._drag_to(*touch.pos)
        return True

    def on_touch_up(self, touch: Any) -> bool:
        """End a gesture; one that never moved was a tap."""
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        self._touches.remove(touch)
        if self._draws:
            self._end_stroke("end")
        elif not self._moved and self.mode not in DRAWS and self.volume is not None:
            self._read_pixel(*touch.pos)
        # The finger that stays must not make the slice jump.
        if self._touches:
            self._start = (*self._touches[0].pos, int(self.index), self.window)
            self._begin_pinch()
        return True

    def _leave_stroke(self) -> None:
        """A second finger came: the first one meant to pinch, or is done."""
        if self._draws:
            first = self._touches[0]
            short = math.hypot(first.x - self._start[0], first.y - self._start[1]) < SHORT_STROKE
            self._end_stroke("cancel" if short else "end")

    def _end_stroke(self, phase: str) -> None:
        self._draws, self.brush_at = False, None
        self.dispatch("on_stroke", phase, 0.0, 0.0)

    def _drag_to(self, x: float, y: float) -> None:
        x0, y0, index, window = self._start
        if not self._moved and math.hypot(x - x0, y - y0) < TAP:
            return
        self._moved = True
        if self.mode == "scroll":
            step = min(dp(24), max(dp(6), self.height / len(self.volume.hu)))
            self._go(index + round((y - y0) / step))
        elif self.mode == "measure":
            self.ruler = (self.to_slice(x0, y0), self.to_slice(x, y))
        else:
            self.window = _dragged(window, (x - x0) / dp(2), (y - y0) / dp(2))

    def _wheel(self, touch: Any) -> None:
        # Kivy calls it "scrolldown" when the wheel turns away from the user.
        away = touch.button == "scrolldown"
        if "ctrl" in Window.modifiers:
            factor = WHEEL_ZOOM if away else 1 / WHEEL_ZOOM
            self._zoom_to(self.zoom * factor, self.zoom, self.centre, touch.pos, touch.pos)
        elif not self._draws:
            self._go(self.index + (1 if away else -1))

    def _begin_pinch(self) -> None:
        if len(self._touches) >= 2:
            (x0, y0), (x1, y1) = (touch.pos for touch in self._touches[:2])
            self._pinch = ((x0 + x1) / 2, (y0 + y1) / 2, math.dist((x0, y0), (x1, y1)), self.zoom,
                           self.centre)  # fmt: skip

    def _pinch_to(self) -> None:
        if self._pinch is None:
            return
        x, y, apart, zoom, centre = self._pinch
        (x0, y0), (x1, y1) = (touch.pos for touch in self._touches[:2])
        factor = math.dist((x0, y0), (x1, y1)) / max(apart, 1.0)
        self._zoom_to(zoom * factor, zoom, centre, (x, y), ((x0 + x1) / 2, (y0 + y1) / 2))

    def _zoom_to(
        self,
        wanted: float,
        zoom: float,
        centre: tuple[float, float],
        begin: tuple[float, float],
        end: tuple[float, float],
    ) -> None:
        """Zoom and pan so that what lay at `begin`, at a zoom and centre, comes to lie at `end`."""
        new = min(MAX_ZOOM, max(1.0, wanted))
        x = end[0] + (self.x + centre[0] * self.width - begin[0]) * new / zoom
        y = end[1] + (self.y + centre[1] * self.height - begin[1]) * new / zoom
        self.zoom = new
        _, _, width, height = self.frame()
        self.centre = (
            _within((x - self.x) / self.width, width / self.width),
            _within((y - self.y) / self.height, height / self.height),
        )

    def _go(self, index: float) -> None:
        self.index = int(min(len(self.volume.hu) - 1, max(0, index)))

    def _read_pixel(self, x: float, y: float) -> None:
        row, column = (round(place) for place in self.to_slice(x, y))
        rows, columns = self.volume.hu.shape[1:]
        self.pixel = (row, column) if 0 <= row < rows and 0 <= column < columns else None


def _dragged(window: HUWindow, wider: float, higher: float) -> HUWindow:
    """Drag right: wider; drag up: darker, the level rises. HU."""
    width = max(MIN_WINDOW_HU, window.upper - window.lower + wider)
    level = (window.upper + window.lower) / 2 + higher
    return HUWindow(level - width / 2, level + width / 2)


def _within(centre: float, size: float) -> float:
    """Keep the widget's middle on the picture; both as shares of the widget."""
    return min(0.5 + size / 2, max(0.5 - size / 2, centre))
