"""Everything that is known of a bundle, measured: the record behind `hemx validate`.

    files, programs    sizes, delegate coverage and memory plan          read from the files
    memory             load time and peak in a fresh process             measured
    parity             masks and probabilities, exported and trained     slice by slice
    masks, markers     Dice, volume and AUC against the reference        per patient
    layers             every int8 operator beside float32                quantized graph and float twin
    runtime            written programs beside the quantized graph       what XNNPACK itself changes

ExecuTorch's Inspector gives a numeric gap for values that leave a delegate only; here one delegate holds the
whole graph, so it would show the outputs and nothing between. Hence `layers` compares in the quantized graph,
operator by operator, and `runtime` says how far the runtime is from that graph: together, the whole way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from export.fold import fold_classifier, fold_unet
from export.gates import Gate, accuracy_gates, parity_gates, program_gates
from export.inputs import Inputs, network_inputs
from export.layer_error import decibel, layer_errors
from export.measure import Layout, measure
from export.networks import Networks
from export.outliers import ordinary_slices
from export.program_facts import MethodFacts, read_program
from export.quantize import quantize
from export.recipes import Precision, Recipe
from export.verify import Parity
from hemx_core.manifest import MANIFEST_NAME, ModelManifest
from hemx_core.runtime.bundle import Models
from hemx_core.runtime.signature import SIGNATURE_NAME

METHOD = "forward"
Images = Sequence[NDArray[np.float32]]


def bundle_files(folder: Path, manifest: ModelManifest) -> dict[str, int]:
    """Bytes of every file of a bundle."""
    names = [*(one.file for one in manifest.files), MANIFEST_NAME, SIGNATURE_NAME]
    return {name: (folder / name).stat().st_size for name in names if (folder / name).is_file()}


def bundle_programs(folder: Path, manifest: ModelManifest) -> dict[str, MethodFacts]:
    """Coverage and memory plan of both programs, read from the files."""
    specs = {"segmenter": manifest.segmenter, "classifier": manifest.classifier}
    return {name: read_program((folder / s.file).read_bytes())[0] for name, s in specs.items()}


def bundle_memory(folder: Path, manifest: ModelManifest, *, rounds: int = 3) -> dict[str, Any]:
    """Load time, latency and peak memory of both programs in fresh processes, one thread."""
    files = tuple(folder / one.file for one in (manifest.segmenter, manifest.classifier))
    layout = Layout(files=files, calls=((0, METHOD), (1, METHOD)))
    (cost,) = measure({"bundle": layout}, runs=5, rounds=rounds).values()
    return cost.to_json()


def bundle_layers(
    networks: Networks,
    models: Models,
    recipe: Recipe,
    *,
    calibration: Images,
    slices: Images,
    tell: Callable[[str], None] = lambda message: None,
) -> dict[str, Any]:
    """Every int8 operator of both networks beside float32, and the runtime beside the int8 graph.

    Args:
        networks: the trained networks.
        models: the bundle's programs.
        recipe: precisions, and what stays in float32.
        calibration: as the export had them; with others the `runtime` figures are low, which shows
            that the bundle was made of other ranges.
        slices: held-out prepared slices.
        tell: told what is being done.
    Returns:
        By network, as far as it is int8: `outputs_db` (int8 graph against float twin), `runtime_db`
        (program against int8 graph) and the `layers`.
    """
    usual = network_inputs(networks, ordinary_slices(networks.segmenter, calibration))
    held_out = network_inputs(networks, slices)
    parts = {
        "segmenter": (recipe.segmenter, recipe.segmenter_float, models.segmenter),
        "classifier": (recipe.classifier, recipe.classifier_float, models.classifier),
    }
    found = {}
    for name, (precision, float_modules, program) in parts.items():
        if precision is not Precision.INT8:
            continue
        tell(f"measuring the {name}'s layers")
        twin = (
            fold_unet(networks.segmenter)
            if name == "segmenter"
            else fold_classifier(networks.classifier)
        )
        graph = quantize(twin, usual[name], float_modules)
        errors = layer_errors(twin, graph, held_out[name])
        outputs = [spec.name for spec in program.spec.outputs]
        found[name] = {
            "outputs_db": dict(zip(outputs, _rounded(errors.outputs_db), strict=True)),
            "runtime_db": dict(zip(outputs, _runtime(graph, program, held_out[name]), strict=True)),
            "layers": [row.to_json() for row in errors.layers],
        }
    return found


def validation_record(
    folder: Path,
    models: Models,
    recipe: Recipe,
    *,
    parity: Parity,
    masks: dict[str, Any] | None,
    markers: dict[str, Any] | None,
    layers: dict[str, Any] | None,
) -> tuple[dict[str, Any], list[Gate]]:
    """Put everything together and hold it against the recipe.

    Args:
        folder: the bundle.
        models: its programs.
        recipe: its gates.
        parity: from `measure_parity`.
        masks: from `validate_masks`, if there were reference masks.
        markers: from `validate_markers`, if there were labelled studies.
        layers: from `bundle_layers`, if asked for.
    Returns:
        JSON values, and the gates.
    """
    manifest = models.manifest
    files, programs = bundle_files(folder, manifest), bundle_programs(folder, manifest)
    gates = [
        *program_gates(programs, sum(files.values()), recipe),
        *parity_gates(parity, recipe),
        *accuracy_gates(masks, markers, recipe),
    ]
    record = {
        "recipe": recipe.name,
        "segmenter_sha256": manifest.segmenter.sha256,
        "classifier_sha256": manifest.classifier.sha256,
        "passed": all(gate.passed for gate in gates),
        "gates": [gate.to_json() for gate in gates],
        "files": files,
        "programs": {name: facts.to_json() for name, facts in programs.items()},
        "memory": bundle_memory(folder, manifest),
        "parity": parity.to_json(),
        "masks": masks,
        **(markers or {"patients": 0, "markers": {}}),
        "layers": layers,
    }
    return record, gates


@torch.no_grad()
def _runtime(graph: nn.Module, program: Any, inputs: Sequence[Inputs]) -> list[float]:
    signal, noise = np.zeros(len(program.spec.outputs)), np.zeros(len(program.spec.outputs))
    for given in inputs:
        # A program that takes several slices a call gets one several times.
        several = [
            np.repeat(one.numpy(), spec.shape[0], axis=0)
            for one, spec in zip(given, program.spec.inputs, strict=True)
        ]
        written = program(several)
        for place, (every, other) in enumerate(zip(written, graph(*given), strict=True)):
            one, expected = every[:1], other.double().numpy()
            signal[place] += np.square(expected).sum()
            noise[place] += np.square(one - expected).sum()
    return _rounded([decibel(s, n) for s, n in zip(signal, noise, strict=True)])


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(float(one), 2) for one in values]
