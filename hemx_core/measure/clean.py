"""Cleaning a mask: connected components, enclosed hypodensities, and spots that are bone.

Components are three-dimensional without SciPy: OpenCV on each slice, joined by union-find.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.head import bone_mask, head_mask
from hemx_core.imaging.volume import HUVolume, VolumeGeometry
from hemx_core.measure.volume import MM3_PER_ML, check_mask, copy_mask


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The connected components of a mask.

    Args:
        volumes_ml: volume of each component, largest first.
        ranks: for each slice the component (0 = largest) of each of its two-dimensional labels,
            shape (labels on the slice + 1,); entry 0 is the background, -1.
    """

    volumes_ml: tuple[float, ...]
    ranks: tuple[NDArray[np.intp], ...]


@dataclass(frozen=True, slots=True, eq=False)
class CleanMask:
    """A mask as it is measured, its components, the hypodensities filled in, mL, and its bone spots.

    `bone_spots` are their slices, and `spots_counted` says whether they are in the mask.
    """

    mask: NDArray[np.bool_]
    components: Components
    filled_ml: float
    bone_spots: tuple[int, ...] = ()
    spots_counted: bool = False


def clean_mask(
    mask: NDArray[np.bool_], volume: HUVolume, *, min_component_ml: float, in_place: bool = False
) -> CleanMask:
    """Drop specks and bone spots, fill enclosed hypodensities.

    Bone spots are dropped beside a haematoma only. Where nothing else was found they stay: a finding is
    never turned into "no blood" by a rule about its surroundings.

    Args:
        mask: bool, shape (slices, rows, columns), native pixels.
        volume: CT values and geometry.
        min_component_ml: smaller connected components are dropped.
        in_place: change the mask itself.
    Raises:
        VolumeError: the mask does not fit the volume.
    """
    geometry = volume.geometry
    dense, components = drop_small(mask, geometry, min_component_ml, in_place=in_place)
    spots = find_bone_spots(dense, components, volume)
    counted = bool(spots) and len(spots) == len(components.volumes_ml)
    if spots and not counted:
        # All before the first goes: without a piece the mask's labels are others.
        pieces = [component_masks(dense, components, rank) for rank in spots]
        dense = dense if in_place else copy_mask(dense)
        for piece in pieces:
            for index, pixels in piece.items():
                dense[index] &= ~pixels
        components = find_components(dense, geometry)
    filled, filled_ml = fill_holes(dense, volume, in_place=in_place)
    if filled_ml:
        components = find_components(filled, geometry)
    return CleanMask(filled, components, filled_ml, tuple(sorted(set(spots.values()))), counted)


def find_components(mask: NDArray[np.bool_], geometry: VolumeGeometry) -> Components:
    """Find the connected components of a mask.

    Args:
        mask: bool, shape (slices, rows, columns).
        geometry: spacing, for the volumes.
    Raises:
        VolumeError: the mask does not fit the geometry.
    """
    check_mask(mask, geometry)
    extents = geometry.slice_extents_mm
    parents: list[int] = []
    volumes: list[float] = []
    first_node: list[int] = []
    counts: list[int] = []
    below: NDArray[np.int32] | None = None
    for index, pixels in enumerate(mask):
        labels, areas = _label_slice(pixels)
        first_node.append(len(parents))
        counts.append(len(areas))
        parents.extend(range(len(parents), len(parents) + len(areas)))
        volumes.extend(areas * (geometry.pixel_area_mm2 * extents[index] / MM3_PER_ML))
        if labels is not None and below is not None:
            _join(parents, below, labels, first_node[-2], first_node[-1])
        below = labels
    return _ranked(parents, volumes, first_node, counts)


def keep_largest(
    mask: NDArray[np.bool_], components: Components, count: int, *, in_place: bool = False
) -> NDArray[np.bool_]:
    """The mask of the `count` largest components.

    Args:
        mask: the mask that `components` was found in.
        components: its components.
        count: how many to keep.
        in_place: drop them from the mask itself.
    Returns:
        The mask itself where nothing is dropped or it is changed in place, a new one otherwise.
    """
    if count >= len(components.volumes_ml):
        return mask
    kept = mask if in_place else copy_mask(mask)
    for index, ranks in enumerate(components.ranks):
        if (ranks >= count).any():
            labels, _ = _label_slice(mask[index])
            kept[index] = ((ranks >= 0) & (ranks < count))[labels]
    return kept


def component_masks(
    mask: NDArray[np.bool_], components: Components, rank: int
) -> dict[int, NDArray[np.bool_]]:
    """One component's pixels by slice, shape (rows, columns) each, on the slices where it has any.

    Args:
        mask: the mask that `components` was found in.
        components: its components.
        rank: which one (0 = largest).
    """
    found = {}
    for index, ranks in enumerate(components.ranks):
        if (ranks == rank).any():
            labels, _ = _label_slice(mask[index])
            found[index] = (ranks == rank)[labels]
    return found


def drop_small(
    mask: NDArray[np.bool_],
    geometry: VolumeGeometry,
    min_component_ml: float,
    *,
    in_place: bool = False,
) -> tuple[NDArray[np.bool_], Components]:
    """Drop the components below a volume.

    Args:
        mask: bool, shape (slices, rows, columns).
        geometry: spacing.
        min_component_ml: components smaller than this, mL, are dropped.
        in_place: drop them from the mask itself.
    Returns:
        The mask of the components that stay, and these components.
    """
    components = find_components(mask, geometry)
    count = sum(volume >= min_component_ml for volume in components.volumes_ml)
    if count == len(components.volumes_ml):
        return mask, components
    kept = keep_largest(mask, components, count, in_place=in_place)
    return kept, find_components(kept, geometry)


def _label_slice(
    pixels: NDArray[np.bool_],
) -> tuple[NDArray[np.int32] | None, NDArray[np.float64]]:
    """Labels of a slice from 1 up, None where it is empty, and the area of each, pixels."""
    if not pixels.any():
        return None, np.zeros(0)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(pixels.astype(np.uint8), connectivity=8)
    return np.asarray(labels, dtype=np.int32), stats[1:, cv2.CC_STAT_AREA].astype(np.float64)


def _join(
    parents: list[int],
    below: NDArray[np.int32],
    labels: NDArray[np.int32],
    first_below: int,
    first: int,
) -> None:
    """Join the labels of neighbouring slices that lie over each other."""
    over = (below > 0) & (labels > 0)
    for low, high in np.unique(np.stack([below[over], labels[over]], axis=1), axis=0):
        # Label 1 of a slice is the slice's first node.
        roots = (
            _root(parents, first_below + int(low) - 1),
            _root(parents, first + int(high) - 1),
        )
        parents[max(roots)] = min(roots)


def _root(parents: list[int], node: int) -> int:
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


def _ranked(
    parents: list[int], volumes: list[float], first_node: list[int], counts: list[int]
) -> Components:
    """Sum the volumes of each tree and number the trees, largest first."""
    roots = [_root(parents, node) for node in range(len(parents))]
    totals: dict[int, float] = {}
    for root, volume in zip(roots, volumes, strict=True):
        totals[root] = totals.get(root, 0.0) + float(volume)
    order = sorted(totals, key=lambda root: (-totals[root], root))
    rank = {root: position for position, root in enumerate(order)}
    ranks = tuple(
        np.array([-1, *(rank[root] for root in roots[first : first + count])], dtype=np.intp)
        for first, count in zip(first_node, counts, strict=True)
    )
    return Components(tuple(totals[root] for root in order), ranks)


MAX_HOLE_SHARE = 0.25
"""Of the area of clot and hole together. A larger hole leaves a ring of blood: a cyst, a tumour or blood
round a ventricle rather than a clot with a hypodensity. Holes drawn in phantoms reach 0.15."""

CSF_HU = 15.0
"""From clinic.md: CSF is 0 to 15 HU. A hole that dark is a cavity, unless it is small."""

SMALL_CAVITY_MM2 = 20.0
"""Up to here a CSF-dark hole is filled all the same: noise and a sharp kernel's undershoot do that."""

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=np.uint8)


def fill_holes(
    mask: NDArray[np.bool_], volume: HUVolume, *, in_place: bool = False
) -> tuple[NDArray[np.bool_], float]:
    """Fill holes that are enclosed on their slice, in native pixels.

    Filled is a hole of at most `MAX_HOLE_SHARE` of the area of the clot round it (itself included),
    unless it is larger than `SMALL_CAVITY_MM2` and its median is below `CSF_HU`.

    Args:
        mask: bool, shape (slices, rows, columns).
        volume: CT values and geometry.
        in_place: fill them in the mask itself.
    Returns:
        The filled mask, the same object where nothing was filled, and the volume filled, mL.
    Raises:
        VolumeError: the mask does not fit the volume.
    """
    geometry = volume.geometry
    check_mask(mask, geometry)
    filled, total_ml = mask, 0.0
    for index, clot in enumerate(mask):
        holes = _holes(clot, volume.hu[index], geometry.pixel_area_mm2) if clot.any() else None
        if holes is None:
            continue
        if filled is mask and not in_place:
            filled = copy_mask(mask)
        filled[index] |= holes
        area_mm2 = np.count_nonzero(holes) * geometry.pixel_area_mm2
        total_ml += float(area_mm2 * geometry.slice_extents_mm[index] / MM3_PER_ML)
    return filled, total_ml


def _holes(
    clot: NDArray[np.bool_], hu: NDArray[np.int16], pixel_mm2: float
) -> NDArray[np.bool_] | None:
    """The pixels to fill on a slice; None where there are none."""
    # 4-connected background is what an 8-connected clot encloses.
    background = cv2.copyMakeBorder(
        (~clot).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1
    )
    count, labels, stats, _ = cv2.connectedComponentsWithStats(background, connectivity=4)
    if count <= 2:  # the clot and its outside
        return None
    outside = int(labels[0, 0])
    labels = labels[1:-1, 1:-1]
    _, clots, clot_stats, _ = cv2.connectedComponentsWithStats(
        clot.astype(np.uint8), connectivity=8
    )
    wanted = np.zeros_like(clot)
    for label in set(range(1, count)) - {outside}:
        hole = labels == label
        rim = cv2.dilate(hole.astype(np.uint8), _CROSS).astype(np.bool_) & clot
        clot_area = clot_stats[np.unique(clots[rim]), cv2.CC_STAT_AREA].max()
        area = stats[label, cv2.CC_STAT_AREA]
        cavity = area * pixel_mm2 > SMALL_CAVITY_MM2 and float(np.median(hu[hole])) < CSF_HU
        if area <= MAX_HOLE_SHARE * (area + clot_area) and not cavity:
            wanted |= hole
    return wanted if wanted.any() else None


MAX_SPOT_ML = 1.0
MAX_SPOT_HEIGHT_MM = 10.0 + 1e-6
"""Partial volume reaches one thick slice far, or two where the ridge is slanted; not a rounding more."""
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
    extents = volume.geometry.seen_extents_mm
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
