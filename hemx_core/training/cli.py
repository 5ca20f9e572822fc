"""`hemx train segmentation` and `hemx train classifier`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hemx_core.data.phantom_cohort import Cohort
    from hemx_core.imaging.spec import PreprocessingSpec

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
RESULTS = Path("benchmarks/results/training")
SEGMENTER = "segmenter.safetensors"
DECISION = "decision.json"

Run = Annotated[Path, typer.Option(help="Folder of checkpoints and log.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint.")]
Weights = Annotated[Path, typer.Option(help="Folder of the weight files.")]
Results = Annotated[Path, typer.Option(help="Folder of the JSON result files.")]
CohortFolder = Annotated[
    Path, typer.Option("--cohort", help="Folder of the phantom cohort's cache.")
]
Workers = Annotated[int, typer.Option(help="Processes that build phantoms.")]
Phantoms = Annotated[int, typer.Option(min=0, help="Patients of the phantom cohort.")]
Width = Annotated[float, typer.Option(help="Channel multiplier of the network.")]
Seed = Annotated[int, typer.Option(help="Seed of weights, batches and augmentation.")]


def register(app: typer.Typer) -> None:
    """Add `train` to the command line."""
    train = typer.Typer(
        no_args_is_help=True, help="Train the two stages (needs the extra `train`)."
    )
    train.command("segmentation")(segmentation)
    train.command("classifier")(classifier)
    app.add_typer(train, name="train")


def segmentation(
    run: Run = Path("runs/segmentation"),
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 2000,
    phantoms: Phantoms = 400,
    width: Width = 1.0,
    real: Annotated[bool, typer.Option(help="Train on the slices in HEMX_DATA.")] = True,
    cohort: CohortFolder = Path("runs/cohort"),
    weights: Weights = WEIGHTS,
    results: Results = RESULTS,
    workers: Workers = 1,
    seed: Seed = 1,
    resume: Resume = False,
) -> None:
    """Stage 1: U-Net on real slices (HEMX_DATA) and phantoms; writes weights and scores."""
    from hemx_core.data import phe_sich
    from hemx_core.nn.unet import UNetConfig
    from hemx_core.training.segmentation import SegmentationTraining
    from hemx_core.training.stage1 import Stage1Files, run_segmentation

    config = SegmentationTraining(steps=steps, seed=seed, network=UNetConfig(width=width))
    files = Stage1Files(
        run_dir=run,
        weights=weights / SEGMENTER,
        decision=weights / DECISION,
        results=results / "segmentation.json",
        real=phe_sich.data_folder() if real else None,
    )
    built = _cohort(cohort, phantoms, workers, config.preprocessing) if phantoms else None
    report = run_segmentation(config, files, cohort=built, resume=resume)
    typer.echo(f"weights: {files.weights}")
    typer.echo(f"scores:  {files.results}")
    if "validation" in report:
        scores = report["validation"]
        typer.echo(
            f"Dice mean {scores['dice_mean']:.3f}, worst {scores['dice_worst']:.3f}; volume error "
            f"median {scores['volume_error_median']:.1%}; false blood {scores['false_ml_mean']:.3f} mL"
        )


def classifier(
    run: Run = Path("runs/classifier"),
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 3000,
    phantoms: Phantoms = 400,
    width: Width = 0.5,
    wavelet: Annotated[str, typer.Option(help="Any PyWavelets filter bank.")] = "haar",
    merge: Annotated[
        str, typer.Option(help="Sub-bands: project, concat, ll; or max (VGG16).")
    ] = "project",
    cohort: CohortFolder = Path("runs/cohort"),
    weights: Weights = WEIGHTS,
    results: Results = RESULTS,
    workers: Workers = 1,
    seed: Seed = 1,
    resume: Resume = False,
) -> None:
    """Stage 2: Wavelet VGG16 on the frozen encoder, on phantoms; writes weights and scores."""
    from hemx_core.imaging.spec import PreprocessingSpec
    from hemx_core.nn.wavelet_vgg import WaveletVGGConfig
    from hemx_core.training.classifier import ClassifierTraining
    from hemx_core.training.stage2 import Stage2Files, run_classifier

    network = WaveletVGGConfig(width=width, wavelet=wavelet, merge=merge)
    config = ClassifierTraining(steps=steps, seed=seed, network=network)
    files = Stage2Files(
        segmenter=weights / SEGMENTER,
        run_dir=run,
        weights=weights / "classifier.safetensors",
        decision=weights / DECISION,
        results=results / "classifier.json",
    )
    built = _cohort(cohort, phantoms, workers, PreprocessingSpec())
    report = run_classifier(config, files, cohort=built, resume=resume, progress=_say)
    typer.echo(f"weights: {files.weights}")
    typer.echo(f"scores:  {files.results}")
    for code in report["decision"]["markers"]:
        score = report["test"]["predicted_mask"][code]
        typer.echo(f"{code}: AUC per patient {score['patient_auc']}")


def _cohort(folder: Path, patients: int, workers: int, spec: PreprocessingSpec) -> Cohort:
    from hemx_core.data.phantom_cohort import build_cohort

    return build_cohort(folder, patients=patients, spec=spec, workers=workers, progress=_say)


def _say(stage: str, done: int, total: int) -> None:
    """A line at every tenth of a long stage, in a pipe as on a terminal."""
    if done == total or done % max(1, total // 10) == 0:
        typer.echo(f"{stage}: {done} of {total}", err=True)
