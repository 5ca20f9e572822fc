"""Experiment 3: VGG16 against Wavelet VGG16, with and without the weighted loss."""

from __future__ import annotations

from benchmarks.paper.classifiers import ClassifierArm, auc_sections
from benchmarks.paper.experiments import Bench
from benchmarks.paper.report import Section

TITLE = "Experiment 3: VGG16, Wavelet VGG16 and the weighted loss"
PAPER = {
    "vgg": {"hypodensity": 0.692, "irregular": 0.337, "blend": 0.524},
    "vgg-weighted": {"hypodensity": 0.699, "irregular": 0.471, "blend": 0.545},
    "wavelet": {"hypodensity": 0.650, "irregular": 0.608, "blend": 0.613},
    "wavelet-weighted": {"hypodensity": 0.702, "irregular": 0.684, "blend": 0.576},
}
WAVELET = ClassifierArm(arm="wavelet-weighted", title="weighted Wavelet VGG16")
ARMS = (
    ClassifierArm(arm="vgg", title="VGG16", merge="max", weighted=False),
    ClassifierArm(arm="vgg-weighted", title="weighted VGG16", merge="max"),
    ClassifierArm(arm="wavelet", title="Wavelet VGG16", weighted=False),
    WAVELET,
)
PAIRS = (
    ("vgg", "wavelet", "wavelet minus max pooling, unweighted"),
    ("vgg-weighted", "wavelet-weighted", "wavelet minus max pooling, weighted"),
    ("vgg", "vgg-weighted", "weighted minus unweighted, VGG16"),
    ("wavelet", "wavelet-weighted", "weighted minus unweighted, Wavelet VGG16"),
)


def sections(bench: Bench) -> list[Section]:
    """AUC per slice and per study."""
    scale = bench.scale
    note = (
        f"{scale.classify_steps} steps of {scale.classify_batch} crops of {scale.crop} × {scale.crop} pixels "
        f"of {scale.preprocessing.pixel_mm:.1f} mm round the true mask, split by patient, preprocessed. "
        "Wavelet: Haar, sub-bands merged by a 1 × 1 convolution (`project`). The frozen U-Net's features go "
        "into all four arms, as in the paper; the paper used no preprocessing."
    )
    return auc_sections(bench, ARMS, paper=PAPER, pairs=PAIRS, note=note)
