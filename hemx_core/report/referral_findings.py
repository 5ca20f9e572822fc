"""Sections of the referral that show findings: markers and rule-based signs."""

from __future__ import annotations

from hemx_core.markers import MARKERS
from hemx_core.report.json_report import sign_answer
from hemx_core.report.page import BLACK, MUTED, Ink
from hemx_core.report.sheet import ALARM, CALM, CAUTION, MARGIN_MM, WIDTH_MM, Sheet
from hemx_core.result import MarkerResult, SignResult

MARKER_STEP_MM = 9.2
BAR_MM = 2.8
TRACK: Ink = (225, 228, 233)

_SMALL = 7.5


def draw_markers(sheet: Sheet, y: float, x: float, width: float) -> float:
    """Each marker's calibrated probability as a bar, with its threshold as a mark."""
    page, texts = sheet.page, sheet.texts
    y = sheet.heading(x, y, width, "markers")
    if not sheet.result.markers:
        page.text(x, y, texts("not_judged"))
        return y + 6.0
    for marker in MARKERS:
        _draw_marker(sheet, sheet.result.markers[marker.code], x, y, width)
        y += MARKER_STEP_MM
    return y


def _draw_marker(sheet: Sheet, marker: MarkerResult, x: float, y: float, width: float) -> None:
    page, texts = sheet.page, sheet.texts
    ink = ALARM if marker.present else CALM
    verdict = texts("at_or_above" if marker.present else "below")
    page.text(x, y, texts.sign(marker.code), 8.5, bold=marker.present)
    told = (
        f"{texts('threshold', value=f'{marker.threshold:.2f}')}{texts('list')}{verdict}"
        f"{texts('list')}{texts('slice', number=marker.slice_index + 1)}"
    )
    page.text(x + width, y, told, _SMALL, anchor="right", ink=MUTED)
    bar, top = width - 13, y + 1.6
    page.box(x, top, bar, BAR_MM, fill=TRACK)
    if marker.probability > 0:
        page.box(x, top, bar * marker.probability, BAR_MM, fill=ink)
    mark = x + bar * marker.threshold
    page.box(mark - 0.25, top - 0.8, 0.5, BAR_MM + 1.6, fill=BLACK)
    value = f"{marker.probability:.2f}"
    page.text(x + width, top + BAR_MM, value, 10, anchor="right", ink=ink, bold=marker.present)


def draw_signs(sheet: Sheet, y: float) -> float:
    """The rules' answers in three columns, each with its measured value and threshold."""
    page, texts = sheet.page, sheet.texts
    y = sheet.heading(MARGIN_MM, y, WIDTH_MM, "signs")
    if not sheet.result.signs:
        page.text(MARGIN_MM, y, texts("not_judged"))
        return y + 5.0
    columns, width = 3, WIDTH_MM / 3
    for place, sign in enumerate(sheet.result.signs):
        x = MARGIN_MM + place % columns * width
        top = y + place // columns * 8.2
        answer = sign_answer(sign)
        ink = {"yes": ALARM, "no": BLACK, "undecided": CAUTION}[answer]
        end = page.text(x, top, f"{texts.sign(sign.code)}: ", 8.5)
        page.text(end, top, texts(answer), 8.5, ink=ink, bold=answer != "no")
        page.text(x, top + 3.3, _measured(sheet, sign), 6.5, ink=MUTED)
    rows = -(-len(sheet.result.signs) // columns)
    return y + rows * 8.2 - 2.0


def _measured(sheet: Sheet, sign: SignResult) -> str:
    texts = sheet.texts
    if sign.value is None:
        return texts("not_measured")

    def quantity(value: float) -> str:
        if not sign.unit:
            return f"{value:.3f}"
        if sign.unit == "pieces":
            return f"{value:.0f} {texts('pieces')}".rstrip()
        return f"{value:.1f} {sign.unit}"

    form = "from_up" if sign.at_least else "from_down"
    told = texts(form, value=quantity(sign.value), limit=quantity(sign.threshold))
    if sign.slice_index is None:
        return told
    return f"{told}{texts('list')}{texts('slice', number=sign.slice_index + 1)}"
