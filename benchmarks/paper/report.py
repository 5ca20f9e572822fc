"""What an experiment reports: sections of arms and their figures, as JSON, Markdown and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.markdown import interval, render, table
from benchmarks.paper.stats import Estimate
from hemx_core import provenance
from hemx_core.files import write_whole
from hemx_core.records import Json

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D


def experiment_facts(report: Json) -> Json:
    """A report as templates/experiment.md.j2 takes it: its sections as (title, note, table)."""
    sections = [
        (section["title"], section["note"], section_table(section))
        for section in report["sections"]
    ]
    return {"report": report, "sections": sections, "title_line": False}


def section_table(section: Json) -> str:
    """The arms and their differences."""
    keys = [key for key, _title in section["columns"]]

    def row(title: str, row: Json, sign: str = "") -> list[str]:
        found = (_cell(row["cells"].get(key), row["paper"].get(key), sign=sign) for key in keys)
        return [title, *found]

    rows = [row(arm["title"], arm) for arm in section["rows"]]
    rows += [row(f"*{pair['title']}*", pair, "+") for pair in section["differences"]]
    return table(["Arm", *(title for _key, title in section["columns"])], rows)


def _cell(cell: dict[str, Any] | None, paper: float | None, *, sign: str = "") -> str:
    found = _figure(cell, sign) if cell else ""
    return f"{found} [{paper:{sign}.3f}]".strip() if paper is not None else found


def _figure(cell: dict[str, Any], sign: str) -> str:
    if cell["value"] is None:
        return "not estimable"
    low, high = cell["interval_95"]
    text = interval(cell["value"], low, high, f"{sign}.3f")
    if cell["seed_sd"] is not None:
        text += f" ± {cell['seed_sd']:.3f}"
    if cell["p"] is not None:
        text += f", p = {cell['p']:.3f}" if cell["p"] >= 0.0005 else ", p < 0.001"
    return text


OURS, PAPER = "#1f4e79", "#c55a11"
PANEL_INCHES = 2.7
ROW_INCHES = 0.34
HEAD_INCHES = 1.0
AUC_AXIS = (0.3, 1.02)
"""Of every panel of AUCs, so that they compare at sight; holds all of the paper's."""


def save_plot(report: dict[str, Any], path: Path) -> None:
    """Draw all sections and write a PNG, whole or not at all.

    Args:
        report: as written by `write_report`.
        path: of the picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sections = report["sections"]
    widest = max(len(section["drawn"]) for section in sections)
    heights = [HEAD_INCHES + ROW_INCHES * len(section["rows"]) for section in sections]
    figure = Figure(figsize=(3.2 + PANEL_INCHES * widest, 0.8 + sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(report["title"], fontsize=12, fontweight="bold")
    figure.legend(handles=_legend(sections), loc="outside lower center", ncols=2, fontsize=8)
    bands = figure.subfigures(len(sections), 1, height_ratios=heights, squeeze=False)[:, 0]
    for band, section in zip(bands, sections, strict=True):
        band.suptitle(section["title"], fontsize=10)
        panels = band.subplots(1, widest, squeeze=False)[0]
        titles = dict(section["columns"])
        for i, panel in enumerate(panels):
            if i < len(section["drawn"]):
                key = section["drawn"][i]
                _panel(panel, section, key, titles[key], first=i == 0)
            else:
                panel.set_axis_off()
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=110))


def _legend(sections: list[dict[str, Any]]) -> list[Line2D]:
    from matplotlib.lines import Line2D

    ours = Line2D([], [], color=OURS, marker="o", label="ours, 95 % interval over patients")
    paper = Line2D([], [], color=PAPER, marker="D", markerfacecolor="none", label="paper")
    paper.set_linestyle("none")
    beside = any(row["paper"] for section in sections for row in section["rows"])
    return [ours, paper] if beside else [ours]


def _panel(panel: Axes, section: dict[str, Any], key: str, title: str, *, first: bool) -> None:
    rows = section["rows"]
    for place, row in enumerate(rows):
        cell, paper = row["cells"].get(key), row["paper"].get(key)
        if cell and cell["value"] is not None:
            _whisker(panel, cell, place)
        if paper is not None:
            panel.plot(paper, place, "D", color=PAPER, markerfacecolor="none", markersize=6)
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_yticks(range(len(rows)), [row["title"] for row in rows] if first else [])
    panel.tick_params(labelsize=8)
    panel.margins(x=0.12)
    panel.grid(axis="x", color="#dddddd")
    panel.set_axisbelow(True)
    if "AUC" in title or "AUC" in section["title"]:
        panel.axvline(0.5, color="#999999", linestyle=":", linewidth=1)
        panel.set_xlim(*AUC_AXIS)
    panel.set_title(title, fontsize=9)


def _whisker(panel: Axes, cell: dict[str, Any], place: int) -> None:
    lower, upper = cell["interval_95"]
    if lower is not None:
        panel.plot([lower, upper], [place, place], "-", color=OURS, linewidth=1.6)
    panel.plot(cell["value"], place, "o", color=OURS, markersize=5)


RESULTS = Path(__file__).resolve().parents[1] / "results" / "paper"


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

    report = {
        "provenance": provenance.provenance(),
        "name": name,
        **facts,
        "sections": [section.to_json() for section in sections],
    }
    provenance.write_json(folder / f"{name}.json", report)
    facts = {**experiment_facts(report), "title_line": True, "heading": "##"}
    write_whole(folder / f"{name}.md", render("experiment", **facts) + "\n")
    save_plot(report, folder / f"{name}.png")
    return report


def _row(row: Row) -> dict[str, Any]:
    values = asdict(row)
    values["cells"] = {key: cell.to_json() for key, cell in row.cells.items()}
    return values
