"""What distances of slices say: the plan, what is missing, and what each slice stands for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemx_core.imaging.spacing import MAX_BRIDGED_MM, extents_mm, find_gaps, regular_steps


@given(
    count=st.integers(8, 40),
    step=st.floats(0.5, 10),
    data=st.data(),
)
def test_any_one_slice_that_is_lost_is_found(count: int, step: float, data: st.DataObject) -> None:
    lost = data.draw(st.integers(1, count - 2))
    offsets = np.delete(np.arange(count) * step, lost)
    gaps = find_gaps(np.diff(offsets).tolist())
    assert [(gap.below, gap.count) for gap in gaps] == [(lost - 1, 1)]


@given(first=st.integers(4, 12), second=st.integers(4, 12), a=st.floats(1, 6), b=st.floats(1, 6))
def test_two_planned_spacings_are_no_gap(first: int, second: int, a: float, b: float) -> None:
    steps = [a] * first + [(a + b) / 2] + [b] * second
    assert find_gaps(steps) == ()
    assert sum(end - start for start, end, _ in regular_steps(steps)) >= first + second


@pytest.mark.parametrize(
    ("steps", "planned"),
    [
        ([5, 5, 5], [(0, 3, 5)]),
        ([5, 5], [(0, 2, 5)]),
        ([5, 8], [(0, 1, 5), (1, 2, 8)]),  # each is half of all
        ([5, 8, 11], []),
        ([5, 5.24, 5.2, 9, 9.4, 9.2, 9.1], [(0, 3, 5.2), (3, 7, 9.15)]),
        ([5, 5, 5, 7, 5, 9, 9], [(0, 3, 5), (4, 5, 5)]),
        ([0.5, 0.58, 0.5], [(0, 3, 0.5)]),  # within 0.1 mm
    ],
)
def test_what_recurs_is_planned(steps: list[float], planned: list[tuple[int, int, float]]) -> None:
    assert regular_steps(steps) == [pytest.approx(run) for run in planned]


@pytest.mark.parametrize(
    ("steps", "gaps"),
    [
        ([5, 5, 5, 7.4, 5, 5, 5], []),
        ([5, 5, 5, 7.5, 5, 5, 5], [(3, 1, 7.5)]),
        ([5, 5, 5, 20, 5, 5, 5], [(3, 3, 20)]),
        ([3, 3, 3, 7.4, 5, 5, 5], []),  # less than 1.5 times the wider side
        ([3, 3, 3, 7.5, 5, 5, 5], [(3, 1, 7.5)]),
        ([5, 5, 5, 12], [(3, 1, 12)]),
        ([12, 5, 5, 5], [(0, 1, 12)]),
        ([5, 5, 5, 12, 5, 5, 5, 9, 9, 9], [(3, 1, 12)]),  # the nearest plan on each side
        ([9, 9, 9, 5, 5, 5, 12, 5, 5, 5], [(6, 1, 12)]),
        ([5, 8, 11], []),
    ],
)
def test_what_is_half_as_wide_again_as_both_sides_is_a_gap(
    steps: list[float], gaps: list[tuple[int, int, float]]
) -> None:
    assert [(gap.below, gap.count, gap.step_mm) for gap in find_gaps(steps)] == gaps


def test_a_gap_knows_what_was_planned_on_both_of_its_sides() -> None:
    (gap,) = find_gaps([3, 3, 3, 12, 5, 5, 5])
    assert gap.planned_mm == (3, 5)
    assert gap.bridged
    assert find_gaps([12, 5, 5, 5])[0].planned_mm == (5, 5)
    assert not find_gaps([5, 5, 5, MAX_BRIDGED_MM + 1, 5])[0].bridged


def test_slices_that_touch_by_their_thickness_leave_nothing_out() -> None:
    # One slice of 7 mm over those of 4 mm: no distance of 7 mm recurs, yet none is missing.
    thickness = [4.0, 4, 4, 4, 7, 7]
    assert find_gaps([4, 4, 4, 5.5, 7], thickness) == ()
    assert find_gaps([4, 4, 4, 5.5, 7]) != ()
    assert find_gaps([2.5, 2.5, 2.5, 5, 2.5], [5.0] * 6) == ()
    # A label that no plan bears out hides no gap.
    assert len(find_gaps([5, 5, 5, 20, 5], [20.0] * 6)) == 1


def _extents(steps: list[float], thickness: float = 5.0, *, seen: bool = False) -> list[float]:
    labels = np.full(len(steps) + 1, thickness)
    gaps = find_gaps(steps, labels.tolist())
    return extents_mm(np.array(steps, float), labels, gaps, seen=seen).tolist()


@pytest.mark.parametrize("thickness", [0.05, 1.25, 2.5, 5.0, 10.0, 50.0])
def test_the_distance_decides_whatever_the_thickness_says(thickness: float) -> None:
    assert _extents([5.0] * 4, thickness) == [5.0] * 5
    assert _extents([10.0] * 4, thickness) == [10.0] * 5
    assert _extents([4, 4, 4, 5.5, 7, 7, 7], thickness) == [4, 4, 4, 4.75, 6.25, 7, 7, 7]


def test_a_gap_is_interpolated_and_the_seen_part_known() -> None:
    assert _extents([5, 5, 20, 5, 5]) == [5, 5, 12.5, 12.5, 5, 5]
    assert _extents([5, 5, 20, 5, 5], seen=True) == [5] * 6
    assert _extents([3, 3, 3, 15, 5, 5, 5], seen=True) == [3, 3, 3, 3, 5, 5, 5, 5]


def test_a_stray_slice_far_away_lengthens_nothing() -> None:
    assert _extents([5, 5, 5, 300]) == [5] * 5
    assert max(_extents([400, 400, 400])) == MAX_BRIDGED_MM


def test_an_end_beside_a_gap_has_the_planned_distance() -> None:
    assert _extents([20, 5, 5, 5]) == [12.5, 12.5, 5, 5, 5]


@given(st.lists(st.floats(0.06, 60), min_size=1, max_size=30), st.floats(0.05, 50))
def test_extents_are_positive_bounded_and_fill_the_stack(
    steps: list[float], thickness: float
) -> None:
    extents = np.array(_extents(steps, thickness))
    assert (extents > 0).all()
    assert (extents <= MAX_BRIDGED_MM).all()
    if max(steps) <= MAX_BRIDGED_MM:
        assert extents.sum() >= sum(steps) - 1e-9
    assert (np.array(_extents(steps, thickness, seen=True)) <= extents + 1e-9).all()
