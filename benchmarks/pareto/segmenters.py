"""Segmenters: a program of the shipped weights at each size and precision, and the Dice of its masks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.harness.jobs import Finished, Job, Outcome, Runner
from benchmarks.harness.networks import count_macs
from benchmarks.pareto.classifiers import PROGRAM
from benchmarks.pareto.material import (
    Scan,
    at_size,
    calibration_slices,
    real_slices,
    validation_scans,
)
from benchmarks.pareto.plan import Plan, SegmenterPoint
from export.bundle import build_segmenter
from export.calibration import ordinary_slices
from export.folding.twins import fold_unet
from export.networks import Decision, Networks
from export.recipes import Precision, Recipe
from hemx_core.files import write_whole
from hemx_core.measure.clean import clean_mask
from hemx_core.runtime.desktop import DesktopBackend
from hemx_core.runtime.program import Program
from hemx_core.training.scoring.masks import score_masks
from hemx_core.training.scoring.segmenters import native_probabilities


def export(
    runner: Runner,
    networks: Networks,
    plan: Plan,
    point: SegmenterPoint,
    recipe: Recipe,
    *,
    key: str,
    tiny: bool,
) -> Finished:
    """Write a point's program and score its masks, or take what was done before.

    Args:
        runner: of the jobs.
        networks: the shipped ones.
        plan: says how many slices calibrate.
        point: size and precision.
        recipe: says what stays in float32.
        key: changes whenever the weights do.
        tiny: small phantoms only.
    Returns:
        `PROGRAM` in the job's folder; array `dice`, one a study; values `sha256`, `bytes`, `macs`
        and `source`, what was scored on.
    Raises:
        DelegationError: an operator falls out of the delegate.
    """

    def work(folder: Path, _resume: bool) -> Outcome:
        own = at_size(networks, point.size)
        spec = own.decision.preprocessing
        images: list[NDArray[np.float32]] = []
        if point.precision is Precision.INT8:
            every = calibration_slices(spec, plan, tiny=tiny)
            images = ordinary_slices(own.segmenter, every)
        made = build_segmenter(
            own, replace(recipe, segmenter=point.precision, slices_a_call=1), images
        )
        write_whole(folder / PROGRAM, made.pte)
        source, scans = validation_scans(tiny=tiny)
        backend = DesktopBackend(threads=torch.get_num_threads())
        program: Program = backend.open(folder / PROGRAM, made.spec)
        try:
            dice = np.array([dice_of(program, scan, own.decision) for scan in scans])
        finally:
            program.close()
        example = torch.zeros(1, 1, spec.size, spec.size)
        macs = sum(count_macs(fold_unet(own.segmenter), (example,)).values())
        values = {"sha256": made.spec.sha256, "bytes": made.spec.bytes, "macs": macs}
        return Outcome(values | {"source": source}, {"dice": dice})

    settings = {
        "weights": key,
        "float_modules": list(recipe.segmenter_float),
        "calibration": plan.calibration,
        "real": real_slices(tiny=tiny),
    }
    name = f"segmenter-{point.size}/{point.precision}"
    return runner.run(Job(name=name, settings=settings, work=work))


def dice_of(program: Program, scan: Scan, decision: Decision) -> float:
    """Dice of a study's native mask, found and cleaned as triage does it."""
    found = native_probabilities(
        lambda image: program([image[None, None]])[0][0, 0], scan.volume, decision.preprocessing
    )
    kept = clean_mask(
        found >= decision.mask_threshold, scan.volume, min_component_ml=decision.min_component_ml
    )
    spacing = scan.volume.geometry.spacing_mm
    return score_masks(kept.mask, scan.truth, scan.known, spacing_mm=spacing, surface=False).dice
