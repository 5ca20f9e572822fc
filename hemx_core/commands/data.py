"""`hemx dev data check`, `label`, `import` and `phantom`."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hemx_core.commands.label import label
from hemx_core.commands.options import progress_bar

PIPE_COLUMNS = 200

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the data set to write.")]


class CTFormat(StrEnum):
    """How the CT of phantoms is written."""

    NIFTI = "nifti"
    DICOM = "dicom"


def register(app: typer.Typer) -> None:
    """Add `data` to the command line."""
    data = typer.Typer(
        no_args_is_help=True,
        help="Data sets for training: check, label, import, make (extra `train`).",
    )
    data.command("check")(check)
    data.command("label")(label)
    data.command("phantom")(phantom)
    importers = typer.Typer(no_args_is_help=True, help="Bring a public data set into the format.")
    # A callback keeps the command's name: Typer makes a lone command the group itself.
    importers.callback()(_importers)
    importers.command("phe_sich")(phe_sich)
    data.add_typer(importers, name="import")
    app.add_typer(data, name="data")


def check(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder with dataset.json.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Name everything that is wrong with a data set; exit code 1 where there are errors."""
    from rich.console import Console

    from hemx_core.data.check import check_dataset
    from hemx_core.data.check_view import report_view

    with progress_bar(shown=sys.stderr.isatty()) as progress:
        report = check_dataset(folder, progress)
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
    else:
        # A pipe has no width: wide enough that a row of a table stays on a line.
        Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS).print(
            report_view(report)
        )
    if report.errors:
        raise typer.Exit(1)


def phantom(
    out: Out,
    patients: Annotated[int, typer.Option(min=1, help="Number of patients.")] = 400,
    sites: Annotated[int, typer.Option(min=1, max=99, help="Number of scanners.")] = 12,
    follow_up: Annotated[
        bool, typer.Option("--follow-up", help="A second study of every patient, hours later.")
    ] = False,
    ct: Annotated[
        CTFormat, typer.Option("--format", help="About 8 MB a study as NIfTI, 17 as DICOM.")
    ] = CTFormat.NIFTI,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another data set.")] = 1,
    matrix: Annotated[int, typer.Option(min=64, max=1024, help="Rows and columns.")] = 512,
    slices: Annotated[
        int | None, typer.Option(min=5, help="Slices; default: the whole head.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Make synthetic patients of several sites with exact masks and markers; resumable."""
    from hemx_core.data.importers import PhantomSet, make_dataset

    settings = PhantomSet(
        seed=seed,
        sites=sites,
        matrix=matrix,
        slices=slices,
        follow_up=follow_up,
        dicom=ct is CTFormat.DICOM,
    )
    with progress_bar(shown=sys.stderr.isatty()) as progress:
        make_dataset(out, settings, patients=patients, workers=workers, progress=progress)
    typer.echo(f"Written: {out} ({patients} patients). Check it: hemx dev data check {out}")


def phe_sich(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder with slices.csv.")],
    out: Out,
    patient: Annotated[
        list[str] | None, typer.Option(help="Only this patient; may be given several times.")
    ] = None,
) -> None:
    """Import PHE-SICH-CT-IDS (non-commercial use): PNG slices and derived masks; resumable."""
    from hemx_core.data.importers import import_phe_sich

    with progress_bar(shown=sys.stderr.isatty()) as progress:
        count = import_phe_sich(source, out, patients=patient or None, progress=progress)
    typer.echo(f"Written: {out} ({count} patients). Check it: hemx dev data check {out}")


def _importers() -> None:
    """Bring a public data set into the format."""
