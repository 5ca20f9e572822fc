"""Pieces of a mask that are bone of the neighbouring slice, averaged into this one.

Where a ridge of the skull base ends between two slices, the thick slice beside it holds a part of the
ridge: a round spot of 50 to 100 HU in the brain, which looks like a small clot. The slice on its other side
shows the bone itself at the same place, and that tells the two apart (`docs/decisions.md`).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.head import bone_mask, head_mask
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.components import Components, component_masks

MAX_SPOT_ML = 1.0
MAX_SPOT_HEIGHT_MM = 10.0
"""Partial volume reaches one thick slice far, or two where the ridge is slanted."""
BONE_REACH_MM = 2.0
"""In the plane: the ridge slopes, so its end lies beside its next cross-section."""
LEAST_SHARE = 0.5
"""Of the piece's pixels, how many lie within reach of the neighbour's bone."""


def find_bone_spots(
    mask: NDArray[np.bool_], components: Components, volume: HUVolume
) -> dict[int, int]:
    """The small, flat components that lie over bone of the slice below or above.

    Args:
        mask: bool, shape (slices, rows, columns), native pixels.
        components: its components.
        volume: CT values and geometry.
    Returns:
        Component (0 = largest) to its first slice.
    """
    extents = volume.geometry.slice_extents_mm
    found: dict[int, int] = {}
    for rank, size in enumerate(components.volumes_ml):
        if size >= MAX_SPOT_ML:
            continue
        pieces = component_masks(mask, components, rank)
        first, last = min(pieces), max(pieces)
        if sum(extents[index] for index in pieces) > MAX_SPOT_HEIGHT_MM:
            continue
        outer = ((first, first - 1), (last, last + 1))
        if any(_lies_over_bone(pieces[own], volume, beside) for own, beside in outer):
            found[rank] = first
    return found


def _lies_over_bone(piece: NDArray[np.bool_], volume: HUVolume, beside: int) -> bool:
    if not 0 <= beside < len(volume.hu):
        return False
    hu, spacing = volume.hu[beside], volume.geometry.spacing_mm[1:]
    head = head_mask(hu, pixel_spacing_mm=spacing, clipped_to_hu=volume.clipped_to_hu)
    bone = bone_mask(hu, head, pixel_spacing_mm=spacing, clipped_to_hu=volume.clipped_to_hu)
    if not bone.any():
        return False
    away = cv2.distanceTransform(1 - bone, cv2.DIST_L2, cv2.DIST_MASK_5) * min(spacing)
    return float((away[piece] <= BONE_REACH_MM).mean()) >= LEAST_SHARE
