"""`hemx train segmentation` and `hemx train classifier`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
RESULTS = Path("benchmarks/results/training")

Run = Annotated[Path, typer.Option(help="Folder of checkpoints and log.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint.")]
Weights = Annotated[Path, typer.Option(help="Folder of the weight files.")]
Results = Annotated[Path, typer.Option(help="Folder of the JSON result files.")]
CohortFolder = Annotated[Path, typer.Option("--cohort", help="Folder of the phantom cohort's cache.")]
Workers = Annotated[int, typer.Option(help="Processes that build phantoms.")]
Seed = Annotated[int, typer.Option(help="Seed of weights, batches and augmentation.")]


def register(app: typer.Typer) -> None:
    """Add `train` to the command line."""
    train = typer.Typer(no_args_is_help=True, help="Train the two stages (needs hemx[train]).")
    train.command("segmentation")(segmentation)
    train.command("classifier")(classifier)
    app.add_typer(train, name="train")


def segmentation(
    run: Run = Path("runs/segmentation"),
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 2000,
    phantoms: Annotated[int, typer.Option(min=0, help="Phantom patients to mix in.")] = 120,
    width: Annotated[float, typer.Option(help="Channel multiplier of the U-Net.")] = 1.0,
    real: Annotated[bool, typer.Option(help="Train on the slices in HEMX_DATA.")] = True,
    cohort: CohortFolder = Path("runs/cohort-segmentation"),
    weights: Weights = WEIGHTS,
    results: Results = RESULTS,
    workers: Workers = 1,
    seed: Seed = 1,
    resume: Resume = False,
) -> None:
    """Stage 1: U-Net on real slices (HEMX_DATA) and phantoms; writes weights and scores."""
    from hemx_core.data import phe_sich
    from hemx_core.data.phantom_cohort import build_cohort
    from hemx_core.nn.unet import UNetConfig
    from hemx_core.training.segmentation import SegmentationTraining
    from hemx_core.training.stage1 import Stage1Files, run_segmentation

    config = SegmentationTraining(steps=steps, seed=seed, network=UNetConfig(width=width))
    files = Stage1Files(
        run_dir=run,
        weights=weights / "segmenter.safetensors",
        results=results / "segmentation.json",
        real=phe_sich.data_folder() if real else None,
    )
    built = None
    if phantoms:
        built = build_cohort(
            cohort, patients=phantoms, seed=seed, spec=config.preprocessing, workers=workers
        )
    report = run_segmentation(config, files, cohort=built, resume=resume)
    typer.echo(f"weights: {files.weights}")
    typer.echo(f"scores:  {files.results}")
    if "validation" in report:
        scores = report["validation"]
        typer.echo(
            f"Dice mean {scores['dice_mean']:.3f}, worst {scores['dice_worst']:.3f}; volume error "
            f"median {scores['volume_error_median']:.1%}; false blood {scores['false_ml_mean']:.3f} mL"
        )


def classifier() -> None:
    """Stage 2."""
