"""A page as a picture, as PNG and as PDF.

The picture is drawn by Pillow, the PDF is written by fpdf2: text stays text, in the characters of the
font that the page uses. Both place every character by the same widths.
"""

from __future__ import annotations

import io
import logging
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from hemx_core import __version__
from hemx_core.report.page import (
    MM_PER_INCH,
    POINTS_PER_INCH,
    Box,
    Page,
    Panel,
    TextRun,
    advances,
    font_path,
)

BOLD_EM = 0.6 / 28
"""Width of the stroke on each side of a bold letter's outline."""


def page_picture(page: Page) -> Image.Image:
    """The page in RGB, at its own resolution."""
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
        draw.text(
            (x, y), character, fill=run.ink, font=_font(size), anchor="ls", stroke_width=stroke
        )
        x += advances()[character] * size


@lru_cache(maxsize=64)
def _font(pixels: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_path()), pixels, layout_engine=ImageFont.Layout.BASIC)


def png_bytes(page: Page) -> bytes:
    """The page as PNG, with its resolution."""
    buffer = io.BytesIO()
    page_picture(page).save(buffer, "PNG", dpi=(page.dpi, page.dpi), compress_level=6)
    return buffer.getvalue()


def pdf_bytes(page: Page) -> bytes:
    """The page as a PDF of one page; the same page gives the same bytes."""
    from fpdf import FPDF
    from fpdf.enums import TextMode

    # A line for every table of the font would fill the app's log.
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    per_mm = POINTS_PER_INCH / MM_PER_INCH
    pdf = FPDF(unit="pt", format=(page.width_mm * per_mm, page.height_mm * per_mm))
    pdf.set_title(page.title)
    pdf.set_lang(page.language)
    pdf.set_producer(f"HEMX {__version__}")
    pdf.set_creation_date(page.made_at)
    pdf.set_auto_page_break(False)
    pdf.add_page()
    pdf.add_font("page", fname=font_path())
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
                pdf.set_font("page", size=item.points)
                with pdf.local_context(
                    fill_color=item.ink,
                    text_color=item.ink,
                    draw_color=item.ink,
                    line_width=2 * BOLD_EM * item.points,
                    text_mode=TextMode.FILL_STROKE if item.bold else TextMode.FILL,
                ):
                    pdf.text(x, y, item.text)
    return bytes(pdf.output())
