"""`hemx train segmentation`, `classifier` and `gan`: options of `training.config` and `data.sources`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hemx_core.commands.settings import with_options
from hemx_core.data.sources import Asked
from hemx_core.errors import TrainingError
from hemx_core.training.config import ClassifierTraining, GanTraining, SegmentationTraining

if TYPE_CHECKING:
    from hemx_core.data.study import Study
    from hemx_core.imaging.spec import PreprocessingSpec

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
RESULTS = Path("benchmarks/results/training")
SEGMENTER = "segmenter.safetensors"
DECISION = "decision.json"
SHIPPED = Path("shipped")
"""What `--from` calls the package's own weights."""
TUNED = Path("runs/weights")
"""Where they go on to: the shipped files stay as they are."""

Run = Annotated[Path, typer.Option(help="Folder of checkpoints and log.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint.")]
Weights = Annotated[Path, typer.Option(help="Folder of the weight files.")]
Written = Annotated[
    Path | None,
    typer.Option(
        help=f"Folder of the weight files: by default the package's own, with --from {TUNED}."
    ),
]
Results = Annotated[Path, typer.Option(help="Folder of the JSON result files.")]


def register(app: typer.Typer) -> None:
    """Add `train` to the command line."""
    train = typer.Typer(
        no_args_is_help=True, help="Train the networks on your own data (extra `train`)."
    )
    for command in (segmentation, classifier, gan):
        train.command(command.__name__)(command)
    app.add_typer(train, name="train")


def say(stage: str, done: int, total: int) -> None:
    """A line at every tenth of a long stage, in a pipe as on a terminal."""
    if done == total or done % max(1, total // 10) == 0:
        typer.echo(f"{stage}: {done} of {total}", err=True)


@with_options(config=SegmentationTraining, asked=Asked)
def segmentation(
    config: SegmentationTraining,
    asked: Asked,
    run: Run = Path("runs/segmentation"),
    real: Annotated[
        bool | None,
        typer.Option(help="Train on the slices in HEMX_DATA; as a rule, unless --data is given."),
    ] = None,
    weights: Written = None,
    results: Results = RESULTS,
    resume: Resume = False,
) -> None:
    """Stage 1: U-Net on real slices, phantoms and data sets; writes weights and scores."""
    from hemx_core.data import phe_sich
    from hemx_core.data.sources import open_sources
    from hemx_core.training.stage1 import Stage1Files, run_segmentation

    if real is None:
        real = asked.dataset is None
    if config.initial is not None:
        from hemx_core.training.start import start_segmentation

        config = start_segmentation(config, weights_file(config.initial, SEGMENTER))
    weights = weights or (TUNED if config.initial else WEIGHTS)
    files = Stage1Files(
        run_dir=run,
        weights=weights / SEGMENTER,
        decision=weights / DECISION,
        results=results / "segmentation.json",
        real=phe_sich.data_folder() if real else None,
    )
    source = open_sources(asked, config.preprocessing, progress=say)
    _show_segmentation(
        run_segmentation(config, files, cohort=source, resume=resume), files.weights, files.results
    )


def weights_file(given: Path, name: str) -> Path:
    """The file that `--from` means: `shipped`, a folder of weights, or a file.

    Raises:
        TrainingError: there is none.
    """
    folder = WEIGHTS if given == SHIPPED else given
    path = folder / name if folder.is_dir() else folder
    if path.is_file() and path.suffix == ".safetensors":
        return path
    programs = folder.is_dir() and any(folder.glob("*.pte"))
    raise TrainingError(
        f"no weights {name} at {given}" + " (a bundle's programs cannot be trained)" * programs,
        expected=f"the word {SHIPPED}, a folder with {name}, or a .safetensors file",
        remedy="give the folder of weights that the bundle was exported from" if programs else "",
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


@with_options(config=ClassifierTraining, asked=Asked)
def classifier(
    config: ClassifierTraining,
    asked: Asked,
    run: Run = Path("runs/classifier"),
    target: Annotated[
        list[str] | None,
        typer.Option(help="A marker code, or expansion (the HE head); all markers if not given."),
    ] = None,
    segmenter: Annotated[
        Path | None, typer.Option(help="Weights of stage 1, if not in --weights.")
    ] = None,
    name: Annotated[str, typer.Option(help="Of the weight and result files.")] = NAME,
    weights: Written = None,
    results: Results = RESULTS,
    resume: Resume = False,
) -> None:
    """Stage 2: Wavelet VGG16 or VGG16 on the frozen encoder; writes weights and scores."""
    from hemx_core.data.sources import open_sources
    from hemx_core.markers import MARKER_CODES
    from hemx_core.training.config import read_stage1
    from hemx_core.training.stage2 import Stage2Files, run_classifier

    config = replace(config, targets=tuple(target or MARKER_CODES))
    if config.targets != MARKER_CODES and name == NAME:
        raise TrainingError(
            f"targets {config.targets} under the name {NAME!r}",
            expected="a name of its own: the markers' classifier has that one",
            remedy="add --name, for example --name expansion",
        )
    if config.initial is None:
        weights = weights or WEIGHTS
    else:
        from hemx_core.training.start import start_classifier, take_stage1

        weights = weights or TUNED
        given = weights_file(config.initial, f"{name}.safetensors")
        take_stage1(given.parent, weights)
        config = start_classifier(config, given)
    files = Stage2Files(
        segmenter=segmenter or weights / SEGMENTER,
        run_dir=run,
        weights=weights / f"{name}.safetensors",
        decision=weights / DECISION,
        results=results / f"{name}.json",
    )
    preprocessing = read_stage1(files.decision)[1]  # the segmenter's own
    source = open_sources(asked, preprocessing, progress=say)
    if source is None:
        raise TrainingError(NOTHING, expected="labelled studies", remedy=ADD)
    read = _read_patients(asked.fold, preprocessing) if config.real_crops else []
    report = run_classifier(config, files, cohort=source, read=read, resume=resume, progress=say)
    _show_classifier(report, files.weights, files.results)


def _read_patients(fold: str, preprocessing: PreprocessingSpec) -> list[Study]:
    """Real patients of the training split, or of a fold's, with their readings."""
    from hemx_core.data import phe_sich
    from hemx_core.data.read_studies import read_studies

    folder = phe_sich.data_folder()
    rows, asked = phe_sich.read_rows(folder), phe_sich.read_fold(fold)
    splits = phe_sich.split_by_fold(rows, asked) if asked else phe_sich.split_patients(rows)
    return read_studies(folder, splits["train"], preprocessing)


NOTHING, ADD = "nothing to train on", "add --phantoms or --data"


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


@with_options(config=GanTraining, asked=Asked)
def gan(
    config: GanTraining,
    asked: Asked,
    run: Run = Path("runs/gan"),
    marker: Annotated[
        list[str] | None,
        typer.Option(help="The condition; several markers give one class per combination."),
    ] = None,
    weights: Annotated[
        Path, typer.Option(help="Folder of weights and picture grid.")
    ] = GAN_WEIGHTS,
    results: Results = RESULTS,
    resume: Resume = False,
) -> None:
    """Conditional SNGAN on haematoma crops; writes weights, a picture grid and class-score AUCs."""
    from hemx_core.data.sources import open_sources
    from hemx_core.imaging.spec import PreprocessingSpec
    from hemx_core.training.gan import HYPODENSITY, class_names
    from hemx_core.training.gan_run import GRID, GanFiles, run_gan

    markers = tuple(marker or HYPODENSITY)
    config = replace(
        config,
        discriminator_lr=config.generator_lr,
        network=replace(config.network, classes=len(class_names(markers))),
    )
    source = open_sources(asked, PreprocessingSpec(), progress=say)
    if source is None:
        raise TrainingError(NOTHING, expected="labelled studies", remedy=ADD)
    files = GanFiles(run_dir=run, weights=weights, results=results / "gan.json")
    report = run_gan(config, files, source=source, markers=markers, resume=resume)
    typer.echo(f"weights: {weights}")
    typer.echo(f"picture: {weights / GRID}")
    typer.echo(f"scores:  {files.results}")
    for code, score in report["test"].items():
        typer.echo(f"{code}: class score AUC per slice {score['slice_auc']}")
