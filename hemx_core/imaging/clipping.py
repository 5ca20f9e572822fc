"""Values that were clipped to a display window, recognised from the values themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.levels import BONE_SEEN_HU, Sample, bone_from, brain_level

AIR_BELOW_HU = -700.0
"""Air is below, and so is every padding; foam, fat and tissue are above."""
BOTTOM_SHARE = 0.1
"""A clipped bottom holds all air round the head: at least this share of the pixels."""
TOP_SHARE = 0.01
"""A clipped top holds all bone."""
STRAY = 0.3
"""Pixels beyond an end, for each one at the end: what a copy with loss or a resampling swings over."""
SMEAR = 2
"""HU by which a copy in 256 grey levels, or with loss, spreads an end."""
NEAR = 8
STANDS_OUT = 3.0
"""An end holds so many times what there is `NEAR` HU inside: the level of brain is a hill, no edge."""
TOP_FROM = 15.0
"""A top lies at least this far above brain, else it is brain."""
TOP_BELOW_HU = 300.0
"""Bone reaches this in every head; what was clipped above it has lost nothing that is used here."""
BOTTOM_UNDER = 5.0
"""A bottom lies at least this far under brain."""
FAR = 150
FAR_SHARE = 0.001
"""Share of all pixels that may lie more than `FAR` beyond an end: bone, or the way from air to skin."""
PADDING_GAP = 100
PADDINGS = 3
NOISY_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Ends:
    """The values at which a picture was cut off, whatever its scale; None where it was not."""

    bottom: int | None
    top: int | None


def find_ends(sample: Sample) -> Ends:
    """Where values were cut off.

    A bottom is a value that at least `BOTTOM_SHARE` of the pixels have, with next to nothing below
    but padding; a top one that at least `TOP_SHARE` have, with next to nothing above but padding.
    """
    counts, lowest = sample.histogram()
    start = max(0, int(AIR_BELOW_HU) + 1 - lowest)
    bottom = _end(counts[start:], sample.values.size, BOTTOM_SHARE)
    if _shows_air(counts[:start]):
        bottom = None
    reverse = counts[::-1]
    top = _end(reverse, sample.values.size, TOP_SHARE)
    if top == 0 and not reverse[1:PADDING_GAP].any():
        # One value, far above all others: padding, if there is another top below.
        inner = _end(reverse[1:], sample.values.size, TOP_SHARE)
        top = top if inner is None else 1 + inner
    return Ends(
        None if bottom is None else lowest + start + bottom,
        None if top is None else lowest + len(counts) - 1 - top,
    )


def recognise_clipping(sample: Sample, ends: Ends) -> tuple[float, float] | None:
    """The window that values were clipped to.

    An end that was not clipped is the lowest or highest value there is. A window that takes neither
    air nor bone away is none.

    Args:
        sample: values, on whatever scale.
        ends: of `find_ends`.
    Returns:
        (lower, upper), or None where no end is clipped.
    """
    if ends.bottom == ends.top:  # neither; or a picture of one value
        return None
    seen = BONE_SEEN_HU if ends.top is None else bone_from((0.0, ends.top))
    level = brain_level(sample, seen)
    bottom, top = ends.bottom, ends.top
    if level is not None:
        bottom = bottom if bottom is not None and bottom <= level - BOTTOM_UNDER else None
        top = top if top is not None and top >= level + TOP_FROM else None
    if bottom is None and (top is None or top > TOP_BELOW_HU):
        return None
    return (
        float(sample.values.min() if bottom is None else bottom),
        float(sample.values.max() if top is None else top),
    )


def _shows_air(counts: NDArray[np.int64]) -> bool:
    """Whether what lies below tissue is air, with its noise, rather than one or two paddings."""
    return bool(np.sort(counts)[:-PADDINGS].sum() > NOISY_SHARE * counts.sum())


def _end(counts: NDArray[np.int64], total: int, share: float) -> int | None:
    """The first bin that with its neighbours holds a share of all and stands out, with few before it."""
    if not len(counts):
        return None
    near = np.convolve(counts, np.ones(2 * SMEAR + 1), "same")
    if near.max() < share * total:
        return None
    first = int(np.argmax(near >= share * total))
    peak = first + int(np.argmax(near[first : first + NEAR]))
    inside = near[peak + NEAR] if peak + NEAR < len(near) else 0
    before = counts[: max(0, peak - SMEAR)].sum()
    if before > STRAY * near[peak] or near[peak] < STANDS_OUT * inside:
        return None
    if counts[: max(0, peak - FAR)].sum() > FAR_SHARE * total:
        return None
    begin = max(0, peak - SMEAR)
    return begin + int(np.argmax(counts[begin : peak + SMEAR + 1]))
