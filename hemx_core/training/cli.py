"""`hemx train …`: registration, and the options that the commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hemx_core.data.study import StudySource
    from hemx_core.imaging.spec import PreprocessingSpec

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
RESULTS = Path("benchmarks/results/training")
SEGMENTER = "segmenter.safetensors"
DECISION = "decision.json"
PHANTOMS = 400

Run = Annotated[Path, typer.Option(help="Folder of checkpoints and log.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint.")]
Weights = Annotated[Path, typer.Option(help="Folder of the weight files.")]
Results = Annotated[Path, typer.Option(help="Folder of the JSON result files.")]
CohortFolder = Annotated[
    Path, typer.Option("--cohort", help="Folder of the phantom cohort's cache.")
]
InsertedFolder = Annotated[
    Path, typer.Option(help="Folder of the inserted cohort; it shows real slices.")
]
DataCache = Annotated[Path, typer.Option(help="Folder of the data set's prepared studies.")]
Workers = Annotated[int, typer.Option(help="Processes that build phantoms.")]
Phantoms = Annotated[int, typer.Option(min=0, help="Patients of the phantom cohort.")]
MaybePhantoms = Annotated[
    int | None,
    typer.Option(min=0, help=f"Phantom patients; {PHANTOMS}, or 0 with --data or --inserted."),
]
Inserted = Annotated[
    int, typer.Option(min=0, help="Studies of phantom haematomas in real slices (HEMX_DATA).")
]
Data = Annotated[
    Path | None, typer.Option(help="Folder of a data set in HEMX's format (docs/data_format.md).")
]
Width = Annotated[float, typer.Option(help="Channel multiplier of the network.")]
Seed = Annotated[int, typer.Option(help="Seed of weights, batches and augmentation.")]
Rate = Annotated[float | None, typer.Option(help="Peak learning rate.")]
Precision_ = Annotated[str, typer.Option(help="auto, bf16-mixed, 16-mixed or 32-true.")]
Devices = Annotated[int, typer.Option(min=1, help="GPUs (or processes) on this machine.")]
Nodes = Annotated[int, typer.Option(min=1, help="Machines; torchrun's numbers go before these.")]
LoaderWorkers = Annotated[
    int, typer.Option(min=0, help="Processes that make batches beside each training process.")
]


def register(app: typer.Typer) -> None:
    """Add `train` to the command line."""
    from hemx_core.training.cli_classifier import classifier
    from hemx_core.training.cli_segmentation import segmentation
    from hemx_core.training.gan_cli import gan

    train = typer.Typer(
        no_args_is_help=True, help="Train the two stages and the GAN (needs the extra `train`)."
    )
    for command in (segmentation, classifier, gan):
        train.command(command.__name__)(command)
    app.add_typer(train, name="train")


def open_asked(
    spec: PreprocessingSpec,
    *,
    phantoms: int | None,
    inserted: int,
    data: Path | None,
    folders: tuple[Path, Path, Path],
    workers: int,
    splits: tuple[str, ...] | None = None,
) -> StudySource | None:
    """The studies asked for; `folders` are those of phantoms, inserted cohort and data cache.

    Of cohorts only `splits` are made, by default all.
    """
    from hemx_core.data.study import SPLITS
    from hemx_core.training.sources import Asked, open_sources

    if phantoms is None:
        phantoms = 0 if data or inserted else PHANTOMS
    asked = Asked(
        phantoms=phantoms,
        inserted=inserted,
        dataset=data,
        phantom_folder=folders[0],
        inserted_folder=folders[1],
        dataset_cache=folders[2],
        workers=workers,
        splits=splits or SPLITS,
    )
    return open_sources(asked, spec, progress=say)


def say(stage: str, done: int, total: int) -> None:
    """A line at every tenth of a long stage, in a pipe as on a terminal."""
    if done == total or done % max(1, total // 10) == 0:
        typer.echo(f"{stage}: {done} of {total}", err=True)
