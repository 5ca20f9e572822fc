"""What lies in a gap: interpolated straight, at most what a convex clot can have there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.measure.bridges import MAX_AREA_MM2, Bridge, find_bridges
from hemx_core.measure.volume import volume_ml


def geometry(offsets: list[float] | NDArray[np.float64]) -> VolumeGeometry:
    places = np.zeros((len(offsets), 3))
    places[:, 2] = offsets
    return VolumeGeometry(
        positions_mm=places,
        row_direction=np.array([1.0, 0, 0]),
        column_direction=np.array([0, 1.0, 0]),
        pixel_spacing_mm=(1.0, 1.0),
        slice_thickness_mm=np.full(len(offsets), 5.0),
    )


STACK = geometry([0, 5, 10, 15, 35, 40, 45, 50])
"""Three slices are missing after the fourth."""


def bridge(areas: list[float]) -> Bridge:
    (found,) = find_bridges(areas, STACK)
    return found


def test_no_gap_and_no_blood_beside_one_need_no_bridge() -> None:
    whole = geometry(np.arange(8) * 5.0)
    assert find_bridges([100.0] * 8, whole) == ()
    assert find_bridges([0, 0, 100, 0, 0, 100, 0, 0], STACK) == ()


def test_a_cylinder_goes_straight_through() -> None:
    found = bridge([0, 400, 400, 400, 400, 400, 400, 0])
    assert found.interpolated_mm3 == pytest.approx(400 * 15)
    assert found.at_most_mm3 == pytest.approx(400 * 15)
    assert found.gap.step_mm == 20


def test_the_interpolated_part_is_the_difference_of_the_two_volumes() -> None:
    areas = np.array([0.0, 50, 300, 500, 420, 200, 0, 0])
    seen = float(areas @ STACK.seen_extents_mm) / 1000
    part = bridge(areas.tolist()).interpolated_mm3 / 1000
    assert volume_ml(areas, STACK) - seen == pytest.approx(part)


def test_a_cone_that_meets_its_mirror_image_has_its_true_volume_as_upper_figure() -> None:
    # Root of the area 2 mm a mm on both sides, meeting in the middle of the gap at 40 mm.
    roots = np.array([0, 10, 20, 30, 30, 20, 10, 0.0])
    found = bridge((roots**2).tolist())
    exact = 2 * (50**3 - 30**3) / (3 * 2)
    seen = 900 * 5
    assert found.at_most_mm3 == pytest.approx(exact - seen, rel=2e-3)


@pytest.mark.parametrize("mirrored", [False, True])
def test_blood_on_one_side_only_ends_somewhere_in_the_gap(mirrored: bool) -> None:
    areas = [0.0, 100, 225, 400, 0, 0, 0, 0]  # root grows by 5 mm a slice
    found = bridge(areas[::-1] if mirrored else areas)
    assert found.interpolated_mm3 == pytest.approx(400 * 10 - 400 * 2.5)
    assert found.interpolated_mm3 < found.at_most_mm3 < MAX_AREA_MM2 * 20
    shrinking = bridge([0.0, 900, 625, 400, 0, 0, 0, 0])
    assert shrinking.at_most_mm3 == pytest.approx(shrinking.interpolated_mm3)


def test_no_cross_section_is_taken_for_larger_than_a_head_holds() -> None:
    found = bridge([0.0, 0, 4, 2500, 2500, 4, 0, 0])
    assert found.at_most_mm3 <= MAX_AREA_MM2 * 20 - 2500 * 5
    huge = bridge([0.0, 9000, 9000, 9000, 9000, 9000, 9000, 0.0])
    assert huge.at_most_mm3 == pytest.approx(9000 * 15)


def test_blood_that_begins_beside_the_gap_began_half_a_slice_before_it() -> None:
    found = bridge([0, 0, 0, 25, 100, 100, 0, 0])
    along = np.linspace(0, 20, 2001)
    roots = np.minimum(5 + 2 * along, 10)
    assert found.at_most_mm3 == pytest.approx(np.trapezoid(roots**2, along) - 125 * 2.5, rel=2e-3)


def test_blood_at_an_end_of_the_stack_is_not_extrapolated_from_beyond_it() -> None:
    ends = geometry([0, 20, 25, 30, 35])
    (found,) = find_bridges([100, 100, 100, 100, 0], ends)
    assert found.at_most_mm3 == pytest.approx(found.interpolated_mm3) == pytest.approx(100 * 15)


def test_beyond_50_mm_nothing_is_interpolated() -> None:
    (found,) = find_bridges([0, 100, 200, 200, 100, 0], geometry([0, 5, 10, 70, 75, 80]))
    assert found.interpolated_mm3 == 0
    assert found.at_most_mm3 > 0


@given(
    radius=st.floats(8, 35),
    middle=st.floats(40, 80),
    lost=st.integers(1, 6),
    first=st.integers(2, 20),
)
def test_a_ball_lies_between_what_is_seen_and_the_upper_figure(
    radius: float, middle: float, lost: int, first: int
) -> None:
    offsets = np.delete(np.arange(28) * 5.0, slice(first, first + lost))
    areas = np.pi * np.clip(radius**2 - (offsets - middle) ** 2, 0, None)
    stack = geometry(offsets)
    for one in find_bridges(areas, stack):
        low, high = offsets[one.gap.below], offsets[one.gap.below + 1]
        along = np.linspace(low, high, 2001)
        inside = np.pi * np.clip(radius**2 - (along - middle) ** 2, 0, None)
        seen = (areas[one.gap.below] + areas[one.gap.below + 1]) * 2.5
        true = float(np.trapezoid(inside, along)) - seen
        assert 0 <= one.interpolated_mm3 <= one.at_most_mm3
        around = areas[max(one.gap.below - 1, 0) : one.gap.below + 3]
        if around.all():
            # With two slices on both sides the lines through them bound every ball.
            assert true <= one.at_most_mm3 * 1.01 + 1
