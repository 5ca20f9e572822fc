"""The sections of the referral: who, what to do, how much; markers and signs; since when."""

from __future__ import annotations

from hemx_core.comparison import ComparisonResult
from hemx_core.intervals import Interval
from hemx_core.markers import MARKERS
from hemx_core.measure.aggregate import LARGE_HAEMATOMA_ML
from hemx_core.measure.corrected import is_corrected
from hemx_core.measure.estimate import VolumeEstimate, estimate_result
from hemx_core.measure.expansion import DEFINITIONS, Answer
from hemx_core.report.clauses import marker_clauses
from hemx_core.report.json_report import short_hash, sign_answer
from hemx_core.report.nameless import nameless_description
from hemx_core.report.names import shown_name
from hemx_core.report.page import BLACK, MUTED, Ink, line_height_mm
from hemx_core.report.referral_notes import warnings
from hemx_core.report.sheet import ALARM, CALM, CAUTION, MARGIN_MM, SMALL, WIDTH_MM, Sheet
from hemx_core.result import Haematoma, MarkerResult, Recommendation, SignResult
from hemx_core.words.report import Texts

BANNERS: dict[Recommendation, tuple[Ink, Ink]] = {
    Recommendation.CALL_NOW: (ALARM, (252, 234, 234)),
    Recommendation.DISCUSS: (CAUTION, (253, 243, 224)),
    Recommendation.CANNOT_TELL: (ALARM, (252, 234, 234)),
    # Not green: nothing here says that all is well.
    Recommendation.NO_HAEMATOMA_FOUND: (CALM, (235, 239, 245)),
}
"""Ink and paper of the recommendation."""


def draw_identity(sheet: Sheet, y: float) -> float:
    """Patient (or lines to fill in) and study; answers where the next section begins."""
    page, texts = sheet.page, sheet.texts
    page.frame(MARGIN_MM, y, WIDTH_MM, 19.5)
    for place, (key, value) in enumerate(_who(sheet)):
        column, row = place % 2, place // 2
        x = MARGIN_MM + 2.5 + column * WIDTH_MM * 0.56
        end_mm = MARGIN_MM + WIDTH_MM * (1.0 if column else 0.56) - 3
        baseline = y + 5.2 + row * 5.8
        start = page.text(x, baseline, texts(key), SMALL, ink=MUTED) + 1.5
        if sheet.identify:
            page.text(start, baseline, page.shortened(value or "-", end_mm - start, 9), 9)
        else:
            page.rule(start, baseline + 0.6, end_mm, MUTED)
    words = _what(sheet)
    if not sheet.identify:
        words.insert(0, texts("by_hand"))
    line = page.shortened("   ".join(words), WIDTH_MM - 5, SMALL)
    page.text(MARGIN_MM + 2.5, y + 16.8, line, SMALL, ink=MUTED)
    return y + 22.5


def _who(sheet: Sheet) -> tuple[tuple[str, str], ...]:
    identity, texts = sheet.result.identity, sheet.texts
    at = identity.acquired_at
    unwritten = texts("name_not_shown") if identity.patient_name.strip(" ^=") else ""
    return (
        ("name", shown_name(identity.patient_name, texts.language) or unwritten),
        ("patient_id", identity.patient_id),
        ("acquired", texts("moment", at, "").strip() if at else ""),
        ("site", identity.site),
    )


def _what(sheet: Sheet) -> list[str]:
    """The study in a few words, without what names the patient unless asked."""
    identity, geometry, texts = sheet.result.identity, sheet.result.geometry, sheet.texts
    description = identity.series_description
    if not sheet.identify:
        description = nameless_description(description, identity)
    thicknesses = sorted({round(float(value), 2) for value in geometry.slice_thickness_mm})
    code = short_hash(identity.study_uid)
    # First: the line is cut at the page's edge, and of a nameless page this alone tells the study.
    words = [texts("study_code", code=code)] * bool(code)
    words += [f"{texts('series')}: {description}"] * bool(description)
    words.append(
        texts(
            "slices",
            count=len(sheet.result.slices),
            thickness="/".join(f"{value:g}" for value in thicknesses),
        )
    )
    if geometry.is_tilted:
        words.append(texts("tilt", tilt=f"{geometry.tilt_deg:.1f}"))
    return words + [identity.scanner] * bool(identity.scanner)


def draw_recommendation(sheet: Sheet, y: float) -> float:
    """What to do in one sentence, every warning, and why."""
    texts, inner = sheet.texts, WIDTH_MM - 10
    ink, _ = BANNERS[sheet.result.recommendation]
    wrapped = sheet.page.wrapped
    y = _line(sheet, y, texts(sheet.result.recommendation.value), 14, ink, lead=1.8)
    for warning in warnings(sheet):
        for line in wrapped(warning, inner, 9):
            y = _line(sheet, y, line, 9, ALARM, bold=False)
        y = _blank(sheet, y, 0.8)
    y = _blank(sheet, y, 0.6)
    for line in wrapped(_because(sheet), inner, 10):
        y = _line(sheet, y, line, 10, BLACK, bold=False)
    for line in wrapped(_expanded(sheet), inner, 10):
        y = _line(sheet, y, line, 10, ALARM)
    return _blank(sheet, y, 1.5) + 4.0


def _line(
    sheet: Sheet,
    y: float,
    text: str,
    points: float,
    ink: Ink,
    *,
    bold: bool = True,
    lead: float = 0.0,
) -> float:
    """A line of the recommendation's box; answers where it ends."""
    height = line_height_mm(points) + lead
    y = sheet.room_for(y, height)
    below = _blank(sheet, y, height)
    sheet.page.text(
        MARGIN_MM + 6, below - 0.28 * line_height_mm(points), text, points, ink=ink, bold=bold
    )
    return below


def _blank(sheet: Sheet, y: float, height: float) -> float:
    """A stretch of the recommendation's box; answers where it ends."""
    ink, paper = BANNERS[sheet.result.recommendation]
    sheet.page.box(MARGIN_MM, y, WIDTH_MM, height, paper)
    sheet.page.box(MARGIN_MM, y, 2.0, height, ink)
    return y + height


def _because(sheet: Sheet) -> str:
    result, texts = sheet.result, sheet.texts
    if result.recommendation is Recommendation.NO_HAEMATOMA_FOUND:
        return texts("why_none")
    if result.recommendation is Recommendation.CANNOT_TELL:
        return texts("why_cannot_tell")
    clauses = [texts("why_haematoma", volume=volume_range(result.haematoma, texts))]
    most_ml = result.haematoma.at_most_ml or result.haematoma.volume_ml
    clauses += [texts("why_large")] * (most_ml >= LARGE_HAEMATOMA_ML)
    clauses += marker_clauses(result.markers.values(), texts)
    return texts("clause").join(clauses) + texts("stop")


def volume_range(haematoma: Haematoma, texts: Texts) -> str:
    """The volume as it is told, without its unit: one figure, two, or a lower bound."""
    told = f"{haematoma.volume_ml:.1f}"
    if haematoma.at_most_ml is not None:
        told = texts("span", low=told, high=f"{haematoma.at_most_ml:.1f}")
    return texts("at_least", volume=told) if haematoma.lower_bound else told


def _expanded(sheet: Sheet) -> str:
    """Said in the recommendation's box, because the recommendation itself judges one study."""
    if sheet.comparison is None:
        return ""
    answers = sheet.comparison.growth.answers
    codes = [definition.code for definition in DEFINITIONS]
    met = [sheet.texts(code) for code in codes if answers[code] is Answer.YES]
    return sheet.texts("why_expanded", definitions=sheet.texts.joined(met)) if met else ""


def _unless_cannot_tell(sheet: Sheet, key: str) -> str:
    """What says that nothing was found, or else what does not."""
    if sheet.result.recommendation is Recommendation.CANNOT_TELL:
        return "cannot_judge"
    return key


def draw_measurements(sheet: Sheet, y: float, width: float) -> float:
    """Volume with its uncertainty, ABC/2 and what else was measured."""
    page, texts, haematoma = sheet.page, sheet.texts, sheet.result.haematoma
    y = sheet.heading(MARGIN_MM, y, width, "measurements")
    if haematoma.mean_hu is None:
        page.text(MARGIN_MM, y, texts(_unless_cannot_tell(sheet, "none_found")))
        return y + 6.0
    interval = estimate_result(sheet.result).interval_ml
    bloody = sum(area > 0 for area in haematoma.areas_mm2)
    end = MARGIN_MM + width
    page.text(MARGIN_MM, y + 0.8, texts("volume"), bold=True)
    volume = f"{volume_range(haematoma, texts)} mL"
    page.text(end, y + 0.8, volume, 13, anchor="right", bold=True)
    y += 5.0
    span = _span(texts, "interval", interval) if interval else texts("no_interval")
    page.text(end, y, span, SMALL, anchor="right", ink=MUTED)
    if is_corrected(sheet.result):
        page.text(MARGIN_MM, y, texts("corrected"), SMALL, ink=ALARM, bold=True)
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


MARKER_STEP_MM = 9.2
BAR_MM = 2.8
TRACK: Ink = (225, 228, 233)


def draw_markers(sheet: Sheet, y: float, x: float, width: float) -> float:
    """Each marker's calibrated probability as a bar, with its threshold as a mark."""
    page, texts = sheet.page, sheet.texts
    y = sheet.heading(x, y, width, "markers")
    if not sheet.result.markers:
        page.text(x, y, texts(_unless_cannot_tell(sheet, "not_judged")))
        return y + 6.0
    for marker in MARKERS:
        _draw_marker(sheet, sheet.result.markers[marker.code], x, y, width)
        y += MARKER_STEP_MM
    return y


def _draw_marker(sheet: Sheet, marker: MarkerResult, x: float, y: float, width: float) -> None:
    page, texts = sheet.page, sheet.texts
    counts = marker.present and marker.validated
    ink = ALARM if counts else CALM if marker.validated else MUTED
    verdict = texts("at_or_above" if marker.present else "below")
    if not marker.validated:  # the bar tells whether it reaches the threshold
        verdict = texts("not_validated")
    page.text(x, y, texts.sign(marker.code), 8.5, bold=counts)
    told = (
        f"{texts('threshold', value=f'{marker.threshold:.2f}')}{texts('list')}{verdict}"
        f"{texts('list')}{texts('slice', number=marker.slice_index + 1)}"
    )
    page.text(x + width, y, told, SMALL, anchor="right", ink=MUTED)
    bar, top = width - 13, y + 1.6
    page.box(x, top, bar, BAR_MM, TRACK)
    if marker.probability > 0:
        page.box(x, top, bar * marker.probability, BAR_MM, ink)
    mark = x + bar * marker.threshold
    page.box(mark - 0.25, top - 0.8, 0.5, BAR_MM + 1.6, BLACK)
    value = f"{marker.probability:.2f}"
    page.text(x + width, top + BAR_MM, value, 10, anchor="right", ink=ink, bold=counts)


def draw_signs(sheet: Sheet, y: float) -> float:
    """The rules' answers in three columns, each with its measured value and threshold."""
    page, texts = sheet.page, sheet.texts
    y = sheet.heading(MARGIN_MM, y, WIDTH_MM, "signs")
    if not sheet.result.signs:
        page.text(MARGIN_MM, y, texts(_unless_cannot_tell(sheet, "not_judged")))
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


def draw_comparison(sheet: Sheet, y: float) -> float:
    """Growth since the earlier study, and the answer of every definition of expansion."""
    page, texts, comparison = sheet.page, sheet.texts, sheet.comparison
    if comparison is None:
        return y
    y = sheet.heading(MARGIN_MM, y, WIDTH_MM, "comparison")
    middle = MARGIN_MM + WIDTH_MM * 0.56
    page.text(middle, y, texts("expansion"), SMALL, ink=MUTED)
    for place, definition in enumerate(DEFINITIONS, 1):
        answer = comparison.growth.answers[definition.code]
        page.text(middle, y + 4.5 * place, texts(definition.code), 8.5)
        yes = answer is Answer.YES
        page.text(
            MARGIN_MM + WIDTH_MM,
            y + 4.5 * place,
            texts(answer.value),
            8.5,
            anchor="right",
            ink=ALARM if yes else BLACK,
            bold=yes,
        )
    for key, value, span in _growth_rows(sheet, comparison):
        page.text(MARGIN_MM, y, texts(key), 8.5)
        page.text(MARGIN_MM + 52, y, value, 8.5, anchor="right", bold=key == "growth")
        page.text(MARGIN_MM + 54, y, span, SMALL, ink=MUTED)
        y += 4.5
    return y + 1.0


def _growth_rows(sheet: Sheet, comparison: ComparisonResult) -> list[tuple[str, str, str]]:
    """Key, value and interval of each line."""
    texts = sheet.texts
    growth, hours = comparison.growth, comparison.interval_hours

    def volume(key: str, estimate: VolumeEstimate) -> tuple[str, str, str]:
        return key, f"{estimate.volume_ml:.1f} mL", _span(texts, "range", estimate.interval_ml)

    rows = [volume("earlier", comparison.earlier_volume), volume("later", comparison.later_volume)]
    share = "" if growth.percent is None else f" ({growth.percent:+.0f} %)"
    span = _span(texts, "range", growth.ml_interval, signed="+")
    rows.append(("growth", f"{growth.ml:+.1f} mL{share}", span))
    apart = texts("unknown") if hours is None else texts("hours", hours=f"{hours:.1f}")
    return [*rows, ("time_between", apart, "")]


def _span(texts: Texts, key: str, interval: Interval | None, *, signed: str = "") -> str:
    """An interval of mL in words; nothing where there is none."""
    if interval is None:
        return ""
    low, high = (f"{end:{signed}.1f}" for end in interval)
    return texts(key, low=low, high=high)
