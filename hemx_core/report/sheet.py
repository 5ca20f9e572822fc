"""The referral in the making: its pages, what belongs on them, and how sections follow each other.

A section that does not fit above the footer stands on a page of its own: nothing is cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hemx_core.comparison import ComparisonResult
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.report.json_report import short_hash
from hemx_core.report.names import shown_name
from hemx_core.report.page import MUTED, Ink, Page
from hemx_core.result import TriageResult
from hemx_core.words.report import Texts

MARGIN_MM = 12.0
WIDTH_MM = 210.0 - 2 * MARGIN_MM
COLUMN_GAP_MM = 8.0
HEADING_MM = 9.0
"""From a section's beginning to the first baseline of its content."""
BOTTOM_MM = 268.0
"""Where the footer begins."""

TOP_MM = 19.0
"""Where sections begin on a page that continues another."""

SMALL = 7.5
"""Points of labels and notes."""

ALARM: Ink = (170, 20, 30)
CAUTION: Ink = (150, 90, 0)
CALM: Ink = (60, 80, 105)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Pages and what belongs on them.

    Args:
        pages: those begun so far; the last one is drawn on.
        texts: strings in the report's language.
        result, volume: the triaged study.
        window: display window of the slices, HU.
        comparison: with an earlier study, if there is one.
        identify: print what names the patient.
    """

    pages: list[Page] = field(default_factory=list)
    texts: Texts
    result: TriageResult
    volume: HUVolume
    window: HUWindow
    comparison: ComparisonResult | None
    identify: bool

    @property
    def page(self) -> Page:
        """The page that is drawn on."""
        return self.pages[-1]

    def heading(self, x_mm: float, y_mm: float, width_mm: float, key: str) -> float:
        """A section's heading with a rule below; answers the first baseline of its content."""
        self.page.text(x_mm, y_mm + 3.4, self.texts(key), 9.5, bold=True)
        self.page.rule(x_mm, y_mm + 4.8, x_mm + width_mm)
        return y_mm + HEADING_MM

    def kept_together(self, y_mm: float, draw: Callable[[float], float]) -> float:
        """Draw a section whole: on this page, or where it does not fit on the next.

        Args:
            y_mm: where it begins.
            draw: draws it from a height on, and answers where it ends.
        Returns:
            Where the next section begins.
        """
        page = self.page
        before = len(page.items)
        end = draw(y_mm)
        if end <= BOTTOM_MM or y_mm <= TOP_MM:
            return end
        moved = page.items[before:]
        del page.items[before:]
        down = self.turn() - y_mm
        self.page.items += [replace(item, y_mm=item.y_mm + down) for item in moved]
        return end + down

    def room_for(self, y_mm: float, height_mm: float) -> float:
        """Where something of a height goes: here, or at the top of a new page."""
        return y_mm if y_mm + height_mm <= BOTTOM_MM else self.turn()

    def turn(self) -> float:
        """Begin a new page, with whose it is above; answers where sections begin on it."""
        self.pages.append(self.page.another())
        self.page.text(MARGIN_MM, 13.5, self.texts("title"), 10, bold=True)
        end = MARGIN_MM + WIDTH_MM
        self.page.text(end, 13.5, self.whose(), SMALL, ink=MUTED, anchor="right")
        self.page.rule(MARGIN_MM, 15.5, end)
        return TOP_MM

    def whose(self) -> str:
        """The patient in a line, or the study's code."""
        identity, texts = self.result.identity, self.texts
        if self.identify:
            known = (shown_name(identity.patient_name, texts.language), identity.patient_id)
            line = "   ".join(part for part in known if part)
            return self.page.shortened(line, WIDTH_MM / 2, SMALL)
        code = short_hash(identity.study_uid)
        return texts("study_code", code=code) if code else ""
