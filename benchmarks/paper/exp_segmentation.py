"""Experiment 1: split by slice or by patient, preprocessing off or on; Dice loss, IoU, F."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from benchmarks.harness.jobs import Finished
from benchmarks.paper.data import Material, Slices, gather, held_out
from benchmarks.paper.experiments import Bench
from benchmarks.paper.report import Row, Section
from benchmarks.paper.segmenters import (
    LEVELS,
    SegmenterArm,
    base_arm,
    counts,
    false_pixels,
    run_segmenter,
    scores,
)
from benchmarks.paper.stats import Estimate, difference, estimate
from hemx_core.training.scoring.predictions import Array

TITLE = "Experiment 1: segmentation, split and preprocessing"
PAPER = {
    "slice-window": {"dice_loss": 0.1367, "iou": 0.7809, "f": 0.8633},
    "patient-window": {"dice_loss": 0.1609, "iou": 0.7573, "f": 0.8390},
    "patient-prepared": {"dice_loss": 0.1464, "iou": 0.7660, "f": 0.8536},
}
ARMS = {
    "slice-window": "random split of slices",
    "patient-window": "split by patient",
    "patient-prepared": "split by patient, preprocessed",
    "slice-prepared": "random split of slices, preprocessed",
}
WORDS = {
    "image": "per image",
    "batch": "per batch of 8",
    "patient": "per patient",
    "pooled": "pooled",
}
PAPER_LEVEL = "batch"
"""The paper's F and IoU do not fit 2 IoU / (1 + IoU): means of some kind; per batch is what the
usual segmentation library prints."""


def sections(bench: Bench) -> list[Section]:
    """The cohort's section and, where there are real slices, theirs."""
    found = [_section(bench, bench.cohort)]
    if bench.real is not None:
        found.append(_section(bench, bench.real))
    return found


def slice_split(train: Slices, test: Slices, *, seed: int) -> tuple[Slices, Slices]:
    """The same slices dealt out anew without regard to patients, both parts as large as before."""
    both = train.join(test)
    order = np.random.default_rng((seed, len(both))).permutation(len(both))
    return both.choose(order[: len(train)]), both.choose(np.sort(order[len(train) :]))


def _section(bench: Bench, material: Material) -> Section:
    wanted = [a for a in ARMS if material.unprepared or not a.endswith("window")]
    runs = {arm: [_run(bench, material, arm, seed) for seed in bench.seeds] for arm in wanted}
    rows = [
        Row(
            arm=arm,
            title=ARMS[arm],
            cells={key: estimate(v) for key, v in _figures(bench, material, found).items()},
            paper=_paper(arm),
        )
        for arm, found in runs.items()
    ]
    sizes = runs[wanted[0]][0].values
    return Section(
        title=f"Dice loss, IoU and F: {material.title}",
        note=_note(material, sizes),
        columns=_columns(),
        rows=rows,
        differences=_differences(bench, material, runs),
        drawn=["dice_loss", "iou_batch", "f_batch", "f_image", "f_patient"],
    )


def _run(bench: Bench, material: Material, arm: str, seed: int) -> Finished:
    split_by, prepared = arm.split("-")
    if arm == "patient-prepared" and material is bench.cohort:
        return run_segmenter(bench, material, base_arm(bench), seed)

    @cache
    def both() -> tuple[Slices, Slices]:
        bare = prepared == "window" and material.unprepared
        source = bare() if bare else material.source
        train, test = gather(source.patients("train")), gather(held_out(source))
        return slice_split(train, test, seed=seed) if split_by == "slice" else (train, test)

    one = SegmenterArm(
        arm=f"unet-{arm}",
        train=lambda: both()[0],
        test=lambda: both()[1],
        settings={"split_by": split_by, "prepared": prepared == "prepared"},
    )
    return run_segmenter(bench, material, one, seed)


def _figures(bench: Bench, material: Material, found: Sequence[Finished]) -> dict[str, list[Array]]:
    pixel_ml = material.source.preprocessing.pixel_mm**2 * 5.0 / 1000
    table: dict[str, list[Array]] = {}
    for outcome in found:
        kept = counts(outcome)
        draws = bench.draws(int(kept.patient.max()) + 1)
        for level in LEVELS:
            measures = scores(kept, draws, level=level)
            table.setdefault(f"f_{level}", []).append(measures["f"])
            table.setdefault(f"iou_{level}", []).append(measures["iou"])
            if level == PAPER_LEVEL:
                table.setdefault("dice_loss", []).append(measures["soft_dice_loss"])
        table.setdefault("false_ml", []).append(false_pixels(kept, draws) * pixel_ml)
    return table


def _differences(bench: Bench, material: Material, runs: dict[str, list[Finished]]) -> list[Row]:
    def row(first: str, second: str, title: str) -> Row:
        before = _figures(bench, material, runs[first])
        after = _figures(bench, material, runs[second])
        cells = {key: difference(before[key], after[key]) for key in before}
        if first.split("-")[0] != second.split("-")[0]:  # other test slices: nothing to pair
            cells = {key: _seeds_only(cell) for key, cell in cells.items()}
        return Row(arm=f"{second}-{first}", title=title, cells=cells)

    found = []
    for prepared in ("window", "prepared"):
        if f"slice-{prepared}" in runs:
            words = "" if prepared == "window" else ", preprocessed"
            first, second = f"patient-{prepared}", f"slice-{prepared}"
            found.append(row(first, second, f"random minus patient split{words}"))
    if "patient-window" in runs:
        found.append(row("patient-window", "patient-prepared", "preprocessing on minus off"))
    return found


def _seeds_only(cell: Estimate) -> Estimate:
    return Estimate(cell.value, None, None, cell.seed_sd, cell.seeds)


def _columns() -> list[tuple[str, str]]:
    found = [("dice_loss", "Dice loss per batch of 8")]
    for level in LEVELS:
        found += [(f"iou_{level}", f"IoU {WORDS[level]}"), (f"f_{level}", f"F {WORDS[level]}")]
    return [*found, ("false_ml", "false mL on blood-free slices")]


def _paper(arm: str) -> dict[str, float]:
    known = PAPER.get(arm, {})
    keys = {"dice_loss": "dice_loss", "iou": f"iou_{PAPER_LEVEL}", "f": f"f_{PAPER_LEVEL}"}
    return {keys[name]: value for name, value in known.items()}


def _note(material: Material, sizes: dict[str, int]) -> str:
    bare = (
        ""
        if material.unprepared
        else (
            " This cohort exists in preprocessed form only, so the arms without preprocessing are missing."
        )
    )
    return (
        f"{sizes['train_slices']} training and {sizes['test_slices']} scored slices; probability cut at "
        "0.5, nothing tuned. Per image and per batch: slices with blood, as the paper's must have been; per "
        "patient and pooled: all slices. The random split scores other slices than the patient split, so "
        f"their difference has no paired interval. Slices count as 5 mm thick.{bare}"
    )
