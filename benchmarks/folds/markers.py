"""Markers of all folds together: how slices are aggregated, calibrated and cut, and what that gives.

Everything is chosen on resynthesised studies of held-out patients of training and validation, at published
prevalences. For the scores of a fold it is chosen on the other folds' studies; what is shipped is chosen on
all of them. The real patients that were read choose nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.folds.recipe import Arm, Place
from hemx_core.data import phe_sich
from hemx_core.data.readings import read_readings
from hemx_core.markers import MARKER_CODES
from hemx_core.measure.aggregate import LARGE_HAEMATOMA_ML
from hemx_core.training.config import ClassifierTraining
from hemx_core.training.scoring.aggregation import (
    AggregationChoice,
    choose_aggregation,
    patient_logits,
)
from hemx_core.training.scoring.calibration import Calibration, Scaling, calibrate
from hemx_core.training.scoring.intervals import Estimate, cluster_draws, wilson
from hemx_core.training.scoring.predictions import Array, Labels, Predictions, label_counts
from hemx_core.training.scoring.prevalence import prevalence_weights, published_share
from hemx_core.training.scoring.read_patients import ReadScores, patient_calls, score_readings
from hemx_core.training.scoring.report import calibration_scores, patient_scores

Flags = NDArray[np.bool_]
BINS, DRAWS, SEED = 10, 2000, 1
IRREGULAR = MARKER_CODES.index("irregular")
PREFIX = "phe_sich-"


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What an arm's networks say of held-out studies.

    Args:
        found: logits of slices and truth of studies; a cluster is a patient.
        patient: of each study, shape (studies,).
        fold: of each study, shape (studies,).
    """

    found: Predictions
    patient: NDArray[np.str_]
    fold: NDArray[np.intp]

    def part(self, studies: Flags) -> Answers:
        """Some of the studies, a bool array (studies,)."""
        number = np.cumsum(studies) - 1
        rows = studies[self.found.patient]
        found = self.found
        return Answers(
            Predictions(
                logits=found.logits[rows],
                labels=found.labels[rows],
                patient=number[found.patient[rows]],
                patient_labels=found.patient_labels[studies],
                cluster=found.clusters[studies],
                area=None if found.area is None else found.area[rows],
                index=None if found.index is None else found.index[rows],
            ),
            self.patient[studies],
            self.fold[studies],
        )


def read_answers(places: Sequence[Place], arm: Arm, kind: str) -> Answers:
    """The stored answers of several folds, of `read` patients or `drawn` studies."""
    parts: dict[str, list[NDArray[Any]]] = {}
    folds, studies = [], 0
    for number, place in enumerate(places):
        with np.load(place.folder / f"{arm.name}_{kind}.npz", allow_pickle=False) as stored:
            values = {name: stored[name] for name in stored.files}
        count = len(values["id"])
        values["study"] = values["study"] + studies
        studies += count
        folds.append(np.full(count, number))
        for name, value in values.items():
            parts.setdefault(name, []).append(value)
    whole = {name: np.concatenate(value) for name, value in parts.items()}
    patient = np.array([name.removeprefix(PREFIX) for name in whole["id"]])
    if kind == "drawn":
        whole["study_labels"][:, IRREGULAR] = of_largest(whole, IRREGULAR)
    found = Predictions(
        logits=whole["logits"],
        labels=whole["labels"],
        patient=whole["study"],
        patient_labels=whole["study_labels"],
        cluster=np.unique(patient, return_inverse=True)[1],
        area=whole["area_mm2"],
        index=whole["place"],
    )
    return Answers(found, patient, np.concatenate(folds))


def of_largest(whole: dict[str, NDArray[Any]], column: int) -> Labels:
    """A marker's label on each study's slice of the largest area, shape (studies,).

    The shape scale is read there (Barras et al., Stroke 2009;40:1325-1331). The caps of every other
    clot are ragged, so that on any slice nearly all are irregular.
    """
    labels = np.full(len(whole["id"]), -1, np.int8)
    for number in np.unique(whole["study"]):
        rows = np.flatnonzero(whole["study"] == number)
        labels[number] = whole["labels"][rows[np.argmax(whole["area_mm2"][rows])], column]
    return labels


@dataclass(frozen=True, slots=True)
class Decision:
    """What is chosen on drawn studies."""

    choice: AggregationChoice
    calibrations: tuple[Calibration, ...]

    def to_json(self) -> dict[str, Any]:
        """Per marker, as `decision.json` has it, and the shift that the head's bias takes."""
        return {
            code: {
                "aggregation": str(self.choice.chosen[code]),
                "shift": round(fit.shift, 4),
                "temperature": round(fit.temperature, 4),
                "threshold": round(fit.threshold, 4),
                "estimable": fit.estimable,
            }
            for code, fit in zip(MARKER_CODES, self.calibrations, strict=True)
        }


def decide(drawn: Answers, training: ClassifierTraining) -> Decision:
    """Choose how slices are aggregated, calibrations and thresholds, each at published prevalence."""
    choice = choose_aggregation(drawn.found)
    logits = patient_logits(drawn.found, choice.ways)
    return Decision(
        choice,
        tuple(
            calibrate(
                logits[:, i],
                drawn.found.patient_labels[:, i],
                scaling=Scaling.PLATT,
                sensitivity=training.sensitivity,
                specificity=training.specificity,
                prevalence=published_share(code),
            )
            for i, code in enumerate(MARKER_CODES)
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """An arm's answers to read patients and drawn studies, each decided by the other folds.

    Args:
        decision: chosen on all drawn studies, for the weights of all patients.
        read, read_test: on patients of training and validation, and of the test split.
        call_now: share of the patients of `read` for whom triage would say so: a validated marker is
            called, or the haematoma is large.
        drawn: scores of the drawn studies.
    """

    decision: Decision
    read: dict[str, ReadScores]
    call_now: Estimate
    read_test: dict[str, ReadScores] | None
    drawn: dict[str, Any]


def score(places: Sequence[Place], arm: Arm, *, test: bool = False) -> Scored:
    """Decide and score.

    Args:
        places: of all folds.
        arm: whose answers.
        test: also score the test patients: once, when nothing is left to choose.
    """
    folder = phe_sich.data_folder()
    splits = phe_sich.split_patients(phe_sich.read_rows(folder))
    readings = read_readings(folder)
    drawn, read = (read_answers(places, arm, kind) for kind in ("drawn", "read"))
    choosing = drawn.part(~np.isin(drawn.patient, splits["test"]))
    by_fold = [decide(choosing.part(choosing.fold != k), arm.training) for k in range(len(places))]

    def calls(answers: Answers) -> tuple[Array, Flags]:
        probabilities = np.zeros(answers.found.patient_labels.shape)
        called = np.zeros(probabilities.shape, np.bool_)
        for k, decision in enumerate(by_fold):
            own = answers.fold == k
            if own.any():
                probabilities[own], called[own] = patient_calls(
                    answers.part(own).found, decision.choice.ways, decision.calibrations
                )
        return probabilities, called

    def scores(own: Answers) -> dict[str, ReadScores]:
        return score_readings(*calls(own), [readings[patient] for patient in own.patient])

    seen = read.part(np.isin(read.patient, [*splits["train"], *splits["validation"]]))
    found = scores(seen)
    return Scored(
        decide(choosing, arm.training),
        found,
        call_now(seen, calls(seen)[1], [one.validated for one in found.values()]),
        scores(read.part(np.isin(read.patient, splits["test"]))) if test else None,
        drawn_scores(choosing, *calls(choosing), arm.training),
    )


def call_now(answers: Answers, called: Flags, validated: Sequence[bool]) -> Estimate:
    """Share of patients who would be told to call, with Wilson's interval.

    Args:
        answers: of the patients.
        called: by marker, shape (patients, markers).
        validated: whether each marker counts.
    """
    thickness_mm = phe_sich.ASSUMED_SPACING_MM[0]
    area = answers.found.area
    assert area is not None
    millilitres = np.bincount(answers.found.patient, area, len(called)) * thickness_mm / 1000
    told = called[:, np.array(validated)].any(1) | (millilitres >= LARGE_HAEMATOMA_ML)
    return wilson(int(told.sum()), len(told))


def drawn_scores(
    answers: Answers, probabilities: Array, called: Flags, training: ClassifierTraining
) -> dict[str, Any]:
    """Scores of drawn studies by marker, ECE at the published prevalence, for JSON."""
    draws = cluster_draws(answers.found.clusters, draws=DRAWS, seed=SEED)
    table = {}
    for i, code in enumerate(MARKER_CODES):
        labels, chance = answers.found.patient_labels[:, i], probabilities[:, i]
        rows = {"sensitivity": training.sensitivity, "specificity": training.specificity}
        found = patient_scores(chance, labels, called[:, i], draws, **rows)
        weights = draws * prevalence_weights(labels, published_share(code))
        found |= calibration_scores(chance, labels, weights, bins=BINS)
        table[code] = {
            "studies": label_counts(labels),
            "prevalence": published_share(code),
            **{name: estimate.to_json() for name, estimate in found.items()},
        }
    return table
