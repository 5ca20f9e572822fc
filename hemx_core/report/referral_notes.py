"""What the referral has to say beside its figures: warnings, which come first, and limits."""

from __future__ import annotations

from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.notes import Note, Severity
from hemx_core.report.nameless import nameless_note
from hemx_core.report.page import BLACK, line_height_mm
from hemx_core.report.sheet import BOTTOM_MM, HEADING_MM, MARGIN_MM, SMALL, WIDTH_MM, Sheet

NOT_FOR_REFERRALS = frozenset({"series_choice", "not_dicom", "stray_bits", "padding_kept"})
"""Notes on how the files were read, unless they are warnings; result.json has them."""


def warnings(sheet: Sheet) -> list[str]:
    """The sentences of all warnings."""
    return [told for severity, told in _notes(sheet) if severity is Severity.WARNING]


def limits(sheet: Sheet) -> list[str]:
    """The sentences of all other notes, the more severe first."""
    return [told for severity, told in _notes(sheet) if severity is not Severity.WARNING]


def notes_height(sheet: Sheet) -> float:
    """Height of the section if it is to stand on one page, mm."""
    return HEADING_MM + sum(len(block) for block in _blocks(sheet)) * line_height_mm(SMALL)


def draw_notes(sheet: Sheet, y: float) -> float:
    """All limits, on as many pages as they need; answers where they end."""
    step = line_height_mm(SMALL)
    blocks = _blocks(sheet)
    y = sheet.room_for(y, HEADING_MM + (len(blocks[0]) - 1) * step)
    y = sheet.heading(MARGIN_MM, y, WIDTH_MM, "notes")
    for block in blocks:
        if y + (len(block) - 1) * step > BOTTOM_MM:
            y = sheet.heading(MARGIN_MM, sheet.turn(), WIDTH_MM, "notes")
        sheet.page.box(MARGIN_MM + 0.3, y - 1.5, 0.9, 0.9, BLACK)
        for line in block:
            if y > BOTTOM_MM:  # longer than a page
                y = sheet.heading(MARGIN_MM, sheet.turn(), WIDTH_MM, "notes")
            sheet.page.text(MARGIN_MM + 3, y, line, SMALL)
            y += step
    return y


def _blocks(sheet: Sheet) -> list[list[str]]:
    """The lines of each note."""
    told = limits(sheet) or [sheet.texts("no_notes")]
    return [sheet.page.wrapped(note, WIDTH_MM - 3, SMALL) for note in told]


def _notes(sheet: Sheet) -> list[tuple[Severity, str]]:
    """Sentences with their severity, the most severe first, each once."""
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
            if note.code not in known or note.severity is Severity.WARNING
        ]
    found.sort(key=lambda pair: pair[0].severity.rank)
    return list(dict.fromkeys((note.severity, sentence) for note, sentence in found))


def _told(sheet: Sheet, notes: tuple[Note, ...], *identities: SeriesIdentity) -> list[Note]:
    told = [
        note
        for note in notes
        if note.code not in NOT_FOR_REFERRALS or note.severity is Severity.WARNING
    ]
    if not sheet.identify:
        told = [nameless_note(note, *identities) for note in told]
    return told
