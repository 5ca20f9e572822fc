"""An A4 page drawn in millimetres, and the page as PDF.

The PDF is the page's picture, and over it the same text, invisible, to search and to copy.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import hemx_core
from hemx_core.errors import OutputError

MM_PER_INCH = 25.4
POINTS_PER_INCH = 72.0
FONT_FILE = (
    Path(hemx_core.__file__).resolve().parent / "assets" / "fonts" / "BIZUDPGothic-Regular.ttf"
)

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
    """Where the font lies, in a checkout and installed alike.

    Raises:
        OutputError: it is not there.
    """
    if not FONT_FILE.is_file():
        raise OutputError(
            f"no font {FONT_FILE.name} in the installed tree",
            expected="the font that HEMX brings",
            remedy="install HEMX again",
        )
    return FONT_FILE


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


UNITS_PER_EM = 1000
MAX_CODES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfMetadata:
    """What a PDF says of itself.

    Args:
        title: of the document.
        language: "en" or "ja".
        producer: the software.
        made_at: with time zone or without.
    """

    title: str
    language: str
    producer: str
    made_at: datetime


def png_bytes(page: Page) -> bytes:
    """The page as PNG, with its resolution."""
    buffer = io.BytesIO()
    page.image.save(buffer, "PNG", dpi=(page.dpi, page.dpi), compress_level=6)
    return buffer.getvalue()


def pdf_bytes(page: Page, png: bytes, metadata: PdfMetadata) -> bytes:
    """The page as a PDF 1.5 document of one page.

    Args:
        page: the drawn page.
        png: the same page as `png_bytes` gives it.
        metadata: title, language, producer, time.
    """
    fonts = _fonts(page.runs)
    width, height = (one / MM_PER_INCH * POINTS_PER_INCH for one in (page.width_mm, page.height_mm))
    content = f"q {width:.3f} 0 0 {height:.3f} 0 0 cm /Page Do Q\n" + "\n".join(
        _operators(run, fonts, height) for run in page.runs
    )
    writer = _Writer()
    catalog, pages, leaf, info = (writer.reserve() for _ in range(4))
    image = writer.stream(
        f"/Type /XObject /Subtype /Image /Width {page.image.width} /Height {page.image.height} "
        "/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /FlateDecode /DecodeParms << /Predictor 15 "
        f"/Colors 3 /BitsPerComponent 8 /Columns {page.image.width} >>",
        b"".join(_idat(png)),
    )
    glyph = writer.stream("", b"0 0 d0\n")
    named = " ".join(f"/F{n} {one.write(writer, glyph)} 0 R" for n, one in enumerate(fonts))
    body = writer.stream("/Filter /FlateDecode", zlib.compress(content.encode("ascii")))
    box = f"[0 0 {width:.3f} {height:.3f}]"
    writer.put(catalog, f"<< /Type /Catalog /Pages {pages} 0 R /Lang {_text(metadata.language)} >>")
    writer.put(pages, f"<< /Type /Pages /Kids [{leaf} 0 R] /Count 1 >>")
    writer.put(
        leaf,
        f"<< /Type /Page /Parent {pages} 0 R /MediaBox {box} /Contents {body} 0 R "
        f"/Resources << /XObject << /Page {image} 0 R >> /Font << {named} >> >> >>",
    )
    writer.put(
        info,
        f"<< /Title {_text(metadata.title)} /Producer {_text(metadata.producer)} "
        f"/CreationDate {_text(_date(metadata.made_at))} >>",
    )
    return writer.finish(catalog, info)


@dataclass(frozen=True, slots=True)
class _Type3:
    """A font of empty glyphs for some characters; their codes are their places."""

    characters: tuple[str, ...]

    def write(self, writer: _Writer, glyph: int) -> int:
        codes = range(len(self.characters))
        names = " ".join(f"/g{code}" for code in codes)
        procedures = " ".join(f"/g{code} {glyph} 0 R" for code in codes)
        em = font(UNITS_PER_EM)
        widths = " ".join(f"{em.getlength(one):.0f}" for one in self.characters)
        unicode = writer.stream("", self._to_unicode())
        return writer.add(
            "<< /Type /Font /Subtype /Type3 /FontBBox [0 -200 1000 900] "
            "/FontMatrix [0.001 0 0 0.001 0 0] /Resources << >> "
            f"/FirstChar 0 /LastChar {codes[-1]} /Widths [{widths}] "
            f"/Encoding << /Type /Encoding /Differences [0 {names}] >> "
            f"/CharProcs << {procedures} >> /ToUnicode {unicode} 0 R >>"
        )

    def _to_unicode(self) -> bytes:
        pairs = [
            f"<{code:02x}> <{one.encode('utf-16-be').hex()}>"
            for code, one in enumerate(self.characters)
        ]
        blocks = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]
        maps = "\n".join(
            f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks
        )
        return (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
            f"1 begincodespacerange <00> <ff> endcodespacerange\n{maps}\n"
            "endcmap CMapName currentdict /CMap defineresource pop end end\n"
        ).encode("ascii")


def _fonts(runs: Sequence[TextRun]) -> list[_Type3]:
    """Fonts such that each run finds all its characters in one: readers keep its text together."""
    groups: list[set[str]] = []
    for run in runs:
        used = set(run.text)
        home = next((one for one in groups if len(one | used) <= MAX_CODES), None)
        if home is None:
            groups.append(used)
        else:
            home |= used
    return [_Type3(tuple(sorted(one))) for one in groups]


def _operators(run: TextRun, fonts: Sequence[_Type3], height: float) -> str:
    """PDF operators that show a run at its place."""
    number, one = next(
        (number, one) for number, one in enumerate(fonts) if set(run.text) <= set(one.characters)
    )
    codes = "".join(f"{one.characters.index(character):02x}" for character in run.text)
    x = run.x_mm / MM_PER_INCH * POINTS_PER_INCH
    y = height - run.y_mm / MM_PER_INCH * POINTS_PER_INCH
    return f"BT /F{number} {run.points:.2f} Tf 1 0 0 1 {x:.2f} {y:.2f} Tm <{codes}> Tj ET"


def _idat(png: bytes) -> Iterator[bytes]:
    """The compressed pixels of a PNG: the content of its IDAT chunks (PNG specification, 11.2.4)."""
    place = 8
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        if kind == b"IDAT":
            yield png[place + 8 : place + 8 + length]
        place += 12 + length


def _text(text: str) -> str:
    """A text string in UTF-16 with its byte order mark (7.9.2.2)."""
    return f"<feff{text.encode('utf-16-be').hex()}>"


def _date(at: datetime) -> str:
    """A date as PDF writes it (7.9.4)."""
    zone = at.strftime("%z")
    return at.strftime("D:%Y%m%d%H%M%S") + (f"{zone[:3]}'{zone[3:5]}" if zone else "")


class _Writer:
    """Numbers objects and writes them with their cross-reference table (7.5)."""

    def __init__(self) -> None:
        self._objects: list[bytes] = []

    def reserve(self) -> int:
        """A number for an object that is put later."""
        self._objects.append(b"null")
        return len(self._objects)

    def put(self, number: int, body: str | bytes) -> None:
        """Set a reserved object's content."""
        self._objects[number - 1] = body.encode("ascii") if isinstance(body, str) else body

    def add(self, body: str | bytes) -> int:
        """Add an object; answers its number."""
        number = self.reserve()
        self.put(number, body)
        return number

    def stream(self, entries: str, content: bytes) -> int:
        """Add a stream with the entries of its dictionary."""
        head = f"<< {entries} /Length {len(content)} >>\nstream\n".encode("ascii")
        return self.add(head + content + b"\nendstream")

    def finish(self, catalog: int, info: int) -> bytes:
        """The whole file."""
        out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
        places = []
        for number, body in enumerate(self._objects, 1):
            places.append(len(out))
            out += f"{number} 0 obj\n".encode("ascii") + body + b"\nendobj\n"
        start, size = len(out), len(places) + 1
        table = "".join(f"{place:010d} 00000 n \n" for place in places)
        out += (
            f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} "
            f"/Root {catalog} 0 R /Info {info} 0 R >>\nstartxref\n{start}\n%%EOF\n"
        ).encode("ascii")
        return bytes(out)
