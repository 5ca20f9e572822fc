"""Which modules an int8 recipe leaves in float32, chosen by measured losses and not by hand.

    measure      every operator of the int8 graph beside float32            benchmarks.graphs.layer_error
    try          the modules that lose most on their own, in float32
    keep         them, where an output of the network gains enough by it; else none

The choice is a recipe's `segmenter_float` and `classifier_float`; its rule stands in the recipe too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from benchmarks.graphs.layer_error import (
    Inputs,
    LayerError,
    NetworkError,
    choose_float,
    layer_errors,
    program_db,
)
from export.calibration import network_inputs, ordinary_slices
from export.folding.twins import fold_classifier, fold_unet
from export.networks import Networks, check_recipe
from export.quantize import quantize
from export.recipes import Precision, Recipe
from hemx_core.bundle.load import Models
from hemx_core.errors import ExportError

OUTPUTS = {"segmenter": ("probabilities", "features"), "classifier": ("logits", "cam")}
MAX_PARAMETERS_SHARE = 0.05
"""Of a network's parameters that may go back to float32: each costs three bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was measured of a network, and what follows.

    Args:
        outputs: names of the network's outputs.
        int8: errors with the modules in float32 that the twin itself names, and no others.
        tried: modules that lose most.
        mixed: errors with these in float32 as well; None where there were none to try.
        chosen: `tried`, or none where the outputs gain too little.
    """

    outputs: tuple[str, ...]
    int8: NetworkError
    tried: tuple[str, ...]
    mixed: NetworkError | None
    chosen: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values: outputs' SQNR both ways, the choice, and a row for each operator."""
        return {
            "outputs_db": _named(self.outputs, self.int8),
            "tried": list(self.tried),
            "outputs_db_mixed": _named(self.outputs, self.mixed) if self.mixed else None,
            "chosen": list(self.chosen),
            "layers": [row.to_json() for row in self.int8.layers],
        }


def choose_modules(
    twin: nn.Module,
    outputs: tuple[str, ...],
    calibration: Sequence[Inputs],
    samples: Sequence[Inputs],
    recipe: Recipe,
) -> Choice:
    """Measure a twin in int8 and choose what stays in float32.

    Args:
        twin: the inference twin, in evaluation mode.
        outputs: names of its outputs.
        calibration: sets the int8 ranges.
        samples: the losses are measured on these.
        recipe: the rule.
    """
    int8 = layer_errors(twin, quantize(twin, calibration), samples)
    most = round(MAX_PARAMETERS_SHARE * sum(parameter.numel() for parameter in twin.parameters()))
    tried = choose_float(int8.layers, floor_db=recipe.float_floor_db, max_parameters=most)
    if not tried:
        return Choice(outputs=outputs, int8=int8, tried=(), mixed=None, chosen=())
    mixed = layer_errors(twin, quantize(twin, calibration, tried), samples)
    gains = [
        after - before for before, after in zip(int8.outputs_db, mixed.outputs_db, strict=True)
    ]
    # One output's gain may not be another's loss.
    worth = max(gains) >= recipe.float_gain_db and min(gains) > -recipe.float_gain_db
    return Choice(
        outputs=outputs, int8=int8, tried=tried, mixed=mixed, chosen=tried if worth else ()
    )


def choose_networks(
    networks: Networks,
    recipe: Recipe,
    *,
    calibration: Sequence[NDArray[np.float32]],
    slices: Sequence[NDArray[np.float32]],
) -> dict[str, Choice]:
    """Choose for both networks of a recipe.

    Args:
        networks: the trained networks.
        recipe: an int8 recipe.
        calibration: prepared slices as for the export.
        slices: prepared slices of other patients to measure on.
    Returns:
        `segmenter` and `classifier`, as far as the recipe has them in int8.
    Raises:
        ExportError: the recipe has nothing in int8, or does not fit the networks.
    """
    check_recipe(networks, recipe)
    if Precision.INT8 not in (recipe.segmenter, recipe.classifier):
        raise ExportError(
            f"recipe {recipe.name} has nothing in int8",
            expected="a recipe with an int8 network",
            remedy="choose another with --recipe",
        )
    usual = network_inputs(networks, ordinary_slices(networks.segmenter, calibration))
    held_out = network_inputs(networks, slices)
    twins = {
        "segmenter": (recipe.segmenter, fold_unet(networks.segmenter)),
        "classifier": (recipe.classifier, fold_classifier(networks.classifier)),
    }
    return {
        name: choose_modules(twin, OUTPUTS[name], usual[name], held_out[name], recipe)
        for name, (precision, twin) in twins.items()
        if precision is Precision.INT8
    }


def programs_db(
    networks: Networks,
    models: Models,
    recipe: Recipe,
    *,
    calibration: Sequence[NDArray[np.float32]],
    slices: Sequence[NDArray[np.float32]],
) -> dict[str, dict[str, float]]:
    """A bundle's int8 programs beside their graphs: SQNR of every output, dB, by network.

    Args:
        networks: the trained networks.
        models: the bundle's programs.
        recipe: the bundle's: precisions, and what stays in float32.
        calibration: prepared slices as for the export.
        slices: prepared slices of other patients to measure on.
    """
    usual = network_inputs(networks, ordinary_slices(networks.segmenter, calibration))
    held_out = network_inputs(networks, slices)
    found = {}
    for name, precision, kept, program in (
        ("segmenter", recipe.segmenter, recipe.segmenter_float, models.segmenter),
        ("classifier", recipe.classifier, recipe.classifier_float, models.classifier),
    ):
        if precision is Precision.INT8:
            twin = (
                fold_unet(networks.segmenter)
                if name == "segmenter"
                else fold_classifier(networks.classifier)
            )
            graph = quantize(twin, usual[name], kept)
            outputs = zip(OUTPUTS[name], program_db(graph, program, held_out[name]), strict=True)
            found[name] = {output: round(db, 2) for output, db in outputs}
    return found


def layer_table(choice: Choice, count: int = 15) -> list[str]:
    """The operators that lose most on their own, as lines of a Markdown table, worst first."""
    rows = sorted(
        (row for row in choice.int8.layers if row.quantized), key=lambda row: row.own_sqnr_db
    )
    head = [
        "| module | operator | own SQNR, dB | SQNR so far, dB | MSE | parameters |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    return head + [_line(row) for row in rows[:count]]


def _line(row: LayerError) -> str:
    cells = (
        row.module or "(network)",
        row.operator,
        f"{row.own_sqnr_db:.1f}",
        f"{row.sqnr_db:.1f}",
        f"{row.mse:.3g}",
        str(row.parameters),
    )
    return f"| {' | '.join(cells)} |"


def _named(names: tuple[str, ...], error: NetworkError) -> dict[str, float]:
    return {name: round(db, 2) for name, db in zip(names, error.outputs_db, strict=True)}
