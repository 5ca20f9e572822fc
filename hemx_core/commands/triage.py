"""`hemx triage`: one study, from DICOM to a result."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

import hemx_core as hemx
from hemx_core.commands.options import (
    Bundle,
    Dicom,
    Identify,
    KeepUids,
    Language,
    Nifti,
    Out,
    Pdf,
    Quiet,
    Source,
    Threads,
    Unsigned,
    Window,
    naming_files,
    parse_window,
    progress,
)

if TYPE_CHECKING:
    from hemx_core.result import TriageResult

Series = Annotated[str | None, typer.Option(help="Series to read; `hemx series` lists them.")]


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
    nifti: Nifti = False,
    language: Language = "en",
    identify: Identify = False,
    keep_uids: KeepUids = False,
    allow_unsigned: Unsigned = False,
    quiet: Quiet = False,
) -> None:
    """Triage a head CT: haematoma, its volume, expansion markers, and what to do."""
    from rich.console import Console

    from hemx_core.api import check_save
    from hemx_core.report.folder import TRIAGE
    from hemx_core.report.terminal import result_view

    shown = parse_window(window)
    check_save(out, dicom=dicom, nifti=nifti, language=language)
    load = partial(hemx.load_models, models, threads=threads, allow_unsigned=allow_unsigned)
    with progress(quiet) as told:
        result = hemx.triage(
            source, models=load, series=series, window=shown, language=language, progress=told
        )

    def show(written: TriageResult) -> None:
        if not quiet:
            Console(highlight=False).print(result_view(written, identify=identify))

    with naming_files(out, TRIAGE, quiet=quiet) as named:
        saved = result.save(
            out,
            pdf=pdf,
            dicom=dicom,
            nifti=nifti,
            identify=identify,
            keep_uids=keep_uids,
            on_written=show,
        )
        named(saved.files, saved.notes)
