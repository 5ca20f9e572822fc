"""Tables of what readers and networks say of a data set's studies, and the labels that readers make together.

`readings/READER.csv` is one reader's; `network.csv` holds the calls of networks. Readers' masks and markers
become labels where they agree, and unknown where they do not (`hemx_core.labels.answers`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemx_core.data.cells import Cells, TableSpec, read_table
from hemx_core.data.problems import Findings
from hemx_core.data.study import UNKNOWN
from hemx_core.labels.answers import (
    NETWORK_COLUMNS,
    QUESTIONS,
    READING_COLUMNS,
    Answer,
    Reading,
    agreed_label,
    agreed_slices,
)
from hemx_core.labels.folder import NETWORK_FILE, READINGS
from hemx_core.markers import MARKER_CODES


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRow:
    """One row of a reader's table.

    Args:
        row: line in the table.
        file: its name in the data set.
        reader: who answered.
        study: of which study.
        reading: the answers.
        mask: what the reader takes for the haematoma: a path, `none`, or empty for no word.
    """

    row: int
    file: str
    reader: str
    study: str
    reading: Reading
    mask: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """What a network called in a study: 1, 0 or -1, order MARKER_CODES."""

    study: str
    model: str
    calls: tuple[int, ...]


def read_readings(folder: Path, findings: Findings) -> dict[str, tuple[ReadingRow, ...]]:
    """All readers' rows by study; what is wrong with a cell is noted."""
    found: dict[str, tuple[ReadingRow, ...]] = {}
    for path in sorted((folder / READINGS).glob("*.csv")):
        for row in read_reader(folder, f"{READINGS}/{path.name}", findings).values():
            found[row.study] = (*found.get(row.study, ()), row)
    return found


def read_reader(folder: Path, file: str, findings: Findings) -> dict[str, ReadingRow]:
    """A reader's rows by study.

    Args:
        folder: of the data set.
        file: name of the table in it.
        findings: collects what is wrong.
    """
    spec = TableSpec(
        file=file, required=("study",), optional=tuple(n for n in READING_COLUMNS if n != "study")
    )
    found: dict[str, ReadingRow] = {}
    for cells in read_table(folder, spec, findings):
        study = cells.needed("study")
        if study in found:
            cells.error("study", f"{study!r} stands there twice")
        elif study:
            found[study] = ReadingRow(
                row=cells.row,
                file=file,
                reader=Path(file).stem,
                study=study,
                reading=_reading(cells),
                mask=cells.text("mask"),
            )
    return found


def _reading(cells: Cells) -> Reading:
    answers, slices = {}, {}
    for question in QUESTIONS:
        word = cells.text(question).lower().replace(" ", "_")
        if word in tuple(Answer):
            answers[question] = Answer(word)
        elif word:
            cells.error(question, f"{word!r} is not one of {', '.join(Answer)}")
    for code in MARKER_CODES:
        words = cells.text(f"{code}_slices").split()
        if not all(word.isascii() and word.isdigit() for word in words):
            cells.error(f"{code}_slices", "holds something else than whole numbers from 0")
        elif words and answers.get(code) not in (Answer.YES, Answer.POSSIBLE):
            cells.error(f"{code}_slices", f"names slices, but {code} is not answered with yes")
        elif words:
            slices[code] = tuple(sorted({int(word) for word in words}))
    return Reading(answers=answers, slices=slices, read_at=cells.time("read_at"))


def read_network(folder: Path, findings: Findings, file: str = NETWORK_FILE) -> tuple[CallRow, ...]:
    """What networks called; nothing where there is no such table."""
    if not (folder / file).exists():
        return ()
    spec = TableSpec(
        file=file,
        required=("study", *MARKER_CODES),
        optional=tuple(n for n in NETWORK_COLUMNS if n != "study" and n not in MARKER_CODES),
    )
    found: dict[tuple[str, str], CallRow] = {}
    for cells in read_table(folder, spec, findings):
        study, model = cells.needed("study"), cells.text("model") or "network"
        calls = tuple(cells.flag(code) for code in MARKER_CODES)
        if (study, model) in found:
            cells.error("study", f"{study!r} stands there twice for {model}")
        found[study, model] = CallRow(study=study, model=model, calls=calls)
    return tuple(found.values())


def agreed_markers(rows: Sequence[ReadingRow]) -> tuple[int | None, ...]:
    """What the readers of a study make of each marker: 1, 0, -1; None where nobody answered."""
    return tuple(
        agreed_label(row.reading.answers[code] for row in rows if code in row.reading.answers)
        for code in MARKER_CODES
    )


def fill_slices(
    labels: NDArray[np.int8], rows: Sequence[ReadingRow], blood: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Slice labels with what readers say, where they were unknown.

    An agreed "no" holds for every slice. An agreed "yes" holds for the slices that all readers name who
    name any, or for the only slice with blood; of the others it says nothing.

    Args:
        labels: 1, 0 or -1, shape (slices, 4).
        rows: of the study; slices that it does not have are left out.
        blood: which slices show blood, shape (slices,).
    """
    filled = labels.copy()
    for place, (code, label) in enumerate(zip(MARKER_CODES, agreed_markers(rows), strict=True)):
        column, unknown = filled[:, place], labels[:, place] == UNKNOWN
        if label == 0:
            column[unknown] = 0
        elif label == 1:
            named = agreed_slices(row.reading.slices.get(code, ()) for row in rows)
            if not named and np.count_nonzero(blood) == 1:
                named = tuple(np.flatnonzero(blood).tolist())
            for index in named:
                if index < len(column) and unknown[index]:
                    column[index] = 1
    return filled


def reader_counts(readings: Mapping[str, Sequence[ReadingRow]]) -> dict[str, int]:
    """Studies of each reader."""
    names = [row.reader for rows in readings.values() for row in rows]
    return {name: names.count(name) for name in sorted(set(names))}
