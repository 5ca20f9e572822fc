"""Readings of phe_sich's patients: markers and signs by a vision model, twice; no radiologist's. Torch-free.

The table is `markers_read.csv` beside `slices.csv`. A figure that rests on it says whose reading it is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from hemx_core.data.phe_sich import data_folder
from hemx_core.data.study import UNKNOWN
from hemx_core.errors import DatasetError
from hemx_core.markers import MARKER_CODES

FILE = "markers_read.csv"
READ_CODES = (*MARKER_CODES, "swirl", "black_hole", "island", "satellite")
"""What was read: the markers, and signs."""
_SLICES = re.compile(r"(?P<code>[a-z_]+):(?P<first>\d+)(?:-(?P<last>\d+))?")


class Answer(IntEnum):
    """Whether a marker shows, as the table writes it."""

    NO = 0
    POSSIBLE = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a patient.

    Args:
        answers: of READ_CODES.
        location: `putamen`, `thalamus`, `lobar`, …; the first of them was the default.
        reference_wrong: whether the derived outline is grossly wrong.
        slices: where a marker shows: numbers as in the names of the pictures (`SliceRow.index`), ascending;
            codes without a named slice are not there.
    """

    answers: Mapping[str, Answer]
    location: str
    reference_wrong: bool
    slices: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class ReadPatient:
    """Both readings of a patient, made independently."""

    patient: str
    first: Reading
    second: Reading

    @property
    def reference_wrong(self) -> bool:
        """Whether both readings find the outline grossly wrong: left out of scores."""
        return self.first.reference_wrong and self.second.reference_wrong

    def label(self, code: str) -> int:
        """1 where both say clearly yes, 0 where both say no, else -1."""
        answers = {self.first.answers[code], self.second.answers[code]}
        if answers == {Answer.YES}:
            return 1
        return 0 if answers == {Answer.NO} else UNKNOWN

    def slices(self, code: str) -> tuple[int, ...]:
        """Slices that either reading names for a marker, ascending."""
        named = {*self.first.slices.get(code, ()), *self.second.slices.get(code, ())}
        return tuple(sorted(named))


def read_readings(folder: Path | None = None) -> dict[str, ReadPatient]:
    """Both readings of every read patient, by patient.

    Args:
        folder: of phe_sich; None finds it through `HEMX_DATA`.
    Raises:
        DatasetError: the data or the table is missing, or a row is not such a reading.
    """
    path = (folder or data_folder()) / FILE
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{FILE} cannot be read ({error})",
            expected="the table of readings beside slices.csv",
            remedy="copy the data set again",
        ) from error
    found = {}
    for number, row in enumerate(rows, start=2):
        try:
            patient = row["patient"]
            found[patient] = ReadPatient(patient, _reading(row, "a"), _reading(row, "b"))
        except (KeyError, ValueError, TypeError) as error:
            raise DatasetError(
                f"line {number} of {FILE}: {error!r}",
                expected=f"NAME_a and NAME_b in 0, 1, 2 for {', '.join(READ_CODES)}, and slices as "
                "`blend:14;swirl:13-14`",
                remedy="copy the data set again",
            ) from error
    return found


def _reading(row: Mapping[str, str], which: str) -> Reading:
    return Reading(
        {code: Answer(int(row[f"{code}_{which}"])) for code in READ_CODES},
        row[f"location_{which}"],
        bool(int(row[f"reference_wrong_{which}"])),
        _slices(row[f"slices_{which}"]),
    )


def _slices(text: str) -> dict[str, tuple[int, ...]]:
    named: dict[str, tuple[int, ...]] = {}
    for part in filter(None, text.split(";")):
        match = _SLICES.fullmatch(part)
        if match is None or match["code"] not in READ_CODES:
            raise ValueError(f"slices {part!r}")
        first = int(match["first"])
        last = int(match["last"] or first)
        if last < first:
            raise ValueError(f"slices {part!r}")
        named[match["code"]] = tuple(range(first, last + 1))
    return named
