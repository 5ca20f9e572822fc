"""Where a derived reference contradicts the picture: pixels that neither train nor score. Torch-free.

The PHE-SICH masks were derived from boxes and oedema rings. Apparent errors of a trained network
showed two faults of the masks themselves: whole boxes of brain and skull taken for clot, and
plain clot without a mask because its slice was not boxed. Both rules read the picture only, never a
network's answer:

| fault    | rule                                                                                   |
| -------- | -------------------------------------------------------------------------------------- |
| box      | a straight edge of `EDGE_PX` along a row or column, as no clot has: the slice's opens    |
| missing  | a dense region outside the reference continues the clot of a neighbouring slice: it opens |

Dense: `DENSE_HU` above the slice's brain after smoothing, the contrast the masks were derived with.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.head import bone_mask, head_mask
from hemx_core.imaging.volume import HUVolume

DENSE_HU = 11.0
SMOOTHING_PX = 2.0
BRAIN_HU = (15.0, 50.0)
EDGE_PX = 40
"""18 mm."""
LEAST_PX = 150
"""About 30 mm2 at 0.45 mm."""
CONTINUES = 0.4
"""Share of a dense region that lies over the neighbouring slice's clot."""
RIM_PX = 5
"""Round an opened region: its partial volume is as doubtful."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: slice in volume order, `box` or `missing`, and the pixels that it opens."""

    index: int
    kind: str
    pixels: int


def check_reference(volume: HUVolume, mask: Mask, unsure: Mask) -> tuple[Mask, tuple[Fault, ...]]:
    """Find the faults of a patient's reference.

    Args:
        volume: HU, shape (slices, rows, columns), may be clipped.
        mask: the reference, same shape.
        unsure: pixels that the source leaves open already, same shape.
    Returns:
        Pixels that have to be left open as well, same shape, and the faults.
    """
    dense = np.stack([_dense(volume, index) for index in range(len(mask))])
    opened = np.zeros_like(mask)
    faults: list[Fault] = []
    for index, drawn in enumerate(mask):
        if _longest_edge(drawn) >= EDGE_PX:
            opened[index] |= _grown(drawn, RIM_PX)
            faults.append(Fault(index, "box", int(drawn.sum())))
    clot = mask & dense
    for order in (range(1, len(mask)), range(len(mask) - 2, -1, -1)):
        step = 1 if order.step > 0 else -1
        for index in order:
            found = _continued(dense[index] & ~mask[index] & ~unsure[index], clot[index - step])
            if found.any():
                clot[index] |= found
                opened[index] |= _grown(found, RIM_PX)
                faults.append(Fault(index, "missing", int(found.sum())))
    return opened & ~unsure, tuple(sorted(faults, key=lambda fault: (fault.index, fault.kind)))


def _dense(volume: HUVolume, index: int) -> Mask:
    """Pixels of a slice that are as dense as clot and away from bone."""
    hu = volume.hu[index]
    spacing, clipped = volume.geometry.pixel_spacing_mm, volume.clipped_to_hu
    head = head_mask(hu, pixel_spacing_mm=spacing, clipped_to_hu=clipped)
    bone = _grown(bone_mask(hu, head, pixel_spacing_mm=spacing, clipped_to_hu=clipped) > 0, RIM_PX)
    inside = (head > 0) & ~bone
    brain = hu[inside & (hu > BRAIN_HU[0]) & (hu < BRAIN_HU[1])]
    if brain.size == 0:
        return np.zeros(hu.shape, bool)
    smooth = cv2.GaussianBlur(hu.astype(np.float32), (0, 0), SMOOTHING_PX)
    return np.asarray((smooth >= float(np.median(brain)) + DENSE_HU) & inside)


def _longest_edge(mask: Mask) -> int:
    """Longest run of border pixels along a row or a column."""
    longest = 0
    for turned in (mask, mask.T):
        framed = np.pad(turned, 1)
        for edges in (framed[1:] & ~framed[:-1], framed[:-1] & ~framed[1:]):
            changes = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
            starts, ends = np.nonzero(changes == 1)[1], np.nonzero(changes == -1)[1]
            if len(starts):
                longest = max(longest, int((ends - starts).max()))
    return longest


def _continued(dense: Mask, neighbour: Mask) -> Mask:
    """Dense regions that lie over the neighbouring slice's clot."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dense.astype(np.uint8))
    found = np.zeros_like(dense)
    for label in range(1, count):
        area = int(stats[label, cv2.CC_STAT_AREA])
        if area < LEAST_PX:
            continue
        region = labels == label
        if (region & neighbour).sum() >= CONTINUES * area:
            found |= region
    return found


def _grown(mask: Mask, pixels: int) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)
