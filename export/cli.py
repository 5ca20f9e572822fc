"""`hemx export`. Torch and executorch are imported when the command runs, not when it is listed."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from export import measure_cli
from export.bundle_cli import bundle_app, read_key, signer
from export.recipes import RECIPES, find_recipe
from export.validate_cli import exit_at_a_gate, validate_command
from hemx_core.errors import ExportError
from hemx_core.runtime.bundle import app_models_folder


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("export")(export_command)
    app.command("validate")(validate_command)
    app.add_typer(bundle_app, name="bundle")
    measure_cli.register(app)


def export_command(
    recipe: Annotated[
        str, typer.Option("--recipe", help=f"One of {', '.join(RECIPES)}.")
    ] = "tablet-int8",
    weights: Annotated[
        Path | None, typer.Option("--weights", help="Folder of the trained weights.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the bundle; the app's by default.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", help="Folder with phe_sich, to calibrate and verify on; or HEMX_DATA."
        ),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Key that signs; this computer's by default.")
    ] = None,
) -> None:
    """Export the trained networks to ExecuTorch programs; exit 1 and no bundle where a gate fails."""
    chosen = find_recipe(recipe)
    try:
        from export.bundle import export_bundle, summary
        from export.networks import default_weights, load_networks
        from export.samples import load_samples
    except ImportError as error:
        raise ExportError(
            f"the export cannot be imported ({error})",
            expected="torch, executorch and torchao",
            remedy='pip install "hemx[export]"',
        ) from error
    start = time.perf_counter()
    signing = read_key(key) if key else None
    networks = load_networks(weights or default_weights())
    _tell("preparing slices")
    calibration, parity = load_samples(
        networks.decision.preprocessing, data=data, calibration=chosen.calibration_slices
    )
    folder = out or app_models_folder()
    with exit_at_a_gate():
        manifest = export_bundle(
            networks,
            chosen,
            calibration=calibration.images,
            parity=parity,
            out=folder,
            key=signing,
            tell=_tell,
        )
    for name, value in summary(manifest):
        typer.echo(f"{name:20}{value}")
    typer.echo(f"{'signed by':20}{signer(folder)}")
    typer.echo(f"{'bundle':20}{folder} ({time.perf_counter() - start:.0f} s)")


def _tell(message: str) -> None:
    print(f"hemx export: {message}", file=sys.stderr)
