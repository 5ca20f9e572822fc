"""`hemx train gan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemx_core.errors import TrainingError
from hemx_core.training.cli import (
    RESULTS,
    CohortFolder,
    Data,
    DataCache,
    Inserted,
    InsertedFolder,
    MaybePhantoms,
    Results,
    Resume,
    Run,
    Seed,
    Workers,
    open_asked,
)

WEIGHTS = Path("runs/gan")
"""Not the package's weights: nothing that is shipped needs the generator."""


def gan(
    run: Run = Path("runs/gan"),
    steps: Annotated[int, typer.Option(min=1, help="Generator steps.")] = 2000,
    n_critic: Annotated[
        int, typer.Option(min=1, help="Discriminator steps to one of the generator.")
    ] = 5,
    batch: Annotated[int, typer.Option(min=2, help="Crops in a batch.")] = 32,
    size: Annotated[int, typer.Option(help="Rows and columns of a crop: 64 or 128.")] = 64,
    width: Annotated[int, typer.Option(min=1, help="Channels of the largest maps.")] = 32,
    rate: Annotated[float, typer.Option(help="Learning rate of both networks.")] = 2e-4,
    mismatch: Annotated[
        float, typer.Option(min=0, help="Weight of real crops under a wrong class as negatives.")
    ] = 0.0,
    marker: Annotated[
        list[str] | None,
        typer.Option(help="The condition; several markers give one class per combination."),
    ] = None,
    phantoms: MaybePhantoms = None,
    inserted: Inserted = 0,
    data: Data = None,
    cohort: CohortFolder = Path("runs/cohort"),
    inserted_cohort: InsertedFolder = Path("runs/inserted"),
    data_cache: DataCache = Path("runs/data_cache"),
    weights: Annotated[Path, typer.Option(help="Folder of weights and picture grid.")] = WEIGHTS,
    results: Results = RESULTS,
    workers: Workers = 1,
    seed: Seed = 1,
    resume: Resume = False,
) -> None:
    """Conditional SNGAN on haematoma crops; writes weights, a picture grid and class-score AUCs."""
    from hemx_core.imaging.spec import PreprocessingSpec
    from hemx_core.nn.sngan import SNGANConfig
    from hemx_core.training.gan import GanTraining
    from hemx_core.training.gan_crops import HYPODENSITY, class_names
    from hemx_core.training.gan_run import GRID, GanFiles, run_gan

    markers = tuple(marker or HYPODENSITY)
    network = SNGANConfig(size=size, classes=len(class_names(markers)), width=width)
    config = GanTraining(
        steps=steps,
        batch=batch,
        n_critic=n_critic,
        generator_lr=rate,
        discriminator_lr=rate,
        mismatch=mismatch,
        seed=seed,
        network=network,
    )
    source = open_asked(
        PreprocessingSpec(),
        phantoms=phantoms,
        inserted=inserted,
        data=data,
        folders=(cohort, inserted_cohort, data_cache),
        workers=workers,
    )
    if source is None:
        raise TrainingError(
            "nothing to train on", expected="labelled studies", remedy="add --phantoms or --data"
        )
    files = GanFiles(run_dir=run, weights=weights, results=results / "gan.json")
    report = run_gan(config, files, source=source, markers=markers, resume=resume)
    typer.echo(f"weights: {weights}")
    typer.echo(f"picture: {weights / GRID}")
    typer.echo(f"scores:  {files.results}")
    for code, score in report["test"].items():
        typer.echo(f"{code}: class score AUC per slice {score['slice_auc']}")
