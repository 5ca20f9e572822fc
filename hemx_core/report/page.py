"""An A4 page drawn in millimetres: text of a TrueType font, rules, boxes and pictures.

Pillow draws (it is on the tablet too); OpenCV's own fonts have ASCII only. What was written is kept as
`TextRun`s, so that a PDF of the page can carry it as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import hemx_core
from hemx_core.errors import OutputError

MM_PER_INCH = 25.4
POINTS_PER_INCH = 72.0
FONT_FILE = ("mobile_app", "assets", "fonts", "BIZUDPGothic-Regular.ttf")

Ink = tuple[int, int, int]
"""RGB."""
BLACK: Ink = (20, 20, 20)
MUTED: Ink = (95, 95, 95)
RULE: Ink = (190, 190, 190)
WHITE: Ink = (255, 255, 255)

_TOKEN = re.compile(r"[ -~\u00a0-\u024f]+?(?=[ ]|$|[^ -~\u00a0-\u024f])|[ ]|.", re.DOTALL)
_NOT_FIRST = "、。，．：；）」』】％〜ー！？,.;:)%"
"""Characters that may not begin a line (JIS X 4051, the common ones)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRun:
    """One line of text as written.

    Args:
        text: what was written.
        x_mm, y_mm: start of its baseline, from the page's upper left corner.
        points: size of the font.
    """

    text: str
    x_mm: float
    y_mm: float
    points: float


def font_path() -> Path:
    """Where the font lies: among the app's assets, in a checkout and installed alike.

    Raises:
        OutputError: it is not there.
    """
    path = Path(hemx_core.__file__).resolve().parents[1].joinpath(*FONT_FILE)
    if not path.is_file():
        raise OutputError(
            f"no font {path.name} in the installed tree",
            expected="/".join(FONT_FILE),
            remedy="install HEMX again",
        )
    return path


@lru_cache(maxsize=64)
def font(pixels: int) -> ImageFont.FreeTypeFont:
    """The font at a size; basic layout, so that every system sets the same line."""
    return ImageFont.truetype(str(font_path()), pixels, layout_engine=ImageFont.Layout.BASIC)


class Page:
    """A white page; coordinates in mm from the upper left corner, y downwards.

    Args:
        width_mm, height_mm: its size; A4 upright by default.
        dpi: drawn pixels per inch.
    """

    def __init__(
        self, *, width_mm: float = 210.0, height_mm: float = 297.0, dpi: int = 200
    ) -> None:
        self.width_mm, self.height_mm, self.dpi = width_mm, height_mm, dpi
        self.image = Image.new("RGB", (self.pixels(width_mm), self.pixels(height_mm)), WHITE)
        self.runs: list[TextRun] = []
        self._draw = ImageDraw.Draw(self.image)

    def pixels(self, mm: float) -> int:
        """Drawn pixels of a length."""
        return round(mm * self.dpi / MM_PER_INCH)

    def text_width(self, text: str, points: float) -> float:
        """Width of a line, mm."""
        return self._font(points).getlength(text) * MM_PER_INCH / self.dpi

    def text(
        self,
        x_mm: float,
        y_mm: float,
        text: str,
        points: float = 9.0,
        *,
        ink: Ink = BLACK,
        bold: bool = False,
        anchor: str = "left",
    ) -> float:
        """Write one line with its baseline at y; answers where it ends, mm.

        Args:
            x_mm, y_mm: of the baseline's end named by `anchor`.
            text: one line.
            points: size.
            ink: RGB.
            bold: with a stroke round the letters: the font has one weight.
            anchor: "left", "right" or "middle".
        """
        width = self.text_width(text, points)
        x_mm -= {"left": 0.0, "right": width, "middle": width / 2}[anchor]
        used = self._font(points)
        stroke = max(0.6 * used.size / 28, 0.4) if bold else 0
        at = (x_mm * self.dpi / MM_PER_INCH, y_mm * self.dpi / MM_PER_INCH)
        self._draw.text(at, text, fill=ink, font=used, anchor="ls", stroke_width=stroke)
        if text.strip():
            self.runs.append(TextRun(text=text, x_mm=x_mm, y_mm=y_mm, points=points))
        return x_mm + width

    def paragraph(
        self,
        x_mm: float,
        y_mm: float,
        width_mm: float,
        text: str,
        points: float = 9.0,
        *,
        ink: Ink = BLACK,
        bold: bool = False,
    ) -> float:
        """Write wrapped lines, the first baseline at y; answers the baseline after the last."""
        for line in self.wrapped(text, width_mm, points):
            self.text(x_mm, y_mm, line, points, ink=ink, bold=bold)
            y_mm += line_height_mm(points)
        return y_mm

    def wrapped(self, text: str, width_mm: float, points: float) -> list[str]:
        """Lines of at most a width: Latin breaks between words, Japanese between characters."""
        lines, line = [], ""
        for token in _TOKEN.findall(text):
            fits = self.text_width(line + token, points) <= width_mm
            if fits or not line or token in _NOT_FIRST:
                line += token
            else:
                lines.append(line.rstrip())
                line = token.lstrip()
        return [*lines, line.rstrip()] if line.strip() else lines

    def box(
        self,
        x_mm: float,
        y_mm: float,
        width_mm: float,
        height_mm: float,
        *,
        fill: Ink | None = None,
        edge: Ink | None = None,
    ) -> None:
        """A filled or outlined rectangle."""
        corners = tuple(self.pixels(one) for one in (x_mm, y_mm, x_mm + width_mm, y_mm + height_mm))
        self._draw.rectangle(corners, fill=fill, outline=edge, width=max(1, self.pixels(0.25)))

    def rule(
        self, x_mm: float, y_mm: float, to_x_mm: float, to_y_mm: float, *, ink: Ink = RULE
    ) -> None:
        """A thin line."""
        ends = tuple(self.pixels(one) for one in (x_mm, y_mm, to_x_mm, to_y_mm))
        self._draw.line(ends, fill=ink, width=max(1, self.pixels(0.25)))

    def picture(self, x_mm: float, y_mm: float, picture: NDArray[np.uint8]) -> None:
        """Paste a BGR picture, one of its pixels on one of the page's."""
        rgb = np.ascontiguousarray(picture[..., ::-1])
        self.image.paste(Image.fromarray(rgb), (self.pixels(x_mm), self.pixels(y_mm)))

    def _font(self, points: float) -> ImageFont.FreeTypeFont:
        return font(max(1, round(points * self.dpi / POINTS_PER_INCH)))


def line_height_mm(points: float) -> float:
    """Distance of two baselines."""
    return points * 1.38 * MM_PER_INCH / POINTS_PER_INCH
