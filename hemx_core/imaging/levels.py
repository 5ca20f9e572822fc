"""Where air and brain lie on a volume's scale: looked at on a coarse grid, whatever the scale is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.head import BONE_HU, Mask, disk
from hemx_core.imaging.volume import HUVolume

GRID_MM = 2.0
MAX_SLICES = 24
"""So many slices, evenly taken, tell the level of brain in a volume of any length."""
BONE_SEEN_HU = 250.0
"""Skull on the coarse grid: contrast medium and noise stay below."""
SUTURE_MM = 8.0
"""Sutures, foramina and thin bone: gaps up to here do not open the skull."""
INNER_MM = 4.0
"""Brain beside bone averages with it: left out."""
MIN_CAVITY_MM2 = 2_000.0
MIN_CAVITIES = 3
_KERNEL = np.exp(-0.5 * (np.arange(-8, 9) / 2.5) ** 2)

Values = NDArray[np.int32]
"""Any values, shape (slices, rows, columns)."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Every so many pixels of a volume: true values, not averages.

    Args:
        values: shape (slices, rows, columns), int32.
        spacing_mm: (dy, dx) between the pixels taken.
    """

    values: Values
    spacing_mm: tuple[float, float]

    @classmethod
    def of(cls, volume: HUVolume) -> Sample:
        """Pixels about `GRID_MM` apart, of all slices."""
        strides = [max(1, int(GRID_MM / mm)) for mm in volume.geometry.pixel_spacing_mm]
        dy, dx = (n * mm for n, mm in zip(strides, volume.geometry.pixel_spacing_mm, strict=True))
        return cls(volume.hu[:, :: strides[0], :: strides[1]].astype(np.int32), (dy, dx))

    def with_values(self, values: Values) -> Sample:
        """The same pixels with other values."""
        return Sample(values, self.spacing_mm)

    def histogram(self) -> tuple[NDArray[np.int64], int]:
        """How often each whole value occurs, and the value of the first bin."""
        lowest = int(self.values.min())
        return np.bincount((self.values - lowest).ravel()), lowest

    def share(self, lower: float, upper: float) -> float:
        """Share of the pixels from `lower` to `upper`."""
        return float(np.mean((self.values >= lower) & (self.values <= upper)))

    def border(self) -> Values:
        """The pixels on the outer edge of all slices, one row of them."""
        v = self.values
        return np.concatenate(
            [v[:, 0].ravel(), v[:, -1].ravel(), v[:, :, 0].ravel(), v[:, :, -1].ravel()]
        )


def brain_level(sample: Sample, bone_from: float = BONE_SEEN_HU) -> int | None:
    """The value that most tissue in the closed skull has.

    Args:
        sample: values on any scale.
        bone_from: bone has at least this value.
    Returns:
        The mode of what bone encloses, after a closing of `SUTURE_MM`; None where fewer than
        `MIN_CAVITIES` slices show at least `MIN_CAVITY_MM2` of it.
    """
    count = len(sample.values)
    picks = np.unique(np.linspace(0, count - 1, min(count, MAX_SLICES)).astype(int))
    inside = []
    area = MIN_CAVITY_MM2 / (sample.spacing_mm[0] * sample.spacing_mm[1])
    for pick in picks:
        values = sample.values[pick]
        if np.count_nonzero(values < bone_from) < area:
            continue
        cavity = enclosed(values >= bone_from, sample.spacing_mm)
        if np.count_nonzero(cavity) >= area:
            inside.append(values[cavity])
    if len(inside) < MIN_CAVITIES:
        return None
    return mode(np.concatenate(inside))


def mode(values: Values) -> int:
    """The most frequent value, of the histogram smoothed with a sigma of 2.5."""
    # Half a percent at each end may lie thousands away.
    lowest, highest = (int(v) for v in np.percentile(values, (0.5, 99.5)))
    kept = values[(values >= lowest) & (values <= highest)]
    smooth = np.convolve(np.bincount(kept - lowest), _KERNEL)
    return int(np.argmax(smooth)) - len(_KERNEL) // 2 + lowest


def enclosed(bone: NDArray[np.bool_], spacing_mm: tuple[float, float]) -> NDArray[np.bool_]:
    """What a closed ring of bone encloses, `INNER_MM` / 2 off the bone.

    Args:
        bone: one slice, shape (rows, columns).
        spacing_mm: (dy, dx).
    """
    closing, inner = disk(SUTURE_MM, spacing_mm), disk(INNER_MM, spacing_mm)
    frame = [n // 2 + 1 for n in closing.shape]
    rows, columns = (slice(n, -n) for n in frame)
    ends = (frame[0], frame[0], frame[1], frame[1])
    framed = cv2.copyMakeBorder(bone.astype(np.uint8), *ends, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, closing)
    _, labels = cv2.connectedComponents(1 - closed, connectivity=4)
    cavity: Mask = ((closed == 0) & (labels != labels[0, 0])).astype(np.uint8)
    return np.asarray(cv2.erode(cavity, inner)[rows, columns] != 0)


def bone_from(clipped_to_hu: tuple[float, float] | None) -> float:
    """From which value on the coarse grid shows bone."""
    if clipped_to_hu is None:
        return BONE_SEEN_HU
    # Saturated bone reads as the window's top, give or take what a lossy copy changes.
    return max(min(BONE_SEEN_HU, clipped_to_hu[1] - 2), min(BONE_HU, clipped_to_hu[1] - 2))
