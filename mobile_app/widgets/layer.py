"""One picture of a stack: textures that are made once and written to, never made anew for a frame."""

from __future__ import annotations

import numpy as np
from kivy.graphics import Canvas, Color, Rectangle
from kivy.graphics.texture import Texture
from numpy.typing import NDArray

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
