"""Temperatures and thresholds from an evaluation, in the form that the export and triage read.

A classifier is calibrated when it is trained, on the validation studies of that day. More of them calibrate
it better, and need no training: the graph stays as it is, only its manifest changes.
"""

from __future__ import annotations

from typing import Any

from hemx_core.errors import TrainingError
from hemx_core.evaluation.calibration import Scaling
from hemx_core.evaluation.predictions import rounded
from hemx_core.evaluation.report import EvaluationReport, MarkerScores


def recalibrated(report: EvaluationReport, *, data: str) -> dict[str, Any]:
    """What `decision.json` says of the markers after an evaluation.

    Args:
        report: fitted by temperature alone.
        data: the studies, in words.
    Returns:
        JSON values: `markers` (temperature, threshold) and `accuracy.markers` (scores of the test studies).
    Raises:
        TrainingError: the report's calibration has shifts, which only the classifier's bias could hold, or a
            marker that could not be calibrated.
    """
    check_scaling(report.settings.scaling)
    missing = [code for code, one in report.markers.items() if not one.calibration.estimable]
    if missing:
        raise TrainingError(
            f"no calibration for {', '.join(missing)}",
            expected="validation studies with and without every marker",
            remedy="evaluate on more studies",
        )
    return {
        "markers": {
            code: {
                "temperature": round(one.calibration.temperature, 4),
                "threshold": round(one.calibration.threshold, 4),
            }
            for code, one in report.markers.items()
        },
        "accuracy": {
            "markers": {code: _accuracy(one) for code, one in report.markers.items()}
            | {
                "patients_classified": sum(next(iter(report.markers.values())).patients.values()),
                "data": data,
            }
        },
    }


def check_scaling(scaling: Scaling) -> None:
    """Raise TrainingError where a calibration has more than temperatures."""
    if scaling is not Scaling.TEMPERATURE:
        raise TrainingError(
            f"a calibration by {scaling} scaling",
            expected="temperatures alone: a trained classifier's bias stays as it is",
            remedy="evaluate with --scaling temperature",
        )


def _accuracy(one: MarkerScores) -> dict[str, Any]:
    scores = one.scores
    found: dict[str, Any] = {}
    for name, key in (("patient_auc", "auc"), ("slice_auc", "slice_auc")):
        estimate = scores[key]
        found[name] = rounded(estimate.value)
        found[f"{name}_95"] = [rounded(estimate.lower), rounded(estimate.upper)]
    for key in ("sensitivity", "specificity"):
        found[key] = rounded(scores[key].value)
    return found | {"patients": dict(one.patients), "slices": dict(one.slices)}
