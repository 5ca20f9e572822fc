"""Rule-based signs of haematoma expansion on raw HU: an explainable second opinion beside the network.

Each rule measures one quantity on every slice that shows the clot well, takes the slice that speaks most
for the sign, and compares with a threshold. Within the rule's margin of the threshold the answer is
"undecided". Thresholds in HU, mm and counts are the published definitions; those marked "phantoms" were
chosen on phantoms (seed A of `benchmarks.signs`) and are reported on others (seed D).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import HUVolume, VolumeGeometry
from hemx_core.measure.holes import SMOOTHING_MM, Hole, find_holes
from hemx_core.measure.parts import Densities, blend_difference, fluid_line
from hemx_core.measure.patch import ClotPatch, clot_patches
from hemx_core.measure.shape import count_islands, count_satellites, solidity
from hemx_core.result import SignResult

MIN_SWIRL_HU = 10.0
MIN_OUTLINE_MM2 = 150.0
"""Outlines of smaller cross-sections are those of caps, which partial volume frays even in round clots."""

CV_RIM_MM = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRule:
    """One rule.

    Args:
        code: stable code; those of `hemx_core.markers` where the sign is one of the markers.
        name_en: name.
        quantity: what is measured.
        unit: of the quantity, empty for a ratio.
        threshold: the sign is present from here up, or down where `at_least` is False.
        margin: within it of the threshold the answer is "undecided".
        at_least: whether larger values speak for the sign.
        source: where definition and threshold come from.
    """

    code: str
    name_en: str
    quantity: str
    unit: str
    threshold: float
    margin: float
    source: str
    at_least: bool = True

    def judge(self, value: float | None, slice_index: int | None) -> SignResult:
        """The result for a measured value; undecided where there is none."""
        present = None
        if value is not None and abs(value - self.threshold) >= self.margin:
            present = (value > self.threshold) is self.at_least
            present = present or value == self.threshold
        return SignResult(
            code=self.code,
            present=present,
            value=value,
            unit=self.unit,
            threshold=self.threshold,
            at_least=self.at_least,
            slice_index=slice_index,
        )


_RULES = (
    SignRule(
        code="hypodensity",
        name_en="Hypodensity",
        quantity="depth below the lowest way out of the clot, reached over 6 mm2",
        unit="HU",
        threshold=10.0,
        margin=1.0,
        source="Boulouis 2016; threshold: phantoms",
    ),
    SignRule(
        code="irregular",
        name_en="Margin irregularity",
        quantity="solidity of the outline",
        unit="",
        threshold=0.90,
        margin=0.003,
        at_least=False,
        source="Barras 2009, shape scale 3 and up; threshold: phantoms",
    ),
    SignRule(
        code="blend",
        name_en="Blend sign",
        quantity="difference of two parts side by side, on the second best slice",
        unit="HU",
        threshold=18.0,
        margin=1.0,
        source="Li 2015",
    ),
    SignRule(
        code="fluid_level",
        name_en="Fluid level",
        quantity="difference across a straight horizontal border",
        unit="HU",
        threshold=18.0,
        margin=1.0,
        source="clinic.md; the blend sign's threshold",
    ),
    SignRule(
        code="black_hole",
        name_en="Black hole",
        quantity="contrast of a round enclosed region with a sharp border",
        unit="HU",
        threshold=28.0,
        margin=1.0,
        source="Li 2016",
    ),
    SignRule(
        code="swirl",
        name_en="Swirl sign",
        quantity="height of an enclosed hypodense region over two slices or more",
        unit="mm",
        threshold=9.0,
        margin=0.0,
        source="two consecutive slices of 5 mm, less a tenth",
    ),
    SignRule(
        code="heterogeneous",
        name_en="Density heterogeneity",
        quantity="coefficient of variation of HU on the largest slice",
        unit="",
        threshold=0.12,
        margin=0.005,
        source="Barras 2009, density scale 3 and up; threshold: phantoms",
    ),
    SignRule(
        code="island",
        name_en="Island sign",
        quantity="small haematomas, one less if some are connected",
        unit="pieces",
        threshold=3.0,
        margin=0.0,
        source="Li 2017",
    ),
    SignRule(
        code="satellite",
        name_en="Satellite sign",
        quantity="separate pieces of at most 10 mm within 20 mm",
        unit="pieces",
        threshold=1.0,
        margin=0.0,
        source="Shimoda 2017",
    ),
)
SIGNS: dict[str, SignRule] = {rule.code: rule for rule in _RULES}

Best = tuple[float | None, int | None]
"""The value that speaks most for a sign, and its slice."""


def find_signs(volume: HUVolume, mask: NDArray[np.bool_]) -> tuple[SignResult, ...]:
    """Judge every sign.

    Args:
        volume: CT values (not windowed) and geometry.
        mask: the haematoma with its holes filled, shape (slices, rows, columns).
    Returns:
        One result for each rule, in the order of `SIGNS`; empty for an empty mask. Undecided without a
        value where no slice shows enough of the clot.
    Raises:
        VolumeError: the mask does not fit the volume.
    """
    if not mask.any():
        return ()
    patches = list(clot_patches(volume, mask))
    holes = [hole for patch in patches for hole in find_holes(patch)]
    fluid, blend = _parts(patches)
    shown = [patch.index for patch in patches]
    largest = max(patches, key=lambda patch: patch.area_mm2, default=None)
    values: dict[str, Best] = {
        "hypodensity": _deepest(holes, shown, lambda one: one.depth_hu),
        "black_hole": _deepest(
            [one for one in holes if one.is_black_hole_shaped], shown, lambda one: one.contrast_hu
        ),
        "swirl": _swirl(holes, shown, volume.geometry),
        "fluid_level": fluid,
        "blend": blend,
        "irregular": _most(
            [patch for patch in patches if patch.area_mm2 >= MIN_OUTLINE_MM2],
            solidity,
            smallest=True,
        ),
        "heterogeneous": (None, None) if largest is None else (_variation(largest), largest.index),
        "island": _most(patches, count_islands),
        "satellite": _most(patches, count_satellites),
    }
    return tuple(rule.judge(*values[code]) for code, rule in SIGNS.items())


def _most(
    patches: Iterable[ClotPatch], measure: Callable[[ClotPatch], float], *, smallest: bool = False
) -> Best:
    """The largest (or smallest) value over the slices; the lower slice where values are equal."""
    found = [(measure(patch), patch.index) for patch in patches]
    if not found:
        return None, None
    value, index = (min if smallest else max)(found, key=lambda one: one[0])
    return float(value), index


def _deepest(holes: Sequence[Hole], shown: Sequence[int], measure: Callable[[Hole], float]) -> Best:
    """The largest value over the holes; 0 without a slice where the clot is shown without any."""
    if not shown:
        return None, None
    best = max(holes, key=measure, default=None)
    return (0.0, None) if best is None else (measure(best), best.index)


def _parts(patches: Iterable[ClotPatch]) -> tuple[Best, Best]:
    """Fluid level, then blend sign below it."""
    densities = [Densities.of(patch) for patch in patches]
    if not densities:
        return (None, None), (None, None)
    lines = {one.patch.index: line for one in densities if (line := fluid_line(one)) is not None}
    index = max(lines, key=lambda one: lines[one].difference_hu, default=None)
    fluid: Best = (0.0, None) if index is None else (lines[index].difference_hu, index)
    levels = {
        one: line.height_mm
        for one, line in lines.items()
        if line.difference_hu >= SIGNS["fluid_level"].threshold
    }

    def height(here: int) -> float | None:
        """The fluid's height on the nearest slice that shows it."""
        nearest = min(levels, key=lambda one: abs(one - here), default=None)
        return None if nearest is None else levels[nearest]

    found = [(blend_difference(one, height(one.patch.index)), one.patch.index) for one in densities]
    # The second best slice: on one alone, a cap's partial volume can look like a part of its own.
    value, where = sorted(found, reverse=True)[min(1, len(found) - 1)]
    return fluid, (value, where if value > 0 else None)


def _swirl(holes: Sequence[Hole], shown: Sequence[int], geometry: VolumeGeometry) -> Best:
    """The tallest chain of enclosed regions that lie over each other, mm."""
    if not shown:
        return None, None
    extents = geometry.slice_extents_mm
    deep = sorted((one for one in holes if one.depth_hu >= MIN_SWIRL_HU), key=lambda one: one.index)
    heights: list[tuple[float, int]] = []
    for place, hole in enumerate(deep):
        below = [
            heights[earlier][0]
            for earlier in range(place)
            if deep[earlier].index == hole.index - 1 and _over_each_other(deep[earlier], hole)
        ]
        height = float(extents[hole.index]) + max(below, default=0.0)
        heights.append((height, 1 + bool(below)))
    tall = [
        (height, deep[place].index) for place, (height, count) in enumerate(heights) if count > 1
    ]
    return max(tall, default=(0.0, None))


def _over_each_other(lower: Hole, upper: Hole) -> bool:
    distance = float(np.hypot(*np.subtract(lower.centre_mm, upper.centre_mm)))
    return distance <= max(lower.radius_mm, upper.radius_mm)


def _variation(patch: ClotPatch) -> float:
    """Standard deviation over mean of the smoothed density, away from the rim."""
    values = patch.blurred(SMOOTHING_MM)[patch.core(CV_RIM_MM)]
    return float(values.std() / values.mean()) if values.size else 0.0
