"""Tables of AUCs: arms beside each other, and their differences with a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.paper.bench import Bench
from benchmarks.paper.classifiers import (
    ClassifierArm,
    Kind,
    Level,
    auc_of,
    label_counts,
    predictions,
    run_arm,
)
from benchmarks.paper.jobs import Finished
from benchmarks.paper.report import Row, Section
from benchmarks.paper.stats import Estimate, difference, estimate
from hemx_core.evaluation.delong import delong_test
from hemx_core.markers import MARKER_CODES, MARKERS

Runs = Mapping[str, Sequence[Finished]]
"""Finished jobs of each arm, one for each seed."""
Pair = tuple[str, str, str]
"""Two arms, and what the second minus the first is called."""

COLUMNS = [(marker.code, marker.name_en) for marker in MARKERS]
WORDS = {"slice": "per slice", "patient": "per study"}
DELONG = (
    "p: DeLong's test on the mean logits of the seeds, study by study (studies on one patient's slices "
    "are taken as independent there; the intervals do not)."
)


def auc_sections(
    bench: Bench,
    arms: Sequence[ClassifierArm],
    *,
    paper: Mapping[str, Mapping[str, float]],
    pairs: Sequence[Pair],
    note: str,
    kind: Kind = "true",
) -> list[Section]:
    """AUC of the four markers per slice and per study.

    Args:
        bench: runs the arms that are not finished.
        arms: in the order of the table.
        paper: its AUCs by arm and marker; they stand beside ours per slice.
        pairs: differences to show.
        note: on what was done.
        kind: slices scored, by true or by predicted mask.
    """
    runs = {arm.arm: [run_arm(bench, arm, seed) for seed in bench.seeds] for arm in arms}
    counts = label_counts(runs[arms[0].arm][0], MARKER_CODES, kind)
    found = []
    for level in ("slice", "patient"):
        rows = [
            Row(
                arm=arm.arm,
                title=arm.title,
                cells=cells(bench, runs[arm.arm], level, kind),
                paper=paper.get(arm.arm, {}) if level == "slice" else {},
            )
            for arm in arms
        ]
        words = (
            "A study's logit is the largest of its slices. " + DELONG
            if level == "patient"
            else "The paper does not say per what its AUCs are; they stand beside those per slice."
        )
        found.append(
            Section(
                title=f"AUC {WORDS[level]}: {bench.cohort.title}",
                note=f"{note} {counts} {words}",
                columns=COLUMNS,
                rows=rows,
                differences=[gain(bench, runs, pair, level, kind) for pair in pairs],
            )
        )
    return found


def cells(
    bench: Bench,
    runs: Sequence[Finished],
    level: Level,
    kind: Kind = "true",
    *,
    targets: Sequence[str] = MARKER_CODES,
) -> dict[str, Estimate]:
    """AUC of every target, mean over the seeds."""
    return {
        code: estimate([auc_of(bench, one, i, level=level, kind=kind) for one in runs])
        for i, code in enumerate(targets)
    }


def gain(
    bench: Bench,
    runs: Runs,
    pair: Pair,
    level: Level,
    kind: Kind = "true",
    *,
    targets: Sequence[str] = MARKER_CODES,
) -> Row:
    """Difference of two arms, paired by patient, seed and, per study, with DeLong's p."""
    first, second, title = pair
    found = {}
    for i, code in enumerate(targets):
        before, after = (
            [auc_of(bench, one, i, level=level, kind=kind) for one in runs[arm]]
            for arm in (first, second)
        )
        found[code] = difference(before, after)
        if level == "patient":
            found[code] = replace(found[code], p=delong_p(runs[first], runs[second], i, kind))
    return Row(arm=f"{second}-{first}", title=title, cells=found)


def delong_p(
    first: Sequence[Finished], second: Sequence[Finished], column: int, kind: Kind = "true"
) -> float | None:
    """p of DeLong's test between two arms' mean logits of each study; None where it has none."""
    before, after = (
        np.mean([predictions(one, kind).patient_logits[:, column] for one in runs], 0)
        for runs in (first, second)
    )
    labels = predictions(first[0], kind).patient_labels[:, column]
    found = delong_test(before, after, labels)
    return found.p_value if found else None
