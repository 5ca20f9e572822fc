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
    """Export the trained networks to ExecuTorch programs, and verify them against the networks."""
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


def validate_command(
    bundle: Annotated[Path | None, typer.Argument(help="Bundle; the app's by default.")] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="Folder of the trained weights.")
    ] = None,
    inserted: Annotated[
        int, typer.Option(min=0, help="Studies of phantom haematomas in real slices (HEMX_DATA).")
    ] = 0,
    phantoms: Annotated[int, typer.Option(min=0, help="Patients of the phantom cohort.")] = 0,
    data: Annotated[
        Path | None, typer.Option(help="Folder of a data set in HEMX's format.")
    ] = None,
    real: Annotated[bool, typer.Option(help="Score masks on the slices in HEMX_DATA.")] = True,
    cohort: Annotated[Path, typer.Option(help="Folder of the phantom cohort.")] = Path(
        "runs/cohort"
    ),
    inserted_cohort: Annotated[Path, typer.Option(help="Folder of the inserted cohort.")] = Path(
        "runs/inserted"
    ),
    data_cache: Annotated[Path, typer.Option(help="Folder of prepared studies.")] = Path(
        "runs/data_cache"
    ),
    out: Annotated[Path, typer.Option(help="Result file.")] = Path(
        "benchmarks/results/validation.json"
    ),
) -> None:
    """Compare a bundle's accuracy with the trained networks' on test patients; exit 2 at a failed gate."""
    from export.networks import default_weights, load_networks
    from export.validate import SEED, check_accuracy, two_ways, validate_markers, validate_masks
    from hemx_core import provenance
    from hemx_core.data import phe_sich
    from hemx_core.errors import DatasetError
    from hemx_core.runtime.bundle import load_models
    from hemx_core.training.cli import say
    from hemx_core.training.sources import Asked, open_sources

    networks = load_networks(weights or default_weights())
    decision = networks.decision
    asked = Asked(
        phantoms=phantoms,
        inserted=inserted,
        dataset=data,
        phantom_folder=cohort,
        inserted_folder=inserted_cohort,
        dataset_cache=data_cache,
    )
    source = open_sources(asked, decision.preprocessing)
    if source is None:
        raise DatasetError(
            "nothing to score markers on",
            expected="labelled studies",
            remedy="add --inserted, --phantoms or --data",
        )
    folder = phe_sich.data_folder() if real else None
    with load_models(bundle or app_models_folder()) as models:
        recipe = find_recipe(models.manifest.recipe)
        ways = two_ways(networks, models)
        masks = None
        if folder is not None:
            patients = phe_sich.split_patients(phe_sich.read_rows(folder))["test"]
            masks = validate_masks(ways, decision, folder, patients)
            _tell(f"Dice falls by {masks['dice_drop']:.4f} on {len(patients)} patients")
        markers = validate_markers(ways, decision, source.patients("test"), progress=say)
    report = {
        "provenance": provenance.provenance(seed=SEED),
        "recipe": recipe.name,
        "segmenter_sha256": models.manifest.segmenter.sha256,
        "classifier_sha256": models.manifest.classifier.sha256,
        "source": source.description,
        "masks": masks,
        **markers,
    }
    provenance.write_json(out, report)
    for code, row in markers["markers"].items():
        typer.echo(f"{code:14}AUC {row['trained']} trained, {row['exported']} exported")
    check_accuracy(masks, markers, recipe)


def _tell(message: str) -> None:
    print(f"hemx export: {message}", file=sys.stderr)
