"""A volume with its interval, of a mask or of a measured haematoma."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.intervals import Interval, VolumeInterval
from hemx_core.measure.bridges import find_bridges
from hemx_core.measure.clean import find_components
from hemx_core.measure.volume import MM3_PER_ML, slice_areas_mm2, volume_ml
from hemx_core.result import TriageResult


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeEstimate:
    """A volume with what limits its accuracy.

    Args:
        volume_ml: voxel volume.
        less_ml, more_ml: how much less and more it may be because slices are missing.
        interval_ml: 90 % interval; None where nothing was found, or the networks' errors were not measured.
    """

    volume_ml: float
    less_ml: float = 0.0
    more_ml: float = 0.0
    interval_ml: Interval | None = None


def estimate_volume(
    mask: NDArray[np.bool_], geometry: VolumeGeometry, measured: VolumeInterval | None
) -> VolumeEstimate:
    """Measure a mask's volume.

    A mask that a person corrected gets the interval of the network's: no other was measured.

    Args:
        mask: bool, shape (slices, rows, columns).
        geometry: spacing; unequal slices are respected.
        measured: how far the networks' volumes are off; None where nobody measured it.
    Raises:
        VolumeError: the mask does not fit the geometry.
    """
    areas = slice_areas_mm2(mask, geometry)
    # Only the interval asks for components, which take longest.
    components = 1 if measured is None else len(find_components(mask, geometry).volumes_ml)
    return _estimate(volume_ml(areas, geometry), areas.tolist(), components, geometry, measured)


def estimate_result(result: TriageResult) -> VolumeEstimate:
    """The volume of a result; nothing is measured again."""
    found = result.haematoma
    most = found.volume_ml if found.at_most_ml is None else found.at_most_ml
    return _estimate(
        found.volume_ml,
        found.areas_mm2,
        len(found.component_volumes_ml),
        result.geometry,
        result.volume_interval,
        told_more_ml=most - found.volume_ml,
    )


def _estimate(
    total_ml: float,
    areas_mm2: Sequence[float],
    components: int,
    geometry: VolumeGeometry,
    measured: VolumeInterval | None,
    *,
    told_more_ml: float = 0.0,
) -> VolumeEstimate:
    bridges = find_bridges(areas_mm2, geometry)
    less = sum(bridge.interpolated_mm3 for bridge in bridges) / MM3_PER_ML
    unseen = sum(bridge.at_most_mm3 - bridge.interpolated_mm3 for bridge in bridges) / MM3_PER_ML
    # The upper figure beside the volume also knows of distances that the header doubts.
    more = max(unseen, told_more_ml)
    interval = None
    if measured is not None and total_ml > 0:
        interval = measured.around(total_ml, components, less_ml=less, more_ml=more)
    return VolumeEstimate(volume_ml=total_ml, less_ml=less, more_ml=more, interval_ml=interval)
