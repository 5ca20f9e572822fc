"""Classifiers: a short training of each network, a program in each precision, what both answer."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.harness.jobs import Finished, Job, Outcome, Runner
from benchmarks.harness.networks import count_macs
from benchmarks.pareto.material import Inputs, Material
from benchmarks.pareto.plan import ClassifierPoint
from export.bundle import IMAGE_AXES
from export.folding.twins import fold_classifier
from export.lower import lower
from export.quantize import quantize
from export.recipes import Precision, Recipe
from hemx_core.files import write_whole
from hemx_core.manifest import ProgramSpec, TensorSpec
from hemx_core.nn.inference import resolve_precision
from hemx_core.nn.weights import classifier_config, load_classifier, save_weights
from hemx_core.runtime.desktop import DesktopBackend
from hemx_core.runtime.program import Program
from hemx_core.training.classifier import fit_classifier, predict
from hemx_core.training.config import settings_card
from hemx_core.training.marker_slices import HeldOutSlices

WEIGHTS, PROGRAM = "classifier.safetensors", "program.pte"
SHIPPED = "shipped-weights"


def train(runner: Runner, material: Material, point: ClassifierPoint, key: str) -> Finished:
    """Train a point's network and keep its logits of the test slices, or take what was done before.

    Args:
        runner: of the jobs.
        material: slices.
        point: whose network; its precision plays no part.
        key: changes whenever the frozen segmenter does.
    Returns:
        Arrays `logits`, `labels`, `patient`, `patient_labels`, `cluster`, see `Predictions`.
    Raises:
        TrainingError: the folder holds a run of the same name with other settings.
    """
    plan = material.plan
    config = plan.training(point, grid=material.grid)

    def work(folder: Path, resume: bool) -> Outcome:
        slices, test = material.training(config), material.test(config)
        start = time.perf_counter()
        network = fit_classifier(config, slices, run_dir=folder, resume=resume)
        seconds = time.perf_counter() - start
        card = {"licence": material.source.description.get("licence", ""), "benchmark": "pareto"}
        save_weights(folder / WEIGHTS, network, config=classifier_config(network), training=card)
        values = {
            "training_seconds": round(seconds, 1),
            "training_slices": len(slices),
            "training_precision": resolve_precision(config.precision),
            "training_threads": torch.get_num_threads(),
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
        }
        # What ships are weights in half precision: everything after this sees those.
        answers = predict(load_classifier(folder / WEIGHTS), test)
        return Outcome(values, {"logits": answers.logits, **_truth(test)})

    settings = {
        "training": settings_card(config),
        "data": dict(material.source.description),
        "segmenter": key,
        "seed": plan.seed,
    }
    return runner.run(Job(name=folder_name(material, point), settings=settings, work=work))


def export(runner: Runner, material: Material, point: ClassifierPoint, recipe: Recipe) -> Finished:
    """Write a trained point's program and keep its logits of the test slices, or take what was done.

    Returns:
        `PROGRAM` in the job's folder; array `logits`; values `sha256`, `bytes` and `macs`.
    Raises:
        DelegationError: an operator falls out of the delegate.
    """
    config = material.plan.training(point, grid=material.grid)
    trained = runner.root / folder_name(material, point)

    def work(folder: Path, _resume: bool) -> Outcome:
        network = load_classifier(trained / WEIGHTS)
        twin = fold_classifier(network)
        size, channels = config.crop_size, network.encoder_channels
        example = (torch.zeros(1, 1, size, size), torch.zeros(1, channels))
        graph: Any = twin
        if point.precision is Precision.INT8:
            graph = quantize(twin, material.calibration(config), recipe.classifier_float)
        spec = write_program(folder / PROGRAM, lower(graph, example).pte, example, twin)
        logits = answers_of(folder / PROGRAM, spec, material.test(config))
        values = {"sha256": spec.sha256, "bytes": spec.bytes, "macs": _macs(twin, example)}
        return Outcome(values, {"logits": logits})

    settings = {
        "weights": digest(trained / WEIGHTS),
        "precision": str(point.precision),
        "float_modules": list(recipe.classifier_float),
        "calibration": material.plan.calibration,
    }
    name = f"{folder_name(material, point)}/{point.precision}"
    return runner.run(Job(name=name, settings=settings, work=work))


def shipped_answers(
    runner: Runner, material: Material, point: ClassifierPoint, key: str
) -> Finished:
    """Logits of the shipped weights, float32, on the test slices: what a longer training reaches."""
    config = material.plan.training(point, grid=material.grid)

    def work(_folder: Path, _resume: bool) -> Outcome:
        test = material.test(config)
        answers = predict(material.networks.classifier, test)
        return Outcome({}, {"logits": answers.logits, **_truth(test)})

    settings = {"data": dict(material.source.description), "weights": key}
    return runner.run(Job(name=SHIPPED, settings=settings, work=work))


def folder_name(material: Material, point: ClassifierPoint) -> str:
    """Folder of a training below the runner's: other budgets lie beside it."""
    plan = material.plan
    return f"{point.network}-{plan.steps}x{plan.batch}-seed{plan.seed}"


def write_program(path: Path, pte: bytes, example: Inputs, twin: torch.nn.Module) -> ProgramSpec:
    """Write a classifier's program, whole or not at all; its specification."""
    write_whole(path, pte)
    with torch.inference_mode():
        logits, cam = twin(*example)

    def spec(name: str, tensor: torch.Tensor, axes: str) -> TensorSpec:
        return TensorSpec(name, tuple(tensor.shape), "float32", axes)

    crop, features = example
    return ProgramSpec(
        path.name,
        hashlib.sha256(pte).hexdigest(),
        len(pte),
        (spec("crop", crop, IMAGE_AXES), spec("features", features, "batch, channel")),
        (
            spec("logits", logits, "batch, marker"),
            spec("cam", cam, "batch, marker, row, column"),
        ),
    )


def answers_of(path: Path, spec: ProgramSpec, slices: HeldOutSlices) -> NDArray[np.float64]:
    """A program's logits of held-out slices, shape (slices, markers)."""
    program: Program = DesktopBackend(threads=torch.get_num_threads()).open(path, spec)
    try:
        rows = [
            program([crop[None, None], features[None]])[0][0]
            for crop, features in zip(slices.crop, slices.features, strict=True)
        ]
    finally:
        program.close()
    return np.stack(rows).astype(np.float64)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _macs(twin: torch.nn.Module, example: Sequence[torch.Tensor]) -> int:
    return sum(count_macs(twin, tuple(example)).values())


def _truth(slices: HeldOutSlices) -> dict[str, NDArray[Any]]:
    cluster = slices.cluster
    return {
        "labels": slices.labels,
        "patient": slices.patient,
        "patient_labels": slices.patient_labels,
        "cluster": np.arange(len(slices.patient_labels)) if cluster is None else cluster,
    }
