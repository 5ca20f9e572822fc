"""Sections of the referral that say who, what to do, and how much."""

from __future__ import annotations

from hemx_core.measure.aggregate import LARGE_HAEMATOMA_ML
from hemx_core.measure.expansion import DEFINITIONS, Answer
from hemx_core.measure.uncertainty import estimate_volume
from hemx_core.report.corrected import is_corrected
from hemx_core.report.deidentify import nameless_text
from hemx_core.report.json_report import short_hash
from hemx_core.report.page import BLACK, MUTED, RULE, Page, line_height_mm
from hemx_core.report.sheet import ALARM, BANNERS, MARGIN_MM, WIDTH_MM, Sheet
from hemx_core.result import Recommendation

_SMALL = 7.5


def draw_identity(sheet: Sheet, y: float) -> float:
    """Patient (or lines to fill in) and study; answers where the next section begins."""
    page, texts = sheet.page, sheet.texts
    page.box(MARGIN_MM, y, WIDTH_MM, 19.5, edge=RULE)
    for place, (key, value) in enumerate(_who(sheet)):
        column, row = place % 2, place // 2
        x = MARGIN_MM + 2.5 + column * WIDTH_MM * 0.56
        end_mm = MARGIN_MM + WIDTH_MM * (1.0 if column else 0.56) - 3
        baseline = y + 5.2 + row * 5.8
        start = page.text(x, baseline, texts(key), _SMALL, ink=MUTED) + 1.5
        if sheet.identify:
            page.text(start, baseline, _cut(page, value or "-", end_mm - start, 9), 9)
        else:
            page.rule(start, baseline + 0.6, end_mm, baseline + 0.6, ink=MUTED)
    words = _what(sheet)
    if not sheet.identify:
        words.insert(0, texts("by_hand"))
    line = _cut(page, "   ".join(words), WIDTH_MM - 5, _SMALL)
    page.text(MARGIN_MM + 2.5, y + 16.8, line, _SMALL, ink=MUTED)
    return y + 22.5


def shown_name(name: str, language: str) -> str:
    """A DICOM person name for people: alphabetic=ideographic=phonetic (PS3.5 6.2.1.2).

    Japanese shows the ideographic group where there is one, with the phonetic one in brackets.
    """
    groups = [" ".join(part for part in one.split("^") if part) for one in name.split("=")]
    groups += [""] * (3 - len(groups))
    if language == "ja" and groups[1]:
        return f"{groups[1]}（{groups[2]}）" if groups[2] else groups[1]
    return groups[0] or groups[1]


def _who(sheet: Sheet) -> tuple[tuple[str, str], ...]:
    identity, texts = sheet.result.identity, sheet.texts
    at = identity.acquired_at
    return (
        ("name", shown_name(identity.patient_name, texts.language)),
        ("patient_id", identity.patient_id),
        ("acquired", texts("moment", at, "").strip() if at else ""),
        ("site", identity.site),
    )


def _what(sheet: Sheet) -> list[str]:
    """The study in a few words, without what names the patient unless asked."""
    identity, geometry, texts = sheet.result.identity, sheet.result.geometry, sheet.texts
    description = identity.series_description
    if not sheet.identify:
        description = nameless_text(description, identity)
    thickness = sorted({round(float(one), 2) for one in geometry.slice_thickness_mm})
    code = short_hash(identity.study_uid)
    # First: the line is cut at the page's edge, and of a nameless page this alone tells the study.
    words = [texts("study_code", code=code)] * bool(code)
    words += [f"{texts('series')}: {description}"] * bool(description)
    words.append(
        texts(
            "slices",
            count=len(sheet.result.slices),
            thickness="/".join(f"{one:g}" for one in thickness),
        )
    )
    if geometry.is_tilted:
        words.append(texts("tilt", tilt=f"{geometry.tilt_deg:.1f}"))
    return words + [identity.scanner] * bool(identity.scanner)


def draw_recommendation(sheet: Sheet, y: float) -> float:
    """What to do in one sentence, and why."""
    page, texts = sheet.page, sheet.texts
    ink, paper = BANNERS[sheet.result.recommendation]
    inner = WIDTH_MM - 10
    reason = page.wrapped(_because(sheet), inner, 10)
    expanded = page.wrapped(_expanded(sheet), inner, 10)
    height = 11.5 + line_height_mm(10) * (len(reason) + len(expanded)) + 1.5
    page.box(MARGIN_MM, y, WIDTH_MM, height, fill=paper)
    page.box(MARGIN_MM, y, 2.0, height, fill=ink)
    x = MARGIN_MM + 6
    page.text(x, y + 7.2, texts(sheet.result.recommendation.value), 14, ink=ink, bold=True)
    below = y + 13.0
    for lines, bold in ((reason, False), (expanded, True)):
        for line in lines:
            page.text(x, below, line, 10, ink=ALARM if bold else BLACK, bold=bold)
            below += line_height_mm(10)
    return y + height + 4.0


def _because(sheet: Sheet) -> str:
    result, texts = sheet.result, sheet.texts
    if result.recommendation is Recommendation.NO_HAEMATOMA_FOUND:
        return texts("why_none")
    volume = result.haematoma.volume_ml
    present = [texts.sign(one.code).lower() for one in result.markers.values() if one.present]
    clauses = [texts("why_haematoma", volume=f"{volume:.1f}")]
    clauses += [texts("why_large")] * (volume >= LARGE_HAEMATOMA_ML)
    clauses.append(
        texts("why_markers", markers=texts.joined(present)) if present else texts("why_no_markers")
    )
    return texts("clause").join(clauses) + texts("stop")


def _expanded(sheet: Sheet) -> str:
    """Said in the recommendation's box, because the recommendation itself judges one study."""
    if sheet.comparison is None:
        return ""
    answers = sheet.comparison.growth.answers
    met = [sheet.texts(one.code) for one in DEFINITIONS if answers[one.code] is Answer.YES]
    return sheet.texts("why_expanded", definitions=sheet.texts.joined(met)) if met else ""


def draw_measurements(sheet: Sheet, y: float, width: float) -> float:
    """Volume with its uncertainty, ABC/2 and what else was measured."""
    page, texts, haematoma = sheet.page, sheet.texts, sheet.result.haematoma
    y = sheet.heading(MARGIN_MM, y, width, "measurements")
    if haematoma.mean_hu is None:
        page.text(MARGIN_MM, y, texts("none_found"))
        return y + 6.0
    low, high = estimate_volume(haematoma.mask, sheet.result.geometry).interval_ml
    bloody = sum(area > 0 for area in haematoma.areas_mm2)
    end = MARGIN_MM + width
    page.text(MARGIN_MM, y + 0.8, texts("volume"), bold=True)
    page.text(end, y + 0.8, f"{haematoma.volume_ml:.1f} mL", 13, anchor="right", bold=True)
    y += 5.0
    span = texts("interval", low=f"{low:.1f}", high=f"{high:.1f}")
    page.text(end, y, span, _SMALL, anchor="right", ink=MUTED)
    if is_corrected(sheet.result):
        page.text(MARGIN_MM, y, texts("corrected"), _SMALL, ink=ALARM, bold=True)
    y += 5.0
    rows = []
    if haematoma.filled_ml > 0:
        rows.append(("filled", f"{haematoma.filled_ml:.1f} mL"))
    rows += [
        ("abc2", f"{haematoma.abc2_volume_ml:.1f} mL"),
        ("components", str(len(haematoma.component_volumes_ml))),
        ("diameter", f"{haematoma.max_diameter_mm:.0f} mm"),
        ("density", f"{haematoma.mean_hu:.0f} HU"),
        ("bloody", texts("of", part=bloody, whole=len(haematoma.areas_mm2))),
    ]
    for key, value in rows:
        page.text(MARGIN_MM, y, texts(key), 8.5)
        page.text(end, y, value, 8.5, anchor="right")
        y += 4.9
    return y


def _cut(page: Page, text: str, width: float, points: float) -> str:
    """The text, shortened with an ellipsis where it is too wide."""
    if page.text_width(text, points) <= width:
        return text
    while text and page.text_width(text + "…", points) > width:
        text = text[:-1]
    return text + "…"
