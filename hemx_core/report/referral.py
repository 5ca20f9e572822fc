"""The referral for the neurosurgical centre: an A4 page, more where it says more; as PDF and PNG."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from hemx_core import __version__
from hemx_core.comparison import ComparisonResult
from hemx_core.errors import InputError
from hemx_core.files import write_whole
from hemx_core.imaging.inspect import as_inspected
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.report.folder import PDF_NAME, PNG_NAME
from hemx_core.report.page import MUTED, Page, line_height_mm
from hemx_core.report.referral_notes import draw_notes, notes_height
from hemx_core.report.referral_sections import (
    draw_comparison,
    draw_identity,
    draw_markers,
    draw_measurements,
    draw_recommendation,
    draw_signs,
)
from hemx_core.report.referral_slices import draw_slices
from hemx_core.report.render import pdf_bytes, png_bytes
from hemx_core.report.sheet import BOTTOM_MM, COLUMN_GAP_MM, MARGIN_MM, WIDTH_MM, Sheet
from hemx_core.result import TriageResult
from hemx_core.words import LANGUAGES
from hemx_core.words.report import Texts

DPI = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralOptions:
    """What the user may choose.

    Args:
        language: "en" or "ja".
        identify: print patient name and ID, site and the time of the CT; lines to fill in by hand
            where not.
        created_at: when the report was made; now by default.
        dpi: pixels per inch of the slices and of the PNG.
    Raises:
        InputError: no such language.
    """

    language: str = "en"
    identify: bool = False
    created_at: datetime = field(default_factory=lambda: datetime.now().astimezone())
    dpi: int = DPI

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise InputError("unknown_language", language=self.language, known=LANGUAGES)


@dataclass(frozen=True, slots=True)
class WrittenReferral:
    """Where the files lie."""

    pdf: Path
    png: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """Both."""
        return self.pdf, self.png


def draw_referral(
    result: TriageResult,
    volume: HUVolume,
    *,
    window: HUWindow,
    comparison: ComparisonResult | None = None,
    options: ReferralOptions | None = None,
) -> Page:
    """Draw the page, and those that follow it.

    Args:
        result: the triage result.
        volume: the triaged volume.
        window: display window of the slices, HU.
        comparison: with an earlier study; its later study is `result`'s.
        options: language, identification, date.
    Raises:
        InputError: no such language.
        OutputError: the font is missing.
    """
    options = options or ReferralOptions()
    texts = Texts(options.language)
    sheet = Sheet(
        pages=[
            Page(
                title=texts("title"),
                language=options.language,
                made_at=options.created_at,
                dpi=options.dpi,
            )
        ],
        texts=texts,
        result=result,
        volume=as_inspected(volume, result.clipped_to_hu, result.notes),
        window=window,
        comparison=comparison,
        identify=options.identify,
    )
    y = _draw_head(sheet, options)
    y = draw_identity(sheet, y)
    y = draw_recommendation(sheet, y)
    y = sheet.kept_together(y, lambda top: _draw_findings(sheet, top))
    y = sheet.kept_together(y, lambda top: draw_signs(sheet, top))
    # With a comparison there is never room for a large slice.
    room = 0.0 if comparison else BOTTOM_MM - notes_height(sheet)
    y = sheet.kept_together(y, lambda top: draw_slices(sheet, top, room))
    y = sheet.kept_together(y, lambda top: draw_comparison(sheet, top))
    draw_notes(sheet, y)
    _sign(sheet.pages[0], texts)
    for number, page in enumerate(sheet.pages, 1):
        _draw_foot(page, sheet)
        if len(sheet.pages) > 1:
            told = texts("page", number=number, count=len(sheet.pages))
            page.text(MARGIN_MM + WIDTH_MM, 9.0, told, 8, anchor="right", ink=MUTED)
    return sheet.pages[0]


def _draw_findings(sheet: Sheet, y: float) -> float:
    """Measurements and markers, side by side."""
    left = (WIDTH_MM - COLUMN_GAP_MM) * 0.43
    right = MARGIN_MM + left + COLUMN_GAP_MM
    below = draw_measurements(sheet, y, left)
    return max(below, draw_markers(sheet, y, right, WIDTH_MM - left - COLUMN_GAP_MM))


def write_referral(
    result: TriageResult,
    volume: HUVolume,
    folder: Path,
    *,
    window: HUWindow,
    comparison: ComparisonResult | None = None,
    options: ReferralOptions | None = None,
) -> WrittenReferral:
    """Write referral.pdf and referral.png, each whole or not at all; earlier ones are replaced.

    Args:
        result: the triage result.
        volume: the triaged volume.
        folder: made where missing.
        window: display window of the slices, HU.
        comparison: with an earlier study; its later study is `result`'s.
        options: language, identification, date.
    Raises:
        InputError: no such language.
        OutputError: the font is missing, the folder cannot be used, or the disk refuses.
    """
    options = options or ReferralOptions()
    page = draw_referral(result, volume, window=window, comparison=comparison, options=options)
    png, pdf = png_bytes(page), pdf_bytes(page)
    folder = folder.resolve()
    write_whole(folder / PNG_NAME, png)
    write_whole(folder / PDF_NAME, pdf)
    return WrittenReferral(folder / PDF_NAME, folder / PNG_NAME)


def _draw_head(sheet: Sheet, options: ReferralOptions) -> float:
    """Title, what this is, and when it was made."""
    page, texts = sheet.page, sheet.texts
    at = options.created_at
    made = texts("moment", at, at.tzname() or "").strip()
    page.text(MARGIN_MM, 15.5, texts("title"), 15, bold=True)
    page.text(MARGIN_MM + WIDTH_MM, 14.0, texts("made", at=made), 8, anchor="right", ink=MUTED)
    page.text(MARGIN_MM, 20.5, texts("subtitle"), 8, ink=MUTED)
    warning = texts("not_a_device")
    page.text(MARGIN_MM + WIDTH_MM, 20.5, warning, 8, anchor="right", bold=True)
    return 23.5


def _sign(page: Page, texts: Texts) -> None:
    """Lines to sign."""
    y, x = BOTTOM_MM + 6.5, MARGIN_MM
    for key, share in (("read_by", 0.46), ("date", 0.27), ("telephone", 0.27)):
        end = page.text(x, y, texts(key), 8, ink=MUTED)
        page.rule(end + 1.5, y + 0.6, x + WIDTH_MM * share - 3, MUTED)
        x += WIDTH_MM * share


def _draw_foot(page: Page, sheet: Sheet) -> None:
    """The model's version and the disclaimer."""
    texts, versions = sheet.texts, sheet.result.versions
    y = BOTTOM_MM + 10.5
    page.rule(MARGIN_MM, y, MARGIN_MM + WIDTH_MM)
    y += 3.6
    text = texts(
        "versions",
        hemx=versions.get("hemx", __version__),
        recipe=versions.get("recipe", "-"),
        segmenter=versions.get("segmenter_sha256", "-")[:12],
        classifier=versions.get("classifier_sha256", "-")[:12],
    )
    page.text(MARGIN_MM, y, text, 6.5, ink=MUTED)
    y += line_height_mm(6.5)
    page.paragraph(MARGIN_MM, y, WIDTH_MM, texts("disclaimer"), 6.5, ink=MUTED)
