from __future__ import annotations

import json
import re

import pytest

from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.notes import DESCRIPTIONS, NAMING, TERMS, Note, Phrase, Severity
from hemx_core.report.json_report import said
from hemx_core.report.nameless import (
    REMOVED,
    nameless_description,
    nameless_note,
    nameless_text,
    protocol_words,
)
from hemx_core.words import english, japanese, required, tell
from tests.hemx_core.words.test_codes import uses

PERSON = SeriesIdentity(
    patient_id="4711", patient_name="Doe^Jane^B", series_uid="1.2.3.4", source="/scans/doe"
)
HANAKO = SeriesIdentity(
    patient_id="12345678",
    patient_name="Demo^Hanako=試験^花子=しけん^はなこ^様",
    birth_date="19500131",
    site="東京病院",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Head Jane DOE 5 mm", "Head [removed] [removed] 5 mm"),
        ("patient '4711'.", "patient '[removed]'."),
        ("series 1.2.3.4 of /scans/doe", "series [removed] of [removed]"),
        ("B 5 mm, 47110 mm, Doeringer", "B 5 mm, 47110 mm, Doeringer"),
        ("DOE_JANE_head_4711", "[removed]_[removed]_head_[removed]"),
    ],
)
def test_names_go_and_words_stay(text: str, expected: str) -> None:
    assert nameless_text(text, PERSON) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HEAD_DEMO_5mm 試験花子 ID12345678", "HEAD_[removed]_5mm [removed] [removed]"),
        ("DemoHanako1950", REMOVED),
        ("demohanako head", "[removed] head"),
        ("HANAKODEMO", REMOVED),
        ("CTHanakoHead", REMOVED),
        ("xxhanakoxx", REMOVED),
        ("頭部試験花子様5mm", "頭部[removed]様5mm"),
        ("シケンハナコ_東京病院", "[removed]_[removed]"),
        ("ｼｹﾝ ﾊﾅｺ", "[removed] [removed]"),
        ("Ｄｅｍｏ", REMOVED),
        ("Démo", REMOVED),
        ("No-0012345678-CT", "No-[removed]-CT"),
        ("1234-5678", REMOVED),
        ("912345678", REMOVED),
        ("born 1950-01-31, 31.01.1950, 1950年1月31日", "born [removed], [removed], [removed]"),
        ("acc 20261130", "acc [removed]"),
        ("uid 1.2.392.200036.9116.2 of 1.2.840.10008.1.2.4.70",
         "uid [removed] of 1.2.840.10008.1.2.4.70"),
        ("demons in the scanner", "[removed] in the scanner"),
        ("scanner, 5.0 mm, 512 x 512", "scanner, 5.0 mm, 512 x 512"),
    ],
)  # fmt: skip
def test_joined_prefixed_and_unspaced_names_go(text: str, expected: str) -> None:
    assert nameless_text(text, HANAKO) == expected


@pytest.mark.parametrize(
    "name", ["Li", "Wu^Ng", "LI^Na=李^娜", "김^철수", "林^太郎", "Иванов^Пётр"]
)
def test_short_and_single_names_go_as_whole_words(name: str) -> None:
    person = SeriesIdentity(patient_name=name)
    for part in re.split(r"[\^=]", name):
        assert nameless_text(f"5 {part} mm", person) == "5 [removed] mm"
        assert nameless_text(f"5_{part.upper()}_", person) == "5_[removed]_"
    assert nameless_text("linear lines, wunder, angle", person) == "linear lines, wunder, angle"


def test_a_name_with_sound_marks_goes_in_either_width() -> None:
    person = SeriesIdentity(patient_name="==バンノウ^ガク")
    assert nameless_text("ﾊﾞﾝﾉｳ ばんのう ハンノウ", person) == "[removed] [removed] ハンノウ"


def test_everybody_of_a_mixed_folder_goes() -> None:
    assert nameless_text("Doe 試験", PERSON, HANAKO) == "[removed] [removed]"


def test_nothing_known_removes_nothing() -> None:
    text = "array, 5 mm, head"
    assert nameless_text(text, SeriesIdentity()) == text
    assert nameless_text(text, SeriesIdentity(patient_id="0", patient_name="^^=")) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "HEAD 5.0 H30s", "Head 5 mm", "CT HEAD W/O CONTRAST", "STD BRAIN 5MM", "AXIAL_5MM_STANDARD",
        "1.1 Routine Brain", "5/5mm Plain", "CT, HEAD/BRAIN WO CONTRAST", "HeadRoutine 0.625mm",
        "BRAIN Hr40f 3.0", "Head FC26 120kV 512x512", "Schädel nativ 5mm", "Neurocranium ohne KM",
        "crâne sans injection", "cranio senza mdc", "CRÂNIO SEM CONTRASTE", "голова без контраста",
        "頭部単純CT 5mm", "頭部　単純　５ｍｍ", "脳条件5mm", "頭部ルーチン", "颅脑平扫 5mm", "뇌 비조영",
        "κρανίο χωρίς",
        "hoofd zonder contrast", "C+/C-", "head-neck", "BONE PLUS 0.6", "Topogram 0.6 T20s",
    ],
)  # fmt: skip
def test_descriptions_of_known_words_stay(text: str) -> None:
    assert nameless_description(text, HANAKO) == text


@pytest.mark.parametrize(
    "text",
    [
        "HEAD_DEMO_5mm 試験花子 ID12345678", "DemoHanako1950", "Head Smith", "HEAD LI", "頭部 田中", "林頭部",
        "head 1950", "head 123-456-78", "head 31/1/50", "S25.1.31 head", "Dr Wu routine", "head HN1950",
        "St. Mary axial", "head for Ben", "Masa CT", "ID17", "タナカ単純", "head 12.3.45",
    ],
)  # fmt: skip
def test_descriptions_with_other_words_go_as_a_whole(text: str) -> None:
    assert nameless_description(text) == REMOVED


def test_a_known_word_that_is_the_patient_s_name_goes() -> None:
    assert nameless_description("HEAD SHARP") == "HEAD SHARP"
    assert nameless_description("HEAD SHARP", SeriesIdentity(patient_name="Sharp^A")) == REMOVED


def test_the_list_has_many_words_and_none_of_two_letters_that_are_names() -> None:
    words = protocol_words()
    assert len(words) > 600
    assert not words & {"li", "wu", "ng", "xu", "he", "mai", "kim", "lee", "ben", "ann", "jo"}


def test_what_names_files_or_the_patient_is_left_out_of_a_note() -> None:
    broken = Phrase("unreadable", file="smith.dcm", reason="smith.dcm ends early")
    note = Note(
        "unreadable_files", Severity.WARNING, count=2, files=("smith.dcm", "x.dcm"), because=broken
    )
    nameless = nameless_note(note, PERSON)
    assert nameless == Note("unreadable_files", Severity.WARNING, count=2)
    assert tell(nameless) == "Left out 2 files, damaged."
    tilt = Note("gantry_tilt", Severity.INFO, degrees=12.0)
    assert nameless_note(tilt, PERSON) == tilt


def test_a_description_in_a_note_goes_as_a_whole_however_deep() -> None:
    series = Phrase("series", number=4, description="Head Smith", count=6)
    because = Phrase("because.asked_for")
    note = Note("series_choice", Severity.INFO, series=series, usable=(series,), because=because)
    told = json.dumps(said(nameless_note(note, PERSON)))
    assert "Smith" not in told, "nobody's name of whom the result knows"
    assert told.count("'[removed]'") == 2, "twice in the sentence"
    plain = Phrase("series", number=4, description="Head 5 mm", count=6)
    note = Note("series_choice", Severity.INFO, series=plain, because=because)
    assert nameless_note(note, PERSON) == note


def test_what_was_given_as_contrast_is_a_description_too() -> None:
    given = Phrase("contrast_given", sign=Phrase("contrast.agent", agent="Smith 100 mL"))
    note = nameless_note(Note("contrast", Severity.WARNING, reason=given), PERSON)
    assert "Smith" not in tell(note)
    given = Phrase("contrast_given", sign=Phrase("contrast.agent", agent="Iomeron 300"))
    assert "Iomeron 300" in tell(nameless_note(Note("contrast", Severity.WARNING, reason=given)))


def test_a_phrase_that_needs_another_goes_with_it() -> None:
    other = Phrase("series", number=7, description="Smith", count=6, patient="815")
    aside = Phrase("aside", series=other, reason=Phrase("localizer"))
    mine = Phrase("series", number=4, count=6)
    because = Phrase("because.covers_head")
    note = Note(
        "series_choice",
        Severity.INFO,
        series=mine,
        because=because,
        usable=(other,),
        aside=(aside,),
    )
    assert "Smith' of patient '815'" in tell(note)
    nameless = nameless_note(note, PERSON)
    assert nameless.values["usable"] == nameless.values["aside"] == ()
    assert tell(nameless) == "Read series 4 (6 slices) because it covers the head."


def test_codes_are_told_although_the_patient_is_named_like_one() -> None:
    axial = SeriesIdentity(patient_name="Axial^Black")
    note = Note("derived_images", Severity.WARNING, reason=Phrase("not_axial", plane="axial"))
    assert nameless_note(note, axial) == note


def test_all_terms_and_descriptions_are_known_by_the_names_of_their_values() -> None:
    told = [*english.SENTENCES.values(), *english.ERRORS.values(), *japanese.SENTENCES.values()]
    terms = {name for template in told for name in re.findall(r"\{(\w+):term\}", template)}
    assert terms == TERMS
    described = {name for text in told for name in re.findall(r"\{(\w+)!?r?\}", text)}
    assert described >= DESCRIPTIONS


def test_every_note_can_do_without_what_names_a_patient() -> None:
    codes = {code for use in uses() if use.name in {"Note", "Reason"} for code in use.codes}
    assert len(codes) > 40
    for code in codes:
        assert not required(english.SENTENCES[code]) & NAMING, code


def test_an_old_note_that_may_name_files_is_withheld() -> None:
    old = Note.from_json({"code": "unreadable_files", "message": "WARNING: left out x.dcm."})
    assert old.severity is Severity.WARNING
    assert "x.dcm" in tell(old)
    assert tell(nameless_note(old, PERSON)) == "Damaged files were left out."
    assert tell(nameless_note(old, PERSON), "ja") == "破損したファイルを除外しました。"
