"""Which slices of a result are most worth a look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemx_core.result import TriageResult

LARGEST = "largest_area"


@dataclass(frozen=True, slots=True)
class KeySlice:
    """A slice and what it shows best.

    Args:
        index: counted from 0 in volume order.
        shows: codes of markers and rule-based signs, and `LARGEST`; may be empty.
    """

    index: int
    shows: tuple[str, ...]


def key_slices(result: TriageResult, count: int = 5) -> tuple[KeySlice, ...]:
    """The most informative slices, feet to head.

    With blood: the slice of the largest area; those that show a marker at or above its threshold
    best, the most probable first; those that speak most for a sign that the rules found; then the
    slice with blood that lies farthest from all chosen ones, and so on. Without blood: slices spread
    over the volume.

    Args:
        result: the triage result.
        count: how many; fewer where there are fewer slices with blood.
    """
    bloody = [one.index for one in result.slices if one.blood_area_mm2 > 0]
    if not bloody:
        whole = len(result.slices)
        shown = min(count, whole)
        return tuple(KeySlice(int((place + 0.5) * whole / shown), ()) for place in range(shown))
    best = _best(result)
    chosen = list(best)[:count]
    while len(chosen) < min(count, len(bloody)):
        left = [index for index in bloody if index not in chosen]
        chosen.append(max(left, key=lambda index: min(abs(index - one) for one in chosen)))
    return tuple(KeySlice(index, tuple(best.get(index, ()))) for index in sorted(chosen))


def _best(result: TriageResult) -> dict[int, list[str]]:
    """Slice to what it shows best, the most important slice first."""
    areas = [one.blood_area_mm2 for one in result.slices]
    best: dict[int, list[str]] = {int(np.argmax(areas)): [LARGEST]}
    present = sorted(
        (one for one in result.markers.values() if one.present), key=lambda one: -one.probability
    )
    found: list[tuple[str, int | None]] = [(one.code, one.slice_index) for one in present]
    found += [(one.code, one.slice_index) for one in result.signs if one.present]
    for code, index in found:
        if index is not None and areas[index] > 0:
            codes = best.setdefault(index, [])
            if code not in codes:
                codes.append(code)
    return best
