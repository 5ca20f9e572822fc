from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hemx_core.errors import TrainingError
from hemx_core.markers import MARKER_CODES, Aggregation
from hemx_core.training.scoring.aggregation import MAX
from hemx_core.training.scoring.calibration import Calibration, Scaling
from hemx_core.training.scoring.predictions import Predictions
from hemx_core.training.scoring.report import (
    EvaluationReport,
    EvaluationSettings,
    accuracy,
    evaluate_markers,
    recalibrated,
)
from hemx_core.training.scoring.weighted import auc

FAST = EvaluationSettings(candidates=(MAX,), draws=100)


def _predictions(seed: int, *, patients: int = 50) -> Predictions:
    """Marker 3 is never present; labels of marker 2 are partly unknown; logits are overconfident."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((patients, 4)) < 0.4).astype(np.int8)
    labels[:, 3] = 0
    labels[rng.random(patients) < 0.2, 2] = -1
    patient = np.repeat(np.arange(patients), 4)
    slices = labels[patient]
    logits = 4 * (1.2 * (slices == 1) - 0.8 + rng.normal(0, 0.6, slices.shape))
    index = np.tile(np.arange(4), patients)
    return Predictions(logits, slices, patient, labels, area=10.0 + index, index=index)


def test_scores_of_the_test_patients_and_none_where_not_estimable() -> None:
    validation, test = _predictions(1), _predictions(2)
    report = evaluate_markers(validation, test, settings=FAST)
    document = report.to_json()
    hypodensity = document["markers"]["hypodensity"]["scores"]
    expected = auc(test.patient_logits[:, 0], test.patient_labels[:, 0])
    assert hypodensity["auc"]["value"] == pytest.approx(expected, abs=1e-4)
    assert hypodensity["slice_auc"]["value"] == pytest.approx(
        auc(test.logits[:, 0], test.labels[:, 0]), abs=1e-4
    )
    lower, upper = hypodensity["auc"]["interval"]
    assert lower < hypodensity["auc"]["value"] < upper
    assert (
        hypodensity["ece_equal_mass"]["value"] < hypodensity["uncalibrated_ece_equal_mass"]["value"]
    )
    assert document["markers"]["fluid_level"]["scores"]["auc"] == {
        "value": None, "interval": [None, None],
    }  # fmt: skip
    assert document["markers"]["fluid_level"]["calibration"]["estimable"] is False
    assert document["markers"]["blend"]["patients"]["undecided"] > 0
    assert document["sites"] is None
    assert json.loads(json.dumps(document)) == document


def test_everything_is_chosen_on_validation_patients() -> None:
    validation, test = _predictions(1), _predictions(2)
    first = evaluate_markers(validation, test, settings=FAST)
    inverted = Predictions(-test.logits, test.labels, test.patient, test.patient_labels)
    second = evaluate_markers(validation, inverted, settings=FAST)
    for code in first.markers:
        assert first.markers[code].calibration == second.markers[code].calibration
    # Sensitivity and specificity come from validation's threshold: it misfits inverted logits.
    assert (second.markers["hypodensity"].scores["auc"].value or 1) < 0.5


def test_co_occurrence_of_a_perfect_model_is_right_everywhere() -> None:
    validation = _predictions(1)
    labels = np.maximum(validation.patient_labels, 0).astype(np.int8)
    perfect = Predictions(np.where(labels == 1, 5.0, -5.0), labels, np.arange(len(labels)), labels)
    report = evaluate_markers(perfect, perfect, settings=FAST)
    assert len(report.co_occurrence_true) == 16
    assert report.co_occurrence_called == report.co_occurrence_true
    assert report.all_four_right == 1


def test_same_seed_same_report_with_sites_and_a_chosen_aggregation() -> None:
    validation, test = _predictions(1, patients=24), _predictions(2, patients=24)
    settings = EvaluationSettings(
        candidates=(MAX, Aggregation.LARGEST), draws=50, scaling=Scaling.TEMPERATURE
    )
    sites = ["a", "b"] * 12
    one, other = (
        evaluate_markers(validation, test, sites=sites, settings=settings).to_json()
        for _ in range(2)
    )
    assert one == other
    assert set(one["aggregation"]["chosen"]) == set(MARKER_CODES)
    losses = one["aggregation"]["validation_log_loss"]
    assert all(set(losses[code]) == {"max", "largest"} for code in MARKER_CODES)
    assert set(one["sites"]["sites"]) == {"a", "b"}
    assert one["markers"]["hypodensity"]["calibration"]["shift"] == 0


def test_files_are_written_whole(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    report = evaluate_markers(_predictions(1), _predictions(2), sites=["x"] * 50, settings=FAST)
    report.write(tmp_path / "out", name="markers")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["markers.json", "markers.md", "markers.png"]
    document = json.loads((tmp_path / "out" / "markers.json").read_text(encoding="utf-8"))
    assert document["provenance"]["seed"] == 1
    table = (tmp_path / "out" / "markers.md").read_text(encoding="utf-8")
    assert "| score | hypodensity | irregular | blend | fluid_level |" in table
    assert "not estimable" in table
    assert "worst site by mean AUC: x" in table


def predictions(seed: int, *, sharpness: float, one_class: bool = False) -> Predictions:
    """Of 60 studies with two slices; logits are `sharpness` times too large."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(0, 2, (60, 4))
    truth = (rng.random((60, 4)) < 1 / (1 + np.exp(-honest))).astype(np.int8)
    if one_class:
        truth[:, 0] = 0
    patient = np.repeat(np.arange(60), 2)
    return Predictions(
        np.repeat(honest * sharpness, 2, axis=0), np.repeat(truth, 2, axis=0), patient, truth
    )


def report(scaling: Scaling, **kind: bool) -> EvaluationReport:
    settings = EvaluationSettings(candidates=(MAX,), scaling=scaling, draws=50)
    return evaluate_markers(
        predictions(1, sharpness=2.0, **kind), predictions(2, sharpness=2.0), settings=settings
    )


def test_temperatures_undo_what_makes_logits_too_large() -> None:
    found = recalibrated(report(Scaling.TEMPERATURE), data="some studies")
    assert tuple(found["markers"]) == MARKER_CODES
    # A temperature alone also has to bring half of the studies to a rare marker's prevalence.
    assert 1.1 < found["markers"]["irregular"]["temperature"] < 3.5
    for one in found["markers"].values():
        assert 0.01 <= one["threshold"] <= 0.99
        assert one["aggregation"] == "max"
        assert one["validated"] is False
    accuracy = found["accuracy"]["markers"]
    assert accuracy["data"] == "some studies"
    assert accuracy["patients_classified"] == 60
    blend = accuracy["blend"]
    low, high = blend["patient_auc_95"]
    assert 0.5 < low <= blend["patient_auc"] <= high <= 1
    assert blend["patients"]["present"] + blend["patients"]["absent"] == 60


def test_shifts_and_missing_classes_are_refused() -> None:
    with pytest.raises(TrainingError, match="temperatures alone"):
        recalibrated(report(Scaling.PLATT), data="")
    with pytest.raises(TrainingError, match="hypodensity"):
        recalibrated(report(Scaling.TEMPERATURE, one_class=True), data="")


def test_accuracy_is_ready_for_json_with_none_where_not_estimable() -> None:
    labels = np.array([[1, 0, 0, -1]] * 4 + [[0, 0, 1, -1]] * 4, np.int8)
    found = Predictions(np.where(labels == 1, 2.0, -2.0), labels, np.arange(8), labels)
    shifted = [Calibration(9.0, 1.0, 0.5, estimable=True)] * 4  # the bias holds the shift by now
    table = accuracy(found, shifted, codes=MARKER_CODES, ways=(MAX,) * 4, draws=50, seed=1)
    assert table["hypodensity"]["patient_auc"] == table["blend"]["slice_auc"] == 1
    assert table["hypodensity"]["sensitivity"] == table["hypodensity"]["specificity"] == 1
    assert table["hypodensity"]["patients"] == {"present": 4, "absent": 4, "undecided": 0}
    assert table["irregular"]["patient_auc"] is None
    assert table["irregular"]["patient_auc_95"] == [None, None]
    assert table["irregular"]["sensitivity"] is None
    assert table["fluid_level"]["slice_auc"] is None
