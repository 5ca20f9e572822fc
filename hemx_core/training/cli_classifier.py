"""`hemx train classifier`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from hemx_core.training.cli import (
    DECISION,
    RESULTS,
    SEGMENTER,
    WEIGHTS,
    CohortFolder,
    Data,
    DataCache,
    Devices,
    Inserted,
    InsertedFolder,
    LoaderWorkers,
    MaybePhantoms,
    Nodes,
    Precision_,
    Rate,
    Results,
    Resume,
    Run,
    Seed,
    Weights,
    Width,
    Workers,
    open_asked,
    say,
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
    from hemx_core.training.cards import read_stage1
    from hemx_core.training.classifier_config import ClassifierTraining
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
    _show(report, files.weights, files.results)


def _show(report: dict[str, Any], weights: Path, results: Path) -> None:
    if not report:  # another process than the first
        return
    typer.echo(f"weights: {weights}")
    typer.echo(f"scores:  {results}")
    for code in report["decision"]["markers"]:
        score = report["test"]["predicted_mask"][code]
        typer.echo(f"{code}: AUC per patient {score['patient_auc']}")
