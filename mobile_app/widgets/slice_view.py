"""One slice of a study on the screen: windowed on the CPU, heat map, outline, and what was measured on it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from kivy.clock import Clock
from kivy.graphics import Canvas, Color, InstructionGroup, Line, Rectangle
from kivy.graphics.texture import Texture
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty
from kivy.uix.stencilview import StencilView
from numpy.typing import NDArray

from hemx_core.imaging.volume import HUVolume
from hemx_core.result import SliceResult
from mobile_app.theme import MARKER, TEXT
from mobile_app.widgets.picture import PRESETS, heat, luminance, outline

Part = tuple[int, int, int, int]
"""(first row, row after the last, first column, column after the last)."""


class Layer:
    """A rectangle on a canvas with two textures of its own.

    They take turns: to write into the one that the last frame still draws from would wait for that frame.

    Args:
        canvas: where it is drawn, above what is there already.
        kind: "luminance" (rows, columns) or "rgba" (rows, columns, 4), 8 bits.
        sharp: pixels stay square when they are enlarged, as an outline's must.
    """

    def __init__(self, canvas: Canvas, kind: str, *, sharp: bool = False) -> None:
        self.kind, self.sharp = kind, sharp
        self._textures: list[Texture] = []
        self._shape = (0, 0)
        self._part: Part = (0, 0, 0, 0)
        with canvas:
            self._color = Color(1, 1, 1, 0)
            self._rectangle = Rectangle(size=(0, 0))

    @property
    def textures(self) -> tuple[Texture, ...]:
        """Those that there are; none before the first picture."""
        return tuple(self._textures)

    def show(self, picture: NDArray[np.uint8], part: Part | None = None) -> None:
        """Write a picture into the texture whose turn it is.

        Args:
            picture: shape as `kind` says.
            part: draw this part only; the rest must be transparent. None draws all.
        """
        rows, columns = picture.shape[:2]
        if (rows, columns) != self._shape:
            self._shape = (rows, columns)
            self._textures = [self._make(), self._make()]
        self._textures.reverse()
        texture = self._textures[0]
        texture.blit_buffer(
            np.ascontiguousarray(picture).reshape(-1).data, colorfmt=self.kind, bufferfmt="ubyte"
        )
        self._part = top, bottom, left, right = part or (0, rows, 0, columns)
        u, v = 1 / columns, 1 / rows
        low, high = bottom * v, top * v  # the first row lies at the texture's start
        self._rectangle.texture = texture
        self._rectangle.tex_coords = (
            *(left * u, low, right * u, low),
            *(right * u, high, left * u, high),
        )

    def place(self, frame: tuple[float, float, float, float] | None, opacity: float = 1.0) -> None:
        """Where the whole picture lies in the window: (x, y, width, height); None hides the layer."""
        if frame is None:
            self._rectangle.size = (0, 0)
            return
        self._color.a = opacity
        x, y, width, height = frame
        top, bottom, left, right = self._part
        column, row = width / self._shape[1], height / self._shape[0]
        self._rectangle.pos = (x + left * column, y + height - bottom * row)
        self._rectangle.size = ((right - left) * column, (bottom - top) * row)

    def _make(self) -> Texture:
        texture = Texture.create(size=self._shape[::-1], colorfmt=self.kind)
        if self.sharp:
            texture.mag_filter = "nearest"
        return texture


LINE = dp(1.5)
"""About the outline's width on the screen."""

LAYERS = ("ct", "heat", "outline")


class SliceView(StencilView):
    """Shows `volume`'s slice `index`.

    `masks` and `results` by slice index may fill up while it shows; say so with `mask_changed` and
    `result_changed`. What is to be drawn is collected and done once before the next frame, and only the
    layer that changed is computed and uploaded.
    """

    volume = ObjectProperty(None, allownone=True)
    index = NumericProperty(0)
    window = ObjectProperty(PRESETS["brain"])
    show_outline = BooleanProperty(True)
    show_heat = BooleanProperty(False)
    outline_opacity = NumericProperty(1.0)
    heat_opacity = NumericProperty(0.5)
    overlays_hidden = BooleanProperty(False)
    marker = NumericProperty(0)
    """Which marker's heat map."""
    zoom = NumericProperty(1.0)
    centre = ObjectProperty((0.5, 0.5))
    """Of the picture, as a share of the widget."""
    pixel = ObjectProperty(None, allownone=True)
    """(row, column) that was tapped, on this slice."""
    ruler = ObjectProperty(None, allownone=True)
    """((row, column), (row, column)) of a measured distance, with fractions."""
    brush_mm = NumericProperty(0.0)
    """Radius of the circle at `brush_at`."""
    brush_at = ObjectProperty(None, allownone=True)
    """(x, y) of the brush in the window while it draws."""

    def __init__(self, **kwargs: object) -> None:
        self.masks: dict[int, NDArray[np.bool_]] = {}
        self.results: dict[int, SliceResult] = {}
        self._stale = set(LAYERS)
        self._outline_width = 1
        super().__init__(**kwargs)
        self._layers = {
            "ct": Layer(self.canvas, "luminance"),
            "heat": Layer(self.canvas, "rgba"),
            "outline": Layer(self.canvas, "rgba", sharp=True),
        }
        self._marks = InstructionGroup()
        self.canvas.add(self._marks)
        self._redraw = Clock.create_trigger(self._draw, -1)
        for names, layers in (
            (("volume", "index"), LAYERS),
            (("window",), ("ct",)),
            (("marker",), ("heat",)),
            (("pos", "size", "zoom", "centre", "pixel", "ruler", "brush_mm", "brush_at"), ()),
            (("show_outline", "show_heat", "outline_opacity", "heat_opacity"), ()),
            (("overlays_hidden",), ()),
        ):
            for name in names:
                self.fbind(name, self._stales(layers))
        self.fbind("index", self._forget_readings)

    def open(self, volume: HUVolume) -> None:
        """Show a new volume without masks or results, fitted, at its middle."""
        self.masks, self.results = {}, {}
        self.volume = volume
        self.fit()
        self.index = len(volume.hu) // 2
        self._forget_readings()
        self.refresh()

    def close(self) -> None:
        """Show nothing."""
        self.masks, self.results = {}, {}
        self.volume = None

    def fit(self) -> None:
        """Show the whole slice."""
        self.centre = (0.5, 0.5)
        self.zoom = 1.0

    def refresh(self) -> None:
        """Draw everything again with the next frame."""
        self._stales(LAYERS)()

    def mask_changed(self, index: int) -> None:
        """Redraw after a slice's mask changed."""
        if index == int(self.index):
            self._stales(("outline",))()

    def result_changed(self, index: int) -> None:
        """Redraw after a slice's result changed."""
        if index == int(self.index):
            self._stales(("heat",))()

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

    def per_mm(self) -> float:
        """Window pixels for a millimetre."""
        rows, columns = self.volume.hu.shape[1:]
        dy, dx = self.volume.geometry.pixel_spacing_mm
        return float(min(self.width / (columns * dx), self.height / (rows * dy)) * self.zoom)

    def frame(self) -> tuple[float, float, float, float]:
        """(x, y, width, height) of the whole slice in the window; isotropic in millimetres."""
        rows, columns = self.volume.hu.shape[1:]
        dy, dx = self.volume.geometry.pixel_spacing_mm
        per_mm = self.per_mm()
        width, height = columns * dx * per_mm, rows * dy * per_mm
        x = self.x + self.centre[0] * self.width - width / 2
        y = self.y + self.centre[1] * self.height - height / 2
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

    def _stales(self, layers: tuple[str, ...]) -> Callable[..., None]:
        def ask(*_ignored: object) -> None:
            self._stale.update(layers)
            self._redraw()

        return ask

    def _forget_readings(self, *_ignored: object) -> None:
        self.pixel = self.ruler = self.brush_at = None

    def _draw(self, *_ignored: object) -> None:
        self._marks.clear()
        self._choose_outline_width()
        opacities = self._opacities()
        for name, layer in self._layers.items():
            if name not in opacities:
                layer.place(None)
                continue
            if name in self._stale:
                layer.show(*self._picture(name))
                self._stale.discard(name)
            layer.place(self.frame(), opacities[name])
        if self.volume is not None:
            self._draw_marks()

    def _choose_outline_width(self) -> None:
        """A slice that is drawn smaller than its matrix would break a line of one pixel up."""
        if self.volume is None:
            return
        width = max(1, round(LINE * self.volume.hu.shape[2] / max(self.frame()[2], 1.0)))
        if width != self._outline_width:
            self._outline_width = width
            self._stale.add("outline")

    def _opacities(self) -> dict[str, float]:
        """Of the layers that there is something to see on."""
        if self.volume is None:
            return {}
        shown, index = {"ct": 1.0}, int(self.index)
        if self.overlays_hidden:
            return shown
        one = self.results.get(index)
        if self.show_heat and one is not None and one.cam is not None and one.cam_box is not None:
            shown["heat"] = float(self.heat_opacity)
        mask = self.masks.get(index)
        if self.show_outline and mask is not None and mask.any():
            shown["outline"] = float(self.outline_opacity)
        return shown

    def _picture(self, name: str) -> tuple[NDArray[np.uint8], Part | None]:
        """A layer's picture and the part of it that is not transparent."""
        index = int(self.index)
        hu = self.volume.hu[index]
        if name == "ct":
            return luminance(hu, self.window), None
        if name == "outline":
            mask = self.masks[index]
            rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
            part = (int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
            return outline(mask, self._outline_width), part
        one = self.results[index]
        assert one.cam is not None
        assert one.cam_box is not None
        return heat(one.cam[int(self.marker)], one.cam_box, hu.shape), None

    def _draw_marks(self) -> None:
        add = self._marks.add
        add(Color(*MARKER))
        if self.ruler is not None:
            ends = [self.to_screen(*end) for end in self.ruler]
            add(Line(points=[*ends[0], *ends[1]], width=dp(1.2)))
            for end in ends:
                add(Line(circle=(*end, dp(4)), width=dp(1.2)))
        if self.pixel is not None:
            add(Line(circle=(*self.to_screen(*self.pixel), dp(6)), width=dp(1)))
        if self.brush_at is not None:
            add(Color(*TEXT))
            add(Line(circle=(*self.brush_at, self.brush_mm * self.per_mm()), width=dp(1)))
