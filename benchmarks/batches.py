"""The segmenter's program for other numbers of slices in a call than the bundle's."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.networks import weights_digest
from benchmarks.peers.material import read_inputs
from benchmarks.process import run_fresh
from benchmarks.settings import Settings, narrow_recipe
from hemx_core.manifest import ProgramSpec, program_spec


def prepare_batch(settings: Settings, folder: Path, batch: int, *, recipe: str) -> None:
    """Export the segmenter for so many slices a call, unless these networks and this recipe were before."""
    stamp = folder / f"segmenter_{batch}.key"
    wanted = f"{weights_digest(settings.weights, tiny=settings.tiny)} {recipe}"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    settings.tell(f"exporting the segmenter for {batch} slices a call")
    folder.mkdir(parents=True, exist_ok=True)
    arguments: dict[str, Any] = {
        "folder": str(folder),
        "batch": batch,
        "material": str(settings.material()),
        "recipe": recipe,
        "weights": str(settings.weights) if settings.weights else None,
        "tiny": settings.tiny,
    }
    run_fresh(write_batch_program, arguments)
    stamp.write_text(wanted, encoding="utf-8")


def batch_program(folder: Path, batch: int) -> tuple[Path, ProgramSpec]:
    """A program that `prepare_batch` wrote, and its specification."""
    values = json.loads((folder / f"segmenter_{batch}.json").read_text(encoding="utf-8"))
    spec = program_spec(values)
    return folder / spec.file, spec


def write_batch_program(
    folder: str, batch: int, material: str, recipe: str, weights: str | None, tiny: bool
) -> None:
    """Export the segmenter as a recipe does, but for another batch; runs in a fresh process."""
    from benchmarks.networks import open_networks
    from export.bundle import build_segmenter
    from export.recipes import find_recipe

    networks = open_networks(Path(weights) if weights else None, tiny=tiny)
    rules = narrow_recipe() if tiny else find_recipe(recipe)
    images = [one[0][0, 0] for one in read_inputs(Path(material), "segmenter", "calibration")]
    made = build_segmenter(networks, replace(rules, slices_a_call=batch), images)
    name = f"segmenter_{batch}"
    spec = replace(made.spec, file=f"{name}.pte")
    for path, content in (
        (Path(folder) / spec.file, made.pte),
        (Path(folder) / f"{name}.json", json.dumps(asdict(spec)).encode()),
    ):
        draft = path.with_suffix(".tmp")
        draft.write_bytes(content)
        draft.replace(path)
