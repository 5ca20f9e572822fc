"""What is kept beside the weights after an evaluation."""

from __future__ import annotations

import numpy as np
import pytest

from hemx_core.errors import TrainingError
from hemx_core.evaluation.aggregation import Aggregation, Way
from hemx_core.evaluation.calibration import Scaling
from hemx_core.evaluation.predictions import Predictions
from hemx_core.evaluation.recalibrate import recalibrated
from hemx_core.evaluation.report import EvaluationReport, EvaluationSettings, evaluate_markers
from hemx_core.markers import MARKER_CODES


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
    settings = EvaluationSettings(candidates=(Aggregation(Way.MAX),), scaling=scaling, draws=50)
    return evaluate_markers(
        predictions(1, sharpness=2.0, **kind), predictions(2, sharpness=2.0), settings=settings
    )


def test_temperatures_undo_what_makes_logits_too_large() -> None:
    found = recalibrated(report(Scaling.TEMPERATURE), data="some studies")
    assert tuple(found["markers"]) == MARKER_CODES
    for one in found["markers"].values():
        assert 1.2 < one["temperature"] < 3.5
        assert 0.05 <= one["threshold"] <= 0.95
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
