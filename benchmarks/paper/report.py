"""What an experiment reports: sections of arms and their figures, as JSON, Markdown and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.paper.stats import Estimate
from hemx_core import provenance

RESULTS = Path(__file__).resolve().parents[1] / "results" / "paper"
KEY = "In a cell: mean over the seeds (95 % interval over patients) ± SD over the seeds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One arm, or the difference of two.

    Args:
        arm: short name, as in the job folders.
        title: in words.
        cells: figure of each column that the arm has.
        paper: the paper's figure of each column that it gives.
    """

    arm: str
    title: str
    cells: Mapping[str, Estimate]
    paper: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table of arms on one data set.

    Args:
        title: of the table.
        note: what was scored on what, and what was reduced.
        columns: key and title of each figure.
        rows: the arms.
        differences: of arms, paired.
        drawn: keys of the columns in the plot; empty draws all.
    """

    title: str
    note: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Row]
    differences: Sequence[Row] = ()
    drawn: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "title": self.title,
            "note": self.note,
            "columns": [list(column) for column in self.columns],
            "rows": [_row(row) for row in self.rows],
            "differences": [_row(row) for row in self.differences],
            "drawn": list(self.drawn or [key for key, _title in self.columns]),
        }


def write_report(
    folder: Path, name: str, sections: Sequence[Section], *, facts: dict[str, Any]
) -> dict[str, Any]:
    """Write NAME.json, NAME.md and NAME.png.

    Args:
        folder: for the three files.
        name: of the experiment.
        sections: its tables.
        facts: title, scale, seeds, data and what else stands beside the figures.
    Returns:
        What NAME.json holds.
    """
    from benchmarks.paper.plot import save_plot
    from benchmarks.paper.table import markdown

    report = {
        "provenance": provenance.provenance(),
        "name": name,
        **facts,
        "sections": [section.to_json() for section in sections],
    }
    provenance.write_json(folder / f"{name}.json", report)
    draft = folder / f"{name}.md.tmp"
    draft.write_text(markdown(report) + "\n", encoding="utf-8")
    draft.replace(folder / f"{name}.md")
    save_plot(report, folder / f"{name}.png")
    return report


def _row(row: Row) -> dict[str, Any]:
    values = asdict(row)
    values["cells"] = {key: cell.to_json() for key, cell in row.cells.items()}
    return values
