"""Experiment 5: augmentation by a conditional SNGAN, and its discriminator as a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.harness.jobs import Finished
from benchmarks.paper.classifiers import (
    DELONG,
    ClassifierArm,
    Runs,
    cells,
    gain,
    label_counts,
    run_arm,
    training_config,
)
from benchmarks.paper.experiments import Bench
from benchmarks.paper.report import Row, Section
from benchmarks.paper.stage2 import crops_alone, discriminator_logits, run_gan
from benchmarks.paper.stats import Estimate
from hemx_core.markers import MARKER_CODES

TITLE = "Experiment 5: conditional SNGAN, hypodensity"
PAPER = {"plain": 0.702, "augmented": 0.721}
TARGET = MARKER_CODES[:1]
SHARE = 0.5
PLAIN = ClassifierArm(
    arm="plain",
    title="weighted Wavelet VGG16",
    crops_only=True,
    encoder_features=False,
)
AUGMENTED = replace(PLAIN, arm="augmented", title="with SNGAN crops, classes even", synthetic=SHARE)
ALIKE = replace(AUGMENTED, arm="alike", title="with SNGAN crops, both classes alike", alike=True)
TITLES = {
    "plain": PLAIN.title,
    "augmented": AUGMENTED.title,
    "alike": ALIKE.title,
    "discriminator": "discriminator, D(x, 1) − D(x, 0)",
}
PAIRS = (
    ("plain", "augmented", "augmentation, classes even, minus none"),
    ("plain", "alike", "augmentation, both alike, minus none"),
    ("plain", "discriminator", "discriminator minus classifier"),
)
LEVELS = ("slice", "patient")


def sections(bench: Bench) -> list[Section]:
    """AUC of hypodensity, per slice and per study."""
    runs: dict[str, Sequence[Finished]] = {
        arm.arm: [run_arm(bench, arm, seed) for seed in bench.seeds]
        for arm in (PLAIN, AUGMENTED, ALIKE)
    }
    runs["discriminator"] = [
        _as_predictions(bench, outcome, seed)
        for seed, outcome in zip(bench.seeds, runs["plain"], strict=True)
    ]
    rows = [
        Row(
            arm=arm,
            title=title,
            cells=_both_levels(bench, runs, arm),
            paper={"slice": PAPER[arm]} if arm in PAPER else {},
        )
        for arm, title in TITLES.items()
    ]
    return [
        Section(
            title=f"AUC of hypodensity: {bench.cohort.title}",
            note=_note(bench, runs),
            columns=[("slice", "per slice"), ("patient", "per study")],
            rows=rows,
            differences=[_gains(bench, runs, pair) for pair in PAIRS],
        )
    ]


def _as_predictions(bench: Bench, classified: Finished, seed: int) -> Finished:
    """The discriminator's class scores of the crops that the classifier of a job was scored on."""
    run_gan(bench, seed)
    _, scored = crops_alone(bench, training_config(bench, PLAIN, seed))
    logits = discriminator_logits(bench, scored.rows["true"].crop, seed=seed)
    return replace(classified, arrays={**classified.arrays, "true_logits": logits})


def _both_levels(bench: Bench, runs: Runs, arm: str) -> dict[str, Estimate]:
    return {level: cells(bench, runs[arm], level, targets=TARGET)[TARGET[0]] for level in LEVELS}


def _gains(bench: Bench, runs: Runs, pair: tuple[str, str, str]) -> Row:
    both = {level: gain(bench, runs, pair, level, targets=TARGET) for level in LEVELS}
    return replace(
        both["slice"], cells={level: row.cells[TARGET[0]] for level, row in both.items()}
    )


def _note(bench: Bench, runs: Runs) -> str:
    scale = bench.scale
    return (
        f"Crops of {scale.gan_crop} × {scale.gan_crop} pixels of {scale.preprocessing.pixel_mm:.1f} mm round "
        f"the true mask, {scale.classify_steps} steps of {scale.classify_batch}, without encoder features "
        "(a generated crop has no slice to take them from), so this classifier is weaker than experiment "
        "3's. The SNGAN trains on the training patients' crops, hypodensity or not: "
        f"{scale.gan_steps} generator steps of {scale.gan_batch} crops, width {scale.gan_width}, "
        f"{scale.gan_critic} discriminator steps to one. Its crops, {SHARE:g} times as many as the real "
        f"ones, even out the classes (then nearly all are hypodense) or come from both "
        f"alike. {label_counts(runs['plain'][0], TARGET)} {DELONG}"
    )
