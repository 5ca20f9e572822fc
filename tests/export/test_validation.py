"""`hemx validate` on a real bundle of tiny networks: record, report, picture, exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from export import validate_cli
from export.recipes import Precision, Recipe
from export.validate_cli import exit_at_a_gate, validate_command
from export.validation import bundle_layers, bundle_memory
from export.validation_report import markdown
from hemx_core.errors import DatasetError, DelegationError, ParityError
from hemx_core.manifest import ModelManifest
from hemx_core.runtime.bundle import load_models, verify_bundle
from tests.export.networks import SIZE, random_images, random_samples, tiny_networks

RECIPE = Recipe(
    name="tiny-fp32", size=SIZE, segmenter=Precision.FLOAT32, classifier=Precision.FLOAT32
)
WAY = {"dice_mean": 0.95, "dice_worst": 0.9, "volume_error_median": 0.02, "false_ml_mean": 0.1}
MASKS = {
    "patients": 3,
    "trained": WAY,
    "exported": WAY,
    "dice_drop": 0.0,
    "dice_drop_worst": 0.0,
    "volume_difference_ml_mean": 0.01,
    "volume_difference_ml_worst": 0.02,
}
ROW = {"trained": 0.9, "exported": 0.895, "drop": 0.005, "drop_95": [-0.01, 0.02], "present": 9}
NONE = {"trained": None, "exported": None, "drop": None, "drop_95": [None, None], "present": 0}
MARKERS = {"patients": 12, "markers": {"blend": ROW, "fluid_level": NONE}}


@pytest.fixture(scope="module")
def layers(exported_bundle: Path) -> dict[str, Any]:
    """The float32 programs beside an int8 graph: the runtime is then exactly as far as int8 is."""
    recipe = replace(RECIPE, segmenter=Precision.INT8, classifier=Precision.INT8)
    images = list(random_images(2))
    with load_models(exported_bundle) as models:
        return bundle_layers(tiny_networks(), models, recipe, calibration=images, slices=images[:1])


@pytest.fixture(scope="module")
def memory(exported_bundle: Path) -> dict[str, Any]:
    """One fresh process; the command takes three, each time."""
    return bundle_memory(exported_bundle, ModelManifest.load(exported_bundle), rounds=1)


@pytest.fixture
def validate(
    exported_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    layers: dict[str, Any],
    memory: dict[str, Any],
) -> Any:
    """Runs the command on the tiny bundle; what needs data sets or minutes is given."""
    monkeypatch.setattr("export.validation.bundle_memory", lambda *given: memory)
    monkeypatch.setattr(validate_cli, "find_recipe", lambda name: RECIPE)
    monkeypatch.setattr("export.networks.load_networks", lambda folder: tiny_networks())
    monkeypatch.setattr(
        "export.samples.load_samples",
        lambda *given, **named: (random_samples(2), random_samples(3)),
    )
    monkeypatch.setattr(validate_cli, "_layers", lambda *given: layers)

    def run(masks: Any = MASKS, markers: Any = MARKERS) -> Any:
        answer = (masks, markers, {"name": "phantoms", "patients": 3})
        monkeypatch.setattr(validate_cli, "_accuracy", lambda *given, **named: answer)
        app = typer.Typer()
        app.command()(validate_command)
        out, publish = tmp_path / "v.json", tmp_path / "published"
        arguments = [str(exported_bundle), "--out", str(out), "--publish", str(publish)]
        return CliRunner().invoke(app, arguments)

    return run


def test_layers_of_both_networks_and_the_runtime_beside_the_graph(layers: dict[str, Any]) -> None:
    assert set(layers) == {"segmenter", "classifier"}
    segmenter = layers["segmenter"]
    assert set(segmenter["outputs_db"]) == {"probabilities", "features"}
    assert any(row["module"] == "decoder.0.rise" for row in segmenter["layers"])
    # The programs are float32 here, so they are from the int8 graph what the twin is from it.
    for name, db in segmenter["outputs_db"].items():
        assert segmenter["runtime_db"][name] == pytest.approx(db, abs=1.0)


def test_a_bundle_that_passes_is_reported_and_published(
    validate: Any, tmp_path: Path, exported_bundle: Path
) -> None:
    result = validate()
    assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "v.json").read_text())
    assert record["passed"]
    assert record["files"]["segmenter.pte"] == (exported_bundle / "segmenter.pte").stat().st_size
    assert record["programs"]["segmenter"]["coverage"] == 1.0
    assert record["programs"]["classifier"]["activation_peak_bytes"] > 0
    assert record["programs"]["classifier"]["planned_bytes"] > 0
    assert record["memory"]["peak_mib"] > 0
    assert record["parity"]["probability_max"] < 1e-3
    assert {gate["gate"] for gate in record["gates"]} >= {"Dice falls by", "AUC of blend falls by"}
    assert (tmp_path / "v.png").read_bytes()[:4] == b"\x89PNG"
    text = (tmp_path / "v.md").read_text()
    assert ": passed" in text
    assert "| blend | 0.9000 | 0.8950 | 0.0050 (-0.0100 to 0.0200) | 9 |" in text
    assert "| fluid_level | not estimable |" in text
    rows = record["layers"]["segmenter"]["layers"]
    quantized = [row for row in rows if row["quantized"]]
    worst = min(quantized, key=lambda row: row["own_sqnr_db"])
    assert worst["module"] in text
    assert verify_bundle(tmp_path / "published").manifest.recipe == "tiny-fp32"


def test_a_failed_gate_is_exit_code_1_a_report_and_no_bundle(validate: Any, tmp_path: Path) -> None:
    result = validate(masks=MASKS | {"dice_drop": 0.02})
    assert result.exit_code == 1
    assert "Dice falls by 0.0200 (at most 0.005)" in result.output
    assert not (tmp_path / "published").exists()
    record = json.loads((tmp_path / "v.json").read_text())
    assert not record["passed"]
    text = markdown(record, "v.png")
    assert ": FAILED" in text
    assert "| Dice falls by | 0.0200 | at most 0.005 | **FAILED** |" in text


def test_an_old_bundle_is_not_overwritten(validate: Any, tmp_path: Path) -> None:
    (tmp_path / "published").mkdir()
    result = validate(markers=None)
    assert result.exit_code != 0
    assert "published exists" in str(result.exception)
    assert list((tmp_path / "published").iterdir()) == []


@pytest.mark.parametrize("error", [ParityError("mask Dice 0.9"), DelegationError("an operator")])
def test_failed_gates_of_the_export_end_with_1(error: Exception) -> None:
    with pytest.raises(typer.Exit) as found, exit_at_a_gate():
        raise error
    assert found.value.exit_code == 1


def test_other_errors_pass_through() -> None:
    with pytest.raises(DatasetError), exit_at_a_gate():
        raise DatasetError("nothing there")
