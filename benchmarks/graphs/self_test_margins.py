"""How far rounding moves the self-test's measures, and how far a fault does: its tolerances stand between.

python -m benchmarks self-test-margins

Rounding: noise of up to one input step (1/255) on every pixel that is not black, many times; another
processor rounds differently in some places, never in all. Faults, put in front of the real programs: a
wrong scale, a wrong stride, columns in the wrong order, a picture upside down.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from export.reference import reference_images
from hemx_core import provenance
from hemx_core.bundle.load import Models, load_models
from hemx_core.bundle.self_test import (
    LEVELS,
    REFERENCE_NAME,
    SelfTestReport,
    Tolerances,
    record_references,
    run_self_test,
)
from hemx_core.manifest import FileSpec, ProgramSpec, file_sha256

Array = Any
FAULTS: dict[str, Callable[[Array], Array]] = {
    "scale 0.8": lambda image: image * np.float32(0.8),
    "8 columns too far": lambda image: np.roll(image, 8, axis=-1),
    "columns of each four reversed": lambda image: image.reshape(*image.shape[:-1], -1, 4)[
        ..., ::-1
    ].reshape(image.shape),
    "upside down": lambda image: image[..., ::-1, :],
}


@dataclass
class Changed:
    """A program whose first input is changed on its way."""

    program: Any
    change: Callable[[Array], Array]

    @property
    def spec(self) -> ProgramSpec:
        """The program's own."""
        return self.program.spec

    def __call__(self, inputs: list[Array]) -> tuple[Array, ...]:
        """Run with the change."""
        return self.program([np.array(self.change(inputs[0]), np.float32, order="C"), *inputs[1:]])

    def close(self) -> None:
        """Leave it open: others use it too."""


def changed(models: Models, change: Callable[[Array], Array]) -> Models:
    """Models that see changed pictures."""
    return replace(
        models,
        segmenter=Changed(models.segmenter, change),
        classifier=Changed(models.classifier, change),
    )


def noise(rng: np.random.Generator, steps: float) -> Callable[[Array], Array]:
    """Uniform noise of up to so many input steps; black stays black."""

    def change(image: Array) -> Array:
        moved = image + rng.uniform(-steps, steps, image.shape) / LEVELS * (image > 0)
        return np.clip(moved, 0, 1)

    return change


def differences(report: SelfTestReport) -> dict[str, float]:
    """Every measure's difference."""
    return {
        measure_.name: measure_.difference
        for method in report.methods
        for measure_ in method.measures
    }


def largest(reports: list[SelfTestReport]) -> dict[str, float]:
    """The largest difference of each measure."""
    rows = [differences(report) for report in reports]
    return {name: round(max(row[name] for row in rows), 6) for name in rows[0]}


def with_references(models: Models, folder: Path) -> Models:
    """The models with references of this machine, where their bundle has none."""
    content = record_references(models, reference_images(models.manifest.preprocessing)).to_bytes()
    (folder / REFERENCE_NAME).write_bytes(content)
    spec = FileSpec(REFERENCE_NAME, file_sha256(folder / REFERENCE_NAME), len(content))
    return replace(models, folder=folder, manifest=replace(models.manifest, reference=spec))


def measure(models: Models, *, repeats: int, seed: int) -> dict[str, Any]:
    """Run the self-test on the models as they are, under rounding, and with faults."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        own = with_references(models, Path(name))
        runs = {
            f"noise, {steps:g} steps": [
                run_self_test(changed(own, noise(rng, steps))) for _ in range(repeats)
            ]
            for steps in (0.25, 0.5, 1.0)
        }
        runs |= {name: [run_self_test(changed(own, fault))] for name, fault in FAULTS.items()}
        same = run_self_test(own)
    return {
        "tolerances": {name: getattr(Tolerances(), name) for name in differences(same)},
        "same": differences(same),
        "largest": {name: largest(reports) for name, reports in runs.items()},
        "refused": {
            name: f"{sum(not report.passed for report in reports)} of {len(reports)}"
            for name, reports in runs.items()
        },
    }


def main(
    bundle: Annotated[Path | None, typer.Argument(help="Bundle; the app's by default.")] = None,
    repeats: Annotated[int, typer.Option(help="Draws of each noise.")] = 10,
    seed: Annotated[int, typer.Option(help="Draws noise and bits.")] = 5,
    out: Annotated[Path, typer.Option(help="Result file.")] = Path(
        "benchmarks/results/self_test_margins.json"
    ),
) -> None:
    """Measure the margins and write the result file."""
    with load_models(bundle) as models:
        found = measure(models, repeats=repeats, seed=seed)
        report = {
            "provenance": provenance.provenance(seed=seed),
            "recipe": models.manifest.recipe,
            "segmenter_sha256": models.manifest.segmenter.sha256,
            "classifier_sha256": models.manifest.classifier.sha256,
            "repeats": repeats,
            **found,
        }
    provenance.write_json(out, report)
    for name, row in found["largest"].items():
        typer.echo(f"{name:32}{row}  refused {found['refused'][name]}")
