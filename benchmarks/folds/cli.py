"""`python -m benchmarks folds`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.folds.recipe import ALL, FOLDS, Arm, Place
from hemx_core.data.phe_sich import Fold

app = typer.Typer(no_args_is_help=True, add_completion=False)

Root = Annotated[Path, typer.Option(help="Folder of all folds; it shows real slices.")]
Start = Annotated[Path, typer.Option(help="Weights that have seen no real patient.")]
Phantoms = Annotated[Path, typer.Option(help="Folder of the phantom cohort.")]
Which = Annotated[str, typer.Argument(help=f"0 to {FOLDS - 1}, or {ALL}: nobody is held out.")]
Merge = Annotated[str, typer.Option(help="ll, max, project or concat.")]

ROOT, START, PHANTOMS = Path("runs/folds"), Path("runs/start.safetensors"), Path("runs/cohort")


def _place(which: str, root: Path, start: Path, phantoms: Path) -> Place:
    number = None if which == ALL else int(which)
    return Place(root=root, fold=Fold(number, FOLDS), start=start, phantoms=phantoms)


@app.command()
def segmenter(
    which: Which, root: Root = ROOT, start: Start = START, phantoms: Phantoms = PHANTOMS
) -> None:
    """Train a fold's segmenter; goes on where it was left."""
    from benchmarks.folds import train

    train.quiet()
    train.segmenter(_place(which, root, start, phantoms))


@app.command()
def classifier(
    which: Which,
    merge: Merge = "ll",
    seed: Annotated[int, typer.Option(help="Of weights and batches.")] = 1,
    real_crops: Annotated[
        int, typer.Option(help="Of a batch, of read patients.")
    ] = Arm().real_crops,
    rate: Annotated[float, typer.Option(help="Peak learning rate.")] = Arm().rate,
    root: Root = ROOT,
) -> None:
    """Train an arm's classifier of a fold; goes on where it was left."""
    from benchmarks.folds import train

    train.quiet()
    arm = Arm(merge=merge, seed=seed, real_crops=real_crops, rate=rate)  # type: ignore[arg-type]
    train.classifier(_place(which, root, START, PHANTOMS), arm)
