"""A result whose mask a person corrected: measured again, and marked as corrected.

Markers and rule-based signs stay those of the automatic mask: they were not judged on the corrected one,
and a note says so. Where no blood is left they are dropped.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import VolumeError
from hemx_core.imaging.inspect import as_inspected
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.aggregate import recommend
from hemx_core.measure.clean import find_components, keep_largest
from hemx_core.measure.haematoma import haematoma_notes, with_bound
from hemx_core.measure.unseen import at_most_ml
from hemx_core.measure.volume import abc2_ml, max_diameter_mm, mean_hu, slice_areas_mm2, volume_ml
from hemx_core.notes import Note, Severity
from hemx_core.result import Haematoma, TriageResult

CORRECTION = "correction"
"""Key of `TriageResult.versions`: the version of the correction, from 1; not there in automatic results."""

_OF_THE_MASK = frozenset(
    {
        "missing_in_haematoma",
        "too_far_to_interpolate",
        "unseen_brain",
        "blood_beside_picture",
        "blood_on_first_slice",
        "blood_on_last_slice",
        "tiny_haematoma",
        "may_be_bone",
    }
)


def is_corrected(result: TriageResult) -> bool:
    """Whether the result's mask was corrected by hand."""
    return CORRECTION in result.versions


def correct_result(
    result: TriageResult, mask: NDArray[np.bool_], volume: HUVolume, *, version: int
) -> TriageResult:
    """The result with a corrected mask in place of its own.

    Volume, ABC/2, diameter, density and areas are those of the corrected mask as it is: no speck is dropped
    and no hole filled, because a person left them so. The recommendation follows the corrected volume.

    Args:
        result: as triage gave it.
        mask: corrected, bool, shape (slices, rows, columns) of the result's.
        volume: the triaged volume, as triage had it or read again.
        version: of the correction, from 1.
    Raises:
        VolumeError: the mask has another shape than the result's or the volume's.
    """
    if mask.shape != result.mask.shape or mask.shape != volume.hu.shape:
        raise VolumeError("correction_shape", shape=str(mask.shape), needed=str(result.mask.shape))
    volume = as_inspected(volume, result.clipped_to_hu, result.notes)
    haematoma = measure_as_drawn(mask, volume)
    markers = result.markers if haematoma.volume_ml > 0 else {}
    notes = (
        Note("corrected_mask", Severity.WARNING, version=version),
        *_kept_notes(result, haematoma, volume),
    )
    haematoma = with_bound(haematoma, notes)
    recommendation, reasons = recommend(haematoma, markers, notes)
    return replace(
        result,
        haematoma=haematoma,
        markers=markers,
        signs=result.signs if haematoma.volume_ml > 0 else (),
        slices=tuple(
            replace(shown, blood_area_mm2=area)
            for shown, area in zip(result.slices, haematoma.areas_mm2, strict=True)
        ),
        recommendation=recommendation,
        reasons=reasons,
        notes=notes,
        versions={**result.versions, CORRECTION: str(version)},
    )


def measure_as_drawn(mask: NDArray[np.bool_], volume: HUVolume) -> Haematoma:
    """Measure a mask without dropping or filling anything.

    Args:
        mask: bool, shape (slices, rows, columns).
        volume: CT values and geometry.
    Raises:
        VolumeError: the mask does not fit the volume.
    """
    components = find_components(mask, volume.geometry)
    largest = keep_largest(mask, components, 1)
    areas = slice_areas_mm2(mask, volume.geometry)
    total_ml = volume_ml(areas, volume.geometry)
    return Haematoma(
        mask=mask,
        volume_ml=total_ml,
        at_most_ml=at_most_ml(total_ml, areas.tolist(), volume),
        abc2_volume_ml=abc2_ml(largest, volume.geometry),
        component_volumes_ml=components.volumes_ml,
        areas_mm2=tuple(areas.tolist()),
        max_diameter_mm=max_diameter_mm(largest, volume.geometry),
        mean_hu=mean_hu(volume, mask),
    )


def _kept_notes(result: TriageResult, haematoma: Haematoma, volume: HUVolume) -> tuple[Note, ...]:
    """The result's notes, with those on its mask made again."""
    looked_at = replace(volume, coverage=result.coverage)
    anew = [note for note in haematoma_notes(haematoma, looked_at) if note.code in _OF_THE_MASK]
    return (*(note for note in result.notes if note.code not in _OF_THE_MASK), *anew)
