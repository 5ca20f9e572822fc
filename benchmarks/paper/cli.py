"""`hemx benchmark experiment`: the paper's experiments, each one command."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from benchmarks.paper.data import Material
    from benchmarks.paper.scale import Scale


class Name(StrEnum):
    """Experiments of the paper, in its order."""

    segmentation = "segmentation"
    location = "location"
    merging = "merging"
    masking = "masking"
    gan = "gan"
    expansion = "expansion"
    all = "all"


class Size(StrEnum):
    """Scales of `benchmarks.paper.scale`."""

    tiny = "tiny"
    small = "small"
    full = "full"


Which = Annotated[
    list[Name], typer.Argument(help="Experiments of the paper, in this order, or all of them.")
]
Data = Annotated[
    Path | None,
    typer.Option(help="Data set in HEMX's format; by default phantom haematomas."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Take finished jobs as they are, go on with the others.")
]
Seeds = Annotated[int, typer.Option(min=1, help="Trainings of each arm, seeds 1 to N.")]
Scaled = Annotated[Size, typer.Option(help="Sizes of networks, grids and runs.")]
Runs = Annotated[Path, typer.Option(help="Folder of the jobs.")]
Cohorts = Annotated[Path, typer.Option(help="Folder of the phantom cohorts' caches.")]
Patients = Annotated[int, typer.Option(min=20, help="Studies of the phantom cohort.")]
Phantoms = Annotated[
    bool, typer.Option("--phantoms", help="Drawn heads, even where HEMX_DATA has real slices.")
]
Workers = Annotated[int, typer.Option(min=1, help="Processes that build phantoms.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads of torch and OpenCV.")]
Results = Annotated[
    Path | None, typer.Option(help="Folder of JSON, table and plot; the repository's by default.")
]


def experiment(
    names: Which,
    data: Data = None,
    resume: Resume = False,
    seeds: Seeds = 3,
    scale: Scaled = Size.small,
    runs: Runs = Path("runs/paper"),
    cohorts: Cohorts = Path("runs"),
    patients: Patients = 400,
    phantoms: Phantoms = False,
    workers: Workers = 1,
    threads: Threads = 1,
    results: Results = None,
) -> None:
    """Run experiments of the paper and write JSON, table and plot of each."""
    import cv2
    import torch

    from benchmarks.harness.jobs import Runner
    from benchmarks.paper.experiments import Bench, run_experiments
    from benchmarks.paper.report import RESULTS
    from benchmarks.paper.scale import scale_named

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    chosen = scale_named(scale.value)
    if data is not None:
        cohort = _dataset(data, runs, chosen)
    else:
        cohort = _cohort(cohorts, chosen, patients, phantoms=phantoms, workers=workers)
    bench = Bench(
        scale=chosen,
        seeds=tuple(range(1, seeds + 1)),
        runner=Runner(runs, resume=resume, say=_say),
        cohort=cohort,
        real=None if data is not None or phantoms else _real(runs, chosen),
        threads=threads,
        say=_say,
    )
    every = [name.value for name in Name if name is not Name.all]
    wanted = every if Name.all in names else [name.value for name in names]
    for path in run_experiments(bench, wanted, folder=results or RESULTS):
        typer.echo(f"Written: {path}")


def _dataset(folder: Path, runs: Path, scale: Scale) -> Material:
    from benchmarks.paper.data import dataset_material

    return dataset_material(
        folder, runs / "data", scale.preprocessing, scale.no_preprocessing, progress=_progress
    )


def _cohort(folder: Path, scale: Scale, patients: int, *, phantoms: bool, workers: int) -> Material:
    from benchmarks.paper.data import cohort_material, phantom_material

    build = phantom_material if phantoms else cohort_material
    return build(
        folder, patients=patients, seed=1, size=scale.grid, workers=workers, progress=_progress
    )


def _real(runs: Path, scale: Scale) -> Material | None:
    from benchmarks.paper.data import real_material
    from hemx_core.errors import DatasetError

    try:
        return real_material(runs / "data", scale.preprocessing, scale.no_preprocessing)
    except DatasetError as missing:
        _say(f"experiment 1 runs without real slices: {missing}")
        return None


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _progress(stage: str, done: int, total: int) -> None:
    """A line at every tenth of a long stage, in a pipe as on a terminal."""
    if done == total or done % max(1, total // 10) == 0:
        _say(f"{stage}: {done} of {total}")
