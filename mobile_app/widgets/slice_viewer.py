"""One slice of a study: windowed on the CPU, with outline and heat map over it.

One finger: scroll, window or measure, as `mode` says; a tap reads the pixel. Two fingers: zoom and pan.
"""

from __future__ import annotations

import math

import numpy as np
from kivy.clock import Clock
from kivy.graphics import (
    Color,
    Line,
    Rectangle,
)
from kivy.graphics.texture import Texture
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, OptionProperty
from kivy.uix.stencilview import StencilView
from numpy.typing import NDArray

from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.result import SliceResult
from mobile_app.theme import MARKER
from mobile_app.widgets.picture import PRESETS, heat, luminance, outline

MIN_WINDOW_HU = 4.0
MAX_ZOOM = 12.0
TAP = dp(8)


class SliceViewer(StencilView):
    """Shows `volume`'s slice `index`; `masks` and `results` by slice index may fill up while it shows."""

    volume = ObjectProperty(None, allownone=True)
    index = NumericProperty(0)
    window = ObjectProperty(PRESETS["brain"])
    mode = OptionProperty("scroll", options=["scroll", "free", "measure"])
    show_outline = BooleanProperty(True)
    show_heat = BooleanProperty(False)
    outline_opacity = NumericProperty(1.0)
    heat_opacity = NumericProperty(0.5)
    overlays_hidden = BooleanProperty(False)
    marker = NumericProperty(0)
    """Which marker's heat map."""
    zoom = NumericProperty(1.0)
    pixel = ObjectProperty(None, allownone=True)
    """(row, column) that was tapped, on this slice."""
    ruler = ObjectProperty(None, allownone=True)
    """((row, column), (row, column)) of a measured distance, with fractions."""

    def __init__(self, **kwargs: object) -> None:
        self.masks: dict[int, NDArray[np.bool_]] = {}
        self.results: dict[int, SliceResult] = {}
        self._centre = (0.5, 0.5)  # of the picture, as a share of the widget
        self._touches: list = []
        self._start: tuple[float, float, int, HUWindow] = (0.0, 0.0, 0, PRESETS["brain"])
        self._pinch: tuple[float, float, float, float, tuple[float, float]] | None = None
        self._moved = False
        super().__init__(**kwargs)
        self._redraw = Clock.create_trigger(self._draw, -1)
        for name in (
            *("pos", "size", "volume", "window", "show_outline", "show_heat", "outline_opacity"),
            *("heat_opacity", "overlays_hidden", "marker", "zoom", "pixel", "ruler"),
        ):
            self.fbind(name, self.refresh)
        self.fbind("index", self._forget_readings)

    def open(self, volume: HUVolume) -> None:
        """Show a new volume without masks or results, fitted, at its middle."""
        self.masks, self.results = {}, {}
        self.volume = volume
        self.fit()
        self.index = len(volume.hu) // 2
        self._forget_readings()

    def fit(self) -> None:
        """Show the whole slice."""
        self._centre = (0.5, 0.5)
        self.zoom = 1.0
        self.refresh()

    def refresh(self, *_ignored: object) -> None:
        """Draw again with the next frame."""
        self._redraw()

    def pixel_hu(self) -> int | None:
        """HU of the tapped pixel."""
        if self.volume is None or self.pixel is None:
            return None
        return int(self.volume.hu[(int(self.index), *self.pixel)])

    def ruler_mm(self) -> float | None:
        """Length of the ruler in the slice's plane, mm."""
        if self.volume is None or self.ruler is None:
            return None
        (row0, column0), (row1, column1) = self.ruler
        dy, dx = self.volume.geometry.pixel_spacing_mm
        return math.hypot((row1 - row0) * dy, (column1 - column0) * dx)

    def frame(self) -> tuple[float, float, float, float]:
        """(x, y, width, height) of the whole slice in the window; isotropic in millimetres."""
        rows, columns = self.volume.hu.shape[1:]
        dy, dx = self.volume.geometry.pixel_spacing_mm
        per_mm = min(self.width / (columns * dx), self.height / (rows * dy)) * self.zoom
        width, height = columns * dx * per_mm, rows * dy * per_mm
        x = self.x + self._centre[0] * self.width - width / 2
        y = self.y + self._centre[1] * self.height - height / 2
        return x, y, width, height

    def to_slice(self, x: float, y: float) -> tuple[float, float]:
        """Touch position to (row, column), pixel centres at whole numbers."""
        left, bottom, width, height = self.frame()
        rows, columns = self.volume.hu.shape[1:]
        return (1 - (y - bottom) / height) * rows - 0.5, (x - left) / width * columns - 0.5

    def to_screen(self, row: float, column: float) -> tuple[float, float]:
        """(row, column) to the window; the inverse of `to_slice`."""
        left, bottom, width, height = self.frame()
        rows, columns = self.volume.hu.shape[1:]
        return left + (column + 0.5) / columns * width, bottom + (1 - (row + 0.5) / rows) * height

    def on_touch_down(self, touch: object) -> bool:
        """Begin a gesture; a wheel scrolls."""
        if self.volume is None or not self.collide_point(*touch.pos):
            return False
        if getattr(touch, "is_mouse_scrolling", False):
            self._go(self.index + (1 if touch.button == "scrolldown" else -1))
            return True
        touch.grab(self)
        self._touches.append(touch)
        self._moved = len(self._touches) > 1
        self._start = (*touch.pos, int(self.index), self.window)
        self._begin_pinch()
        return True

    def on_touch_move(self, touch: object) -> bool:
        """Go on with a gesture."""
        if touch.grab_current is not self:
            return False
        if len(self._touches) >= 2:
            self._pinch_to()
        else:
            self._drag_to(*touch.pos)
        return True

    def on_touch_up(self, touch: object) -> bool:
        """End a gesture; one that never moved was a tap."""
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        self._touches.remove(touch)
        if not self._moved:
            self._read_pixel(*touch.pos)
        # The finger that stays must not make the slice jump.
        if self._touches:
            self._start = (*self._touches[0].pos, int(self.index), self.window)
        return True

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

    def _begin_pinch(self) -> None:
        if len(self._touches) >= 2:
            (x0, y0), (x1, y1) = (one.pos for one in self._touches[:2])
            self._pinch = ((x0 + x1) / 2, (y0 + y1) / 2, math.dist((x0, y0), (x1, y1)), self.zoom,
                           self._centre)  # fmt: skip

    def _pinch_to(self) -> None:
        x, y, apart, zoom, centre = self._pinch
        (x0, y0), (x1, y1) = (one.pos for one in self._touches[:2])
        factor = math.dist((x0, y0), (x1, y1)) / max(apart, 1.0)
        new = min(MAX_ZOOM, max(1.0, zoom * factor))
        # The point of the picture between the fingers stays between them.
        left = self.x + centre[0] * self.width - x
        low = self.y + centre[1] * self.height - y
        moved = ((x0 + x1) / 2 + left * new / zoom, (y0 + y1) / 2 + low * new / zoom)
        self._centre = (
            _within((moved[0] - self.x) / self.width),
            _within((moved[1] - self.y) / self.height),
        )
        self.zoom = new
        self.refresh()

    def _go(self, index: float) -> None:
        self.index = int(min(len(self.volume.hu) - 1, max(0, index)))

    def _read_pixel(self, x: float, y: float) -> None:
        row, column = (round(one) for one in self.to_slice(x, y))
        rows, columns = self.volume.hu.shape[1:]
        self.pixel = (row, column) if 0 <= row < rows and 0 <= column < columns else None

    def _forget_readings(self, *_ignored: object) -> None:
        self.pixel = self.ruler = None
        self.refresh()

    def _draw(self, *_ignored: object) -> None:
        self.canvas.clear()
        if self.volume is None:
            return
        x, y, width, height = self.frame()
        with self.canvas:
            for picture, opacity in self._pictures():
                Color(1, 1, 1, opacity)
                Rectangle(texture=_texture(picture), pos=(x, y), size=(width, height))
            Color(*MARKER)
            if self.ruler is not None:
                ends = [self.to_screen(*one) for one in self.ruler]
                Line(points=[*ends[0], *ends[1]], width=dp(1.2))
            if self.pixel is not None:
                Line(circle=(*self.to_screen(*self.pixel), dp(6)), width=dp(1))

    def _pictures(self) -> list[tuple[NDArray[np.uint8], float]]:
        index = int(self.index)
        hu = self.volume.hu[index]
        shown = [(luminance(hu, self.window), 1.0)]
        if self.overlays_hidden:
            return shown
        one = self.results.get(index)
        if self.show_heat and one is not None and one.cam is not None and one.cam_box is not None:
            shown.append(
                (heat(one.cam[int(self.marker)], one.cam_box, hu.shape), self.heat_opacity)
            )
        mask = self.masks.get(index)
        if self.show_outline and mask is not None and mask.any():
            shown.append((outline(mask), self.outline_opacity))
        return shown


def _dragged(window: HUWindow, wider: float, higher: float) -> HUWindow:
    """Drag right: wider; drag up: darker, the level rises. HU."""
    width = max(MIN_WINDOW_HU, window.upper - window.lower + wider)
    level = (window.upper + window.lower) / 2 + higher
    return HUWindow(level - width / 2, level + width / 2)


def _within(share: float) -> float:
    """Keep the picture's centre where the picture can be fetched back."""
    return min(4.0, max(-3.0, share))


def _texture(picture: NDArray[np.uint8]) -> Texture:
    """Upload; nearest for overlays, so that an outline stays on its pixels."""
    kind = "luminance" if picture.ndim == 2 else "rgba"
    texture = Texture.create(size=picture.shape[1::-1], colorfmt=kind)
    if kind == "rgba":
        texture.mag_filter = "nearest"
    texture.blit_buffer(np.ascontiguousarray(picture).tobytes(), colorfmt=kind, bufferfmt="ubyte")
    texture.flip_vertical()
    return texture
