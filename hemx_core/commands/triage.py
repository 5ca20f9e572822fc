"""`hemx triage`: one study, from DICOM to a result."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

import hemx_core as hemx
from hemx_core.commands.options import (
    Bundle,
    Identify,
    Language,
    Out,
    Pdf,
    Quiet,
    Source,
    Threads,
    Unsigned,
    Window,
    parse_window,
    progress,
    tell_files,
)

Series = Annotated[str | None, typer.Option(help="Series to read; `hemx series` lists them.")]
Dicom = Annotated[bool, typer.Option("--dicom", help="Also write DICOM SEG and SR.")]


def register(app: typer.Typer) -> None:
    """Add `triage` to the command line."""
    app.command("triage")(triage)


def triage(
    source: Source,
    out: Out,
    series: Series = None,
    models: Bundle = None,
    window: Window = None,
    threads: Threads = None,
    pdf: Pdf = False,
    dicom: Dicom = False,
    language: Language = "en",
    identify: Identify = False,
    allow_unsigned: Unsigned = False,
    quiet: Quiet = False,
) -> None:
    """Triage a head CT: haematoma, its volume, expansion markers, and what to do."""
    from rich.console import Console

    from hemx_core.api import check_save
    from hemx_core.report.terminal import result_view

    shown = parse_window(window)
    check_save(out, dicom=dicom, language=language)
    load = partial(hemx.load_models, models, threads=threads, allow_unsigned=allow_unsigned)
    with progress(quiet) as told:
        result = hemx.triage(
            source, models=load, series=series, window=shown, language=language, progress=told
        )
    saved = result.save(out, pdf=pdf, dicom=dicom, identify=identify)
    if not quiet:
        Console(highlight=False).print(result_view(saved.result))
        tell_files(saved.files)
