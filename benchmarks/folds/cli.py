"""`python -m benchmarks folds`."""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.folds.recipe import ALL, FOLDS, Arm, Place
from hemx_core.data.phe_sich import Fold
from hemx_core.nn.config import Merge as MergeName

app = typer.Typer(no_args_is_help=True, add_completion=False)

Root = Annotated[Path, typer.Option(help="Folder of all folds; it shows real slices.")]
Start = Annotated[Path, typer.Option(help="Weights that have seen no real patient.")]
Phantoms = Annotated[Path, typer.Option(help="Folder of the phantom cohort.")]
Which = Annotated[str, typer.Argument(help=f"0 to {FOLDS - 1}, or {ALL}: nobody is held out.")]
Merge = Annotated[MergeName, typer.Option(help="What becomes of the sub-bands.")]
Seed = Annotated[int, typer.Option(help="Of weights and batches.")]
RealCrops = Annotated[int, typer.Option(help="Of a batch, of read patients.")]
Rate = Annotated[float, typer.Option(help="Peak learning rate.")]
WithPhantoms = Annotated[
    bool, typer.Option("--with-phantoms", help="Drawn slices are also those of the phantom cohort.")
]

RESULTS = Path("benchmarks/results/folds")
ROOT, START, PHANTOMS = Path("runs/folds"), Path("runs/start.safetensors"), Path("runs/cohort")
USUAL = Arm()


def _place(which: str, root: Path, start: Path = START, phantoms: Path = PHANTOMS) -> Place:
    fold = Fold(None) if which == ALL else Fold(int(which), FOLDS)
    return Place(root=root, fold=fold, start=start, phantoms=phantoms)


def _arm(merge: MergeName, seed: int, real_crops: int, rate: float, phantoms: bool) -> Arm:
    return Arm(merge=merge, seed=seed, real_crops=real_crops, rate=rate, phantoms=phantoms)


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
    seed: Seed = 1,
    real_crops: RealCrops = USUAL.real_crops,
    rate: Rate = USUAL.rate,
    with_phantoms: WithPhantoms = False,
    root: Root = ROOT,
    phantoms: Phantoms = PHANTOMS,
) -> None:
    """Train an arm's classifier of a fold; goes on where it was left."""
    from benchmarks.folds import train

    train.quiet()
    arm = _arm(merge, seed, real_crops, rate, with_phantoms)
    train.classifier(_place(which, root, phantoms=phantoms), arm)


@app.command()
def predict(
    which: Which,
    merge: Merge = "ll",
    seed: Seed = 1,
    real_crops: RealCrops = USUAL.real_crops,
    rate: Rate = USUAL.rate,
    with_phantoms: WithPhantoms = False,
    masks: Annotated[
        Path | None,
        typer.Option(help="Segmenter that finds the blood; the true masks if not given."),
    ] = None,
    mask_threshold: Annotated[float, typer.Option(help="Of that segmenter.")] = 0.5,
    root: Root = ROOT,
) -> None:
    """Store an arm's answers on the held-out read patients and resynthesised studies."""
    from benchmarks.folds import predict, train
    from hemx_core.nn.weights import load_segmenter

    train.quiet()
    predict.predict_fold(
        _place(which, root),
        _arm(merge, seed, real_crops, rate, with_phantoms),
        unet=load_segmenter(masks) if masks else None,
        mask_threshold=mask_threshold,
    )


@app.command()
def markers(
    merge: Merge = "ll",
    seed: Seed = 1,
    real_crops: RealCrops = USUAL.real_crops,
    rate: Rate = USUAL.rate,
    with_phantoms: WithPhantoms = False,
    folds: Annotated[int, typer.Option(help="So many of them, the first ones.")] = FOLDS,
    test: Annotated[
        bool, typer.Option("--test", help="Score the test patients too: once, at the end.")
    ] = False,
    ship: Annotated[
        Path | None, typer.Option(help="Write the classifier of all patients into this folder.")
    ] = None,
    root: Root = ROOT,
    out: Annotated[Path, typer.Option(help="Result file.")] = RESULTS / "markers.json",
) -> None:
    """Choose aggregation, calibration and thresholds over all folds, and score."""
    from benchmarks.folds import ship as shipping
    from benchmarks.folds.markers import score
    from hemx_core import provenance
    from hemx_core.data import phe_sich

    arm = _arm(merge, seed, real_crops, rate, with_phantoms)
    found = score([_place(str(number), root) for number in range(folds)], arm, test=test)
    report = {
        "provenance": provenance.provenance(seed=seed),
        "attribution": phe_sich.ATTRIBUTION,
        "read_by": "a vision model, not a radiologist",
        "arm": arm.name,
        "folds": folds,
        "decision": found.decision.to_json(),
        "aggregation": found.decision.choice.to_json(),
        "read": {code: one.to_json() for code, one in found.read.items()},
        "call_now": found.call_now.to_json(),
        "drawn": found.drawn,
    }
    if found.read_test is not None:
        report["read_test"] = {code: one.to_json() for code, one in found.read_test.items()}
    provenance.write_json(out, report)
    if ship is not None:
        shipping.ship(_place(ALL, root), arm, found, ship)
    for code, one in found.read.items():
        typer.echo(
            f"{code}: {found.decision.choice.chosen[code]}; read: called {one.called}, sensitivity "
            f"{one.sensitivity}, specificity {one.specificity}, AUC {one.auc}"
        )
    typer.echo(f"-> {out}")


@app.command("predict-masks")
def predict_masks(which: Which, root: Root = ROOT) -> None:
    """Store the probabilities of a fold's patients, by its own segmenter."""
    from benchmarks.folds import masks, train

    train.quiet()
    typer.echo(f"-> {masks.predict_masks(_place(which, root))}")


@app.command("masks")
def score_masks(
    folds: Annotated[int, typer.Option(help="So many of them, the first ones.")] = FOLDS,
    root: Root = ROOT,
    errors: Annotated[
        Path | None, typer.Option(help="Also write the errors, for `benchmarks intervals`.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Result file.")] = RESULTS / "masks.json",
) -> None:
    """Choose mask thresholds over all folds, and score every patient once."""
    from benchmarks.folds import masks
    from hemx_core import provenance
    from hemx_core.data import phe_sich
    from hemx_core.training.scoring.volume_errors import write_errors

    found = masks.score([_place(str(number), root) for number in range(folds)])
    report = {
        "provenance": provenance.provenance(seed=1),
        "attribution": phe_sich.ATTRIBUTION,
        "folds": folds,
        **found.report,
    }
    provenance.write_json(out, report)
    if errors is not None:
        write_errors(errors, volumes=found.errors, about={"reference": found.report["reference"]})
    for name, score in found.report["scores"].items():
        typer.echo(f"{name}: mean {score['mean']} {score['interval']}, median {score['median']}")
    typer.echo(f"-> {out}")
