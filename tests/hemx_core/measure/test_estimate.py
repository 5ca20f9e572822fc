from dataclasses import replace
from math import exp

import numpy as np
import pytest

from hemx_core.errors import VolumeError
from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.measure.corrected import measure_as_drawn
from hemx_core.measure.estimate import VolumeEstimate, estimate_result, estimate_volume
from hemx_core.pipeline import triage_volume
from tests.factories import VOLUME_INTERVAL, ThresholdModels, simple_head

GEOMETRY = VolumeGeometry.axial(3, spacing_mm=(10.0, 1.0, 1.0))


def _mask(*, pieces: int = 1) -> np.ndarray:
    """1 mL a piece."""
    mask = np.zeros((3, 40, 40), np.bool_)
    for piece in range(pieces):
        mask[1, 20 * piece : 20 * piece + 10, :10] = True
    return mask


def test_one_component_and_several_have_intervals_of_their_own() -> None:
    one = estimate_volume(_mask(), GEOMETRY, VOLUME_INTERVAL)
    two = estimate_volume(_mask(pieces=2), GEOMETRY, VOLUME_INTERVAL)
    # By hand: the widths are 0.1 and 0.2, the floor 0.5 mL.
    assert one.interval_ml == pytest.approx((exp(-0.1 * 1.5), exp(0.1 * 1.5)))
    assert two.interval_ml == pytest.approx((2 * exp(-0.2 * 1.25), 2 * exp(0.2 * 1.25)))


def test_nothing_found_and_nothing_measured_have_none() -> None:
    empty = estimate_volume(_mask(pieces=0), GEOMETRY, VOLUME_INTERVAL)
    assert empty == VolumeEstimate(volume_ml=0.0)
    assert estimate_volume(_mask(), GEOMETRY, None).interval_ml is None


def test_a_mask_that_does_not_fit_is_refused() -> None:
    with pytest.raises(VolumeError):
        estimate_volume(np.zeros((2, 9, 9), np.bool_), GEOMETRY, None)


def test_what_missing_slices_may_hold_widens_the_interval() -> None:
    low, high = VOLUME_INTERVAL.around(20.0, 1, less_ml=2.0, more_ml=5.0)
    spread = 0.1 * (1 + 0.5 / 20)
    assert (low, high) == pytest.approx((18 * exp(-spread), 25 * exp(spread)))


def test_a_result_tells_what_its_mask_does() -> None:
    result = triage_volume(simple_head(clot_mm=15.0), ThresholdModels())
    measured = estimate_volume(result.mask, result.geometry, VOLUME_INTERVAL)
    assert result.haematoma_volume_ml > 1
    assert measured == estimate_result(result)
    assert "volume_interval" in [note.code for note in result.notes]


def test_the_upper_figure_lies_in_the_interval() -> None:
    volume = simple_head(clot_mm=15.0)
    result = triage_volume(volume, ThresholdModels())
    doubtful = replace(measure_as_drawn(result.mask, volume), at_most_ml=50.0)
    estimate = estimate_result(replace(result, haematoma=doubtful))
    assert estimate.interval_ml is not None
    assert estimate.interval_ml[1] > 50
    assert estimate.more_ml == pytest.approx(50 - result.haematoma_volume_ml)
