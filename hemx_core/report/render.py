"""A page, with those that follow it, as a picture, as PNG and as PDF.

The picture is drawn by Pillow, the PDF is written by fpdf2: text stays text, in the characters of the
fonts that the page uses. Both place every character by the same widths.
"""

from __future__ import annotations

import io
import logging
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from hemx_core import __version__
from hemx_core.report.fonts import advance, font_path, is_in_fallback
from hemx_core.report.page import MM_PER_INCH, POINTS_PER_INCH, Box, Page, Panel, TextRun

if TYPE_CHECKING:
    from fpdf import FPDF

BOLD_EM = 0.6 / 28
"""Width of the stroke on each side of a bold letter's outline."""


PAGE_GAP: tuple[int, int, int] = (120, 120, 120)
"""Between two pages of a picture, one pixel high."""


def page_picture(page: Page) -> Image.Image:
    """The page in RGB, at its own resolution; those that follow stand below it."""
    pictures = [_one_picture(one) for one in page.pages]
    if len(pictures) == 1:
        return pictures[0]
    height = sum(one.height + 1 for one in pictures) - 1
    together = Image.new("RGB", (pictures[0].width, height), PAGE_GAP)
    y = 0
    for picture in pictures:
        together.paste(picture, (0, y))
        y += picture.height + 1
    return together


def _one_picture(page: Page) -> Image.Image:
    picture = Image.new("RGB", (page.pixels(page.width_mm), page.pixels(page.height_mm)), "white")
    draw = ImageDraw.Draw(picture)
    for item in page.items:
        x, y = page.pixels(item.x_mm), page.pixels(item.y_mm)
        match item:
            case Panel():
                picture.paste(Image.fromarray(item.rgb), (x, y))
            case Box():
                right = page.pixels(item.x_mm + item.width_mm)
                bottom = page.pixels(item.y_mm + item.height_mm)
                draw.rectangle((x, y, max(right - 1, x), max(bottom - 1, y)), fill=item.fill)
            case TextRun():
                _draw_text(draw, item, page.dpi)
    return picture


def _draw_text(draw: ImageDraw.ImageDraw, run: TextRun, dpi: int) -> None:
    """Character by character: Pillow would round every width to whole pixels."""
    size = run.points * dpi / POINTS_PER_INCH
    x, y = run.x_mm * dpi / MM_PER_INCH, run.y_mm * dpi / MM_PER_INCH
    stroke = max(BOLD_EM * size, 0.4) if run.bold else 0
    for character in run.text:
        font = _font(size, is_in_fallback(character))
        draw.text((x, y), character, fill=run.ink, font=font, anchor="ls", stroke_width=stroke)
        x += advance(character) * size


@lru_cache(maxsize=64)
def _font(pixels: float, fallback: bool) -> ImageFont.FreeTypeFont:
    path = str(font_path(fallback=fallback))
    return ImageFont.truetype(path, pixels, layout_engine=ImageFont.Layout.BASIC)


def png_bytes(page: Page) -> bytes:
    """The picture as PNG, with its resolution."""
    buffer = io.BytesIO()
    page_picture(page).save(buffer, "PNG", dpi=(page.dpi, page.dpi), compress_level=6)
    return buffer.getvalue()


def pdf_bytes(page: Page) -> bytes:
    """The page and those that follow as a PDF; the same pages give the same bytes."""
    from fpdf import FPDF

    # A line for every table of the font would fill the app's log.
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    per_mm = POINTS_PER_INCH / MM_PER_INCH
    pdf = FPDF(unit="pt", format=(page.width_mm * per_mm, page.height_mm * per_mm))
    pdf.set_title(page.title)
    pdf.set_lang(page.language)
    pdf.set_producer(f"HEMX {__version__}")
    pdf.set_creation_date(page.made_at)
    pdf.set_auto_page_break(False)
    for fallback, family in enumerate(_FAMILIES):
        pdf.add_font(family, fname=font_path(fallback=bool(fallback)))
    for one in page.pages:
        pdf.add_page()
        _write(pdf, one)
    return bytes(pdf.output())


_FAMILIES = ("page", "letters")


def _write(pdf: FPDF, page: Page) -> None:
    """Write a page's items."""
    per_mm = POINTS_PER_INCH / MM_PER_INCH
    for item in page.items:
        x, y = item.x_mm * per_mm, item.y_mm * per_mm
        match item:
            case Panel():
                width = item.rgb.shape[1] * POINTS_PER_INCH / page.dpi
                pdf.image(Image.fromarray(item.rgb), x, y, w=width)
            case Box():
                pdf.set_fill_color(*item.fill)
                pdf.rect(x, y, item.width_mm * per_mm, item.height_mm * per_mm, style="F")
            case TextRun():
                _write_text(pdf, item, x, y)


def _write_text(pdf: FPDF, run: TextRun, x: float, y: float) -> None:
    """Write a line, piece by piece of one font; coordinates in points."""
    from fpdf.enums import TextMode

    for fallback, piece in groupby(run.text, is_in_fallback):
        text = "".join(piece)
        pdf.set_font(_FAMILIES[fallback], size=run.points)
        with pdf.local_context(
            fill_color=run.ink,
            text_color=run.ink,
            draw_color=run.ink,
            line_width=2 * BOLD_EM * run.points,
            text_mode=TextMode.FILL_STROKE if run.bold else TextMode.FILL,
        ):
            pdf.text(x, y, text)
        x += sum(map(advance, text)) * run.points
