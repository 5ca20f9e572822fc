"""`hemx train segmentation`."""

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
)


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
    from hemx_core.training.loop import Compute
    from hemx_core.training.segmentation_config import SegmentationTraining
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
    _show(
        run_segmentation(config, files, cohort=source, resume=resume), files.weights, files.results
    )


def _show(report: dict[str, Any], weights: Path, results: Path) -> None:
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
