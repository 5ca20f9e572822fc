from pathlib import Path

import pytest

import hemx_core.imaging
from hemx_core.imaging.volume import Note, SeriesIdentity
from hemx_core.report.deidentify import NAMELESS_MESSAGES, nameless_note, nameless_text

IDENTITY = SeriesIdentity(
    patient_id="4711", patient_name="Doe^Jane^B", series_uid="1.2.3.4", source="/scans/doe"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Head Jane DOE 5 mm", "Head [removed] [removed] 5 mm"),
        ("patient '4711'.", "patient '[removed]'."),
        ("series 1.2.3.4 of /scans/doe", "series [removed] of [removed]"),
        ("B 5 mm, 47110 mm, Doeringer", "B 5 mm, 47110 mm, Doeringer"),
    ],
)
def test_names_go_and_words_stay(text: str, expected: str) -> None:
    assert nameless_text(text, IDENTITY) == expected


def test_nothing_known_removes_nothing() -> None:
    text = "array, 5 mm, head"
    assert nameless_text(text, SeriesIdentity()) == text


def test_notes_that_name_files_get_a_fixed_message_and_others_keep_theirs() -> None:
    named = Note("unreadable_files", "2 damaged files were left out: smith.dcm, x.dcm.")
    assert "smith" not in nameless_note(named, IDENTITY).message
    assert nameless_note(named, IDENTITY).code == "unreadable_files"
    tilt = Note("gantry_tilt", "The slices are tilted by 12.0 degrees.")
    assert nameless_note(tilt, IDENTITY) == tilt


def test_every_code_is_one_that_the_reader_gives() -> None:
    folder = Path(hemx_core.imaging.__path__[0])
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    assert [code for code in NAMELESS_MESSAGES if f'"{code}"' not in source] == []
