"""`hemx series`: which series an input holds."""

from __future__ import annotations

import sys

import typer

import hemx_core as hemx
from hemx_core.commands.options import PIPE_COLUMNS, Source


def register(app: typer.Typer) -> None:
    """Add `series` to the command line."""
    app.command("series")(series)


def series(source: Source) -> None:
    """List the series of an input, best first; `hemx triage` takes the first that is usable."""
    from rich.console import Console

    from hemx_core.report.terminal import series_view

    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)
    console.print(series_view(hemx.list_series(source)))
