"""`hemx dev evaluate masks`, `markers` (trained weights on patients they never saw) and `readers`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hemx_core.commands.options import PIPE_COLUMNS
from hemx_core.commands.settings import with_options
from hemx_core.commands.train import DECISION, SEGMENTER, WEIGHTS, Weights, say
from hemx_core.data.sources import Asked

if TYPE_CHECKING:
    from hemx_core.data.readers import CallRow
    from hemx_core.data.tables import Tables

RESULTS = Path("benchmarks/results/evaluation")
Out = Annotated[Path, typer.Option(help="Folder of the result files.")]


def register(app: typer.Typer) -> None:
    """Add `evaluate` to the command line."""
    evaluate = typer.Typer(
        no_args_is_help=True,
        help="Score trained weights on held-out patients, and compare readers.",
    )
    evaluate.command("masks")(masks)
    evaluate.command("markers")(markers)
    evaluate.command("readers")(readers)
    app.add_typer(evaluate, name="evaluate")


def masks(
    split: Annotated[str, typer.Option(help="validation or test.")] = "test",
    checked: Annotated[
        bool, typer.Option(help="Leave out where the reference contradicts the picture.")
    ] = True,
    weights: Weights = WEIGHTS,
    out: Out = RESULTS,
) -> None:
    """Masks on the held-out real patients of HEMX_DATA: overlap, surface distance, volume."""
    from hemx_core import provenance
    from hemx_core.data import phe_sich
    from hemx_core.nn.inference import segment_slice
    from hemx_core.nn.weights import load_segmenter
    from hemx_core.training.config import read_stage1
    from hemx_core.training.scoring.segmenters import SEED, evaluate_masks

    threshold, spec = read_stage1(weights / DECISION)
    folder = phe_sich.data_folder()
    patients = phe_sich.split_patients(phe_sich.read_rows(folder)).get(split, [])
    unet = load_segmenter(weights / SEGMENTER)
    found = evaluate_masks(
        lambda image: segment_slice(unet, image)[0],
        spec,
        patients=patients,
        folder=folder,
        threshold=threshold,
        min_component_ml=float(
            json.loads((weights / DECISION).read_text(encoding="utf-8"))["min_component_ml"]
        ),
        checked=checked,
        progress=say,
    )
    path = out / f"masks_{split}{'' if checked else '_as_given'}.json"
    provenance.write_json(
        path, {"provenance": provenance.provenance(seed=SEED), "split": split} | found
    )
    dice, false = found["scores"]["dice"], found["scores"]["false_ml"]
    typer.echo(
        f"{found['patients']} patients: Dice {dice['mean']:.3f} (worst {dice['smallest']:.3f}), "
        f"false blood {false['mean']:.3f} mL -> {path}"
    )


@with_options({"phantoms": 0}, asked=Asked)
def markers(
    asked: Asked,
    name: Annotated[str, typer.Option(help="Of the result files.")] = "markers",
    also_phantoms: Annotated[
        int, typer.Option(min=0, help="Phantoms that calibration was fitted on as well.")
    ] = 0,
    weights: Weights = WEIGHTS,
    scaling: Annotated[
        Literal["temperature", "platt"],
        typer.Option(help="What is fitted: temperature, as triage applies it, or a shift as well."),
    ] = "temperature",
    recalibrate: Annotated[
        bool,
        typer.Option(
            "--recalibrate",
            help="Keep the fitted temperatures and thresholds beside the weights "
            "(then `hemx bundle recalibrate`).",
        ),
    ] = False,
    out: Out = RESULTS,
) -> None:
    """Markers on a source's test patients: AUC, calibration, thresholds, sites, with intervals."""
    from hemx_core import provenance
    from hemx_core.data.sources import open_sources
    from hemx_core.data.study import HELD_OUT
    from hemx_core.errors import DatasetError
    from hemx_core.nn.weights import load_classifier, load_segmenter
    from hemx_core.training.config import read_stage1
    from hemx_core.training.scoring.calibration import Scaling
    from hemx_core.training.scoring.report import check_scaling, recalibrated
    from hemx_core.training.stage2 import evaluate_classifier

    fitted = Scaling(scaling)
    if recalibrate:
        check_scaling(fitted)  # before the evaluation, which takes long
    threshold, spec = read_stage1(weights / DECISION)
    decided = json.loads((weights / DECISION).read_text(encoding="utf-8"))
    asked = replace(asked, splits=HELD_OUT)
    more = replace(asked, phantoms=max(asked.phantoms or 0, also_phantoms))
    test, calibration = (open_sources(each, spec, progress=say) for each in (asked, more))
    if test is None or calibration is None:
        raise DatasetError(
            "nothing to score on",
            expected="labelled studies",
            remedy="add --inserted or --phantoms",
        )
    report = evaluate_classifier(
        load_segmenter(weights / SEGMENTER),
        load_classifier(weights / "classifier.safetensors"),
        calibration,
        test,
        crop_size=int(decided["crop_size"]),
        mask_threshold=threshold,
        scaling=fitted,
    )
    report.write(out, name=name)
    if recalibrate:
        about = f"{test.description.get('name')}, test split"
        provenance.merge_json(weights / DECISION, recalibrated(report, data=about))
    typer.echo(report.to_markdown())
    typer.echo(f"-> {out / name}.json, .md, .png")


def readers(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A data set with readings.")],
    split: Annotated[
        str, typer.Option(help="train, validation or test; all if not given. A network: test only.")
    ] = "",
    network: Annotated[
        list[Path] | None,
        typer.Option(help="Calls of a network, as network.csv; may be given several times."),
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Triage the studies with this bundle and compare it.")
    ] = None,
    draws: Annotated[int, typer.Option(min=100, help="Of the bootstrap by patient.")] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
    out: Annotated[Path | None, typer.Option(help="Also write the JSON into this file.")] = None,
) -> None:
    """Compare readers with each other and with networks: counts, raw agreement, kappa, Gwet's AC1."""
    from rich.console import Console

    from hemx_core.data.problems import Findings, refuse
    from hemx_core.data.readers import read_network
    from hemx_core.data.study import check_split
    from hemx_core.data.tables import read_tables
    from hemx_core.files import write_whole
    from hemx_core.training.scoring.readers import compare_readers
    from hemx_core.training.scoring.readers_view import readers_view

    if split:
        check_split(split)
    tables = read_tables(folder)
    refuse(tables.info.name or folder.name, tables.findings.errors)
    findings = Findings()
    calls: list[CallRow] = []
    for path in network or []:
        more = read_network(path.parent, findings, path.name)
        if not more:
            findings.error(str(path), "holds no calls")
        calls += more
    refuse("of calls", findings.errors)
    if bundle is not None:
        calls += _calls(tables, split, bundle)
    found = compare_readers(tables, split=split, calls=calls, draws=draws)
    text = json.dumps(found, indent=2, ensure_ascii=False)
    if out is not None:
        write_whole(out, text + "\n")
    if as_json:
        typer.echo(text)
        return
    wide = None if sys.stdout.isatty() else PIPE_COLUMNS
    Console(highlight=False, width=wide).print(readers_view(found))


def _calls(tables: Tables, split: str, bundle: Path) -> list[CallRow]:
    """What a bundle calls in the studies that somebody has read."""
    import hemx_core as hemx
    from hemx_core.data.read import read_ct
    from hemx_core.data.readers import CallRow
    from hemx_core.labels.answers import called

    rows = [
        row
        for row in tables.studies.values()
        if row.study in tables.readings and split in ("", tables.patients[row.patient].split)
    ]
    found = []
    with hemx.load_models(bundle) as models:
        for done, row in enumerate(rows, 1):
            result = hemx.triage(read_ct(tables, row), models=models)
            found.append(CallRow(study=row.study, model=bundle.name, calls=called(result)))
            say("triage", done, len(rows))
    return found
