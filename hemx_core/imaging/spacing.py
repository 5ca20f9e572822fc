"""Distances of slices along their normal: what was planned, where slices are missing, what each stands for.

Distance decides. The thickness in a header is a label: it says how much tissue a slice averages, not
how far off its neighbours are. It is asked only whether a distance that does not recur was meant so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Runs = list[tuple[int, int, float]]

MAX_BRIDGED_MM = 50.0
"""Across a wider gap nothing is interpolated: few clots are longer, and one stray slice far away must
not lengthen the last one of the head. No slice stands for more."""
GAP_RATIO = 1.5
"""From here, against the planned distance, slices are missing."""
MOST_OVERLAP = 2.5
"""Thickness over distance up to which slices plausibly overlap; beyond it the label is hardly right."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where slices are missing.

    Args:
        below: index of the slice below it.
        count: how many are missing.
        step_mm: distance of the slices below and above it.
        planned_mm: distance that was planned on its lower and on its upper side.
    """

    below: int
    count: int
    step_mm: float
    planned_mm: tuple[float, float]

    @property
    def bridged(self) -> bool:
        """Whether areas are interpolated across it."""
        return self.step_mm <= MAX_BRIDGED_MM


def regular_steps(steps: Sequence[float]) -> Runs:
    """Runs of equal distances that belong to the scan plan: (first, last + 1, distance).

    A distance is planned where it recurs in a run of three or makes up half of all; anything else
    is an irregularity. Distances are equal within 5 % or 0.1 mm.
    """
    runs: Runs = []
    start = 0
    for index in range(1, len(steps) + 1):
        if index == len(steps) or not same_mm(steps[index], steps[start]):
            runs.append((start, index, median(steps[start:index])))
            start = index
    values = np.array([run[2] for run in runs])
    counts = np.array([run[1] - run[0] for run in runs])
    planned = [
        run[2]
        for run in runs
        if run[1] - run[0] >= 3 or 2 * counts[_all_same(values, run[2])].sum() >= len(steps)
    ]
    lengths = np.array(planned)
    return [run for run in runs if _all_same(lengths, run[2]).any()]


def find_gaps(steps: Sequence[float], thickness_mm: Sequence[float] = ()) -> tuple[Gap, ...]:
    """Where slices are missing.

    A gap is a distance that is no part of the plan, at least 1.5 times the planned distance on both
    of its sides, and more than the slices' thickness, as far as that is plausible: thick slices that
    touch, or overlap, leave nothing out.

    Args:
        steps: distances of neighbours, mm.
        thickness_mm: of the slices, one more than there are steps; empty where it is not known.
    """
    plan = regular_steps(steps)
    inside = {index for first, end, _ in plan for index in range(first, end)}
    gaps = []
    for index, step in enumerate(steps):
        if index in inside or not plan:
            continue
        below, above = _beside(plan, index)
        planned = max(below, above)
        if step >= GAP_RATIO * planned and not _touch(step, planned, thickness_mm[index:][:2]):
            gaps.append(Gap(index, max(1, round(step / planned) - 1), step, (below, above)))
    return tuple(gaps)


def _touch(step: float, planned: float, thickness_mm: Sequence[float]) -> bool:
    """Whether slices at this distance leave no tissue out by a plausible thickness."""
    if not thickness_mm or max(thickness_mm) > MOST_OVERLAP * planned:
        return False
    reach = sum(thickness_mm) / 2
    return step <= reach or same_mm(step, reach)


def extents_mm(
    steps: Floats, thickness_mm: Floats, gaps: Sequence[Gap], *, seen: bool = False
) -> Floats:
    """Length along the normal that each of two or more slices stands for.

    Half the way to each neighbour (Cavalieri's rule for slices that need not be equally spaced); at
    the ends half the distance that was planned there. Summed over areas this is the trapezoidal
    rule: across a gap the area is interpolated between the two slices beside it.

    Args:
        steps: distances of neighbours, mm, shape (slices - 1,), at least one.
        thickness_mm: shape (slices,).
        gaps: of these slices.
        seen: leave out what lies in gaps: the slices beside one then stand for half the planned
            distance there. So they do in any case beside a gap that is too wide to be bridged.
    Returns:
        Shape (slices,).
    """
    told = steps.tolist()
    plan = regular_steps(told)
    first = _end(told[0], float(thickness_mm[0]), plan, 0)
    last = _end(told[-1], float(thickness_mm[-1]), plan, len(told) - 1)
    below = np.concatenate([[first], steps]) / 2
    above = np.concatenate([steps, [last]]) / 2
    for gap in gaps:
        if seen or not gap.bridged:
            above[gap.below] = gap.planned_mm[0] / 2
            below[gap.below + 1] = gap.planned_mm[1] / 2
    reach = MAX_BRIDGED_MM / 2
    total: Floats = np.minimum(below, reach) + np.minimum(above, reach)
    return total


def _end(step: float, thickness: float, plan: Runs, index: int) -> float:
    """The distance that was planned at an end of the stack.

    That is the thickness where the distance there confirms it: to the last digit what the site chose.
    """
    if same_mm(step, thickness):
        return thickness
    return _beside(plan, index)[0] if plan else step


def same_mm(a: float, b: float) -> bool:
    """Whether two distances are equal within 5 % or 0.1 mm."""
    return abs(a - b) <= max(0.05 * max(abs(a), abs(b)), 0.1)


def _all_same(values: Floats, one: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(values - one) <= np.maximum(0.05 * np.maximum(values, one), 0.1))


def _beside(plan: Runs, index: int) -> tuple[float, float]:
    """The planned distance at or below a step, and at or above it; the other where one is missing."""
    below = [run[2] for run in plan if run[0] <= index][-1:]
    above = [run[2] for run in plan if run[1] > index][:1]
    return (below or above)[0], (above or below)[0]
