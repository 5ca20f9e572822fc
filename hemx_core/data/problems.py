"""Problems of a data set, each with file, row and column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hemx_core.errors import DatasetError

ERROR, WARNING = "error", "warning"
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding of a check.

    Args:
        severity: `error` (cannot be trained on as it is) or `warning`.
        file: file name as the folder has it.
        row: line of a table as a spreadsheet counts it (the header is line 1); None for a file.
        column: of the table; empty where the whole row or file is meant.
        message: what was found and what was expected.
    """

    severity: str
    file: str
    message: str
    row: int | None = None
    column: str = ""

    @property
    def place(self) -> str:
        """File, row and column in words."""
        row = "" if self.row is None else f", row {self.row}"
        return f"{self.file}{row}" + (f", column {self.column}" if self.column else "")


class Findings:
    """Collects problems; a check goes on after each."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(self, file: str, message: str, *, row: int | None = None, column: str = "") -> None:
        """Note what keeps the data set from being used."""
        self._note(ERROR, file, message, row, column)

    def warn(self, file: str, message: str, *, row: int | None = None, column: str = "") -> None:
        """Note what should be looked at."""
        self._note(WARNING, file, message, row, column)

    @property
    def errors(self) -> list[Problem]:
        """Problems that are errors."""
        return [problem for problem in self.problems if problem.severity == ERROR]

    @property
    def warnings(self) -> list[Problem]:
        """Problems that are warnings."""
        return [problem for problem in self.problems if problem.severity == WARNING]

    def _note(self, severity: str, file: str, message: str, row: int | None, column: str) -> None:
        problem = Problem(severity=severity, file=file, message=message, row=row, column=column)
        self.problems.append(problem)


def refuse(name: str, problems: Sequence[Problem]) -> None:
    """Raise DatasetError with the first problems, if there are any."""
    if not problems:
        return
    told = "; ".join(f"{problem.place}: {problem.message}" for problem in problems[:_SHOWN])
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    raise DatasetError(
        f"the data set {name} has {len(problems)} errors: {told}{more}",
        expected="the format of docs/data_format.md",
        remedy="run `hemx dev data check` on the folder and correct what it names",
    )
