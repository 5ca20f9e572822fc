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
from hemx_core.notes import Note, Severity
from hemx_core.pipeline import triage_volume
from hemx_core.report.json_report import (
    dumps,
    schema,
    short_hash,
    to_document,
)
from hemx_core.result import StageCost, TriageResult
from tests.factories import ThresholdModels, simple_head

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
        {**document, "schema_version": 2},
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


def test_the_gravest_notes_come_first() -> None:
    notes = [Note("not_dicom", Severity.INFO, count=1), Note("models_unsigned", Severity.WARNING)]
    document = to_document(replace(_result(), notes=tuple(notes)))
    assert [(one["code"], one["severity"]) for one in document["notes"]] == [
        ("models_unsigned", "warning"),
        ("not_dicom", "info"),
    ]
    assert document["notes"][1]["values"] == {"count": 1}
    assert document["notes"][1]["message"] == "Passed over: 1 file that is not DICOM."
