"""The measured haematoma from a segmented mask, and warnings about its measurement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import Coverage, HUVolume
from hemx_core.measure.clean import clean_mask, keep_largest
from hemx_core.measure.doubts import Doubt, in_doubt
from hemx_core.measure.unseen import at_most_ml, unseen_notes
from hemx_core.measure.volume import (
    abc2_ml,
    max_diameter_mm,
    mean_hu,
    slice_areas_mm2,
    volume_ml,
)
from hemx_core.notes import Note, Severity
from hemx_core.result import Haematoma

TINY_HAEMATOMA_ML = 0.5
"""Below this a finding is as likely noise or calcification as blood, and its markers say little."""


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
    total_ml = volume_ml(areas, geometry)
    return Haematoma(
        mask=kept,
        volume_ml=total_ml,
        at_most_ml=at_most_ml(total_ml, areas.tolist(), volume),
        abc2_volume_ml=abc2_ml(largest, geometry),
        component_volumes_ml=components.volumes_ml,
        areas_mm2=tuple(areas.tolist()),
        max_diameter_mm=max_diameter_mm(largest, geometry),
        mean_hu=mean_hu(volume, kept),
        filled_ml=clean.filled_ml,
        bone_spots=clean.bone_spots,
        bone_spots_counted=clean.spots_counted,
    )


def haematoma_notes(haematoma: Haematoma, volume: HUVolume) -> tuple[Note, ...]:
    """Limits: what was not seen between and beyond the slices, a tiny finding, bone spots.

    Args:
        haematoma: as measured; none found is one too.
        volume: that it was measured on. Blood on an end slice is a warning where the brain goes on beyond
            it, by `volume.coverage`.
    """
    seen = unseen_notes(haematoma.areas_mm2, volume)
    return (*seen, *_limits(haematoma, volume.coverage))


def with_bound(haematoma: Haematoma, notes: Iterable[Note]) -> Haematoma:
    """The haematoma, its volume marked as a lower bound where the study's notes say so.

    Args:
        haematoma: as measured.
        notes: all of the study.
    """
    bound = haematoma.volume_ml > 0 and Doubt.LOWER_BOUND in in_doubt(notes)
    return replace(haematoma, lower_bound=bound)


def _limits(haematoma: Haematoma, coverage: Coverage | None) -> Iterator[Note]:
    bloody = [area > 0 for area in haematoma.areas_mm2]
    if bloody[0] and coverage is not None and coverage.first_missing:
        yield Note("blood_on_first_slice", Severity.WARNING)
    elif bloody[0]:
        yield Note("blood_on_first_slice", Severity.CAUTION)
    if bloody[-1] and coverage is not None and coverage.last_missing:
        yield Note("blood_on_last_slice", Severity.WARNING)
    elif bloody[-1]:
        yield Note("blood_on_last_slice", Severity.CAUTION)
    mask = haematoma.mask
    if mask[:, [0, -1]].any() or mask[:, :, [0, -1]].any():
        yield Note("blood_beside_picture", Severity.WARNING)
    if 0 < haematoma.volume_ml < TINY_HAEMATOMA_ML:
        yield Note("tiny_haematoma", Severity.CAUTION, limit_ml=TINY_HAEMATOMA_ML)
    slices = tuple(index + 1 for index in haematoma.bone_spots)
    if haematoma.bone_spots_counted:
        yield Note("may_be_bone", Severity.CAUTION, slices=slices)
    elif slices:
        yield Note("bone_spot_left_out", Severity.CAUTION, slices=slices)
    if any(bloody):
        yield Note("markers_research", Severity.CAUTION)
