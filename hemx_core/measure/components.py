"""Three-dimensional connected components without scipy: OpenCV on each slice, joined by union-find.

Pixels are connected to their eight neighbours on a slice, and to the pixel at the same place on the
slices below and above. Only one slice's label map exists at a time; it is made again when it is
needed, so memory does not grow with the number of slices.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import VolumeGeometry
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
    for index, one in enumerate(mask):
        labels, areas = _label_slice(one)
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
    one: NDArray[np.bool_],
) -> tuple[NDArray[np.int32] | None, NDArray[np.float64]]:
    """Labels of a slice from 1 up, None where it is empty, and each label's pixels."""
    if not one.any():
        return None, np.zeros(0)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(one.astype(np.uint8), connectivity=8)
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
        one = _root(parents, first_below + int(low) - 1)
        other = _root(parents, first + int(high) - 1)
        parents[max(one, other)] = min(one, other)


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
