"""The readers of a data set compared with each other and with networks: counts, agreement, kappa, AC1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.data.readers import CallRow, agreed_markers
from hemx_core.data.tables import Tables
from hemx_core.errors import DatasetError
from hemx_core.labels.answers import Answer
from hemx_core.markers import MARKER_CODES
from hemx_core.training.scoring.agreement import DRAWS, SEED, Labels, agreement

FORMAT = "hemx-readers/1"
AGREED = "all readers"
READER, NETWORK = "reader", "network"
DEFINITE, CLEARLY_YES = "definite", "clearly_yes"
WAYS = {
    DEFINITE: {Answer.YES: 1, Answer.NO: 0},
    CLEARLY_YES: {Answer.YES: 1, Answer.POSSIBLE: 0, Answer.NO: 0},
}
"""Definite: "possible" is left out. Clearly yes: it counts as not yes. "Cannot tell" is left out of both."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rater:
    """Whoever or whatever answered.

    Args:
        name: of it.
        kind: `READER`, `NETWORK`, or `AGREED` for what all readers agree on.
        labels: by way of counting, 1, 0 or -1, shape (studies, 4).
        answers: how often each answer was given, by marker code.
    """

    name: str
    kind: str
    labels: Mapping[str, Labels]
    answers: Mapping[str, Mapping[str, int]]


def compare_readers(
    tables: Tables,
    *,
    split: str = "",
    calls: Sequence[CallRow] = (),
    draws: int = DRAWS,
    seed: int = SEED,
) -> dict[str, Any]:
    """Compare all pairs of readers, and each network with each reader and with what the readers agree on.

    Args:
        tables: of the data set.
        split: only patients of it; empty takes all.
        calls: of networks, besides those in the data set's `network.csv`.
        draws: of the bootstrap by patient.
        seed: of it.
    Returns:
        JSON values: `raters`, and `pairs` with counts and estimates of each marker in both ways of counting.
    Raises:
        DatasetError: nobody has read a study.
    """
    studies = [
        row
        for row in tables.studies.values()
        if tables.readings.get(row.study) and split in ("", tables.patients[row.patient].split)
    ]
    if not studies:
        raise DatasetError(
            "no study that somebody has read" + f" in the split {split}" * bool(split),
            expected="tables in the folder readings",
            remedy="run `hemx dev data label` first",
        )
    names = [row.study for row in studies]
    readers = _readers(tables, names)
    networks = _networks((*tables.network, *calls), names)
    agreed = _agreed(tables, names)
    pairs = [*combinations(readers, 2)]
    pairs += [(rater, network) for network in networks for rater in (*readers, agreed)]
    people = list(dict.fromkeys(row.patient for row in studies))
    patient = np.array([people.index(row.patient) for row in studies], np.int64)
    return {
        "format": FORMAT,
        "dataset": tables.info.name or tables.folder.name,
        "split": split or "all",
        "studies": len(studies),
        "patients": len(people),
        "interval": f"95 % percentile, bootstrap by patient, {draws} draws",
        "raters": [
            {"name": rater.name, "kind": rater.kind, "answers": rater.answers}
            for rater in (*readers, *networks)
        ],
        "pairs": [_pair(one, other, patient, draws, seed) for one, other in pairs],
    }


def _pair(
    one: Rater, other: Rater, patient: NDArray[np.int64], draws: int, seed: int
) -> dict[str, Any]:
    markers = {
        code: {
            way: agreement(
                one.labels[way][:, place],
                other.labels[way][:, place],
                patient,
                draws=draws,
                seed=seed,
            ).to_json()
            for way in WAYS
        }
        for place, code in enumerate(MARKER_CODES)
    }
    return {"first": one.name, "second": other.name, "kind": other.kind, "markers": markers}


def _readers(tables: Tables, studies: Sequence[str]) -> list[Rater]:
    given: dict[str, dict[str, Mapping[str, Answer]]] = {}
    for study in studies:
        for row in tables.readings[study]:
            given.setdefault(row.reader, {})[study] = row.reading.answers
    return [
        Rater(
            name=name,
            kind=READER,
            labels={way: _labels(answers, studies, words) for way, words in WAYS.items()},
            answers={
                code: Counter(str(one[code]) for one in answers.values() if code in one)
                for code in MARKER_CODES
            },
        )
        for name, answers in sorted(given.items())
    ]


def _labels(
    answers: Mapping[str, Mapping[str, Answer]],
    studies: Sequence[str],
    words: Mapping[Answer, int],
) -> Labels:
    table = np.full((len(studies), len(MARKER_CODES)), -1, np.int8)
    for at, study in enumerate(studies):
        for place, code in enumerate(MARKER_CODES):
            answer = answers.get(study, {}).get(code)
            if answer is not None:
                table[at, place] = words.get(answer, -1)
    return table


def _networks(calls: Sequence[CallRow], studies: Sequence[str]) -> list[Rater]:
    tables: dict[str, Labels] = {}
    for call in calls:
        if call.study in studies:
            empty = np.full((len(studies), len(MARKER_CODES)), -1, np.int8)
            tables.setdefault(call.model, empty)[studies.index(call.study)] = call.calls
    return [
        Rater(
            name=name,
            kind=NETWORK,
            labels=dict.fromkeys(WAYS, labels),
            answers={
                code: {"yes": int((column == 1).sum()), "no": int((column == 0).sum())}
                for code, column in zip(MARKER_CODES, labels.T, strict=True)
            },
        )
        for name, labels in tables.items()
    ]


def _agreed(tables: Tables, studies: Sequence[str]) -> Rater:
    """What training takes for the truth: it has no way of counting "possible"."""
    rows = [agreed_markers(tables.readings[study]) for study in studies]
    labels = np.array([[-1 if word is None else word for word in row] for row in rows], np.int8)
    return Rater(name=AGREED, kind=AGREED, labels=dict.fromkeys(WAYS, labels), answers={})
