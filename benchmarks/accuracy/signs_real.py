"""How well the rule-based signs agree with readings of real patients, on the reference masks: no network.

python -m benchmarks signs --real

Truth are two readings by a vision model, NOT by a radiologist: both clearly yes, or both no; the rest is
unsure and only counted. The masks are derived, not drawn. Spacing is assumed, HU are clipped to a window.

Rules were chosen on the patients of training and validation. Thresholds that no definition fixes are scored
leaving one patient out: his is chosen from the others. What is measured was chosen with all of them in view,
so these figures are optimistic all the same. The patients of the test split chose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.stats import binomtest

from hemx_core import provenance
from hemx_core.data.phe_sich import (
    SPLITS,
    data_folder,
    read_reference,
    read_rows,
    read_volume,
    split_patients,
)
from hemx_core.data.readings import READ_CODES, ReadPatient, read_readings
from hemx_core.measure.clean import fill_holes
from hemx_core.measure.signs import SIGNS, SignRule, find_signs
from hemx_core.records import Json

TRUTH = "two readings by a vision model, not by a radiologist: both clearly yes, or both no"
CHOSEN = ("hypodensity", "irregular", "satellite")
"""Rules whose threshold no definition fixes: it was chosen on read patients."""

CHOOSING, TEST = SPLITS[:2], SPLITS[2:]


@dataclass(frozen=True, slots=True)
class Measured:
    """One patient and sign: 1, 0 or -1 (unsure) as read, and the measured quantity."""

    label: int
    value: float | None


def measure_patients(splits: Sequence[str], folder: Path) -> dict[str, dict[str, Measured]]:
    """What the rules measure on the reference masks of read patients, by patient and sign.

    Patients whose reference both readings find wrong are left out, and those without a reading.

    Args:
        splits: of `split_patients`.
        folder: of phe_sich.
    """
    rows = read_rows(folder)
    readings = read_readings(folder)
    chosen = split_patients(rows)
    found = {}
    for patient in (patient for split in splits for patient in chosen[split]):
        read = readings.get(patient)
        if read is None or read.reference_wrong:
            continue
        volume = read_volume(folder, rows[patient])
        mask, _, _ = read_reference(folder, rows[patient], volume, checked=False)
        filled, _ = fill_holes(mask, volume)
        found[patient] = _measure(read, {s.code: s.value for s in find_signs(volume, filled)})
    return found


def _measure(read: ReadPatient, values: Mapping[str, float | None]) -> dict[str, Measured]:
    return {code: Measured(read.label(code), values.get(code)) for code in READ_CODES}


def score(found: Mapping[str, Mapping[str, Measured]], *, left_out: bool = False) -> Json:
    """Sensitivity and specificity of every sign, with exact 95 % intervals over patients.

    Args:
        found: of `measure_patients`.
        left_out: choose the thresholds of `CHOSEN` for every patient from the others.
    Returns:
        By sign. An "undecided" is a miss in both rates.
    """
    return {
        code: _score(code, [row[code] for row in found.values()], left_out) for code in READ_CODES
    }


def _score(code: str, rows: Sequence[Measured], left_out: bool) -> Json:
    rule = SIGNS[code]
    answers = []
    for place, row in enumerate(rows):
        mine = rule
        if left_out and code in CHOSEN:
            mine = replace(rule, threshold=choose(rule, [*rows[:place], *rows[place + 1 :]]))
        answers.append((row.label, mine.judge(row.value, None).present))
    return {
        "sensitivity": _share([answer is True for label, answer in answers if label == 1]),
        "specificity": _share([answer is False for label, answer in answers if label == 0]),
        "undecided": sum(answer is None for label, answer in answers if label != -1),
        "too_small_to_judge": sum(row.value is None for row in rows),
        "unsure": sum(label == -1 for label, _ in answers),
        "unsure_called": sum(answer is True for label, answer in answers if label == -1),
        "called": sum(answer is True for _, answer in answers),
        "patients": len(answers),
    }


def choose(rule: SignRule, rows: Sequence[Measured]) -> float:
    """The threshold with the best sum of both rates: in the middle of the widest such gap of values."""
    side = 1.0 if rule.at_least else -1.0
    known = [
        (side * row.value, row.label) for row in rows if row.value is not None and row.label >= 0
    ]
    levels = sorted({value for value, _ in known})
    yes, no = (np.array([value for value, label in known if label == k]) for k in (1, 0))
    if len(levels) < 2 or not len(yes) or not len(no):
        return rule.threshold
    gaps = [
        (float((yes > middle).mean() + (no < middle).mean()), upper - lower, middle)
        for lower, upper in pairwise(levels)
        for middle in [(lower + upper) / 2]
    ]
    return side * max(gaps)[2]


def _share(hits: list[bool]) -> Json:
    """Hits of so many, their share and its exact interval (Clopper and Pearson 1934)."""
    if not hits:
        return {"hits": 0, "of": 0, "value": None, "interval": None}
    interval = binomtest(sum(hits), len(hits)).proportion_ci(0.95, method="exact")
    return {
        "hits": sum(hits),
        "of": len(hits),
        "value": round(sum(hits) / len(hits), 4),
        "interval": [round(float(interval.low), 4), round(float(interval.high), 4)],
    }


def report_real(*, test: bool) -> dict[str, Any]:
    """The report of `signs --real`.

    Args:
        test: also score the patients of the test split, for a rule that is fixed.
    Raises:
        DatasetError: the data or the readings are missing.
    """
    cv2.setNumThreads(1)
    folder = data_folder()
    found = measure_patients(CHOOSING, folder)
    return {
        "provenance": provenance.provenance(),
        "truth": TRUTH,
        "masks": "derived reference, holes filled; spacing assumed",
        "chosen_thresholds": {code: SIGNS[code].threshold for code in CHOSEN},
        "training_and_validation": score(found),
        "one_patient_left_out": score(found, left_out=True),
        "test": score(measure_patients(TEST, folder)) if test else None,
    }


def lines(report: Mapping[str, Any]) -> list[str]:
    """One line a sign."""
    told = []
    for code, scores in report["one_patient_left_out"].items():
        rates = (
            f"{scores[key]['hits']}/{scores[key]['of']}" for key in ("sensitivity", "specificity")
        )
        told.append(f"{code}: sensitivity {next(rates)}, specificity {next(rates)}")
    return told
