"""Match the slices of two studies by their height in millimetres; no Kivy.

The studies are not registered. Heights along the slices' normals are matched with one shift, from the first
of these that there is: a common frame of reference; the haematoma's centre in both; the top of both stacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hemx_core.result import TriageResult


class Anchor(StrEnum):
    """What brings the two studies to one height."""

    FRAME = "frame"
    HAEMATOMA = "haematoma"
    TOP = "top"
    HAND = "hand"


@dataclass(frozen=True, slots=True)
class Match:
    """The slice that lies nearest.

    Args:
        index: from 0.
        off_mm: how far it lies above the height that was asked for.
        beyond: the height is outside the study, by more than half its slice distance.
    """

    index: int
    off_mm: float
    beyond: bool


@dataclass(frozen=True, eq=False)
class Link:
    """Matches heights of two studies.

    Args:
        earlier_mm, later_mm: height of every slice, increasing, shape (slices,).
        shift_mm: the later study's height less the earlier one's, of the same place in the head.
        anchor: where the shift comes from.
    """

    earlier_mm: NDArray[np.float64]
    later_mm: NDArray[np.float64]
    shift_mm: float
    anchor: Anchor

    def to_later(self, index: int) -> Match:
        """The later study's slice at the height of the earlier study's slice."""
        return _nearest(self.later_mm, float(self.earlier_mm[index]) + self.shift_mm)

    def to_earlier(self, index: int) -> Match:
        """The earlier study's slice at the height of the later study's slice."""
        return _nearest(self.earlier_mm, float(self.later_mm[index]) - self.shift_mm)

    def by_hand(self, earlier_index: int, later_index: int) -> Link:
        """A link in which two slices that a person put side by side are at one height."""
        shift = float(self.later_mm[later_index] - self.earlier_mm[earlier_index])
        return Link(self.earlier_mm, self.later_mm, shift, Anchor.HAND)


def link(earlier: TriageResult, later: TriageResult) -> Link:
    """Link two studies by what they have in common; see the module."""
    heights = [study.geometry.slice_offsets_mm for study in (earlier, later)]
    frames = [study.identity.frame_of_reference_uid for study in (earlier, later)]
    if frames[0] and frames[0] == frames[1]:
        return Link(heights[0], heights[1], 0.0, Anchor.FRAME)
    centres = [haematoma_height_mm(study) for study in (earlier, later)]
    if centres[0] is not None and centres[1] is not None:
        return Link(heights[0], heights[1], centres[1] - centres[0], Anchor.HAEMATOMA)
    return Link(heights[0], heights[1], float(heights[1][-1] - heights[0][-1]), Anchor.TOP)


def haematoma_height_mm(result: TriageResult) -> float | None:
    """Height of the haematoma's centre of volume along the normal; None without one."""
    weights = np.asarray(result.haematoma.areas_mm2) * result.geometry.slice_extents_mm
    if weights.sum() <= 0:
        return None
    return float(weights @ result.geometry.slice_offsets_mm / weights.sum())


def _nearest(heights: NDArray[np.float64], wanted: float) -> Match:
    index = int(np.abs(heights - wanted).argmin())
    off = float(heights[index] - wanted)
    distance = float(np.median(np.diff(heights))) if len(heights) > 1 else 0.0
    ends = heights[0] - distance / 2 <= wanted <= heights[-1] + distance / 2
    return Match(index, off, beyond=not ends)
