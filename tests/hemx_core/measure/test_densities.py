"""Densities inside a clot, on grids small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hemx_core.measure import densities
from hemx_core.measure.clot import ClotPatch
from hemx_core.measure.densities import Hole, filled_level, find_holes, otsu_hu, split


def test_water_stands_as_high_as_the_lowest_way_out() -> None:
    values = np.full((7, 7), 10, np.float32)
    values[2:5, 2:5] = 2
    values[3, 5] = 6  # a notch in the wall, whose own way out is 10
    core = np.ones((7, 7), bool)
    core[0, 0] = False
    level = filled_level(values, core)
    np.testing.assert_array_equal(level[2:5, 2:6], 10)
    assert level[0, 0] == -1000
    values[3, 6] = (
        4  # the wall's outer side: out of the picture there is no clot, but no gap either
    )
    assert filled_level(values, core)[3, 3] == 10
    core[3, 6] = False
    level = filled_level(values, core)
    np.testing.assert_array_equal(level[2:5, 2:5], 6)
    assert level[3, 5] == 6
    values[2, 3] = 8  # above the level it stands out
    assert filled_level(values, core)[2, 3] == 8


def test_ways_out_are_not_diagonal() -> None:
    values = np.full((5, 5), 10, np.float32)
    values[2, 2] = values[3, 3] = 2
    core = np.ones((5, 5), bool)
    core[4, 3] = False
    level = filled_level(values, core)
    assert level[3, 3] == 2
    assert level[2, 2] == 10


def _hole(**changes: float) -> Hole:
    values = {
        "area_mm2": 10.0,
        "depth_hu": 20.0,
        "contrast_hu": 30.0,
        "border_mm": 2.2,
        "solidity": 0.8,
    }
    return Hole(index=0, centre_mm=(0.0, 0.0), **{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "shaped"),
    [({}, True), ({"border_mm": 2.21}, False), ({"solidity": 0.79}, False)],
)
def test_a_black_hole_is_round_and_sharp(changes: dict[str, float], shaped: bool) -> None:
    assert _hole(**changes).is_black_hole_shaped is shaped
    assert _hole(area_mm2=np.pi * 4).radius_mm == pytest.approx(2)


def _patch(hu: np.ndarray, inside: np.ndarray) -> ClotPatch:
    return ClotPatch(
        index=3, hu=hu.astype(np.float32), outline=inside, inside=inside, pieces=inside,
        top_mm=7.0, left_mm=11.0,
    )  # fmt: skip


def test_a_hole_has_its_place_depth_and_contrast() -> None:
    inside = np.zeros((80, 80), bool)
    inside[5:75, 5:75] = True
    hu = np.where(inside, 60.0, 30.0)
    hu[30:42, 40:52] = 30  # 6 x 6 mm, 30 HU deep
    hu[60:64, 60:64] = 0  # 2 x 2 mm: less than 6 mm2, but smoothing widens it
    found = find_holes(_patch(hu, inside))
    assert [hole.index for hole in found] == [3] * len(found)
    deepest = max(found, key=lambda hole: hole.area_mm2)
    assert deepest.centre_mm == pytest.approx((7 + 35.5 / 2, 11 + 45.5 / 2), abs=0.05)
    assert deepest.area_mm2 == pytest.approx(36, abs=4)
    assert deepest.depth_hu == pytest.approx(30, abs=1)
    assert deepest.contrast_hu == pytest.approx(30, abs=0.5)
    assert deepest.solidity > 0.95
    assert 0.5 < deepest.border_mm < 2
    assert [hole.depth_hu for hole in found] == sorted((h.depth_hu for h in found), reverse=True)
    assert find_holes(_patch(np.where(inside, 60.0, 30.0), inside)) == []


def test_otsu_parts_two_densities_between_them() -> None:
    values = np.concatenate([np.full(300, 40), np.full(500, 60)]).astype(np.float32)
    assert 40 < otsu_hu(values) <= 60
    rng = np.random.default_rng(0)
    mixed = np.concatenate([rng.normal(40, 2, 4000), rng.normal(60, 2, 4000)]).astype(np.float32)
    assert 44 < otsu_hu(mixed) < 56, "anywhere in the gap"


def _halves(width: int, rows: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Forty columns, `width` of them dark."""
    values = np.full((rows, 40), 64, np.float32)
    values[:, :width] = 40
    return values, np.ones((rows, 40), bool)


def test_a_split_has_both_parts_and_their_difference() -> None:
    values, region = _halves(12)
    parts = split(values, region)
    assert parts is not None
    np.testing.assert_array_equal(parts.low, values == 40)
    np.testing.assert_array_equal(parts.high, values == 64)
    assert parts.difference_hu == 24
    assert 40 < parts.threshold_hu <= 64


@pytest.mark.parametrize(
    ("width", "rows", "found"),
    [
        (5, 20, True),  # 25 mm2
        (4, 20, False),
        (8, 25, True),
        (4, 40, True),  # 40 of 400 mm2: a tenth
        (3, 40, False),
        (20, 5, True),  # 50 mm2 in all
        (20, 4, False),
    ],
)
def test_a_part_has_25_mm2_and_a_tenth(width: int, rows: int, found: bool) -> None:
    assert (split(*_halves(width, rows)) is not None) is found


def test_the_border_is_left_out_of_the_difference() -> None:
    values, region = _halves(12)
    values[:, 10:12] = 50  # within 1.2 mm of the high part
    values[:, 12:14] = 60
    parts = split(values, region)
    assert parts is not None
    assert parts.difference_hu == 24


def test_steps_and_dense_tops_of_columns() -> None:
    core = np.ones((8, 4), bool)
    core[6:, 3] = False  # six rows: 3 mm
    low = np.zeros_like(core)
    low[:3, 0] = True  # steps at row 3
    low[:, 1] = True  # low throughout
    low[4:, 2] = True  # dense from the top
    low[:2, 3] = True
    columns, rows, tops = densities._steps(low, core)
    assert (columns.tolist(), rows.tolist(), tops.tolist()) == ([0, 3], [3, 2], [0])
    core[5, 3] = False
    assert densities._steps(low, core)[0].tolist() == [0]


def test_a_line_is_fitted_to_what_lies_near_it() -> None:
    x = np.arange(20, dtype=np.float32)
    y = (0.1 * x + 5).astype(np.float32)
    slope, height, share = densities._fit_line(x, y)
    assert (slope, height, share) == pytest.approx((0.1, 5.95, 1.0), abs=1e-4)
    y[[3, 11]] += 6
    slope, height, share = densities._fit_line(x, y)
    assert slope == pytest.approx(0.1, abs=1e-3)
    assert height == pytest.approx(5.95, abs=0.06)
    assert share == pytest.approx(0.9)


@pytest.mark.parametrize("flip", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_no_diagonal_is_a_way_out(flip: tuple[int, int]) -> None:
    values = np.full((7, 7), 10, np.float32)
    values[3, 3] = values[4, 4] = 2
    core = np.ones((7, 7), bool)
    core[4, 5] = False
    down, right = flip
    level = filled_level(values[::down, ::right].copy(), core[::down, ::right].copy())
    assert level[3, 3] == 10


def test_solidity_is_the_share_of_the_convex_hull() -> None:
    region = np.zeros((20, 40), bool)
    region[5:15, 20:38] = True
    assert densities._solidity(region) == 1
    region[5:10, 29:38] = False
    # The hull cuts the notch's corner off: half of 9 x 5 pixels, and those that the edge runs through.
    assert densities._solidity(region) == pytest.approx(135 / (135 + 22), abs=0.03)
    assert densities._solidity(region[:, :21]) == 1


def test_a_shallow_hole_is_texture_below_2_hu() -> None:
    inside = np.zeros((80, 80), bool)
    inside[5:75, 5:75] = True
    for drop, count in ((2.6, 1), (1.9, 0)):
        hu = np.where(inside, 60.0, 30.0)
        hu[30:46, 30:46] -= drop
        assert len(find_holes(_patch(hu, inside))) == count


def test_a_hole_reaches_its_depth_over_6_mm2() -> None:
    inside = np.zeros((80, 80), bool)
    inside[5:75, 5:75] = True
    hu = np.where(inside, 60.0, 30.0)
    hu[30:33, 30:33] -= 40  # 2.25 mm2; smoothed it covers more, and is less deep
    (hole,) = find_holes(_patch(hu, inside))
    assert 2 < hole.depth_hu < 12


@pytest.mark.parametrize(("columns", "found"), [(3, False), (4, True)])
def test_a_part_of_24_75_mm2_is_too_small(columns: int, found: bool) -> None:
    values = np.full((33, 10), 64, np.float32)
    values[:, :columns] = 40
    assert (split(values, np.ones((33, 10), bool)) is not None) is found
