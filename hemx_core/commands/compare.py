"""`hemx compare`: two studies of one patient."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import hemx_core as hemx
from hemx_core.commands.options import (
    Bundle,
    Identify,
    Language,
    Pdf,
    Quiet,
    Threads,
    Unsigned,
    Window,
    naming_files,
    parse_window,
    progress,
)

Earlier = Annotated[Path, typer.Argument(metavar="EARLIER", help="The first study.")]
Later = Annotated[Path, typer.Argument(metavar="LATER", help="The follow-up.")]
Force = Annotated[bool, typer.Option("--force", help="Compare although the patients differ.")]
Out = Annotated[Path, typer.Option(help="Folder for comparison.json and comparison.png.")]


def register(app: typer.Typer) -> None:
    """Add `compare` to the command line."""
    app.command("compare")(compare)


def compare(
    earlier: Earlier,
    later: Later,
    out: Out,
    models: Bundle = None,
    window: Window = None,
    threads: Threads = None,
    force: Force = False,
    pdf: Pdf = False,
    language: Language = "en",
    identify: Identify = False,
    allow_unsigned: Unsigned = False,
    quiet: Quiet = False,
) -> None:
    """Compare two head CTs of a patient: did the haematoma expand, by which definition."""
    from rich.console import Console

    from hemx_core.api import check_save_comparison
    from hemx_core.report.folder import COMPARISON
    from hemx_core.report.terminal import comparison_view

    shown = parse_window(window)
    check_save_comparison(out, language=language)
    load = partial(hemx.load_models, models, threads=threads, allow_unsigned=allow_unsigned)
    with progress(quiet) as told:
        result = hemx.compare(
            earlier,
            later,
            models=load,
            window=shown,
            language=language,
            force=force,
            progress=told,
        )

    def show() -> None:
        if not quiet:
            Console(highlight=False).print(comparison_view(result, identify=identify))

    with naming_files(out, COMPARISON, quiet=quiet) as named:
        named(result.save(out, pdf=pdf, identify=identify, on_written=show))
