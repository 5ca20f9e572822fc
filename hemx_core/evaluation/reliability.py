"""Reliability plot: observed frequency against predicted probability, one panel for each marker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import OutputError
from hemx_core.evaluation.calibration import BINS, ece_equal_mass, reliability_points
from hemx_core.evaluation.predictions import Array, Labels


def reliability_plot(
    path: Path,
    curves: Mapping[str, tuple[Array, Labels]],
    *,
    bins: int = BINS,
    title: str = "Reliability",
) -> None:
    """Observed frequency against mean probability of equal-mass bins, with the counts below.

    Args:
        path: the PNG to write, whole or not at all; its folder is made.
        curves: name to probabilities and labels (1, 0 or -1); one panel each. Panels without known
            labels say "not estimable".
        bins: number of bins; fewer where there are fewer than 5 rows for each.
        title: above the panels.
    Raises:
        OutputError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise OutputError(
            "matplotlib is not installed",
            expected="the extra `bench`",
            remedy="pip install 'hemx[bench]'",
        ) from error
    figure = Figure(figsize=(3.1 * max(len(curves), 1), 4.3), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    axes = figure.subplots(2, max(len(curves), 1), squeeze=False, sharex=True, height_ratios=(4, 1))
    for column, (name, (probabilities, labels)) in enumerate(curves.items()):
        known = labels >= 0
        _panel(axes[:, column], name, probabilities[known], labels[known], bins)
    draft = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(draft, format="png", dpi=120)
        draft.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path.name} cannot be written: {error}", remedy="choose another folder"
        ) from error


def _panel(
    axes: NDArray[np.object_], name: str, probabilities: Array, labels: Labels, bins: int
) -> None:
    curve, histogram = axes
    curve.set(title=name, ylim=(-0.03, 1.03), xlim=(-0.03, 1.03), ylabel="observed frequency")
    histogram.set(xlabel="probability", ylabel="patients")
    curve.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
    if len(labels) == 0:
        curve.text(0.5, 0.5, "not estimable", ha="center")
        return
    bins = max(1, min(bins, len(labels) // 5))
    mean, observed, _ = reliability_points(probabilities, labels, bins=bins)
    curve.plot(mean, observed, marker="o", color="#1f5fa8", linewidth=1.2)
    ece = ece_equal_mass(probabilities, labels, bins=bins)
    curve.text(
        0.97, 0.02, f"ECE {ece:.3f}\n{bins} equal-mass bins", fontsize=8, ha="right", va="bottom"
    )
    histogram.hist(
        [probabilities[labels == 0], probabilities[labels == 1]],
        bins=np.linspace(0, 1, 11),
        stacked=True,
        color=["0.75", "#1f5fa8"],
        label=["absent", "present"],
    )
    histogram.legend(fontsize=6, loc="upper center")
