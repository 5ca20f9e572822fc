"""A report as a picture: a panel for each figure, arms below each other, the paper's beside ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

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
    draft = path.with_name(path.name + ".tmp")
    figure.savefig(draft, format="png", dpi=110)
    draft.replace(path)


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
