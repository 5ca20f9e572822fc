import io
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import jsonschema
import pytest
from referencing import Registry, Resource
from rich.console import Console

import hemx_core
from hemx_core.comparison import ComparisonResult, compare_volumes
from hemx_core.errors import OutputError
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from hemx_core.report.comparison import (
    COMPARISON_NAME,
    COMPARISON_PICTURE_NAME,
    WrittenComparison,
    comparison_schema,
    to_comparison_document,
    write_comparison,
)
from hemx_core.report.json_report import dumps, schema
from hemx_core.report.terminal import comparison_view
from tests.factories import ThresholdModels, simple_head

FIRST = SeriesIdentity(
    patient_id="ID-4711",
    patient_name="Doe^Jane",
    study_uid="1.2.3.4",
    series_uid="1.2.3.4.5",
    acquired_at=datetime(2026, 11, 2, 8, 30),
    site="Secret Hospital",
    source="/home/jane/doe",
)
SECOND = replace(FIRST, series_uid="1.2.3.4.6", acquired_at=FIRST.acquired_at + timedelta(hours=5))


def _volumes(earlier_mm: float = 14.0, later_mm: float = 18.0) -> tuple[HUVolume, HUVolume]:
    return (
        simple_head(clot_mm=earlier_mm, identity=FIRST),
        simple_head(clot_mm=later_mm, identity=SECOND, clot_slices=(1, 2, 3)),
    )


def _result(earlier_mm: float = 14.0, later_mm: float = 18.0) -> ComparisonResult:
    return compare_volumes(*_volumes(earlier_mm, later_mm), ThresholdModels())


def _validator() -> jsonschema.Draft202012Validator:
    registry = Registry().with_resource(schema()["$id"], Resource.from_contents(schema()))
    jsonschema.Draft202012Validator.check_schema(comparison_schema())
    return jsonschema.Draft202012Validator(comparison_schema(), registry=registry)


@pytest.mark.parametrize("identify", [False, True])
@pytest.mark.parametrize(("earlier", "later"), [(14, 18), (0, 14), (14, 0), (0, 0)])
def test_the_document_keeps_its_schema(earlier: float, later: float, identify: bool) -> None:
    document = to_comparison_document(_result(earlier, later), identify=identify)
    _validator().validate(json.loads(dumps(document)))


def test_the_schema_refuses_what_does_not_belong() -> None:
    document = json.loads(dumps(to_comparison_document(_result())))
    broken = (
        {**document, "patient": "Doe"},
        {**document, "expansion": {}},
        {**document, "earlier": {**document["earlier"], "format": "other"}},
    )
    assert [_validator().is_valid(one) for one in broken] == [False] * 3


def test_the_document_says_what_the_result_says() -> None:
    result = _result()
    document = to_comparison_document(result)
    assert document["interval_hours"] == 5.0
    assert document["growth"]["ml"] == pytest.approx(result.growth.ml, abs=1e-3)
    low, high = document["growth"]["percent_interval"]
    assert low < document["growth"]["percent"] < high
    assert {code: one["answer"] for code, one in document["expansion"].items()} == {
        code: answer.value for code, answer in result.growth.answers.items()
    }
    assert document["later"]["haematoma"]["volume_ml"] == document["volumes"]["later"]["ml"]


def test_nothing_names_the_patient_unless_asked() -> None:
    result = _result()
    secrets = ("Doe", "4711", "1.2.3.4", "2026-11-02", "Secret", "/home")
    text = dumps(to_comparison_document(result))
    assert [secret for secret in secrets if secret in text] == []
    asked = dumps(to_comparison_document(result, identify=True))
    assert [secret for secret in secrets if secret not in asked] == []


def _write(folder: Path) -> WrittenComparison:
    volumes = _volumes()
    result = compare_volumes(*volumes, ThresholdModels())
    return write_comparison(result, *volumes, folder, window=HUWindow())


def test_a_folder_gets_document_and_picture(tmp_path: Path) -> None:
    written = _write(tmp_path / "out")
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [
        COMPARISON_NAME,
        COMPARISON_PICTURE_NAME,
    ]
    document = json.loads(written.comparison_json.read_text(encoding="utf-8"))
    assert document["pictures"] == [COMPARISON_PICTURE_NAME]
    picture = cv2.imread(str(written.picture))
    assert picture is not None
    # Two rows of three square panels: wider than high, outlines in both.
    assert picture.shape[1] > picture.shape[0]
    yellow = (picture[..., 0] < 120) & (picture[..., 1] > 150) & (picture[..., 2] > 150)
    middle = len(picture) // 2
    assert yellow[:middle].any()
    assert yellow[middle:].any()
    assert [one.name for one in tmp_path.iterdir()] == ["out"], "no draft is left"


def test_a_foreign_comparison_json_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / COMPARISON_NAME).write_text("{}")
    with pytest.raises(OutputError, match="no HEMX result"):
        _write(tmp_path)
    _write(tmp_path / "other")
    _write(tmp_path / "other")  # its own it replaces


def test_the_table_shows_volumes_answers_and_notes() -> None:
    target = io.StringIO()
    Console(file=target, width=100).print(comparison_view(_result(0, 14)))
    text = target.getvalue()
    for part in ("Earlier", "0.0 mL", "5.0 h", "indeterminate", "No haematoma was found on the"):
        assert part in text


def test_warnings_stand_above_the_table() -> None:
    first, second = _volumes()
    swapped = replace(second, identity=replace(SECOND, acquired_at=datetime(2026, 11, 1)))
    target = io.StringIO()
    result = compare_volumes(first, swapped, ThresholdModels())
    Console(file=target, width=100).print(comparison_view(result))
    assert target.getvalue().startswith("WARNING: The later study was acquired before")


def _paths(node: dict, prefix: str = "") -> list[str]:
    paths = []
    for name, child in node.get("properties", {}).items():
        if child.get("$ref", "").startswith("#"):
            child = comparison_schema()["$defs"]["volume"]
        paths += [f"{prefix}{name}", *_paths(child, f"{prefix}{name}.")]
    return paths + (_paths(node["items"], prefix) if isinstance(node.get("items"), dict) else [])


def test_every_field_is_documented() -> None:
    page = Path(hemx_core.__file__).parent.parent / "docs" / "result_schema.md"
    text = page.read_text(encoding="utf-8").partition("# comparison.json")[2]
    fields = {
        one.replace("volumes.later", "volumes.<study>").replace(
            "volumes.earlier", "volumes.<study>"
        )
        for one in _paths(comparison_schema())
    }
    for code in ("he_30", "he_33_or_6ml", "he_12_5ml"):
        fields = {one.replace(f"expansion.{code}", "expansion.<code>") for one in fields}
    assert [one for one in sorted(fields) if f"`{one}`" not in text] == []
