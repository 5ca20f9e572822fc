"""Texts from files, fit to be shown."""

import json

import pytest

from hemx_core.notes import Note, Severity
from hemx_core.words import tell
from hemx_core.words.plain import escaped, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Head 5.0 mm", "Head 5.0 mm"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x9b2Jgone", "2Jgone"),
        ("a\x00b\x07c\x7f", "abc"),
        ("two\r\nlines\tand\u2028more", "two  lines and more"),
        ("\u202egnp.exe\u202c \u2066x\u2069 \u200f\ufeff", "gnp.exe x "),
        ("\ud83d lone", "? lone"),
        ("\udcff.dcm", "?.dcm"),
        ("頭部　5 mm（単純）…", "頭部　5 mm（単純）…"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("soft\u00adhyphen\u00a0x", "softhyphen x"),
        ("\U000e0041tag", "tag"),
        ("a\ufff9b\u180e", "ab"),
    ],
)
def test_what_steers_is_gone(text: str, shown: str) -> None:
    assert plain(text) == shown
    assert plain(shown) == shown


def test_a_document_keeps_them_as_escapes() -> None:
    value = "\x1b \x9b \u202e \udcff \U000e0041 \u2028 é 頭 \u200c"
    text = escaped(json.dumps({"x": value}, ensure_ascii=False, indent=2))
    assert json.loads(text)["x"] == value
    assert "\\u202e" in text
    assert "é 頭" in text
    for character in "\x1b\x9b\u202e\udcff\U000e0041\u2028":
        assert character not in text
    text.encode("utf-8")


def test_a_note_tells_no_control_characters() -> None:
    note = Note("missing_files", Severity.WARNING, count=1, files=("a\x1b[2J\nb.dcm",))
    assert "a[2J b.dcm" in tell(note)
    assert "a[2J b.dcm" in tell(note, "ja")
    stored = Note("n", Severity.WARNING, sentence="old\x1b[2J")
    assert tell(stored) == "old[2J"
