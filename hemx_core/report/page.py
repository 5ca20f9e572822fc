"""A page as a list of its elements: text, filled boxes and pictures, in millimetres.

It is laid out once, by the widths of the fonts' characters; `render` makes a picture and a PDF of it. What
does not fit on a page stands on those that follow it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from hemx_core.report.fonts import advance, printable

MM_PER_INCH = 25.4
POINTS_PER_INCH = 72.0
LINE_MM = 0.25
Ink = tuple[int, int, int]
"""RGB."""
BLACK: Ink = (20, 20, 20)
MUTED: Ink = (95, 95, 95)
RULE: Ink = (190, 190, 190)

_WORD = r"\u0020-\u007e\u00a0-\u052f\u1e00-\u1eff"
_TOKEN = re.compile(rf"[{_WORD}]+?(?=[ ]|$|[^{_WORD}])|[ ]|.", re.DOTALL)
_NOT_FIRST = "、。，．：；）」』】％〜ー！？,.;:)%"
"""Characters that may not begin a line (JIS X 4051, the common ones)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRun:
    """One line of text in one ink.

    Args:
        text: only characters that the fonts have.
        x_mm, y_mm: start of its baseline, from the page's upper left corner.
        points: size of the font.
        ink: RGB.
        bold: with a stroke round the letters; the fonts have one weight.
    """

    text: str
    x_mm: float
    y_mm: float
    points: float
    ink: Ink = BLACK
    bold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A filled rectangle; a rule is a thin one."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    fill: Ink


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """A picture; one of its pixels is one of the page's.

    Args:
        x_mm, y_mm: its upper left corner.
        rgb: uint8, shape (height, width, 3).
    """

    x_mm: float
    y_mm: float
    rgb: NDArray[np.uint8]


Item = TextRun | Box | Panel


@dataclass(kw_only=True, eq=False)
class Page:
    """A white page; coordinates in mm from the upper left corner, y downwards.

    Args:
        title: of the document.
        language: "en" or "ja".
        made_at: when the document was made.
        width_mm, height_mm: its size; A4 upright by default.
        dpi: pixels per inch of its pictures.
        following: the next page of the same document.
    """

    title: str
    language: str
    made_at: datetime
    width_mm: float = 210.0
    height_mm: float = 297.0
    dpi: int = 200
    items: list[Item] = field(default_factory=list)
    following: Page | None = None

    @property
    def runs(self) -> list[TextRun]:
        """The text of this page, in the order of writing."""
        return [item for item in self.items if isinstance(item, TextRun)]

    @property
    def pages(self) -> Iterator[Page]:
        """This page and those that follow."""
        page: Page | None = self
        while page is not None:
            yield page
            page = page.following

    def another(self) -> Page:
        """A page of the same kind, which follows this one."""
        self.following = replace(self, items=[], following=None)
        return self.following

    def pixels(self, mm: float) -> int:
        """Pixels of a length."""
        return round(mm * self.dpi / MM_PER_INCH)

    def text_width(self, text: str, points: float) -> float:
        """Width of a line, mm."""
        ems = sum(map(advance, printable(text)))
        return ems * points * MM_PER_INCH / POINTS_PER_INCH

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
            text: one line; see `printable`.
            points: size.
            ink: RGB.
            bold: with a stroke round the letters.
            anchor: "left" or "right".
        """
        width = self.text_width(text, points)
        x_mm -= {"left": 0.0, "right": width}[anchor]
        if text.strip():
            self.items.append(
                TextRun(
                    text=printable(text), x_mm=x_mm, y_mm=y_mm, points=points, ink=ink, bold=bold
                )
            )
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
        """Lines of at most a width: Latin breaks between words, Japanese between characters.

        A word that is wider than the column breaks anywhere.
        """
        lines, line = [], ""
        for word in _TOKEN.findall(text):
            whole = self.text_width(word, points) <= width_mm
            for token in [word] if whole else word:
                fits = self.text_width(line + token, points) <= width_mm
                if fits or not line or token in _NOT_FIRST:
                    line += token
                else:
                    lines.append(line.rstrip())
                    line = token.lstrip()
        return [*lines, line.rstrip()] if line.strip() else lines

    def shortened(self, text: str, width_mm: float, points: float) -> str:
        """The text, with an ellipsis for what does not fit."""
        if self.text_width(text, points) <= width_mm:
            return text
        while text and self.text_width(text + "…", points) > width_mm:
            text = text[:-1]
        return text + "…"

    def box(self, x_mm: float, y_mm: float, width_mm: float, height_mm: float, fill: Ink) -> None:
        """A filled rectangle."""
        self.items.append(
            Box(x_mm=x_mm, y_mm=y_mm, width_mm=width_mm, height_mm=height_mm, fill=fill)
        )

    def rule(self, x_mm: float, y_mm: float, to_x_mm: float, ink: Ink = RULE) -> None:
        """A thin horizontal line."""
        self.box(x_mm, y_mm, to_x_mm - x_mm, LINE_MM, ink)

    def frame(
        self, x_mm: float, y_mm: float, width_mm: float, height_mm: float, ink: Ink = RULE
    ) -> None:
        """A thin line round a rectangle."""
        for y in (y_mm, y_mm + height_mm - LINE_MM):
            self.box(x_mm, y, width_mm, LINE_MM, ink)
        for x in (x_mm, x_mm + width_mm - LINE_MM):
            self.box(x, y_mm, LINE_MM, height_mm, ink)

    def picture(self, x_mm: float, y_mm: float, picture: NDArray[np.uint8]) -> None:
        """Place a BGR picture, one of its pixels on one of the page's."""
        rgb = np.ascontiguousarray(picture[..., ::-1])
        self.items.append(Panel(x_mm=x_mm, y_mm=y_mm, rgb=rgb))


def line_height_mm(points: float) -> float:
    """Distance of two baselines."""
    return points * 1.38 * MM_PER_INCH / POINTS_PER_INCH
