"""The referral page in the making: where it is drawn, what is drawn, and its common marks."""

from __future__ import annotations

from dataclasses import dataclass

from hemx_core.compare import ComparisonResult
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.report.page import RULE, Ink, Page
from hemx_core.report.texts import Texts
from hemx_core.result import Recommendation, TriageResult

MARGIN_MM = 12.0
WIDTH_MM = 210.0 - 2 * MARGIN_MM
COLUMN_GAP_MM = 8.0
HEADING_MM = 9.0
"""From a section's beginning to the first baseline of its content."""
BOTTOM_MM = 268.0
"""Where the footer begins."""

ALARM: Ink = (170, 20, 30)
CAUTION: Ink = (150, 90, 0)
CALM: Ink = (60, 80, 105)

BANNERS: dict[Recommendation, tuple[Ink, Ink]] = {
    Recommendation.CALL_NOW: (ALARM, (252, 234, 234)),
    Recommendation.DISCUSS: (CAUTION, (253, 243, 224)),
    # Not green: nothing here says that all is well.
    Recommendation.NO_HAEMATOMA_FOUND: (CALM, (235, 239, 245)),
}
"""Ink and paper of the recommendation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A page and what belongs on it.

    Args:
        page: what is drawn on.
        texts: strings in the report's language.
        result, volume: the triaged study.
        window: display window of the slices, HU.
        comparison: with an earlier study, if there is one.
        identify: print what names the patient.
    """

    page: Page
    texts: Texts
    result: TriageResult
    volume: HUVolume
    window: HUWindow
    comparison: ComparisonResult | None
    identify: bool

    def heading(self, x_mm: float, y_mm: float, width_mm: float, key: str) -> float:
        """A section's heading with a rule below; answers the first baseline of its content."""
        self.page.text(x_mm, y_mm + 3.4, self.texts(key), 9.5, bold=True)
        self.page.rule(x_mm, y_mm + 4.8, x_mm + width_mm, y_mm + 4.8, ink=RULE)
        return y_mm + HEADING_MM
