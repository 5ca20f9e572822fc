"""The measured haematoma from a segmented mask, and the warnings that its measurement calls for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import HUVolume, Note
from hemx_core.measure.abc2 import abc2_ml
from hemx_core.measure.components import Components, drop_small, find_components, keep_largest
from hemx_core.measure.fill import fill_holes
from hemx_core.measure.volume import max_diameter_mm, mean_hu, slice_areas_mm2, volume_ml
from hemx_core.result import Haematoma

TINY_HAEMATOMA_ML = 0.5
"""Below this a finding is as likely noise or calcification as blood, and its markers say little."""


@dataclass(frozen=True, slots=True, eq=False)
class CleanMask:
    """A mask as it is measured, its components, and the hypodensities filled in, mL."""

    mask: NDArray[np.bool_]
    components: Components
    filled_ml: float


def clean_mask(mask: NDArray[np.bool_], volume: HUVolume, *, min_component_ml: float) -> CleanMask:
    """Drop specks and fill enclosed hypodensities; arguments and errors as `measure_haematoma`."""
    dense, components = drop_small(mask, volume.geometry, min_component_ml)
    filled, filled_ml = fill_holes(dense, volume)
    if filled is not dense:
        components = find_components(filled, volume.geometry)
    return CleanMask(filled, components, filled_ml)


def measure_haematoma(
    mask: NDArray[np.bool_], volume: HUVolume, *, min_component_ml: float
) -> Haematoma:
    """Drop specks, fill enclosed hypodensities, and measure what stays.

    Args:
        mask: bool, shape (slices, rows, columns), native pixels.
        volume: CT values and geometry.
        min_component_ml: smaller connected components are dropped.
    Raises:
        VolumeError: the mask does not fit the volume.
    """
    geometry = volume.geometry
    clean = clean_mask(mask, volume, min_component_ml=min_component_ml)
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
    )


def haematoma_notes(haematoma: Haematoma) -> tuple[Note, ...]:
    """Warnings: blood on the first or last slice, a tiny finding, the markers' standing."""
    bloody = [area > 0 for area in haematoma.areas_mm2]
    cut = "the haematoma may reach beyond the scan, and its volume is then too small."
    candidates = (
        (bloody[0], "blood_on_first_slice", f"Blood touches the lowest slice: {cut}"),
        (bloody[-1], "blood_on_last_slice", f"Blood touches the highest slice: {cut}"),
        (
            0 < haematoma.volume_ml < TINY_HAEMATOMA_ML,
            "tiny_haematoma",
            f"The finding is below {TINY_HAEMATOMA_ML} mL: it may be noise or calcification.",
        ),
        (
            any(bloody),
            "markers_research",
            "Marker probabilities are research estimates; the model card says what the classifier "
            "was trained on.",
        ),
    )
    return tuple(Note(code, message) for holds, code, message in candidates if holds)
