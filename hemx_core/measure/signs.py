"""Rule-based signs of haematoma expansion on raw HU: an explainable second opinion beside the network.

Each rule measures one quantity on every slice that shows the clot well, takes the slice that speaks most
for the sign, and compares with a threshold. Within the rule's margin of the threshold the answer is
"undecided". Thresholds of published definitions are kept. Those marked "read patients" were chosen on real
patients that a vision model has read, no radiologist; those marked "phantoms" on phantoms. `python -m
benchmarks signs`, and the same with `--real`, score the rules on both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import HUVolume, VolumeGeometry
from hemx_core.measure.clot import (
    ClotPatch,
    clot_patches,
    count_islands,
    solidity,
)
from hemx_core.measure.densities import (
    SMOOTHING_MM,
    Densities,
    FluidLine,
    Hole,
    blend_difference,
    find_holes,
    fluid_line,
    trace_hu,
)
from hemx_core.measure.satellites import satellite_contrasts
from hemx_core.result import SignResult

MIN_HOLE_HU = 3.75
"""Depth from which an enclosed region is more than the grain of real clots."""

MIN_TRACE_HU = 3.0
"""A swirl goes on where the next slice is lower by this at the same place, enclosed there or not."""

MIN_OUTLINE_SHARE = 0.7
"""Of the largest cross-section: smaller ones are caps, which partial volume frays even in round clots."""

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
        threshold=MIN_HOLE_HU,
        margin=0.25,
        source="Boulouis 2016; threshold: read patients",
    ),
    SignRule(
        code="irregular",
        name_en="Margin irregularity",
        quantity="solidity of the outline of large cross-sections",
        unit="",
        threshold=0.935,
        margin=0.003,
        at_least=False,
        source="Barras 2009, shape scale 3 and up; threshold: read patients",
    ),
    SignRule(
        code="blend",
        name_en="Blend sign",
        quantity="contrast of two parts side by side, on the second best slice",
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
        quantity="height of an enclosed hypodense region and its trace on the next slices",
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
        quantity="contrast of a separate spot of at most 10 mm within 20 mm",
        unit="HU",
        threshold=15.0,
        margin=1.0,
        source="Shimoda 2017; threshold: read patients",
    ),
)
SIGNS: dict[str, SignRule] = {rule.code: rule for rule in _RULES}

Measured = tuple[float, int]
"""A value and its slice."""
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
    found = _Found()
    for patch in clot_patches(volume, mask):
        found.add(patch)
    found.satellites = list(satellite_contrasts(volume, mask))
    if levels := found.fluid_heights_mm:
        # Slices are read again rather than kept: memory is that of one slice, however many show blood.
        again = (Densities.of(patch) for patch in clot_patches(volume, mask))
        found.blends = [_blend(densities, levels) for densities in again]
    holes, shown, largest = found.holes, found.shown, found.largest
    values: dict[str, Best] = {
        "hypodensity": _deepest(holes, shown, lambda hole: hole.depth_hu),
        "black_hole": _deepest(
            [hole for hole in holes if hole.is_black_hole_shaped],
            shown,
            lambda hole: hole.contrast_hu,
        ),
        "swirl": _swirl(holes, found.traces, shown, volume.geometry),
        "fluid_level": _fluid(found),
        "blend": _second_best(found.blends),
        "irregular": _least_solid(found),
        "heterogeneous": (None, None) if largest is None else (_variation(largest), largest.index),
        "island": max(found.islands, key=_value, default=(None, None)),
        "satellite": max(found.satellites, key=_value, default=(None, None)),
    }
    return tuple(rule.judge(*values[code]) for code, rule in SIGNS.items())


@dataclass(slots=True, kw_only=True)
class _Found:
    """What the slices have shown so far: numbers, and of the pictures only the largest clot's."""

    shown: list[int] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    traces: set[tuple[int, int]] = field(default_factory=set)
    """Holes, as places in `holes`, that leave a trace on a neighbouring slice, and that slice."""

    lines: dict[int, FluidLine] = field(default_factory=dict)
    blends: list[Measured] = field(default_factory=list)
    solidities: list[tuple[float, int, float]] = field(default_factory=list)
    """Solidity, slice and area."""

    islands: list[Measured] = field(default_factory=list)
    satellites: list[Measured] = field(default_factory=list)
    largest: ClotPatch | None = None
    last: ClotPatch | None = None

    def add(self, patch: ClotPatch) -> None:
        """Measure a slice; its blend sign as if there were no fluid level."""
        index = patch.index
        self.shown.append(index)
        self._add_holes(patch)
        densities = Densities.of(patch)
        if (line := fluid_line(densities)) is not None:
            self.lines[index] = line
        self.blends.append(_blend(densities, {}))
        self.solidities.append((float(solidity(patch)), index, patch.area_mm2))
        self.islands.append((float(count_islands(patch)), index))
        if self.largest is None or patch.area_mm2 > self.largest.area_mm2:
            self.largest = patch

    def _add_holes(self, patch: ClotPatch) -> None:
        """The slice's holes, and where they and those of the slice below leave a trace on each other."""
        below = self.last
        self.holes += find_holes(patch)
        self.last = patch
        if below is None or below.index != patch.index - 1:
            return
        for place, hole in enumerate(self.holes):
            other = {below.index: patch, patch.index: below}.get(hole.index)
            if other is None or hole.depth_hu < MIN_HOLE_HU:
                continue
            if trace_hu(hole, other) >= MIN_TRACE_HU:
                self.traces.add((place, other.index))

    @property
    def fluid_heights_mm(self) -> dict[int, float]:
        """Of the slices that show a fluid level, where it lies."""
        least = SIGNS["fluid_level"].threshold
        return {
            index: line.height_mm
            for index, line in self.lines.items()
            if line.difference_hu >= least
        }


def _value(measured: Measured) -> float:
    return measured[0]


def _blend(densities: Densities, levels: Mapping[int, float]) -> Measured:
    """Its value, below the fluid level of the nearest slice that shows one."""
    index = densities.patch.index
    nearest = min(levels, key=lambda shown: abs(shown - index), default=None)
    height = None if nearest is None else levels[nearest]
    return blend_difference(densities, height), index


def _fluid(found: _Found) -> Best:
    if not found.shown:
        return None, None
    index = max(found.lines, key=lambda shown: found.lines[shown].difference_hu, default=None)
    return (0.0, None) if index is None else (found.lines[index].difference_hu, index)


def _least_solid(found: _Found) -> Best:
    """The least solid outline of the large cross-sections."""
    least = MIN_OUTLINE_SHARE * max((area for _, _, area in found.solidities), default=0.0)
    large = [(value, index) for value, index, area in found.solidities if area >= least]
    return min(large, key=_value, default=(None, None))


def _second_best(blends: Sequence[Measured]) -> Best:
    """On one slice alone, a cap's partial volume can look like a part of its own."""
    if not blends:
        return None, None
    value, where = sorted(blends, reverse=True)[min(1, len(blends) - 1)]
    return value, where if value > 0 else None


def _deepest(holes: Sequence[Hole], shown: Sequence[int], measure: Callable[[Hole], float]) -> Best:
    """The largest value over the holes; 0 without a slice where the clot is shown without any."""
    if not shown:
        return None, None
    best = max(holes, key=measure, default=None)
    return (0.0, None) if best is None else (measure(best), best.index)


def _swirl(
    holes: Sequence[Hole],
    traces: Collection[tuple[int, int]],
    shown: Sequence[int],
    geometry: VolumeGeometry,
) -> Best:
    """The tallest chain of enclosed regions that lie over each other, with its traces beyond its ends, mm."""
    if not shown:
        return None, None
    extents = geometry.slice_extents_mm
    places = sorted(
        (place for place, hole in enumerate(holes) if hole.depth_hu >= MIN_HOLE_HU),
        key=lambda place: holes[place].index,
    )
    heights: dict[int, tuple[float, int]] = {}
    tall: list[tuple[float, int]] = []
    for place in places:
        hole = holes[place]
        before = [
            heights[earlier]
            for earlier in heights
            if holes[earlier].index == hole.index - 1 and _over_each_other(holes[earlier], hole)
        ]
        if not before and (place, hole.index - 1) in traces:
            before = [(float(extents[hole.index - 1]), 1)]
        height, count = max(before, default=(0.0, 0))
        heights[place] = height, count = height + float(extents[hole.index]), count + 1
        if (place, hole.index + 1) in traces:
            height, count = height + float(extents[hole.index + 1]), count + 1
        if count > 1:
            tall.append((height, hole.index))
    return max(tall, default=(0.0, None))


def _over_each_other(lower: Hole, upper: Hole) -> bool:
    distance = float(np.hypot(*np.subtract(lower.centre_mm, upper.centre_mm)))
    return distance <= max(lower.radius_mm, upper.radius_mm)


def _variation(patch: ClotPatch) -> float:
    """Standard deviation over mean of the smoothed density, away from the rim."""
    values = patch.blurred(SMOOTHING_MM)[patch.core(CV_RIM_MM)]
    return float(values.std() / values.mean()) if values.size else 0.0
