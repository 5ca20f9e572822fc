from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from export import cli as validate_cli
from export.cli import exit_at_a_gate, validate_command
from export.gates import accuracy_gates, check_gates
from export.recipes import RECIPES, Precision, Recipe
from export.validate import Way, validate_markers, validate_masks
from export.validation_report import markdown
from hemx_core.bundle.load import verify_bundle
from hemx_core.data import phe_sich
from hemx_core.errors import DatasetError, DelegationError, ParityError
from hemx_core.imaging.spec import PreprocessingSpec
from tests.export.networks import SIZE, random_samples, tiny_networks
from tests.factories import make_study, write_phe_sich

RECIPE = RECIPES["tablet-int8"]
DECISION = replace(tiny_networks().decision, preprocessing=PreprocessingSpec(size=64, pixel_mm=3.6))


def check_accuracy(masks: object, markers: object, recipe: object) -> None:
    check_gates(accuracy_gates(masks, markers, recipe), recipe)  # type: ignore[arg-type]


def way(*, bright: float, noise: float = 0.0) -> Way:
    """Calls blood what is brighter than `bright`; a marker's logit is the crop's mean grey."""
    rng = np.random.default_rng(0)

    def classify(crop: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logit = crop.mean() * 10 + noise * rng.standard_normal()
        return np.full(4, logit, np.float32), np.zeros((4, 2, 2), np.float32)

    return Way(lambda image: ((image > bright).astype(np.float32), np.zeros(3)), classify)


def study(number: int) -> object:
    """Patients with an odd number show every marker, and are brighter."""
    one = make_study(
        patient_id=str(number), slices=2, size=64, markers=[[number % 2] * 4] * 2, seed=number
    )
    grey = one.image.astype(np.float32) * (1.0 if number % 2 else 0.9)
    return replace(one, image=grey.astype(np.float16))


def test_equal_ways_lose_nothing_and_a_noisy_one_does() -> None:
    studies = [study(number) for number in range(12)]
    same = {"trained": way(bright=0.5), "exported": way(bright=0.5)}
    found = validate_markers(same, DECISION, studies)
    row = found["markers"]["blend"]
    assert row["trained"] == row["exported"] == 1.0
    assert (row["drop"], row["drop_95"]) == (0.0, [0.0, 0.0])
    assert (row["present"], row["absent"]) == (6, 6)
    check_accuracy(None, found, RECIPE)
    noisy = {"trained": way(bright=0.5), "exported": way(bright=0.5, noise=50.0)}
    found = validate_markers(noisy, DECISION, studies)
    assert found["markers"]["blend"]["drop"] > 0.1
    with pytest.raises(ParityError, match="AUC of blend falls"):
        check_accuracy(None, found, RECIPE)


def test_a_marker_of_one_class_is_not_estimable() -> None:
    same = {"trained": way(bright=0.5), "exported": way(bright=0.5)}
    found = validate_markers(same, DECISION, [study(1), study(3)])
    assert found["markers"]["blend"]["drop"] is None
    check_accuracy(None, found, RECIPE)
    with pytest.raises(DatasetError, match="no held-out studies"):
        validate_markers(same, DECISION, [])


def test_a_lost_mask_is_a_drop_of_dice(tmp_path) -> None:
    folder = write_phe_sich(tmp_path, patients=40)
    patients = phe_sich.split_patients(phe_sich.read_rows(folder))["test"][:2]
    ways = {"trained": way(bright=0.6), "exported": way(bright=0.6)}
    found = validate_masks(ways, DECISION, folder, patients)
    assert found["trained"]["dice_mean"] == found["exported"]["dice_mean"] > 0.5
    assert found["dice_drop"] == found["volume_difference_ml_worst"] == 0.0
    blind = validate_masks(ways | {"exported": way(bright=2.0)}, DECISION, folder, patients)
    assert blind["dice_drop"] == pytest.approx(found["trained"]["dice_mean"], abs=1e-3)
    with pytest.raises(ParityError, match="Dice falls"):
        check_accuracy(blind, {"markers": {}}, RECIPE)


TINY_RECIPE = Recipe(
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


@pytest.fixture
def validate(
    exported_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """Runs the command on the tiny bundle; what needs data sets or minutes is given."""
    monkeypatch.setattr(validate_cli, "find_recipe", lambda name: TINY_RECIPE)
    monkeypatch.setattr("export.networks.load_networks", lambda folder: tiny_networks())
    monkeypatch.setattr(
        "export.samples.load_samples",
        lambda *given, **named: (random_samples(2), random_samples(3)),
    )

    def run(*more: str, masks: Any = MASKS, markers: Any = MARKERS) -> Any:
        answer = (masks, markers, {"name": "phantoms", "patients": 3})
        monkeypatch.setattr(validate_cli, "_accuracy", lambda *given, **named: answer)
        app = typer.Typer()
        app.command()(validate_command)
        out, publish = tmp_path / "v.json", tmp_path / "published"
        arguments = [str(exported_bundle), "--out", str(out), "--publish", str(publish), *more]
        return CliRunner().invoke(app, arguments)

    return run


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
    assert record["parity"]["probability_max"] < 1e-3
    assert {gate["gate"] for gate in record["gates"]} >= {"Dice falls by", "AUC of blend falls by"}
    assert (tmp_path / "v.png").read_bytes()[:4] == b"\x89PNG"
    text = (tmp_path / "v.md").read_text()
    assert ": passed" in text
    assert "| blend | 0.9000 | 0.8950 | 0.0050 (-0.0100 to 0.0200) | 9 |" in text
    assert "| fluid_level | not estimable |" in text
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


def test_the_option_that_measured_layers_says_where_they_are_measured_now(validate: Any) -> None:
    assert "hemx benchmark layer-error" in validate("--layers", "8").output
