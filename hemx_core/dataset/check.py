"""`hemx data check`: everything that is wrong with a data set, and what it holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hemx_core.costs import Progress
from hemx_core.dataset.leakage import check_leakage
from hemx_core.dataset.problems import ERROR, Problem
from hemx_core.dataset.study_check import StudyFacts, check_study
from hemx_core.dataset.summary import summarise, warn_of_gaps
from hemx_core.dataset.tables import Tables, read_tables

REPORT_FORMAT = "hemx-dataset-check/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Result of a check.

    Args:
        folder: the data set.
        name: its name.
        problems: all of them, in the order of the files.
        summary: see `hemx_core.dataset.summary.summarise`.
    """

    folder: str
    name: str
    problems: tuple[Problem, ...]
    summary: dict[str, Any]

    @property
    def errors(self) -> int:
        """Number of errors."""
        return sum(one.severity == ERROR for one in self.problems)

    @property
    def warnings(self) -> int:
        """Number of warnings."""
        return len(self.problems) - self.errors

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "format": REPORT_FORMAT,
            "folder": self.folder,
            "name": self.name,
            "errors": self.errors,
            "warnings": self.warnings,
            "problems": [asdict(one) for one in self.problems],
            "summary": self.summary,
        }


def check_dataset(folder: Path, progress: Progress | None = None) -> CheckReport:
    """Check tables and files; all problems are collected, none is raised.

    Args:
        folder: holds `dataset.json` and the tables.
        progress: told after every study, stage `check`.
    """
    tables = read_tables(folder)
    studies = _check_studies(tables, progress)
    check_leakage(tables, studies, tables.findings)
    summary = summarise(tables, studies)
    warn_of_gaps(tables, summary, tables.findings)
    ordered = sorted(tables.findings.problems, key=lambda one: (one.file, one.row or 0, one.column))
    return CheckReport(
        folder=str(folder), name=tables.info.name, problems=tuple(ordered), summary=summary
    )


def _check_studies(tables: Tables, progress: Progress | None) -> list[StudyFacts]:
    # A study of an unknown patient has been told; it has no split to be compared by.
    rows = [row for row in tables.studies.values() if row.patient in tables.patients]
    facts = []
    for done, row in enumerate(rows, 1):
        # What is not there has been told with the tables; reading it would tell it again.
        there = row.ct and tables.path(row.ct).exists()
        one = check_study(tables, row, tables.findings) if there else None
        if one is not None:
            facts.append(one)
        if progress:
            progress("check", done, len(rows))
    return facts
