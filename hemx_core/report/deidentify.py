"""What a de-identified result may say: no names, identifiers, dates or files."""

from __future__ import annotations

import re

from hemx_core.imaging.volume import Note, SeriesIdentity

REMOVED = "[removed]"

NAMELESS_MESSAGES = {
    "several_patients": "WARNING: the input holds CT of several patients. Make sure that the right "
    "one was read.",
    "several_studies": "The input holds several studies; one was read.",
    "unreadable_files": "WARNING: damaged files were left out.",
    "missing_files": "WARNING: files of the DICOMDIR are not there.",
    "duplicate_slices": "Slices with the same position and pixels as another were left out.",
    "duplicate_slices_differ": "WARNING: slices at the position of another but with other pixels "
    "were left out. The series may hold several scans or reconstructions.",
    "unreadable_slices": "WARNING: some of the series' slices cannot be read and are left out.",
}
"""By code, for notes of the reader whose own message names a patient, a date or files."""

_MIN_LENGTH = 3


def nameless_note(note: Note, identity: SeriesIdentity) -> Note:
    """A note without what names the patient.

    Args:
        note: any note of reader, preparation or triage.
        identity: what must not be named.
    """
    message = NAMELESS_MESSAGES.get(note.code)
    return Note(note.code, message or nameless_text(note.message, identity))


def nameless_text(text: str, identity: SeriesIdentity) -> str:
    """A text in which the patient's name and ID, UIDs, site and input path are `REMOVED`.

    A safety net for free texts such as SeriesDescription: whole words only, whatever their case.
    Values of fewer than three characters stay, because they would tear any text apart.
    """
    name_parts = re.split(r"[\^=\s,]+", identity.patient_name)
    values = {
        identity.patient_id,
        identity.study_uid,
        identity.series_uid,
        identity.site,
        identity.source,
        *name_parts,
    }
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _MIN_LENGTH:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", REMOVED, text, flags=re.IGNORECASE)
    return text
