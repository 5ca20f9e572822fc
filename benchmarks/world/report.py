"""The table of a run as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.harness.markdown import table
from benchmarks.world.expect import Outcome, counts
from hemx_core.records import Json

_SHOWN = 160


def page(report: Json) -> str:
    """The whole run."""
    parts = [f"# What the world hands in\n\nCommit {report['provenance']['commit']}."]
    if rows := report.get("cases"):
        parts += ["## Drawn cases", kinds(rows), "## Drawn cases, one by one", _each(rows)]
    for folder, rows in report.get("given", {}).items():
        parts += [f"## Cases of {folder}", _each(rows)]
    if found := report.get("files"):
        parts += ["## Files", files(found)]
    if found := report.get("quiet"):
        parts += ["## Studies with nothing wrong", quiet(found)]
    return "\n\n".join(parts) + "\n"


def kinds(rows: Sequence[Json]) -> str:
    """A row for each kind: how many of its variants came out in which way."""
    by_kind: dict[str, list[Json]] = {}
    for row in rows:
        by_kind.setdefault(row["kind"], []).append(row)
    lines = [
        (kind, len(found), *(number or "" for number in counts(found).values()))
        for kind, found in by_kind.items()
    ]
    lines.append(("All", len(rows), *counts(rows).values()))
    return table(("Kind", "Variants", *(outcome.capitalize() for outcome in Outcome)), lines)


def _each(rows: Sequence[Json]) -> str:
    lines = [
        (
            row["kind"],
            row["variant"],
            row["outcome"] if row["outcome"] != Outcome.WRONG else "**wrong**",
            _short(row["why"]),
            *([_short(row["words"])] if "words" in row else []),
        )
        for row in rows
    ]
    words = ["Expected"] if rows and "words" in rows[0] else []
    return table(("Kind", "Variant", "Outcome", "Said", *words), lines)


def files(found: Json) -> str:
    """A row for each folder of files."""
    lines = [
        (
            folder,
            counted["files"],
            counted["read"].get("ok", 0),
            counted["files"] - counted["read"].get("ok", 0) - len(counted["untyped"]),
            len(counted["untyped"]),
            f"{counted['ct_equal']} of {counted['ct_compared']}",
        )
        for folder, counted in found.items()
    ]
    head = ("Folder", "Files", "Read as a series", "Refused", "Untyped errors", "CT with equal HU")
    return table(head, lines)


def quiet(found: Json) -> str:
    """A row for each set of studies with nothing wrong."""
    lines = [
        (
            name,
            counted["studies"],
            len(counted["refused"]),
            f"{counted['warned']} ({counted['warned'] / max(1, counted['studies']):.1%})",
            ", ".join(f"{code}: {count}" for code, count in counted["warnings"].items()),
        )
        for name, counted in found.items()
    ]
    return table(("Studies", "Number", "Refused", "With a warning", "Warnings"), lines)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
