"""`hemx dev export` and `hemx dev validate`.

Torch and executorch are imported when a command runs, not when it is listed.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from export.bundle_cli import read_key, signer
from export.recipes import RECIPES, find_recipe
from hemx_core.bundle.load import app_models_folder
from hemx_core.data.sources import Asked, Lesions
from hemx_core.errors import DatasetError, DelegationError, ExportError, ParityError
from hemx_core.files import draft_folder, publish_folder

if TYPE_CHECKING:
    from export.networks import Networks
    from hemx_core.bundle.load import Models


GATE_EXIT = 1
"""Exit code where a gate fails; other intended errors have the command line's own."""


def validate_command(
    bundle: Annotated[Path | None, typer.Argument(help="Bundle; the app's by default.")] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="Folder of the trained weights.")
    ] = None,
    inserted: Annotated[
        int, typer.Option(min=0, help="Studies of haematomas in real slices (HEMX_DATA).")
    ] = 0,
    lesions: Annotated[
        Lesions, typer.Option(help="Inserted: drawn phantoms, or real ones resynthesised.")
    ] = "drawn",
    lesion_fold: Annotated[
        str, typer.Option(help="Of --lesions real: of a fold's patients, as 0/5.")
    ] = "",
    phantoms: Annotated[int, typer.Option(min=0, help="Patients of the phantom cohort.")] = 0,
    data: Annotated[
        Path | None, typer.Option(help="Folder of a data set in HEMX's format.")
    ] = None,
    real: Annotated[bool, typer.Option(help="Score masks on the slices in HEMX_DATA.")] = True,
    split: Annotated[
        str, typer.Option(help="Real patients: test; validation where the others were trained on.")
    ] = "test",
    cohort: Annotated[Path, typer.Option(help="Folder of the phantom cohort.")] = Path(
        "runs/cohort"
    ),
    inserted_cohort: Annotated[Path, typer.Option(help="Folder of the inserted cohort.")] = Path(
        "runs/inserted"
    ),
    data_cache: Annotated[Path, typer.Option(help="Folder of prepared studies.")] = Path(
        "runs/data_cache"
    ),
    layers: Annotated[
        int | None, typer.Option(hidden=True, help="No longer here: hemx benchmark layer-error.")
    ] = None,
    publish: Annotated[
        Path | None, typer.Option(help="Copy the bundle here, only if every gate holds.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Result file; .md and .png beside it.")] = Path(
        "benchmarks/results/validation.json"
    ),
) -> None:
    """Compare a bundle with the trained networks on held-out patients; exit 1 where a gate fails."""
    from export.gates import check_gates
    from export.networks import default_weights, load_networks
    from export.samples import load_samples
    from export.validate import SEED, validation_record
    from export.validation_report import write_validation
    from export.verify import measure_parity
    from hemx_core import provenance
    from hemx_core.bundle.load import load_models
    from hemx_core.data.study import HELD_OUT

    if layers is not None:
        _tell_validate("--layers does nothing now: `hemx benchmark layer-error` measures layers")
    networks = load_networks(weights or default_weights())
    asked = Asked(
        phantoms=phantoms,
        inserted=inserted,
        lesions=lesions,
        fold=lesion_fold,
        dataset=data,
        phantom_folder=cohort,
        inserted_folder=inserted_cohort,
        dataset_cache=data_cache,
        splits=HELD_OUT,
    )
    folder = bundle or app_models_folder()
    with load_models(folder) as models:
        recipe = find_recipe(models.manifest.recipe)
        _, held_out = load_samples(
            networks.decision.preprocessing, data=None, calibration=recipe.calibration_slices
        )
        parity = measure_parity(networks, models, held_out)
        masks, markers, source = _accuracy(networks, models, asked, split=split if real else None)
        record, gates = validation_record(
            folder, models, recipe, parity=parity, masks=masks, markers=markers
        )
    record = {"provenance": provenance.provenance(seed=SEED), "source": source, **record}
    provenance.write_json(out, record)
    files = write_validation(record, out)
    for gate in gates:
        typer.echo(f"{'ok' if gate.passed else 'FAILED':8}{gate}")
    typer.echo(f"report  {', '.join(str(path) for path in (out, *files))}")
    with exit_at_a_gate():
        check_gates(gates, recipe)
    if publish is not None:
        _publish(folder, publish)


@contextmanager
def exit_at_a_gate() -> Iterator[None]:
    """Turn a failed gate into exit code 1, with its message on stderr."""
    try:
        yield
    except (ParityError, DelegationError) as error:
        typer.echo(f"hemx: {error}", err=True)
        raise typer.Exit(GATE_EXIT) from None


def _accuracy(
    networks: Networks, models: Models, asked: Asked, *, split: str | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None, dict[str, Any]]:
    """Masks on the real patients of a split, markers on the labelled test studies, and what those are."""
    from export.validate import two_ways, validate_markers, validate_masks
    from hemx_core.commands.train import say
    from hemx_core.data import phe_sich
    from hemx_core.data.sources import open_sources

    decision = networks.decision
    source = open_sources(asked, decision.preprocessing)
    if source is None:
        raise DatasetError(
            "nothing to score markers on",
            expected="labelled studies",
            remedy="add --inserted, --phantoms or --data",
        )
    ways = two_ways(networks, models)
    masks = None
    if split is not None:
        folder = phe_sich.data_folder()
        patients = phe_sich.split_patients(phe_sich.read_rows(folder)).get(split, [])
        if not patients:
            raise DatasetError(
                f"split {split!r}", expected=f"one of {phe_sich.SPLITS}", remedy="correct the name"
            )
        masks = {"split": split} | validate_masks(ways, decision, folder, patients)
        _tell_validate(f"Dice falls by {masks['dice_drop']:.4f} on {len(patients)} patients")
    markers = validate_markers(ways, decision, source.patients("test"), progress=say)
    return masks, markers, source.description


def _publish(folder: Path, target: Path) -> None:
    """Copy a bundle that passed; through a draft beside the target, so that it is whole or not there."""
    if target.exists():
        raise ExportError(
            f"{target} exists",
            expected="a new folder",
            remedy="move the old bundle away, or give another folder",
        )
    with draft_folder(target.parent) as draft:
        publish_folder(shutil.copytree(folder, draft / target.name), target)
    typer.echo(f"bundle  {target}")


def _tell_validate(message: str) -> None:
    print(f"hemx validate: {message}", file=sys.stderr)


def register(dev: typer.Typer) -> None:
    """Add the commands to the group `dev`."""
    dev.command("export")(export_command)
    dev.command("validate")(validate_command)


def export_command(
    recipe: Annotated[
        str, typer.Option("--recipe", help=f"One of {', '.join(RECIPES)}.")
    ] = "tablet-int8",
    weights: Annotated[
        Path | None, typer.Option("--weights", help="Folder of the trained weights.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the bundle; the app's by default.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", help="Folder with phe_sich, to calibrate and verify on; or HEMX_DATA."
        ),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Key that signs; this computer's by default.")
    ] = None,
) -> None:
    """Export the trained networks to ExecuTorch programs; exit 1 and no bundle where a gate fails."""
    chosen = find_recipe(recipe)
    try:
        from export.bundle import export_bundle, summary
        from export.networks import default_weights, load_networks
        from export.samples import load_samples
    except ImportError as error:
        raise ExportError(
            f"the export cannot be imported ({error})",
            expected="torch, executorch and torchao",
            remedy='pip install "hemx[export]"',
        ) from error
    start = time.perf_counter()
    signing = read_key(key) if key else None
    networks = load_networks(weights or default_weights())
    _tell("preparing slices")
    calibration, parity = load_samples(
        networks.decision.preprocessing, data=data, calibration=chosen.calibration_slices
    )
    folder = out or app_models_folder()
    with exit_at_a_gate():
        manifest = export_bundle(
            networks,
            chosen,
            calibration=list(calibration.images),
            parity=parity,
            out=folder,
            key=signing,
            tell=_tell,
        )
    for name, value in summary(manifest):
        typer.echo(f"{name:20}{value}")
    typer.echo(f"{'signed by':20}{signer(folder)}")
    typer.echo(f"{'bundle':20}{folder} ({time.perf_counter() - start:.0f} s)")


def _tell(message: str) -> None:
    print(f"hemx export: {message}", file=sys.stderr)
