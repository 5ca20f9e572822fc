"""The measured haematoma from a segmented mask, and warnings about its measurement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.clean import (
    Components,
    component_masks,
    drop_small,
    fill_holes,
    find_bone_spots,
    find_components,
    keep_largest,
)
from hemx_core.measure.volume import (
    abc2_ml,
    copy_mask,
    max_diameter_mm,
    mean_hu,
    slice_areas_mm2,
    volume_ml,
)
from hemx_core.notes import Note, Severity
from hemx_core.result import Haematoma

TINY_HAEMATOMA_ML = 0.5
"""Below this a finding is as likely noise or calcification as blood, and its markers say little."""


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
    """Drop specks and bone spots, fill enclosed hypodensities; arguments and errors as `measure_haematoma`.

    Bone spots are dropped beside a haematoma only. Where nothing else was found they stay: a finding is
    never turned into "no blood" by a rule about its surroundings.
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


def measure_haematoma(
    mask: NDArray[np.bool_], volume: HUVolume, *, min_component_ml: float, in_place: bool = False
) -> Haematoma:
    """Drop specks and bone spots, fill enclosed hypodensities, and measure what stays.

    Args:
        mask: bool, shape (slices, rows, columns), native pixels.
        volume: CT values and geometry.
        min_component_ml: smaller connected components are dropped.
        in_place: change the mask itself, which becomes the haematoma's.
    Raises:
        VolumeError: the mask does not fit the volume.
    """
    geometry = volume.geometry
    clean = clean_mask(mask, volume, min_component_ml=min_component_ml, in_place=in_place)
    kept, components = clean.mask, clean.components
    largest = keep_largest(kept, components, 1)
    areas = slice_areas_mm2(kept, geometry)
    return Haematoma(
        mask=kept,
        volume_ml=volume_ml(areas, geometry),
        abc2_volume_ml=abc2_ml(largest, geometry),
        component_volumes_ml=components.volumes_ml,
        areas_mm2=tuple(areas.tolist()),
        max_diameter_mm=max_diameter_mm(largest, geometry),
        mean_hu=mean_hu(volume, kept),
        filled_ml=clean.filled_ml,
        bone_spots=clean.bone_spots,
        bone_spots_counted=clean.spots_counted,
    )


def haematoma_notes(haematoma: Haematoma) -> tuple[Note, ...]:
    """Limits: blood on the first or last slice, a tiny finding, bone spots, the markers' standing."""
    return tuple(_limits(haematoma))


def _limits(haematoma: Haematoma) -> Iterator[Note]:
    bloody = [area > 0 for area in haematoma.areas_mm2]
    if bloody[0]:
        yield Note("blood_on_first_slice", Severity.CAUTION)
    if bloody[-1]:
        yield Note("blood_on_last_slice", Severity.CAUTION)
    if 0 < haematoma.volume_ml < TINY_HAEMATOMA_ML:
        yield Note("tiny_haematoma", Severity.CAUTION, limit_ml=TINY_HAEMATOMA_ML)
    slices = tuple(index + 1 for index in haematoma.bone_spots)
    if haematoma.bone_spots_counted:
        yield Note("may_be_bone", Severity.CAUTION, slices=slices)
    elif slices:
        yield Note("bone_spot_left_out", Severity.CAUTION, slices=slices)
    if any(bloody):
        yield Note("markers_research", Severity.CAUTION)
