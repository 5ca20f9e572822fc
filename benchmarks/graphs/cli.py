"""`hemx benchmark layer-error`, `fold-gain`, `layouts` and `flip-test`.

What the export rests on, measured.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from export.recipes import Precision, find_recipe
from hemx_core.bundle.load import app_models_folder
from hemx_core.commands.bundle import Folder
from hemx_core.errors import IntegrityError
from hemx_core.manifest import ModelManifest

if TYPE_CHECKING:
    from export.calibration import Inputs
    from export.networks import Networks
    from export.samples import Samples


PERFORMANCE = Path("benchmarks/results/performance")
Weights = Annotated[Path | None, typer.Option("--weights", help="Folder of the trained weights.")]
Slices = Annotated[Path | None, typer.Option("--data", help="Folder with phe_sich; or HEMX_DATA.")]
Arithmetic = Annotated[Precision, typer.Option("--precision", help="Of the programs.")]
Runs = Annotated[int, typer.Option(min=1, help="Runs of a program in a process.")]
Rounds = Annotated[int, typer.Option(min=1, help="Processes of each program.")]
Threads = Annotated[list[int], typer.Option("--threads", help="Sizes of the thread pool.")]
CALIBRATION = 8
"""Enough for times, which hardly depend on the ranges."""


def layer_error_command(
    recipe: Annotated[str, typer.Option("--recipe", help="An int8 recipe.")] = "tablet-int8",
    weights: Weights = None,
    data: Slices = None,
    slices: Annotated[int, typer.Option(min=1, help="Held-out slices to measure on.")] = 16,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle", help="Measure this bundle's programs beside their graphs as well."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Result file.")] = Path(
        "benchmarks/results/layer_error.json"
    ),
) -> None:
    """Compare every int8 operator with float32, and choose which modules stay in float32."""
    from benchmarks.graphs.float_layers import choose_networks, layer_table, programs_db
    from export.samples import choose
    from hemx_core import provenance
    from hemx_core.bundle.load import load_models

    chosen = find_recipe(recipe)
    networks, calibration, held_out = _prepared(weights, data, chosen.calibration_slices)
    held_out = held_out.take(choose(held_out.blood, slices))
    given = {"calibration": list(calibration.images), "slices": list(held_out.images)}
    found = choose_networks(networks, chosen, **given)
    written: dict[str, dict[str, float]] = {}
    if bundle:
        with load_models(bundle) as models:
            written = programs_db(networks, models, chosen, **given)
    report = {
        "provenance": provenance.provenance(),
        "recipe": chosen.name,
        "rule": {"floor_db": chosen.float_floor_db, "gain_db": chosen.float_gain_db},
        "calibration": calibration.source,
        "source": f"{len(held_out)} slices of {held_out.source}",
        "networks": {
            name: choice.to_json() | ({"runtime_db": written[name]} if name in written else {})
            for name, choice in found.items()
        },
    }
    provenance.write_json(out, report)
    for name, choice in found.items():
        typer.echo(f"\n{name}: outputs {choice.to_json()['outputs_db']} dB in int8")
        typer.echo("\n".join(layer_table(choice)))
        if choice.mixed:
            typer.echo(
                f"with {len(choice.tried)} modules in float32: {choice.to_json()['outputs_db_mixed']}"
            )
        if name in written:
            typer.echo(f"the bundle's program against the int8 graph: {written[name]} dB")
        typer.echo(f"{name}_float={choice.chosen!r} belongs into the row {chosen.name!r}")


def fold_gain_command(
    weights: Weights = None,
    data: Slices = None,
    precision: Arithmetic = Precision.INT8,
    runs: Runs = 20,
    rounds: Rounds = 5,
    threads: Threads = [1, 2],  # noqa: B006 (Typer takes lists as they are)
    out: Annotated[Path, typer.Option(help="Result file.")] = PERFORMANCE / "fold_gain.jsonl",
) -> None:
    """Measure what each folding pass gains in latency, memory and load time."""
    from benchmarks.graphs.fold_gain import fold_gain
    from benchmarks.harness.measure import write_lines

    networks, inputs = _calibrated(weights, data)
    lines = fold_gain(
        networks,
        precision,
        calibration=inputs,
        runs=runs,
        rounds=rounds,
        threads=threads,
        tell=_tell,
    )
    write_lines(out, lines)
    for line in lines:
        gains = (
            f"{line['latency_ratio']:.2f} x time, {line['memory_ratio']:.2f} x memory without it"
        )
        typer.echo(f"{line['network']:11}{line['threads']} threads  {line['pass']:24}{gains}")


def layouts_command(
    weights: Weights = None,
    data: Slices = None,
    precision: Arithmetic = Precision.INT8,
    runs: Runs = 20,
    rounds: Rounds = 5,
    threads: Threads = [1, 2],  # noqa: B006 (Typer takes lists as they are)
    out: Annotated[Path, typer.Option(help="Result file.")] = PERFORMANCE / "layouts.jsonl",
) -> None:
    """Compare two files, two methods of one program and one joint forward."""
    from benchmarks.graphs.layouts import compare_layouts
    from benchmarks.harness.measure import write_lines

    networks, inputs = _calibrated(weights, data)
    lines = compare_layouts(
        networks,
        precision,
        calibration=inputs,
        runs=runs,
        rounds=rounds,
        threads=threads,
        tell=_tell,
    )
    write_lines(out, lines)
    for line in lines:
        typer.echo(
            f"{line['layout']:15}{line['threads']} threads  load {line['load_ms']:.0f} ms, "
            f"study {line['study_ms']:.0f} ms, {line['peak_mib']:.0f} MiB, "
            f"{line['file_bytes'] / 2**20:.1f} MiB on disk"
        )


def _prepared(
    weights: Path | None, data: Path | None, count: int
) -> tuple[Networks, Samples, Samples]:
    from export.networks import default_weights, load_networks
    from export.samples import load_samples

    networks = load_networks(weights or default_weights())
    _tell("preparing slices")
    return networks, *load_samples(networks.decision.preprocessing, data=data, calibration=count)


def _calibrated(
    weights: Path | None, data: Path | None
) -> tuple[Networks, dict[str, list[Inputs]]]:
    from export.calibration import network_inputs

    networks, calibration, _ = _prepared(weights, data, CALIBRATION)
    images: Any = list(calibration.images)
    return networks, network_inputs(networks, images)


def _tell(message: str) -> None:
    print(f"hemx export: {message}", file=sys.stderr)


def flip_bits(
    folder: Folder = None,
    flips: Annotated[int, typer.Option(help="How many bits, spread evenly over the files.")] = 1000,
    seed: Annotated[int, typer.Option(help="Chooses the bits.")] = 20261126,
    out: Annotated[Path, typer.Option(help="Result file.")] = Path(
        "benchmarks/results/bundle_flips.json"
    ),
) -> None:
    """Flip single bits in a copy of a bundle: every one must be refused before a program is opened."""
    from benchmarks.graphs.flip_test import flip_test
    from hemx_core import provenance

    target = folder or app_models_folder()
    report = flip_test(target, flips=flips, seed=seed)
    manifest = ModelManifest.load(target)
    files = {file.file: {"bytes": file.bytes, "sha256": file.sha256} for file in manifest.files}
    facts = {"provenance": provenance.provenance(seed=seed), "recipe": manifest.recipe}
    provenance.write_json(out, {**facts, "files": files, **report.to_json()})
    refused = sum(report.refusals.values())
    typer.echo(f"refused   {refused} of {flips} bundles with one flipped bit (seed {seed})")
    for name, count in report.flips.items():
        typer.echo(f"          {report.refusals[name]} of {count} in {name}")
    if not report.passed:
        raise IntegrityError(
            f"{len(report.accepted)} damaged bundles were accepted: {report.accepted[:5]}",
            expected="a refusal of each",
            remedy="do not ship this version: verification has a hole",
        )
