import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import hemx_core
from hemx_core.costs import START_UP
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from hemx_core.measure.signs import SIGNS
from hemx_core.notes import NAMING, Note, Phrase, Severity
from hemx_core.pipeline import triage_volume
from hemx_core.report.json_report import (
    dumps,
    nameless_note,
    nameless_text,
    said,
    schema,
    short_hash,
    to_document,
)
from hemx_core.result import StageCost, TriageResult
from hemx_core.words import english, required, tell
from tests.factories import ThresholdModels, simple_head
from tests.hemx_core.words.test_codes import uses

IDENTITY = SeriesIdentity(
    patient_id="ID-4711",
    patient_name="Doe^Jane",
    study_uid="1.2.3.4",
    series_uid="1.2.3.4.5",
    acquired_at=datetime(2026, 11, 2, 8, 30, tzinfo=UTC),
    site="Secret Hospital",
    scanner="ACME CT 9000",
    series_description="Head 5 mm",
    source="/home/jane/doe",
)


def _result(clot_mm: float = 14.0) -> TriageResult:
    volume = simple_head(clot_mm=clot_mm, identity=IDENTITY)
    return triage_volume(volume, ThresholdModels(logits=(2.0, -3, -3, -3)))


def _validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(
        schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


@pytest.mark.parametrize("clot_mm", [0.0, 14.0])
@pytest.mark.parametrize("identify", [False, True])
def test_the_document_keeps_its_schema(clot_mm: float, identify: bool) -> None:
    document = to_document(_result(clot_mm), identify=identify, pictures=("overview.png",))
    _validator().validate(json.loads(dumps(document)))


def test_the_schema_refuses_what_does_not_belong() -> None:
    document = json.loads(dumps(to_document(_result())))
    validator = _validator()
    broken = (
        {**document, "patient": "Doe"},
        {**document, "schema_version": 1},
        {**document, "signs": {"blend": document["signs"]["blend"]}},
        {**document, "markers": {"blend": document["markers"]["blend"]}},
        {**document, "haematoma": {**document["haematoma"], "volume_ml": -1}},
        {key: value for key, value in document.items() if key != "recommendation"},
    )
    assert [validator.is_valid(one) for one in broken] == [False] * len(broken)


def test_nothing_names_the_patient_unless_asked() -> None:
    result = _result()
    text = dumps(to_document(result))
    secrets = ("Doe", "4711", "1.2.3.4", "2026-11-02", "Secret", "/home")
    assert [secret for secret in secrets if secret in text] == []
    assert short_hash("1.2.3.4.5") in text
    assert "ACME CT 9000" in text
    asked = dumps(to_document(result, identify=True))
    assert [secret for secret in secrets if secret not in asked] == []


def test_the_document_says_what_the_result_says() -> None:
    result = _result()
    timed = replace(result, costs=(StageCost(START_UP, 2.0, 300.0), StageCost("read", 0.5, 400.0)))
    document = to_document(timed, created_at=datetime(2026, 1, 2, tzinfo=UTC))
    assert document["created_at"] == "2026-01-02T00:00:00+00:00"
    assert document["recommendation"]["code"] == "call_neurosurgical_centre_now"
    assert document["haematoma"]["volume_ml"] == pytest.approx(result.haematoma_volume_ml, abs=1e-3)
    assert document["markers"]["hypodensity"]["present"] is True
    assert [row["index"] for row in document["slices"]] == list(range(6))
    assert [row["offset_mm"] for row in document["slices"]] == [0, 5, 10, 15, 20, 25]
    assert [row["probabilities"] is None for row in document["slices"]] == [1, 1, 0, 0, 1, 1]
    costs = document["costs"]
    assert costs["start_up_seconds"] == 2.0
    assert costs["study_seconds"] == 0.5
    assert costs["peak_rss_mib"] == 400.0


def test_every_slice_thickness_is_named_once() -> None:
    result = _result()
    mixed = replace(result.geometry, slice_thickness_mm=np.array([2.5, 2.5, 2.5, 5, 5, 5]))
    document = to_document(replace(result, geometry=mixed))
    assert document["input"]["slice_thicknesses_mm"] == [2.5, 5.0]


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        dumps({"volume_ml": float("nan")})


def test_an_unknown_uid_has_no_hash() -> None:
    array = HUVolume(simple_head().hu, spacing_mm=(5, 1.5, 1.5))
    document = to_document(triage_volume(array, ThresholdModels()))
    assert document["input"]["series_uid_sha256"] is None


def _paths(node: dict, prefix: str = "") -> list[str]:
    """Every property of a schema as a dotted path; array items without an index."""
    if "$ref" in node:
        return _paths(schema()["$defs"][node["$ref"].rsplit("/", 1)[1]], prefix)
    paths = []
    for name, child in node.get("properties", {}).items():
        paths += [f"{prefix}{name}", *_paths(child, f"{prefix}{name}.")]
    for child in (node.get("items"), *node.get("oneOf", ())):
        if isinstance(child, dict):
            paths += _paths(child, prefix)
    return paths


def test_every_field_is_documented() -> None:
    page = Path(hemx_core.__file__).parent.parent / "docs" / "result_schema.md"
    text = page.read_text(encoding="utf-8")
    fields = set(_paths(schema()))
    assert len(fields) > 50
    fields = {path.replace("markers.hypodensity", "markers.<code>") for path in fields}
    fields = {path.replace("signs.hypodensity", "signs.<sign>") for path in fields}
    skipped = tuple(f"markers.{code}" for code in ("irregular", "blend", "fluid_level"))
    skipped += tuple(f"signs.{code}" for code in SIGNS if code != "hypodensity")
    missing = [
        path
        for path in sorted(fields)
        if not path.startswith((*skipped, "slices.probabilities.")) and f"`{path}`" not in text
    ]
    assert missing == []


PERSON = SeriesIdentity(
    patient_id="4711", patient_name="Doe^Jane^B", series_uid="1.2.3.4", source="/scans/doe"
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


def test_a_japanese_name_goes_without_blanks_round_it() -> None:
    person = SeriesIdentity(patient_name="Yamada^Tarou=山田^太郎=ヤマダ^タロウ^様", site="東京病院")
    assert nameless_text("頭部山田太郎様5mm", person) == "頭部[removed][removed]様5mm"
    assert nameless_text("ヤマダタロウ_東京病院", person) == "[removed][removed]_[removed]"


def test_nothing_known_removes_nothing() -> None:
    text = "array, 5 mm, head"
    assert nameless_text(text, SeriesIdentity()) == text


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


def test_a_name_in_a_description_is_masked_however_deep() -> None:
    series = Phrase("series", number=4, description="Head Doe", count=6)
    because = Phrase("because.asked_for")
    note = Note("series_choice", Severity.INFO, series=series, usable=(series,), because=because)
    told = json.dumps(said(nameless_note(note, PERSON)))
    assert "Doe" not in told
    assert told.count("[removed]") == 4, "in both values and twice in the sentence"


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


def test_the_gravest_notes_come_first() -> None:
    notes = [Note("not_dicom", Severity.INFO, count=1), Note("models_unsigned", Severity.WARNING)]
    document = to_document(replace(_result(), notes=tuple(notes)))
    assert [(one["code"], one["severity"]) for one in document["notes"]] == [
        ("models_unsigned", "warning"),
        ("not_dicom", "info"),
    ]
    assert document["notes"][1]["values"] == {"count": 1}
    assert document["notes"][1]["message"] == "Passed over: 1 file that is not DICOM."
