"""The HE head: does the haematoma expand? And the best AUC that any reader of the images could have."""

from __future__ import annotations

import numpy as np

from benchmarks.paper.classifiers import ClassifierArm, auc_of, run_arm
from benchmarks.paper.data import patient_numbers
from benchmarks.paper.experiments import Bench
from benchmarks.paper.report import Row, Section
from benchmarks.paper.stats import estimate
from hemx_core.data.cohort import BASE_EXPANSION_RATE, EXPANSION_RATE
from hemx_core.data.study import Study
from hemx_core.markers import MARKER_CODES
from hemx_core.training.scoring.predictions import Array
from hemx_core.training.scoring.weighted import weighted_auc

TITLE = "The HE head: expansion by 30 % or more"
HEAD = ClassifierArm(arm="expansion", title="HE head on the image", targets=("expansion",))
COLUMN = [("expansion", "AUC per study")]


def sections(bench: Bench) -> list[Section]:
    """The head's AUC per patient beside the Bayes-optimal one."""
    found = [run_arm(bench, HEAD, seed) for seed in bench.seeds]
    studies = bench.cohort.held_out()
    labels = np.array([study.expanded for study in studies], np.int8)
    risk = np.array([true_risk(study) for study in studies])
    patient = patient_numbers(studies)
    draws = bench.draws(int(patient.max()) + 1)[:, patient]
    rows = [
        Row(
            arm="head",
            title=HEAD.title,
            cells={
                "expansion": estimate(
                    [auc_of(bench, outcome, 0, level="patient") for outcome in found]
                )
            },
        ),
        Row(
            arm="bayes",
            title="true markers known (Bayes-optimal), these labels",
            cells={"expansion": estimate([weighted_auc(risk, labels, draws)])},
        ),
        Row(
            arm="bayes-expected",
            title="true markers known, labels drawn again and again",
            cells={"expansion": estimate([expected_auc(risk, draws)])},
        ),
    ]
    known = labels >= 0
    note = (
        f"{int((labels == 1).sum())} of {int(known.sum())} held-out studies expand. Labels are drawn "
        "from the paper's rates (hypodensity 20.2 %, irregular 14.0 %, blend 35 %; the highest that applies; "
        f"{100 * BASE_EXPANSION_RATE:.0f} % without a marker, an assumption), so nothing but the markers "
        "carries information, and no reader of these images can beat the Bayes-optimal score on average. The "
        "paper states the task and gives no figure."
    )
    return [Section(title=f"Expansion: {bench.cohort.title}", note=note, columns=COLUMN, rows=rows)]


def true_risk(study: Study) -> float:
    """The rate that a study's label was drawn with, see `PhantomMaker.expanded`."""
    present = dict(zip(MARKER_CODES, study.patient_markers == 1, strict=True))
    return max(
        (rate for code, rate in EXPANSION_RATE.items() if present[code]),
        default=BASE_EXPANSION_RATE,
    )


def expected_auc(risk: Array, weights: Array) -> Array:
    """AUC of the true risks, expected over labels drawn from them, under each draw of patients.

    The ratio of the expected numbers of rightly ordered and of all pairs (an expanding and a
    non-expanding patient): sum r_i (1 - r_j) [r_i > r_j or half where equal] / sum r_i (1 - r_j).

    Args:
        risk: shape (studies,), in (0, 1).
        weights: copies of each study in each draw, shape (draws, studies).
    Returns:
        shape (draws,).
    """
    order = np.sign(risk[:, None] - risk[None, :])
    pairs = risk[:, None] * (1 - risk[None, :])
    np.fill_diagonal(pairs, 0.0)  # nobody is compared with themselves
    wins = np.einsum("di,ij,dj->d", weights, pairs * (order + 1) / 2, weights, optimize=True)
    return np.asarray(wins / np.einsum("di,ij,dj->d", weights, pairs, weights, optimize=True))
