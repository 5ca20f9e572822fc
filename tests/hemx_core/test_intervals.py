from math import exp

import pytest

from hemx_core.intervals import GrowthInterval, VolumeInterval, Width
from hemx_core.records import RecordError, from_values, to_values
from tests.factories import GROWTH_INTERVAL, VOLUME_INTERVAL


def test_an_interval_is_the_volume_times_two_factors() -> None:
    """Far above the floor of 0.5 mL they are those of the width."""
    low, high = VOLUME_INTERVAL.around(1000.0, 1)
    assert (low / 1000, high / 1000) == pytest.approx((exp(-0.1), exp(0.1)), rel=1e-4)


def test_a_small_volume_has_a_wider_interval_as_a_share() -> None:
    shares = [VOLUME_INTERVAL.around(ml, 1)[1] / ml for ml in (0.5, 5.0, 50.0)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == pytest.approx(exp(0.2))
    assert VOLUME_INTERVAL.around(0.1, 3)[0] > 0


def test_several_components_have_a_width_of_their_own() -> None:
    assert VOLUME_INTERVAL.around(10.0, 2) == VOLUME_INTERVAL.around(10.0, 7)
    assert VOLUME_INTERVAL.around(10.0, 2)[1] > VOLUME_INTERVAL.around(10.0, 1)[1]


def test_half_of_a_growth_is_a_share_of_the_mean_and_the_floor() -> None:
    assert GROWTH_INTERVAL.half_width_ml(10.0, 30.0) == pytest.approx(0.02 * 20.5)
    assert GROWTH_INTERVAL.half_width_ml(0.0, 0.0) == pytest.approx(0.01)


@pytest.mark.parametrize("record", [VOLUME_INTERVAL, GROWTH_INTERVAL])
def test_records_come_back(record: VolumeInterval | GrowthInterval) -> None:
    assert from_values(type(record), to_values(record)) == record


@pytest.mark.parametrize(
    "width",
    [
        {"width": float("nan"), "errors": 9},
        {"width": 11.0, "errors": 9},
        {"width": 0.1, "errors": 0},
    ],
)
def test_a_width_that_cannot_be_is_refused(width: dict[str, float]) -> None:
    with pytest.raises(RecordError, match="expected"):
        Width(**width)  # type: ignore[arg-type]
