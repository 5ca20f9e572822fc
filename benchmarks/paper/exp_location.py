"""Experiment 2: the U-Net trained on all data, then fine-tuned on one location of the haematoma."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.harness.jobs import Finished
from benchmarks.paper.data import Slices
from benchmarks.paper.experiments import Bench
from benchmarks.paper.report import Row, Section
from benchmarks.paper.segmenters import (
    WEIGHTS,
    SegmenterArm,
    base_arm,
    counts,
    locations,
    run_segmenter,
    scores,
)
from benchmarks.paper.stats import difference, estimate
from hemx_core.training.scoring.predictions import Array

TITLE = "Experiment 2: fine-tuning on the haematoma's location"
PAPER = {
    "all": {"putamen": 0.9094, "thalamus": 0.8524, "subcortical": 0.8726},
    "tuned": {"putamen": 0.8904, "thalamus": 0.8364, "subcortical": 0.8607},
}
LEAST_PATIENTS = 3
"""Fewer held-out patients of a location say nothing."""
EVERYWHERE = "all"
"""The control: what the additional steps alone are worth."""
Figures = Mapping[str, Sequence[Array]]
"""F by location, an array of draws for each seed."""


def sections(bench: Bench) -> list[Section]:
    """One section: F per image on the slices of each location."""
    places = locations(bench.cohort_held_out, LEAST_PATIENTS)
    base = [run_segmenter(bench, bench.cohort, base_arm(bench), seed) for seed in bench.seeds]
    before = {place: [_f(bench, outcome, place) for outcome in base] for place in places}
    control = [
        _tune(bench, EVERYWHERE, outcome, seed)
        for seed, outcome in zip(bench.seeds, base, strict=True)
    ]
    longer = {place: [_f(bench, outcome, place) for outcome in control] for place in places}
    after: dict[str, list[Array]] = {}
    for place in places:
        tuned = [
            _tune(bench, place, outcome, seed)
            for seed, outcome in zip(bench.seeds, base, strict=True)
        ]
        after[place] = [_f(bench, outcome, place) for outcome in tuned]
    arms = (
        ("all", "all training patients", before),
        ("longer", "as many steps more on all", longer),
        ("tuned", "fine-tuned on that location", after),
    )
    paper = {place: PAPER["tuned"][place] - value for place, value in PAPER["all"].items()}
    return [
        Section(
            title=f"F per image by location: {bench.cohort.title}",
            note=_note(bench, places),
            columns=[(place, place) for place in places],
            rows=[
                Row(
                    arm=arm,
                    title=title,
                    cells={place: estimate(found[place]) for place in places},
                    paper=PAPER.get(arm, {}),
                )
                for arm, title, found in arms
            ],
            differences=[
                _gain("fine-tuned minus all", before, after, paper),
                _gain("fine-tuned minus as many steps more on all", longer, after, {}),
            ],
        )
    ]


def _gain(title: str, first: Figures, second: Figures, paper: Mapping[str, float]) -> Row:
    cells = {place: difference(first[place], second[place]) for place in first}
    return Row(arm=title.replace(" ", "-"), title=title, cells=cells, paper=paper)


def _tune(bench: Bench, place: str, base: Finished, seed: int) -> Finished:
    """Go on from a trained U-Net, on one location or everywhere."""

    def here(slices: Slices) -> Slices:
        return slices if place == EVERYWHERE else slices.choose(slices.location == place)

    arm = SegmenterArm(
        arm=f"unet-tuned-{place}",
        train=lambda: here(bench.cohort_train),
        test=lambda: here(bench.cohort_held_out),
        initial=base.folder / WEIGHTS,
        settings={"split_by": "patient", "location": place},
    )
    return run_segmenter(bench, bench.cohort, arm, seed)


def _f(bench: Bench, found: Finished, place: str) -> Array:
    everyone = int(bench.cohort_held_out.patient.max()) + 1
    here = counts(found).choose(found.arrays["location"] == place)
    return scores(here, bench.draws(everyone), level="image")["f"]


def _note(bench: Bench, places: Sequence[str]) -> str:
    held_out = bench.cohort_held_out
    numbers = ", ".join(
        f"{place} {len(np.unique(held_out.patient[held_out.location == place]))}"
        for place in places
    )
    scale = bench.scale
    return (
        f"{scale.segment_steps} steps on all locations, then {scale.tune_steps} steps at a peak rate of "
        f"{scale.tune_lr:g} on one, or on all as a control that the paper lacks; "
        "scored on held-out slices with blood of that location (patients: "
        f"{numbers}). The paper does not name its figure; it fits an F-score."
    )
