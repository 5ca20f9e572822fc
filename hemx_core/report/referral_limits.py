"""Sections of the referral that say since when, and with which limits."""

from __future__ import annotations

from hemx_core.compare import ComparisonResult
from hemx_core.imaging.volume import Note, SeriesIdentity
from hemx_core.measure.expansion import DEFINITIONS, Answer
from hemx_core.measure.uncertainty import VolumeEstimate
from hemx_core.report.deidentify import nameless_note
from hemx_core.report.page import BLACK, MUTED, line_height_mm
from hemx_core.report.sheet import ALARM, HEADING_MM, MARGIN_MM, WIDTH_MM, Sheet

NOT_FOR_REFERRALS = frozenset({"series_choice", "not_dicom", "stray_bits", "padding_kept"})
"""Notes on how the files were read; result.json has them."""

_SMALL = 7.5


def draw_comparison(sheet: Sheet, y: float) -> float:
    """Growth since the earlier study, and the answer of every definition of expansion."""
    page, texts, comparison = sheet.page, sheet.texts, sheet.comparison
    if comparison is None:
        return y
    y = sheet.heading(MARGIN_MM, y, WIDTH_MM, "comparison")
    middle = MARGIN_MM + WIDTH_MM * 0.56
    page.text(middle, y, texts("expansion"), _SMALL, ink=MUTED)
    for place, one in enumerate(DEFINITIONS, 1):
        answer = comparison.growth.answers[one.code]
        page.text(middle, y + 4.5 * place, texts(one.code), 8.5)
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
        page.text(MARGIN_MM + 54, y, span, _SMALL, ink=MUTED)
        y += 4.5
    return y + 1.0


def _growth_rows(sheet: Sheet, comparison: ComparisonResult) -> list[tuple[str, str, str]]:
    """Key, value and interval of each line."""
    texts = sheet.texts
    growth, hours = comparison.growth, comparison.interval_hours

    def volume(key: str, one: VolumeEstimate) -> tuple[str, str, str]:
        low, high = one.interval_ml
        return key, f"{one.volume_ml:.1f} mL", texts("range", low=f"{low:.1f}", high=f"{high:.1f}")

    rows = [volume("earlier", comparison.earlier_volume), volume("later", comparison.later_volume)]
    low, high = growth.ml_interval
    share = "" if growth.percent is None else f" ({growth.percent:+.0f} %)"
    rows.append(
        (
            "growth",
            f"{growth.ml:+.1f} mL{share}",
            texts("range", low=f"{low:+.1f}", high=f"{high:+.1f}"),
        )
    )
    apart = texts("unknown") if hours is None else texts("hours", hours=f"{hours:.1f}")
    return [*rows, ("time_between", apart, "")]


def notes_height(sheet: Sheet) -> float:
    """Height of the section if all warnings are to fit, mm."""
    return HEADING_MM + sum(len(one) for one in _blocks(sheet)) * line_height_mm(_SMALL)


def draw_notes(sheet: Sheet, y: float, bottom: float) -> None:
    """Warnings, the gravest first, as many as fit above the footer."""
    page, texts = sheet.page, sheet.texts
    y = sheet.heading(MARGIN_MM, y, WIDTH_MM, "notes")
    step = line_height_mm(_SMALL)
    blocks = _blocks(sheet)
    room = int((bottom - y) / step) + 1
    kept = 0
    while kept < len(blocks):
        # One line is kept for "and n more", unless this is the last note.
        needed = len(blocks[kept]) + (kept + 1 < len(blocks))
        if needed > room:
            break
        room -= len(blocks[kept])
        kept += 1
    for block in blocks[:kept]:
        page.box(MARGIN_MM + 0.3, y - 1.5, 0.9, 0.9, fill=BLACK)
        for line in block:
            page.text(MARGIN_MM + 3, y, line, _SMALL)
            y += step
    if kept < len(blocks):
        page.text(MARGIN_MM + 3, y, texts("more_notes", count=len(blocks) - kept), _SMALL)


def _blocks(sheet: Sheet) -> list[list[str]]:
    """The lines of each warning."""
    notes = _notes(sheet) or [sheet.texts("no_notes")]
    return [sheet.page.wrapped(note, WIDTH_MM - 3, _SMALL) for note in notes]


def _notes(sheet: Sheet) -> list[str]:
    """Sentences, WARNINGs first, each once."""
    texts, comparison = sheet.texts, sheet.comparison
    own = _told(sheet, sheet.result.notes, sheet.result.identity)
    found = [(note, texts.note(note)) for note in own]
    if comparison is not None:
        pair = (comparison.later.identity, comparison.earlier.identity)
        found += [(note, texts.note(note)) for note in _told(sheet, comparison.notes, *pair)]
        known = {note.code for note in own}
        earlier = _told(sheet, comparison.earlier.notes, comparison.earlier.identity)
        found += [
            (note, texts("earlier_note", note=texts.note(note)))
            for note in earlier
            if note.code not in known or note.message.startswith("WARNING")
        ]
    found.sort(key=lambda one: not one[0].message.startswith("WARNING"))
    return list(dict.fromkeys(sentence for _, sentence in found))


def _told(sheet: Sheet, notes: tuple[Note, ...], *identities: SeriesIdentity) -> list[Note]:
    told = [note for note in notes if note.code not in NOT_FOR_REFERRALS]
    if not sheet.identify:
        for identity in identities:
            told = [nameless_note(note, identity) for note in told]
    return told
