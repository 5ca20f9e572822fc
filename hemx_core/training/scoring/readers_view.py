"""A comparison of readers as Rich tables for the terminal; plain text in a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from hemx_core.labels.answers import Answer
from hemx_core.markers import MARKER_CODES
from hemx_core.training.scoring.readers import CLEARLY_YES, DEFINITE

TITLES = {
    DEFINITE: 'Yes against no ("possible" and "cannot tell" left out)',
    CLEARLY_YES: 'Yes against the rest ("possible" is not yes; "cannot tell" left out)',
}


def readers_view(found: Mapping[str, Any]) -> RenderableType:
    """What each rater answered, then how far each pair agrees, in both ways of counting."""
    head = (
        f"{found['dataset']}, split {found['split']}: {found['studies']} studies of "
        f"{found['patients']} patients read. Intervals: {found['interval']}"
    )
    return Group(Text(head), _answers(found), *(_pairs(found, way) for way in TITLES))


def _answers(found: Mapping[str, Any]) -> Table:
    table = Table(title="Answers: yes / possible / no / cannot tell", title_justify="left")
    for column in ("who", "", *MARKER_CODES):
        table.add_column(column, overflow="fold")
    for rater in found["raters"]:
        cells = [
            " / ".join(str(rater["answers"][code].get(str(answer), 0)) for answer in Answer)
            for code in MARKER_CODES
        ]
        table.add_row(escape(rater["name"]), rater["kind"], *cells)
    return table


def _pairs(found: Mapping[str, Any], way: str) -> Table:
    table = Table(title=TITLES[way], title_justify="left")
    for column in ("first", "second", "marker", "studies", "both yes / first / second / both no"):
        table.add_column(column, overflow="fold")
    for column in ("agreement", "kappa", "AC1", "sensitivity", "specificity"):
        table.add_column(column, overflow="fold")
    for pair in found["pairs"]:
        for code in MARKER_CODES:
            cell = pair["markers"][code][way]
            counts = ("both_yes", "first_only", "second_only", "both_no")
            # Of two readers neither is the truth.
            judged = pair["kind"] == "network"
            names = ("agreement", "kappa", "ac1", "sensitivity", "specificity")
            told = [_told(cell[name]) if judged or at < 3 else "" for at, name in enumerate(names)]
            table.add_row(
                escape(pair["first"]),
                escape(pair["second"]),
                code,
                str(cell["studies"]),
                " / ".join(str(cell[name]) for name in counts),
                *told,
            )
    return table


def _told(estimate: Mapping[str, Any]) -> str:
    value, (lower, upper) = estimate["value"], estimate["interval"]
    if value is None:
        return "-"
    return f"{value:.2f}" + ("" if lower is None else f" ({lower:.2f} to {upper:.2f})")
