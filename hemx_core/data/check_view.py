"""A check's report as Rich tables for the terminal; plain text in a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from hemx_core.data.check import CheckReport
from hemx_core.data.problems import ERROR
from hemx_core.markers import MARKER_CODES


def report_view(report: CheckReport) -> RenderableType:
    """What the data set holds, then its problems, then the verdict."""
    summary = report.summary
    parts: list[RenderableType] = [
        Text(
            f"{report.name or report.folder}: {summary['patients']} patients, "
            f"{summary['studies']} studies ({summary['studies_with_mask']} with mask, "
            f"{summary['studies_without_blood']} without blood, "
            f"{summary['studies_with_assumed_spacing']} with assumed spacing), "
            f"{summary['slices_with_blood']} slices with blood"
        ),
        _counts(summary),
        _coverage(summary),
        _co_occurrence(summary),
    ]
    if summary["readers"]:
        told = ", ".join(f"{name} {count}" for name, count in summary["readers"].items())
        parts.append(Text(f"Studies read: {told}"))
    if report.problems:
        parts.append(_problems(report))
    style = "bold red" if report.errors else "bold green"
    parts.append(Text(f"{report.errors} errors, {report.warnings} warnings", style=style))
    return Group(*parts)


def _counts(summary: Mapping[str, Any]) -> Table:
    table = Table(title="Patients", title_justify="left")
    for column in ("by", "name"):
        table.add_column(column, overflow="fold")
    table.add_column("patients", justify="right")
    for kind in ("split", "site", "location"):
        for name, count in summary[f"by_{kind}"].items():
            table.add_row(kind, escape(name), str(count))
    return table


def _coverage(summary: Mapping[str, Any]) -> Table:
    """Labels of the patients: present / absent / unknown."""
    table = Table(title="Labels: present / absent / unknown", title_justify="left")
    for column in ("split", "site", "patients", "masks", *MARKER_CODES, "expanded"):
        table.add_column(column, overflow="fold")
    for row in summary["coverage"]:
        labels = [
            f"{row[code]['present']}/{row[code]['absent']}/{row[code]['unknown']}"
            for code in (*MARKER_CODES, "expanded")
        ]
        numbers = (str(row["patients"]), str(row["masks"]))
        table.add_row(row["split"], escape(row["site"]), *numbers, *labels)
    return table


def _co_occurrence(summary: Mapping[str, Any]) -> Table:
    table = Table(title="Markers that occur together", title_justify="left")
    table.add_column("exactly these", overflow="fold")
    table.add_column("patients", justify="right")
    table.add_column("slices with blood", justify="right")
    for row in summary["co_occurrence"]:
        name = " + ".join(row["markers"]) or ("none" if row["known"] else "not all known")
        table.add_row(name, str(row["patients"]), str(row["slices"]))
    return table


def _problems(report: CheckReport) -> Table:
    table = Table(title="Problems", title_justify="left")
    for column in ("", "file", "row", "column", "problem"):
        table.add_column(column, overflow="fold")
    for problem in report.problems:
        table.add_row(
            Text(problem.severity, style="red" if problem.severity == ERROR else "yellow"),
            escape(problem.file),
            "" if problem.row is None else str(problem.row),
            problem.column,
            escape(problem.message),
        )
    return table
