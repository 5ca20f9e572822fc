"""Experiment 4: the whole slice against the slice masked to the haematoma."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.paper.classifiers import ClassifierArm, auc_sections
from benchmarks.paper.exp_merging import WAVELET
from benchmarks.paper.experiments import Bench
from benchmarks.paper.report import Section

TITLE = "Experiment 4: whole slice or haematoma only"
PAPER = {
    "whole": {"hypodensity": 0.655, "irregular": 0.790, "blend": 0.559},
    "masked-true": {"hypodensity": 0.676, "irregular": 0.732, "blend": 0.559},
}
WHOLE = ClassifierArm(arm="whole", title="whole slice", view="slice")
ARMS = (
    WHOLE,
    replace(WHOLE, arm="masked-true", title="masked: true, then predicted", masking="true"),
    replace(
        WHOLE,
        arm="masked-folds",
        title="masked: out-of-fold, then predicted",
        masking="out_of_fold",
    ),
    replace(WAVELET, title="crop, no mask"),
)
PAIRS = (
    ("whole", "masked-true", "masked (true in training) minus whole"),
    ("whole", "masked-folds", "masked (out-of-fold in training) minus whole"),
    ("masked-true", "masked-folds", "out-of-fold minus true masks in training"),
    ("whole", "wavelet-weighted", "crop minus whole slice"),
)


def sections(bench: Bench) -> list[Section]:
    """AUC per slice and per study."""
    scale = bench.scale
    note = (
        "Weighted Wavelet VGG16, scored on the slices on which the U-Net finds blood; masked test slices "
        "are masked with what it finds. The whole slice is shrunk to "
        f"{scale.whole} × {scale.whole} pixels in three arms ({scale.classify_steps} steps of "
        f"{scale.whole_batch}); the crop is experiment 3's. Out-of-fold: {scale.folds} U-Nets, trained "
        "like the one that masks the test, each masks the training patients that it did not see. The "
        "paper used 4 sites here and 12 in experiment 3, so the two do not compare."
    )
    return auc_sections(bench, ARMS, paper=PAPER, pairs=PAIRS, note=note, kind="predicted")
