"""Rows of the CSV tables of a data set, cell by cell; a bad cell is noted and the reading goes on."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hemx_core.data.problems import Findings
from hemx_core.data.study import UNKNOWN

UNKNOWN_WORD = "unknown"
_FLAGS = {"1": 1, "0": 0, "yes": 1, "no": 0, UNKNOWN_WORD: UNKNOWN, "": UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """Columns of a table.

    Args:
        file: file name.
        required: columns that must be there; whether a cell may be empty is the reader's matter.
        optional: columns that may be missing; every other column is named in a warning.
    """

    file: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cells:
    """One row of a table; a cell that cannot be read is noted and taken for unknown."""

    file: str
    row: int
    values: Mapping[str, str]
    findings: Findings

    def error(self, column: str, message: str) -> None:
        """Note an error in this row."""
        self.findings.error(self.file, message, row=self.row, column=column)

    def warn(self, column: str, message: str) -> None:
        """Note a warning in this row."""
        self.findings.warn(self.file, message, row=self.row, column=column)

    def text(self, column: str) -> str:
        """The cell without surrounding space; empty where it is empty, missing or `unknown`."""
        value = self.values.get(column, "").strip()
        return "" if value.lower() == UNKNOWN_WORD else value

    def needed(self, column: str) -> str:
        """The cell, noted as an error where it is empty."""
        value = self.text(column)
        if not value:
            self.error(column, "is empty; it must be given")
        return value

    def flag(self, column: str) -> int:
        """1, 0 or -1 for 1/yes, 0/no, unknown or empty."""
        value = self.values.get(column, "").strip().lower()
        if value not in _FLAGS:
            self.error(column, f"{value!r} is not 1, 0 or unknown")
        return _FLAGS.get(value, UNKNOWN)

    def number(self, column: str) -> float | None:
        """A finite number, or None where the cell is empty."""
        value = self.text(column)
        if not value:
            return None
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.error(column, f"{value!r} is not a number")
            return None
        return number

    def index(self, column: str) -> int | None:
        """A whole number from 0, or None where the cell is empty."""
        value = self.text(column)
        if value and not (value.isascii() and value.isdigit()):
            self.error(column, f"{value!r} is not a whole number from 0")
            return None
        return int(value) if value else None

    def time(self, column: str) -> datetime | None:
        """An ISO 8601 date and time, or None where the cell is empty."""
        value = self.text(column)
        try:
            return datetime.fromisoformat(value) if value else None
        except ValueError:
            self.error(column, f"{value!r} is not a time such as 2024-05-14T03:20:00")
            return None

    def interval(self, lower: str, upper: str) -> tuple[float, float] | None:
        """Two columns that hold a range: both or none, the lower one lower."""
        low, high = self.number(lower), self.number(upper)
        if low is None and high is None:
            return None
        if low is None or high is None:
            self.error(lower if low is None else upper, "is empty; give both ends or none")
            return None
        if low >= high:
            self.error(lower, f"{low:g} is not below {upper} {high:g}")
            return None
        return low, high


def read_table(folder: Path, spec: TableSpec, findings: Findings) -> Iterator[Cells]:
    """Rows of a table; what is wrong with the file itself is noted.

    Args:
        folder: of the data set.
        spec: the table.
        findings: collects what is wrong.
    """
    try:
        text = (folder / spec.file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        findings.error(spec.file, f"is not UTF-8 (byte {error.start}); save it as CSV UTF-8")
        return
    except OSError as error:
        findings.error(spec.file, f"cannot be read ({error.strerror or error})")
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if not _header_fits(header, spec, findings):
            return
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(header):
                    message = f"has {len(cells)} cells and not {len(header)} as the header"
                    findings.error(spec.file, message, row=reader.line_num)
                values = dict(zip(header, cells, strict=False))
                yield Cells(spec.file, reader.line_num, values, findings)
    except csv.Error as error:
        findings.error(spec.file, f"is not CSV: {error}", row=reader.line_num)


def _header_fits(header: list[str], spec: TableSpec, findings: Findings) -> bool:
    missing = [name for name in spec.required if name not in header]
    for name in missing:
        findings.error(spec.file, "the column is missing", row=1, column=name)
    for name in sorted({name for name in header if header.count(name) > 1}):
        findings.error(spec.file, "the column stands there twice", row=1, column=name)
    for name in header:
        if name not in spec.required + spec.optional:
            findings.warn(spec.file, "the column is not known and not read", row=1, column=name)
    return not missing
