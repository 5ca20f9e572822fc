"""Evaluate a marker classifier: choose on validation patients, score on test patients.

Its temperatures and thresholds can be kept in the form that the export and triage read: more validation
studies calibrate a classifier better and need no training; only the manifest of its graph changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core import provenance
from hemx_core.errors import TrainingError
from hemx_core.files import write_whole
from hemx_core.markers import MARKER_CODES, Aggregation
from hemx_core.training.scoring.aggregation import (
    CANDIDATES,
    AggregationChoice,
    choose_aggregation,
    patient_logits,
)
from hemx_core.training.scoring.calibration import (
    BINS,
    Calibration,
    Scaling,
    calibrate,
    mass_bins,
    width_bins,
)
from hemx_core.training.scoring.intervals import NOT_ESTIMABLE, Estimate, cluster_draws, from_draws
from hemx_core.training.scoring.predictions import (
    Array,
    Labels,
    Predictions,
    co_occurrence,
    label_counts,
    rounded,
    sigmoid,
)
from hemx_core.training.scoring.prevalence import prevalence_weights, published_share
from hemx_core.training.scoring.sites import SiteTable, evaluate_by_site
from hemx_core.training.scoring.weighted import (
    weighted_auc,
    weighted_average_precision,
    weighted_calibration_error,
    weighted_mean,
    weighted_sensitivity_at,
    weighted_share,
    weighted_specificity_at,
)


def ranking_scores(
    scores: Array, labels: Labels, weights: Array, *, sensitivity: float, specificity: float
) -> dict[str, Estimate]:
    """AUC, AP and the two fixed points, which need no threshold from elsewhere.

    Args:
        scores: shape (rows,).
        labels: 1, 0 or -1 (left out), shape (rows,).
        weights: shape (1 + draws, rows), row 0 of ones.
        sensitivity: at which the specificity is given.
        specificity: at which the sensitivity is given.
    """
    rows = scores, labels, weights
    return {
        "auc": from_draws(weighted_auc(*rows)),
        "average_precision": from_draws(weighted_average_precision(*rows)),
        f"sensitivity_at_specificity_{specificity:g}": from_draws(
            weighted_sensitivity_at(*rows, specificity=specificity)
        ),
        f"specificity_at_sensitivity_{sensitivity:g}": from_draws(
            weighted_specificity_at(*rows, sensitivity=sensitivity)
        ),
    }


def patient_scores(
    scores: Array,
    labels: Labels,
    called: NDArray[np.bool_],
    weights: Array,
    *,
    sensitivity: float,
    specificity: float,
) -> dict[str, Estimate]:
    """Ranking scores, and sensitivity and specificity of the calls; see `ranking_scores`.

    Args:
        called: whether the marker was called at the threshold from validation, shape (rows,).
    """
    ranked = ranking_scores(
        scores, labels, weights, sensitivity=sensitivity, specificity=specificity
    )
    return ranked | {
        "sensitivity": from_draws(weighted_share(called, labels == 1, weights)),
        "specificity": from_draws(weighted_share(~called, labels == 0, weights)),
    }


def slice_scores(
    scores: Array, labels: Labels, weights: Array, *, sensitivity: float, specificity: float
) -> dict[str, Estimate]:
    """Ranking scores of slices; the weights are those of their patients; see `ranking_scores`."""
    found = ranking_scores(
        scores, labels, weights, sensitivity=sensitivity, specificity=specificity
    )
    return {f"slice_{name}": score for name, score in found.items()}


def calibration_scores(
    probabilities: Array, labels: Labels, weights: Array, *, bins: int
) -> dict[str, Estimate]:
    """Brier score and both expected calibration errors; bins are those of all rows in every draw.

    A bootstrap adds its own scatter to an ECE, which cannot be negative, so its draws lie above the
    estimate on average: of a well calibrated model the interval may lie wholly above the figure.

    Args:
        probabilities: shape (rows,).
        labels: 1, 0 or -1 (left out), shape (rows,).
        weights: shape (1 + draws, rows), row 0 of ones.
        bins: number of bins.
    """
    known = labels >= 0
    if not known.any():
        return dict.fromkeys(("ece_equal_width", "ece_equal_mass", "brier"), NOT_ESTIMABLE)
    squared = (probabilities[known] - labels[known]) ** 2
    numbers = {
        "ece_equal_width": width_bins(probabilities, bins=bins),
        "ece_equal_mass": mass_bins(probabilities, labels, bins=bins),
    }
    return {
        name: from_draws(weighted_calibration_error(probabilities, labels, number, weights))
        for name, number in numbers.items()
    } | {"brier": from_draws(weighted_mean(squared, weights[:, known]))}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSettings:
    """How markers are evaluated.

    Args:
        scaling: what is fitted on the validation patients.
        candidates: ways from slices to patients; a single one is taken as it is.
        sensitivity: that thresholds aim at on validation, and the fixed one on test.
        specificity: least specificity of the thresholds, before all else, and at which the sensitivity is
            given.
        bins: of the expected calibration errors.
        draws: of the bootstrap.
        seed: of the draws and folds.
    """

    scaling: Scaling = Scaling.PLATT
    candidates: Sequence[Aggregation] = CANDIDATES
    sensitivity: float = 0.9
    specificity: float = 0.9
    bins: int = BINS
    draws: int = 1000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class MarkerScores:
    """One marker on the test patients; every score by name, with its interval."""

    calibration: Calibration
    patients: Mapping[str, int]
    slices: Mapping[str, int]
    scores: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationReport:
    """What `evaluate_markers` found; see `to_json` for its figures and `curves` for the plot."""

    settings: EvaluationSettings
    aggregation: AggregationChoice
    markers: Mapping[str, MarkerScores]
    co_occurrence_true: Mapping[str, int]
    co_occurrence_called: Mapping[str, int]
    all_four_right: float | None
    sites: SiteTable | None
    curves: Mapping[str, tuple[Array, Labels]]

    def to_json(self) -> dict[str, Any]:
        """Rounded to four digits, None where not estimable."""
        return {
            "note": "calibration, thresholds and aggregation are chosen on validation patients; "
            "scores are of the test patients, with 95 % percentile intervals of a bootstrap over "
            "patients; calibration and its scores are at the published prevalences; unknown labels are "
            "left out; null: not estimable. A score at its bound (0 or 1) gets an interval without width, "
            "however few the patients; an ECE's interval lies high, because resampling adds scatter to "
            "a figure that cannot be negative",
            "settings": {
                "scaling": str(self.settings.scaling),
                "sensitivity": self.settings.sensitivity,
                "specificity": self.settings.specificity,
                "prevalence": {code: published_share(code) for code in self.markers},
                "ece_bins": self.settings.bins,
                "draws": self.settings.draws,
                "seed": self.settings.seed,
            },
            "aggregation": self.aggregation.to_json(),
            "markers": {code: _marker_json(marker) for code, marker in self.markers.items()},
            "co_occurrence": {
                "true": dict(self.co_occurrence_true),
                "called": dict(self.co_occurrence_called),
                "all_four_right": rounded(self.all_four_right),
            },
            "sites": self.sites.to_json() if self.sites else None,
        }

    def to_markdown(self) -> str:
        """Tables: scores by marker, the 16 combinations, and the sites."""
        names = list(next(iter(self.markers.values())).scores)
        lines = [
            "| score | " + " | ".join(self.markers) + " |",
            "| --- " * (len(self.markers) + 1) + "|",
            _row(
                "present / absent / undecided patients", [_counts(m) for m in self.markers.values()]
            ),
        ]
        for name in names:
            cells = [str(marker.scores[name]) for marker in self.markers.values()]
            lines.append(_row(name.replace("_", " "), cells))
        lines += [
            "",
            "From slices to patients: "
            + ", ".join(f"{code} `{way}`" for code, way in self.aggregation.chosen.items())
            + f". {self.settings.scaling} scaling and {self.settings.bins} bins for ECE, at published "
            "prevalences; 95 % intervals over patients.",
            "",
            "| markers | patients, true | patients, called |",
            "| --- | --- | --- |",
        ]
        for name, count in self.co_occurrence_true.items():
            lines.append(
                _row(name.replace("+", " + "), [str(count), str(self.co_occurrence_called[name])])
            )
        text = "\n".join(lines) + "\n"
        return text + ("\n" + self.sites.to_markdown() if self.sites else "")

    def write(self, folder: Path, *, name: str = "evaluation") -> None:
        """Write NAME.json (with provenance), NAME.md and NAME.png, each whole or not at all.

        Raises:
            OutputError: a file cannot be written, or matplotlib is not installed.
        """
        from hemx_core.training.scoring.calibration import reliability_plot

        document = {"provenance": provenance.provenance(seed=self.settings.seed)} | self.to_json()
        provenance.write_json(folder / f"{name}.json", document)
        write_whole(folder / f"{name}.md", self.to_markdown())
        reliability_plot(folder / f"{name}.png", self.curves, bins=self.settings.bins)


def evaluate_markers(
    validation: Predictions,
    test: Predictions,
    *,
    sites: Sequence[str] | None = None,
    settings: EvaluationSettings | None = None,
) -> EvaluationReport:
    """Choose on validation, score on test.

    Args:
        validation: predictions on validation patients: aggregation, calibration and thresholds.
        test: predictions on test patients, who choose nothing.
        sites: of each test patient, for the table by site.
        settings: see `EvaluationSettings`.
    Raises:
        DatasetError: not one site for each test patient.
    """
    settings = settings or EvaluationSettings()
    choice = _choose(validation, settings)
    fit, held = (patient_logits(found, choice.ways) for found in (validation, test))
    weights = cluster_draws(test.clusters, draws=settings.draws, seed=settings.seed)
    fitted = [
        calibrate(
            fit[:, i],
            validation.patient_labels[:, i],
            scaling=settings.scaling,
            sensitivity=settings.sensitivity,
            specificity=settings.specificity,
            prevalence=published_share(code),
        )
        for i, code in enumerate(MARKER_CODES)
    ]
    probabilities = np.stack(
        [calibration.apply(held[:, i]) for i, calibration in enumerate(fitted)], axis=1
    )
    called = probabilities >= np.array([calibration.threshold for calibration in fitted])
    known = (test.patient_labels >= 0).all(1)
    right = (called == test.patient_labels).all(1)[known]
    return EvaluationReport(
        settings,
        choice,
        {
            code: _score_marker(i, fitted[i], test, held, probabilities, weights, settings)
            for i, code in enumerate(MARKER_CODES)
        },
        co_occurrence(test.patient_labels, every=True),
        co_occurrence(called.astype(np.int8), every=True),
        float(right.mean()) if len(right) else None,
        None if sites is None else _by_site(test, sites, choice.ways, settings),
        {
            code: (probabilities[:, i], test.patient_labels[:, i])
            for i, code in enumerate(MARKER_CODES)
        },
    )


def _score_marker(
    i: int,
    calibration: Calibration,
    test: Predictions,
    logits: Array,
    probabilities: Array,
    weights: Array,
    settings: EvaluationSettings,
) -> MarkerScores:
    truth, found = test.patient_labels[:, i], probabilities[:, i]
    points = {"sensitivity": settings.sensitivity, "specificity": settings.specificity}
    usual = weights * prevalence_weights(truth, published_share(MARKER_CODES[i]))
    raw = calibration_scores(sigmoid(logits[:, i]), truth, usual, bins=settings.bins)
    called = found >= calibration.threshold
    return MarkerScores(
        calibration,
        label_counts(truth),
        label_counts(test.labels[:, i]),
        patient_scores(logits[:, i], truth, called, weights, **points)
        | calibration_scores(found, truth, usual, bins=settings.bins)
        | {f"uncalibrated_{name}": score for name, score in raw.items()}
        | slice_scores(test.logits[:, i], test.labels[:, i], weights[:, test.patient], **points),
    )


def _choose(validation: Predictions, settings: EvaluationSettings) -> AggregationChoice:
    if len(settings.candidates) == 1:
        return AggregationChoice(dict.fromkeys(MARKER_CODES, settings.candidates[0]), {})
    return choose_aggregation(validation, candidates=settings.candidates, seed=settings.seed)


def _by_site(
    test: Predictions,
    sites: Sequence[str],
    ways: Sequence[Aggregation],
    settings: EvaluationSettings,
) -> SiteTable:
    return evaluate_by_site(test, sites, ways=ways, draws=settings.draws, seed=settings.seed)


def _marker_json(marker: MarkerScores) -> dict[str, Any]:
    calibration = {
        k: rounded(v) if isinstance(v, float) else v for k, v in asdict(marker.calibration).items()
    }
    return {
        "calibration": calibration,
        "patients": dict(marker.patients),
        "slices": dict(marker.slices),
        "scores": {name: value.to_json() for name, value in marker.scores.items()},
    }


def _counts(marker: MarkerScores) -> str:
    return " / ".join(str(marker.patients[name]) for name in ("present", "absent", "undecided"))


def _row(name: str, cells: Sequence[str]) -> str:
    return "| " + " | ".join([name, *cells]) + " |"


def recalibrated(report: EvaluationReport, *, data: str) -> dict[str, Any]:
    """What `decision.json` says of the markers after an evaluation.

    Args:
        report: fitted by temperature alone.
        data: the studies, in words.
    Returns:
        JSON values: `markers` (temperature, threshold, aggregation) and `accuracy.markers` (scores of the
        test studies). No marker is validated: what was shown of older thresholds holds no longer.
    Raises:
        TrainingError: the report's calibration has shifts, which only the classifier's bias could hold, or a
            marker that could not be calibrated.
    """
    check_scaling(report.settings.scaling)
    markers = report.markers
    missing = [code for code, marker in markers.items() if not marker.calibration.estimable]
    if missing:
        raise TrainingError(
            f"no calibration for {', '.join(missing)}",
            expected="validation studies with and without every marker",
            remedy="evaluate on more studies",
        )
    return {
        "markers": {
            code: {
                "temperature": round(marker.calibration.temperature, 4),
                "threshold": round(marker.calibration.threshold, 4),
                "aggregation": str(report.aggregation.chosen[code]),
                "validated": False,
            }
            for code, marker in markers.items()
        },
        "accuracy": {
            "markers": {
                code: _accuracy(marker.scores, marker.patients, marker.slices)
                for code, marker in markers.items()
            }
            | {
                "patients_classified": sum(next(iter(markers.values())).patients.values()),
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


def accuracy(
    found: Predictions,
    calibrations: Sequence[Calibration],
    *,
    codes: Sequence[str],
    ways: Sequence[Aggregation],
    draws: int,
    seed: int,
) -> dict[str, Any]:
    """What a training's results say of held-out patients, by marker code, ready for JSON.

    Args:
        found: predictions.
        calibrations: of the columns; the shifts are in the network's bias by now and not applied.
        codes: names of the columns.
        ways: from slices to patients, of the columns, as in triage.
        draws: of the bootstrap.
        seed: of the draws.
    """
    aggregated = patient_logits(found, ways)
    patients = cluster_draws(found.clusters, draws=draws, seed=seed)
    slices = cluster_draws(found.clusters[found.patient], draws=draws, seed=seed)
    table = {}
    for i, code in enumerate(codes):
        truth, logits = found.patient_labels[:, i], aggregated[:, i]
        fitted = calibrations[i]
        probabilities = replace(fitted, shift=0.0).apply(logits)
        called = probabilities >= fitted.threshold
        usual = patients * prevalence_weights(truth, published_share(code))
        rows = found.logits[:, i], found.labels[:, i]
        scores = {
            "auc": from_draws(weighted_auc(logits, truth, patients)),
            "slice_auc": from_draws(weighted_auc(*rows, slices)),
            "sensitivity": from_draws(weighted_share(called, truth == 1, patients)),
            "specificity": from_draws(weighted_share(~called, truth == 0, patients)),
        } | calibration_scores(probabilities, truth, usual, bins=BINS)
        table[code] = _accuracy(scores, label_counts(truth), label_counts(rows[1]))
    return table


def _accuracy(
    scores: Mapping[str, Estimate], patients: Mapping[str, int], slices: Mapping[str, int]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, key in (("patient_auc", "auc"), ("slice_auc", "slice_auc")):
        estimate = scores[key]
        found[name] = rounded(estimate.value)
        found[f"{name}_95"] = [rounded(estimate.lower), rounded(estimate.upper)]
    for name in ("sensitivity", "specificity", "ece_equal_mass"):
        found[name] = rounded(scores[name].value)
    return found | {"patients": dict(patients), "slices": dict(slices)}
