"""Markers on read patients: whether a marker is shown to hold on real ones, and so may give advice.

Whoever calls this sees to it that every patient was answered by a network that has not seen them. A
"yes" or "no" is what both readings clearly say; the rest is unsure and neither right nor wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core import provenance, records
from hemx_core.data.readings import Answer, ReadPatient
from hemx_core.errors import TrainingError
from hemx_core.markers import MARKER_CODES, Aggregation, Evidence, ReadBy
from hemx_core.training.scoring.aggregation import patient_logits
from hemx_core.training.scoring.agreement import agreement
from hemx_core.training.scoring.calibration import Calibration
from hemx_core.training.scoring.intervals import Estimate, from_draws, patient_draws, wilson
from hemx_core.training.scoring.predictions import Array, Labels, Predictions, label_counts
from hemx_core.training.scoring.weighted import weighted_auc

LEAST_SPECIFICITY = 0.85
LEAST_SENSITIVITY = 0.6
LEAST_PRESENT = 5
"""Patients who clearly show a marker: with fewer nothing is shown, however they are called."""

Called = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadScores:
    """One marker on read patients, with 95 % intervals by patient.

    Args:
        patients: how many clearly show it (`present`), clearly do not (`absent`), or are `undecided`.
        called: share of all patients that are called.
        sensitivity, specificity: of the calls, against clearly yes and clearly no.
        auc: of the probabilities, against the same.
        kappa_first, kappa_second: of the calls with each reading's "clearly yes" in all patients.
        kappa_readings: of the two readings with each other.
    """

    patients: Mapping[str, int]
    called: Estimate
    sensitivity: Estimate
    specificity: Estimate
    auc: Estimate
    kappa_first: Estimate
    kappa_second: Estimate
    kappa_readings: Estimate

    @property
    def validated(self) -> bool:
        """Whether the marker is shown to hold: the limits above, by the estimates."""
        return (
            self.patients["present"] >= LEAST_PRESENT
            and (self.sensitivity.value or 0.0) >= LEAST_SENSITIVITY
            and (self.specificity.value or 0.0) >= LEAST_SPECIFICITY
        )

    def evidence(self, read_by: ReadBy) -> Evidence:
        """For the manifest, rounded to four digits."""
        sensitivity, specificity = self.sensitivity.to_json(), self.specificity.to_json()
        return Evidence(
            read_by=read_by,
            present=self.patients["present"],
            absent=self.patients["absent"],
            sensitivity=sensitivity["value"],
            specificity=specificity["value"],
            sensitivity_95=_whole(sensitivity["interval"]),
            specificity_95=_whole(specificity["interval"]),
        )

    def to_json(self) -> dict[str, Any]:
        """Rounded to four digits, None where not estimable."""
        names = ("called", "sensitivity", "specificity", "auc")
        kappas = ("kappa_first", "kappa_second", "kappa_readings")
        return {
            "patients": dict(self.patients),
            **{name: getattr(self, name).to_json() for name in (*names, *kappas)},
            "validated": self.validated,
        }


def _whole(interval: list[float | None]) -> tuple[float, float] | None:
    lower, upper = interval
    return None if lower is None or upper is None else (lower, upper)


def patient_calls(
    found: Predictions, ways: Sequence[Aggregation], calibrations: Sequence[Calibration]
) -> tuple[Array, Called]:
    """What triage says of patients: calibrated probabilities, and whether a marker is present.

    Of several folds, join the answers of each: their networks have calibrations of their own.

    Args:
        found: logits of the patients' slices, before `absorb_shift`, or with calibrations of shift 0.
        ways: from slices to patients, of the columns.
        calibrations: of the columns.
    Returns:
        both of shape (patients, markers).
    """
    logits = patient_logits(found, ways)
    columns = [fitted.apply(logits[:, i]) for i, fitted in enumerate(calibrations)]
    probabilities = np.stack(columns, axis=1)
    return probabilities, probabilities >= np.array([fitted.threshold for fitted in calibrations])


def reading_labels(readings: Sequence[ReadPatient], codes: Sequence[str] = MARKER_CODES) -> Labels:
    """1, 0 or -1 by both readings, shape (patients, codes)."""
    table = [[read.label(code) for code in codes] for read in readings]
    return np.array(table, np.int8).reshape(len(readings), len(codes))


def score_readings(
    probabilities: Array,
    called: Called,
    readings: Sequence[ReadPatient],
    *,
    codes: Sequence[str] = MARKER_CODES,
    draws: int = 2000,
    seed: int = 1,
) -> dict[str, ReadScores]:
    """Calls and probabilities of patients against their readings, for each marker.

    Sensitivity, specificity and the share called have Wilson's intervals (1927): on some ten patients a
    bootstrap has none where all are called rightly. AUC and kappa have percentile intervals of a
    bootstrap over patients. Patients whose derived outline both readings call wrong are left out.

    Args:
        probabilities: calibrated, so that those of several networks may be ranked together, shape
            (patients, codes).
        called: same shape.
        readings: of the patients, in their order.
        codes: of the columns; signs may be scored like markers.
        draws: of the bootstrap.
        seed: of the draws.
    Raises:
        TrainingError: not one reading for each row, or not one code for each column.
    """
    shape = (len(readings), len(codes))
    if probabilities.shape != shape or called.shape != shape:
        raise TrainingError(
            f"answers of shape {probabilities.shape} and {called.shape}",
            expected=f"{shape}, a row for each read patient",
            remedy="give the answers in the order of the readings",
        )
    kept = [i for i, read in enumerate(readings) if not read.reference_wrong]
    chosen = [readings[i] for i in kept]
    truth = reading_labels(chosen, codes)
    return {
        code: _score(
            probabilities[kept, i],
            called[kept, i],
            truth[:, i],
            _clearly([read.first.answers[code] for read in chosen]),
            _clearly([read.second.answers[code] for read in chosen]),
            draws=draws,
            seed=seed,
        )
        for i, code in enumerate(codes)
    }


def _clearly(answers: Sequence[Answer]) -> Called:
    return np.array([answer is Answer.YES for answer in answers], np.bool_)


def _score(
    probabilities: Array,
    called: Called,
    truth: Labels,
    first: Called,
    second: Called,
    **drawn: int,
) -> ReadScores:
    present, absent = truth == 1, truth == 0
    weights = patient_draws(len(truth), **drawn)
    return ReadScores(
        patients=label_counts(truth),
        called=wilson(int(called.sum()), len(called)),
        sensitivity=wilson(int(called[present].sum()), int(present.sum())),
        specificity=wilson(int((~called[absent]).sum()), int(absent.sum())),
        auc=from_draws(weighted_auc(probabilities, truth, weights)),
        kappa_first=_kappa(first, called, **drawn),
        kappa_second=_kappa(second, called, **drawn),
        kappa_readings=_kappa(first, second, **drawn),
    )


def _kappa(one: Called, other: Called, *, draws: int, seed: int) -> Estimate:
    said = (one.astype(np.int8), other.astype(np.int8))
    return agreement(*said, np.arange(len(one)), draws=draws, seed=seed).kappa


def write_validation(
    decision: Path, scores: Mapping[str, ReadScores], *, read_by: ReadBy
) -> dict[str, bool]:
    """Write into `decision.json` which markers are validated, with the evidence; the rest stays.

    Args:
        decision: the file, which says how each marker is decided.
        scores: of the markers, by the decisions in the file.
        read_by: who read the patients.
    Returns:
        whether each marker is validated.
    Raises:
        TrainingError: the file decides no such marker.
    """
    decided = json.loads(decision.read_text(encoding="utf-8"))
    markers = decided.get("markers", {})
    if missing := set(scores) - set(markers):
        raise TrainingError(
            f"no decision on {', '.join(sorted(missing))} in {decision.name}",
            expected="temperature and threshold of every scored marker",
            remedy="train the classifier first",
        )
    for code, found in scores.items():
        evidence = records.to_values(found.evidence(read_by))
        markers[code] |= {"validated": found.validated, "evidence": evidence}
    provenance.write_json(decision, decided)
    return {code: found.validated for code, found in scores.items()}
