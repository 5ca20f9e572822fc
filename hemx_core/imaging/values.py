"""Whether a volume's values are Hounsfield units: air, brain and every slice read as they must.

What is wrong is named where it can be: a rescale lost or of another scanner, grey levels of a display
window, values that wrapped round. A window that the values were clipped to is recognised.

Sources of what goes wrong in the world: archives that drop or default RescaleIntercept, converters
that add 1000 or 1024, 12-bit values taken for unsigned (air then reads 3072 or more) or for signed
(dense bone then reads below air), pictures exported with a window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations, product

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import NotHUError
from hemx_core.imaging.clipping import AIR_BELOW_HU, Ends, find_ends, recognise_clipping
from hemx_core.imaging.levels import BONE_SEEN_HU, Sample, Values, bone_from, brain_level, mode
from hemx_core.imaging.volume import AIR_HU, HUVolume
from hemx_core.notes import Note, Severity, first_of

BRAIN_LEVEL_HU = (12, 45)
"""Where the mode of brain lies: 20 to 39 in 79 patients and 200 phantoms; newborns have less, contrast
medium and dense blood add a few HU."""
BRAIN_USUAL_HU = 29
READABLE_LEVEL_HU = (0, 65)
"""Beyond, nothing can be read of the picture: refused, not warned."""
TRUE_AIR_HU = (-1100.0, -850.0)
MIN_AIR_SHARE = 0.005
"""Air round the head, or in its sinuses where the field is filled."""
BELOW_AIR_HU = -1250.0
MIN_WRAPPED_SHARE = 0.001
WRAP = 4096
GREY_TOPS = (127, 255)
FEWEST_VALUES = 16
"""A picture of fewer values has been rounded away."""
SAME_OFFSET_HU = 12.0
"""The median difference of neighbouring slices is below 6 HU in real heads."""
MIN_COMPARED = 200
MOST_OFF = 1 / 3
SAME_SLOPE = 0.04
_HIGHEST = np.iinfo(np.int16).max
_SHOWN = 8
_PEAKS = 4


def check_values(volume: HUVolume) -> HUVolume:
    """Refuse what is not in HU, and recognise a window that the values were clipped to.

    Slices whose values are shifted against their neighbours are shifted back, with a warning.

    Args:
        volume: values on whatever scale.
    Returns:
        The volume, with `clipped_to_hu`, corrected slices and notes where there is something to add.
    Raises:
        NotHUError: no air, or brain does not read as brain; or too many slices are on another scale.
    """
    sample = Sample.of(volume)
    offsets = slice_offsets(sample)
    if offsets.any():
        volume = _shifted(volume, offsets)
        sample = sample.with_values(sample.values - offsets[:, None, None])
    ends = find_ends(sample)
    _check_greys(sample, ends)
    _check_variety(sample)
    clipped = volume.clipped_to_hu or recognise_clipping(sample, ends)
    notes = _scale_notes(sample, clipped, ends)
    if clipped == volume.clipped_to_hu and not notes:
        return volume
    return replace(volume, clipped_to_hu=clipped, notes=(*volume.notes, *notes))


def shift_back(volume: HUVolume) -> HUVolume:
    """The volume with slices whose values lie off those of the others brought back, and a note on them.

    Raises:
        NotHUError: too many slices are on another scale.
    """
    offsets = slice_offsets(Sample.of(volume))
    return _shifted(volume, offsets) if offsets.any() else volume


def slice_offsets(sample: Sample) -> NDArray[np.int32]:
    """How far every slice's values lie above those of most, shape (slices,), 0 where they agree.

    A slice is compared with the next by the median of their differences; pixels that are padding in
    both do not count. The level that has air, then the one that most slices have, is the right one.
    """
    steps = np.zeros(len(sample.values), np.int32)
    last: NDArray[np.int32] | None = None
    for index, values in enumerate(sample.values):
        if values.min() == values.max():
            continue
        if last is not None:
            step = _step(last, values)
            steps[index] = step if abs(step) > SAME_OFFSET_HU else 0
        last = values
    levels = np.cumsum(steps).astype(np.int32)
    if not levels.any():
        return levels
    levels = _merged(levels)
    return levels - _right_level(levels, sample)


def _step(before: NDArray[np.int32], after: NDArray[np.int32]) -> int:
    known = (before != AIR_HU) | (after != AIR_HU)
    if np.count_nonzero(known) < MIN_COMPARED:
        return 0
    steps = (after - before)[known]
    middle = np.median(steps)
    # The median wanders by what changes in the head; the hill of what stays does not.
    return mode(steps[abs(steps - middle) <= SAME_OFFSET_HU])


def _merged(levels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Levels that differ by no more than noise made one."""
    merged = levels.copy()
    for level in sorted(set(levels.tolist()), key=lambda one: -int((levels == one).sum())):
        merged[abs(merged - level) <= SAME_OFFSET_HU / 2] = level
    return merged


def _right_level(levels: NDArray[np.int32], sample: Sample) -> int:
    def rank(level: int) -> tuple[bool, int]:
        own = sample.with_values(sample.values[levels == level])
        return own.share(*TRUE_AIR_HU) > MIN_AIR_SHARE, int((levels == level).sum())

    return int(max(np.unique(levels).tolist(), key=rank))


def _shifted(volume: HUVolume, offsets: NDArray[np.int32]) -> HUVolume:
    off = np.flatnonzero(offsets)
    named = first_of([int(index) + 1 for index in off], _SHOWN)
    shifts = first_of(sorted({int(offsets[index]) for index in off}), _SHOWN)
    if len(off) > MOST_OFF * len(offsets):
        raise NotHUError("hu_slices_differ", count=len(off), slices=len(offsets), hu=shifts)
    hu = volume.hu.copy()
    low, high = np.iinfo(np.int16).min, np.iinfo(np.int16).max
    for index in off:
        hu[index] = np.clip(hu[index].astype(np.int32) - offsets[index], low, high)
    note = Note("slices_shifted", Severity.WARNING, count=len(off), slices=named, hu=shifts)
    return replace(volume, hu=hu, notes=(*volume.notes, note))


def _check_variety(sample: Sample) -> None:
    counts, low = sample.histogram()
    found = int(np.count_nonzero(counts))
    if 1 < found < FEWEST_VALUES:
        raise NotHUError("hu_few_values", count=found, low=low, high=low + len(counts) - 1)


def _check_greys(sample: Sample, ends: Ends) -> None:
    """Refuse whole grey levels from 0 to 127 or 255, whatever brain reads."""
    lowest, highest = int(sample.values.min()), int(sample.values.max())
    lows = {lowest, lowest if ends.bottom is None else ends.bottom}
    highs = {highest, highest if ends.top is None else ends.top}
    for low, high, top in product(sorted(lows), sorted(highs), GREY_TOPS):
        if 0 <= low <= 2 and 0 <= top - high <= 2:
            raise NotHUError("hu_grey_levels", low=low, high=high)


def _scale_notes(
    sample: Sample, clipped: tuple[float, float] | None, ends: Ends
) -> tuple[Note, ...]:
    """Refuse another scale; warn of a shift that leaves the picture readable."""
    low, high = int(sample.values.min()), int(sample.values.max())
    airless = clipped is not None and clipped[0] > AIR_BELOW_HU
    level = brain_level(sample, bone_from(clipped))
    if level is not None and level <= AIR_BELOW_HU and not airless:
        level = None  # a skull full of air is no faulty scale
    no_air = not airless and sample.share(-np.inf, AIR_BELOW_HU) < MIN_AIR_SHARE
    least, most = READABLE_LEVEL_HU
    off = level is not None and not least <= level <= most
    if (level is None or off) and ends.top is not None and ends.bottom in (0, 1, 2):
        raise NotHUError("hu_grey_levels", low=ends.bottom, high=ends.top, brain=level)
    if level is None or off or no_air or _wrapped_below(sample) or _dense_outside(sample):
        _refuse_named(sample, level)
    if no_air and level is not None:
        raise NotHUError("hu_unknown_scale", low=low, high=high, brain=level)
    if no_air:
        return (Note("no_air", Severity.WARNING, low=low),)
    if level is None or BRAIN_LEVEL_HU[0] <= level <= BRAIN_LEVEL_HU[1]:
        return ()
    return (Note("brain_shifted", Severity.WARNING, brain=level, by=level - BRAIN_USUAL_HU),)


def _dense_outside(sample: Sample) -> bool:
    """Whether most of the pictures' edges read as bone: inverted, or air that wrapped round."""
    return float(np.mean(sample.border() > BONE_SEEN_HU)) > 0.5


def _wrapped_below(sample: Sample) -> bool:
    """Whether values far below air lie amid bone: dense bone taken for negative.

    Padding has one value or two; a streak of metal lies in air and tissue.
    """
    below = sample.values < BELOW_AIR_HU
    if np.mean(below) < MIN_WRAPPED_SHARE:
        return False
    found, counts = np.unique(sample.values[below], return_counts=True)
    below &= ~np.isin(sample.values, found[np.argsort(counts)[-2:]])
    if np.mean(below) < MIN_WRAPPED_SHARE:
        return False
    near = np.stack([cv2.dilate(one.astype(np.uint8), np.ones((3, 3))) for one in below])
    return float(np.median(sample.values[(near != 0) & ~below])) > BONE_SEEN_HU


def _refuse_named(sample: Sample, level: int | None) -> None:
    """Refuse with the cause, where undoing one makes a head of the values."""
    for undone, refusal in _guesses(sample, level):
        if _is_head(sample.with_values(undone)):
            raise refusal


def _is_head(sample: Sample) -> bool:
    """Air outside and brain within a skull, all on the scale of HU."""
    if sample.share(*TRUE_AIR_HU) < MIN_AIR_SHARE:
        return False
    if _wrapped_below(sample) or _dense_outside(sample):
        return False
    level = brain_level(sample)
    return level is not None and BRAIN_LEVEL_HU[0] <= level <= BRAIN_LEVEL_HU[1]


def _guesses(sample: Sample, level: int | None) -> Iterator[tuple[Values, NotHUError]]:
    """The values without what may have happened to them, and that; the most frequent first."""
    values = sample.values
    low, high = int(values.min()), int(values.max())

    def shifted(by: float) -> NotHUError:
        return NotHUError("hu_shifted", low=low, high=high, brain=level, shift=by)

    for shift in (-AIR_HU, 1000, AIR_HU, -1000):
        yield values - shift, shifted(shift)
    wrapped = NotHUError("hu_wrapped", low=low, high=high)
    # Air that was negative and is read as unsigned; dense bone that was not and is read as signed.
    yield np.where(values == _HIGHEST, AIR_HU, (values - AIR_HU) % WRAP + AIR_HU), wrapped
    yield np.where(values < BELOW_AIR_HU, values + WRAP, values), wrapped
    for air, brain in permutations(_peaks(values), 2):
        slope = (brain - air) / (BRAIN_USUAL_HU + 1000)
        undone = np.rint((values - air) / slope - 1000).astype(np.int32)
        if slope < 0:
            yield undone, NotHUError("hu_inverted", low=low, high=high)
        elif abs(slope - 1) < SAME_SLOPE:
            yield undone, shifted(air + 1000)
        else:
            yield undone, NotHUError("hu_scaled", low=low, high=high, slope=slope)


def _peaks(values: Values) -> list[float]:
    """The values of the highest peaks of the histogram, of 256 bins; the highest peak first."""
    low, high = np.percentile(values, (0.1, 99.9))
    counts, edges = np.histogram(values, 256, (low, max(high, low + 1)))
    smooth = np.convolve(counts, (1, 2, 3, 2, 1), "same")
    framed = np.concatenate([[-1], smooth, [-1]])
    tops = np.flatnonzero((smooth > framed[:-2]) & (smooth >= framed[2:]))
    highest = sorted(tops, key=lambda top: -int(smooth[top]))[:_PEAKS]
    return [float(edges[top : top + 2].mean()) for top in highest]
