"""`hemx train segmentation`, `classifier` and `gan`, and options shared with `hemx dev evaluate`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hemx_core.errors import TrainingError

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
    from hemx_core.data.sources import Asked, open_sources
    from hemx_core.data.study import SPLITS

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


def segmentation(
    run: Run = Path("runs/segmentation"),
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 2000,
    rate: Rate = None,
    phantoms: MaybePhantoms = None,
    inserted: Inserted = 0,
    data: Data = None,
    real: Annotated[
        bool | None,
        typer.Option(help="Train on the slices in HEMX_DATA; as a rule, unless --data is given."),
    ] = None,
    width: Width = 1.0,
    bone_removal: Annotated[bool, typer.Option(help="Preprocessing: skull to black.")] = True,
    artefact_removal: Annotated[
        bool, typer.Option(help="Preprocessing: what is outside the head to black.")
    ] = True,
    centring: Annotated[bool, typer.Option(help="Preprocessing: head to the middle.")] = True,
    split_by: Annotated[
        str, typer.Option(help="patient; or slice, a random split that leaks (experiment 1).")
    ] = "patient",
    location: Annotated[str, typer.Option(help="Train on this location only.")] = "",
    initial: Annotated[
        Path | None, typer.Option(help="Weights to fine-tune; wants a small --rate.")
    ] = None,
    frozen_batch_norm: Annotated[
        bool, typer.Option("--frozen-batch-norm", help="Keep the statistics of --initial.")
    ] = False,
    cohort: CohortFolder = Path("runs/cohort"),
    inserted_cohort: InsertedFolder = Path("runs/inserted"),
    data_cache: DataCache = Path("runs/data_cache"),
    weights: Weights = WEIGHTS,
    results: Results = RESULTS,
    workers: Workers = 1,
    precision: Precision_ = "auto",
    devices: Devices = 1,
    nodes: Nodes = 1,
    loader_workers: LoaderWorkers = 0,
    seed: Seed = 1,
    resume: Resume = False,
) -> None:
    """Stage 1: U-Net on real slices, phantoms and data sets; writes weights and scores."""
    from hemx_core.data import phe_sich
    from hemx_core.imaging.spec import PreprocessingSpec
    from hemx_core.nn.unet import UNetConfig
    from hemx_core.training.config import SegmentationTraining
    from hemx_core.training.loop import Compute
    from hemx_core.training.stage1 import Stage1Files, run_segmentation

    config = SegmentationTraining(
        steps=steps,
        seed=seed,
        network=UNetConfig(width=width),
        preprocessing=PreprocessingSpec(
            remove_bone=bone_removal, remove_artefacts=artefact_removal, centre=centring
        ),
        split_by=split_by,
        location=location,
        initial=initial,
        frozen_batch_norm=frozen_batch_norm,
        precision=precision,
        compute=Compute(devices=devices, nodes=nodes, loader_workers=loader_workers),
    )
    if rate is not None:
        config = replace(config, peak_lr=rate)
    files = Stage1Files(
        run_dir=run,
        weights=weights / SEGMENTER,
        decision=weights / DECISION,
        results=results / "segmentation.json",
        real=phe_sich.data_folder() if (data is None if real is None else real) else None,
    )
    source = open_asked(
        config.preprocessing,
        phantoms=phantoms,
        inserted=inserted,
        data=data,
        folders=(cohort, inserted_cohort, data_cache),
        workers=workers,
    )
    _show_segmentation(
        run_segmentation(config, files, cohort=source, resume=resume), files.weights, files.results
    )


def _show_segmentation(report: dict[str, Any], weights: Path, results: Path) -> None:
    if not report:  # another process than the first
        return
    typer.echo(f"weights: {weights}")
    typer.echo(f"scores:  {results}")
    scores = report.get("validation", {})
    if scores.get("dice_mean") is not None:
        false = "mm2_mean" if "false_mm2_mean" in scores else "ml_mean"
        typer.echo(
            f"Dice mean {scores['dice_mean']:.3f}, worst {scores['dice_worst']:.3f}; volume error "
            f"median {scores['volume_error_median']:.1%}; false blood {scores[f'false_{false}']:.3f} "
            + ("mm² per patient" if false == "mm2_mean" else "mL")
        )


NAME = "classifier"


def classifier(
    run: Run = Path("runs/classifier"),
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 3000,
    batch: Annotated[int, typer.Option(min=2, help="Crops in a batch.")] = 16,
    rate: Rate = None,
    phantoms: MaybePhantoms = None,
    inserted: Inserted = 0,
    data: Data = None,
    target: Annotated[
        list[str] | None,
        typer.Option(help="A marker code, or expansion (the HE head); all markers if not given."),
    ] = None,
    width: Width = 0.5,
    wavelet: Annotated[str, typer.Option(help="Any PyWavelets filter bank.")] = "haar",
    merge: Annotated[
        str, typer.Option(help="Sub-bands: project, concat, ll; or max (VGG16).")
    ] = "project",
    view: Annotated[str, typer.Option(help="crop, or slice (the whole one, shrunk).")] = "crop",
    crop_size: Annotated[int, typer.Option(help="Side of the network's picture, pixels.")] = 128,
    masking: Annotated[str, typer.Option(help="none, true or out_of_fold.")] = "none",
    folds: Annotated[int, typer.Option(min=2, help="Of out_of_fold: segmenters.")] = 5,
    fold_steps: Annotated[int, typer.Option(min=1, help="Of out_of_fold: steps of each.")] = 600,
    weighted: Annotated[bool, typer.Option(help="Eq. 2's weights of the positive terms.")] = True,
    encoder_features: Annotated[bool, typer.Option(help="Join the U-Net's features.")] = True,
    consistency: Annotated[
        float, typer.Option(min=0, help="Weight of the difference between shifted crops.")
    ] = 0.0,
    segmenter: Annotated[
        Path | None, typer.Option(help="Weights of stage 1, if not in --weights.")
    ] = None,
    initial: Annotated[
        Path | None,
        typer.Option(help="Weights of a classifier to fine-tune; wants a small --rate."),
    ] = None,
    name: Annotated[str, typer.Option(help="Of the weight and result files.")] = NAME,
    cohort: CohortFolder = Path("runs/cohort"),
    inserted_cohort: InsertedFolder = Path("runs/inserted"),
    data_cache: DataCache = Path("runs/data_cache"),
    weights: Weights = WEIGHTS,
    results: Results = RESULTS,
    workers: Workers = 1,
    precision: Precision_ = "auto",
    devices: Devices = 1,
    nodes: Nodes = 1,
    loader_workers: LoaderWorkers = 0,
    seed: Seed = 1,
    resume: Resume = False,
) -> None:
    """Stage 2: Wavelet VGG16 or VGG16 on the frozen encoder; writes weights and scores."""
    from hemx_core.errors import TrainingError
    from hemx_core.markers import MARKER_CODES
    from hemx_core.nn.wavelet_vgg import WaveletVGGConfig
    from hemx_core.training.config import ClassifierTraining, read_stage1
    from hemx_core.training.loop import Compute
    from hemx_core.training.stage2 import Stage2Files, run_classifier

    targets = tuple(target or MARKER_CODES)
    if targets != MARKER_CODES and name == NAME:
        raise TrainingError(
            f"targets {targets} under the name {NAME!r}",
            expected="a name of its own: the markers' classifier has that one",
            remedy="add --name, for example --name expansion",
        )
    config = ClassifierTraining(
        steps=steps,
        batch=batch,
        crop_size=crop_size,
        weighted=weighted,
        view=view,
        masking=masking,
        folds=folds,
        fold_steps=fold_steps,
        encoder_features=encoder_features,
        targets=targets,
        consistency=consistency,
        initial=initial,
        seed=seed,
        network=WaveletVGGConfig(width=width, wavelet=wavelet, merge=merge),
        precision=precision,
        compute=Compute(devices=devices, nodes=nodes, loader_workers=loader_workers),
    )
    if rate is not None:
        config = replace(config, peak_lr=rate)
    files = Stage2Files(
        segmenter=segmenter or weights / SEGMENTER,
        run_dir=run,
        weights=weights / f"{name}.safetensors",
        decision=weights / DECISION,
        results=results / f"{name}.json",
    )
    source = open_asked(
        read_stage1(files.decision)[1],  # the segmenter's own preprocessing
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
    report = run_classifier(config, files, cohort=source, resume=resume, progress=say)
    _show_classifier(report, files.weights, files.results)


def _show_classifier(report: dict[str, Any], weights: Path, results: Path) -> None:
    if not report:  # another process than the first
        return
    typer.echo(f"weights: {weights}")
    typer.echo(f"scores:  {results}")
    for code in report["decision"]["markers"]:
        score = report["test"]["predicted_mask"][code]
        typer.echo(f"{code}: AUC per patient {score['patient_auc']}")


GAN_WEIGHTS = Path("runs/gan")
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
    weights: Annotated[
        Path, typer.Option(help="Folder of weights and picture grid.")
    ] = GAN_WEIGHTS,
    results: Results = RESULTS,
    workers: Workers = 1,
    seed: Seed = 1,
    resume: Resume = False,
) -> None:
    """Conditional SNGAN on haematoma crops; writes weights, a picture grid and class-score AUCs."""
    from hemx_core.imaging.spec import PreprocessingSpec
    from hemx_core.nn.sngan import SNGANConfig
    from hemx_core.training.gan import HYPODENSITY, GanTraining, class_names
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
