"""`world`: the table of what the world hands in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.world import files
from benchmarks.world.expect import counts
from benchmarks.world.report import page
from benchmarks.world.run import World
from hemx_core import provenance
from hemx_core.data import phe_sich
from hemx_core.errors import DatasetError
from hemx_core.files import write_whole
from hemx_core.records import Json

RESULTS = Path(__file__).resolve().parents[1] / "results"
WRONG_EXIT = 1


def main(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of real files, beside those that pydicom brings along."),
    ] = None,
    cases: Annotated[
        list[Path] | None, typer.Option(help="Folder of cases with an expected.json.")
    ] = None,
    drawn: Annotated[int, typer.Option(min=0, help="Studies with nothing wrong to draw.")] = 0,
    real: Annotated[bool, typer.Option(help="Also the patients of phe_sich.")] = True,
    only: Annotated[
        str, typer.Option(help="Of the drawn cases those with this in their name.")
    ] = "",
    skip: Annotated[
        str, typer.Option(help="Of cases and files what not to run, commas between.")
    ] = "",
    work: Annotated[Path, typer.Option(help="Finished rows and drawn studies.")] = Path(
        "runs/world"
    ),
    out: Annotated[Path | None, typer.Option(help="Result file.")] = None,
) -> None:
    """Right, refused, or said: drawn cases, folders of real files, false warnings.

    Exit code 1 where a row is wrong, an error untyped, or HU differ.
    """
    from hemx_core.bundle.load import load_models

    out = out or RESULTS / "world.json"
    skipped = skip.split(",") if skip else []
    with load_models() as models:
        world = World(models, work, typer.echo)
        report: Json = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
        report |= {"provenance": provenance.provenance()}
        if "cases" not in skipped:
            report["cases"] = world.drawn_cases(only)
        if cases:
            report["given"] = {folder.name: world.given_cases(folder) for folder in cases}
        if "files" not in skipped:
            report["files"] = _files(world, folders or [])
            report["triaged"] = {folder.name: world.triaged(folder) for folder in folders or []}
        quiet = report.setdefault("quiet", {})
        if drawn:
            quiet["drawn"] = world.quiet_drawn(drawn)
        if real and (place := _phe_sich()) is not None:
            quiet["phe_sich"] = world.quiet_real(place)
    write_whole(out, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    write_whole(out.with_suffix(".md"), page(report))
    rows = [
        *report.get("cases", []),
        *(row for rows in report.get("given", {}).values() for row in rows),
    ]
    typer.echo(f"{counts(rows)}, written: {out}")
    if counts(rows)["wrong"] or any(
        found["untyped"] or found["ct_differs"] for found in report.get("files", {}).values()
    ):
        raise typer.Exit(WRONG_EXIT)


def _files(world: World, folders: list[Path]) -> Json:
    with_pydicom = files.pydicom_folders()
    found = {"pydicom": world.files(Path("pydicom"), list(files.walk(with_pydicom)))}
    return found | {
        folder.name: world.files(folder, list(files.walk([folder]))) for folder in folders
    }


def _phe_sich() -> Path | None:
    try:
        return phe_sich.data_folder()
    except DatasetError as error:
        typer.echo(f"phe_sich is left out: {error}")
        return None
