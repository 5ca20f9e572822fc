from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemx_core.errors import VolumeError
from hemx_core.imaging.volume import HUVolume, VolumeGeometry
from hemx_core.measure.clean import (
    clean_mask,
    component_masks,
    drop_small,
    fill_holes,
    find_bone_spots,
    find_components,
    keep_largest,
)
from hemx_core.measure.haematoma import haematoma_notes, measure_haematoma
from hemx_core.words import tell


def _geometry(slices: int) -> VolumeGeometry:
    return VolumeGeometry.axial(slices, spacing_mm=(10.0, 1.0, 1.0))  # a pixel is 0.01 mL


def test_a_u_shape_is_one_component_joined_on_another_slice() -> None:
    mask = np.zeros((3, 10, 10), bool)
    mask[0, 2, 2] = mask[0, 2, 7] = True
    mask[1, 2, 2] = mask[1, 2, 7] = True
    assert len(find_components(mask, _geometry(3)).volumes_ml) == 2
    mask[2, 2, 2:8] = True
    assert find_components(mask, _geometry(3)).volumes_ml == pytest.approx([0.1])


def test_diagonals_connect_on_a_slice_but_not_across_slices() -> None:
    mask = np.zeros((2, 4, 4), bool)
    mask[0, 0, 0] = mask[0, 1, 1] = mask[1, 2, 2] = True
    assert find_components(mask, _geometry(2)).volumes_ml == pytest.approx([0.02, 0.01])


def test_an_empty_slice_separates() -> None:
    mask = np.zeros((3, 4, 4), bool)
    mask[0, 1, 1] = mask[2, 1, 1] = True
    assert len(find_components(mask, _geometry(3)).volumes_ml) == 2


def test_small_components_go_and_those_at_the_limit_stay() -> None:
    mask = np.zeros((2, 16, 16), bool)
    mask[:, 2:4, 2:4] = True  # 8 pixels
    mask[0, 10, 10:14] = True  # 4 pixels
    mask[1, 14, 14] = True  # 1 pixel
    kept, components = drop_small(mask, _geometry(2), 0.04)
    expected = mask.copy()
    expected[1, 14, 14] = False
    np.testing.assert_array_equal(kept, expected)
    assert components.volumes_ml == pytest.approx([0.08, 0.04])
    assert mask[1, 14, 14], "the input stays as it was"


def test_dropping_everything_leaves_an_empty_mask() -> None:
    mask = np.zeros((1, 4, 4), bool)
    mask[0, 1, 1] = True
    kept, components = drop_small(mask, _geometry(1), 1.0)
    assert not kept.any()
    assert components.volumes_ml == ()


def test_the_largest_is_largest_by_volume_not_by_pixels_on_a_slice() -> None:
    mask = np.zeros((4, 16, 16), bool)
    mask[:, 2:4, 2:4] = True  # 16 pixels on four slices
    mask[0, 8:11, 8:13] = True  # 15 pixels on one
    largest = keep_largest(mask, find_components(mask, _geometry(4)), 1)
    assert largest.sum() == 16
    assert largest[:, 2, 2].all()


def _flood_count(mask: np.ndarray) -> int:
    """Slow reference: flood fill over the same neighbourhood."""
    left = {tuple(place) for place in np.argwhere(mask).tolist()}
    steps = [(0, dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)] + [(1, 0, 0), (-1, 0, 0)]
    count = 0
    while left:
        stack, count = [left.pop()], count + 1
        while stack:
            place = stack.pop()
            for step in steps:
                near = tuple(a + b for a, b in zip(place, step, strict=True))
                if near in left:
                    left.remove(near)
                    stack.append(near)
    return count


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.05, 0.6))
def test_random_masks_agree_with_a_flood_fill(seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((4, 9, 9)) < share
    components = find_components(mask, _geometry(4))
    assert len(components.volumes_ml) == _flood_count(mask)
    assert sum(components.volumes_ml) == pytest.approx(mask.sum() * 0.01)
    assert list(components.volumes_ml) == sorted(components.volumes_ml, reverse=True)


@pytest.mark.parametrize("limit_ml", [0.0, 0.04, 1.0])
def test_in_place_drops_the_same_from_the_mask_itself(limit_ml: float) -> None:
    mask = np.random.default_rng(0).random((4, 16, 16)) < 0.2
    expected, components = drop_small(mask.copy(), _geometry(4), limit_ml)
    kept, found = drop_small(mask, _geometry(4), limit_ml, in_place=True)
    assert kept is mask
    np.testing.assert_array_equal(mask, expected)
    assert found.volumes_ml == components.volumes_ml


CLOT_HU, HOLE_HU, CSF_HU = 62, 30, 6


def _disc(radius_px: float, row: int = 30, column: int = 30) -> np.ndarray:
    rows, columns = np.mgrid[:64, :64]
    return np.hypot(rows - row, columns - column) <= radius_px


def _scene(hole: np.ndarray, hole_hu: int = HOLE_HU) -> tuple[np.ndarray, HUVolume]:
    """A clot of radius 16 on slice 1 of 3 with a part left out; pixels of 1 mm, slices of 5 mm."""
    mask = np.zeros((3, 64, 64), bool)
    mask[1] = _disc(16) & ~hole
    hu = np.full(mask.shape, 32, np.int16)
    hu[1][_disc(16)] = CLOT_HU
    hu[1][hole] = hole_hu
    return mask, HUVolume(hu, spacing_mm=(5, 1, 1))


def test_an_enclosed_hypodensity_is_filled_and_counted() -> None:
    hole = _disc(4)
    mask, volume = _scene(hole)
    filled, ml = fill_holes(mask, volume)
    np.testing.assert_array_equal(filled[1], _disc(16))
    assert ml == pytest.approx(hole.sum() * 5 / 1000)
    haematoma = measure_haematoma(mask, volume, min_component_ml=0.1)
    assert haematoma.filled_ml == pytest.approx(ml)
    assert haematoma.volume_ml == pytest.approx(_disc(16).sum() * 5 / 1000)
    assert haematoma.component_volumes_ml == pytest.approx([haematoma.volume_ml])


def test_a_bay_that_is_open_to_the_outside_stays() -> None:
    bay = _disc(4)
    bay[28:33, 30:60] = True
    mask, volume = _scene(bay)
    filled, ml = fill_holes(mask, volume)
    assert filled is mask
    assert ml == 0


def test_a_diagonal_gap_does_not_open_a_hole() -> None:
    """What 8-connected clot encloses is a hole: an outline of diagonal steps is closed."""
    mask = np.zeros((1, 64, 64), bool)
    rows, columns = np.mgrid[:64, :64]
    mask[0] = (abs(rows - 30) + abs(columns - 30) <= 12) & (abs(rows - 30) + abs(columns - 30) > 3)
    volume = HUVolume(np.full(mask.shape, 40, np.int16), spacing_mm=(5, 1, 1))
    filled, _ = fill_holes(mask, volume)
    assert filled[0, 30, 30]


@pytest.mark.parametrize(("radius", "fills"), [(7.4, True), (8.6, False)])
def test_a_hole_of_more_than_a_quarter_of_the_area_stays(radius: float, fills: bool) -> None:
    mask, volume = _scene(_disc(radius))
    assert (fill_holes(mask, volume)[1] > 0) is fills


@pytest.mark.parametrize(("radius", "fills"), [(2.0, True), (4.0, False)])
def test_a_cavity_of_csf_stays_unless_it_is_small(radius: float, fills: bool) -> None:
    mask, volume = _scene(_disc(radius), CSF_HU)
    assert (fill_holes(mask, volume)[1] > 0) is fills


def test_an_island_inside_a_hole_joins_the_clot() -> None:
    hole = _disc(6) & ~_disc(1)
    mask, volume = _scene(hole)
    haematoma = measure_haematoma(mask, volume, min_component_ml=0.0)
    assert len(haematoma.component_volumes_ml) == 1


def test_the_mask_touching_the_picture_s_edge_is_no_hole() -> None:
    mask = np.zeros((1, 20, 20), bool)
    mask[0, :, 8:12] = True
    volume = HUVolume(np.full(mask.shape, 40, np.int16), spacing_mm=(5, 1, 1))
    assert fill_holes(mask, volume)[0] is mask


def test_a_mask_that_does_not_fit_is_refused() -> None:
    _, volume = _scene(_disc(3))
    with pytest.raises(VolumeError):
        fill_holes(np.zeros((2, 64, 64), bool), volume)


SPOT = (slice(60, 68), slice(60, 68))
CLOT = (slice(80, 100), slice(80, 100))


def head(*, ridge_on: int | None, step_mm: float = 5.0, slices: int = 8) -> HUVolume:
    """A disc of brain in a ring of bone; on one slice a ridge of bone reaches to `SPOT`."""
    rows, columns = np.mgrid[:160, :160] - 80.0
    away = np.hypot(rows, columns)
    hu = np.full((slices, 160, 160), -1000.0)
    hu[:, away < 70] = 900.0
    hu[:, away < 64] = 35.0
    if ridge_on is not None:
        hu[ridge_on, 56:72, 20:70] = 800.0
    return HUVolume(hu, spacing_mm=(step_mm, 1.0, 1.0))


def mask_of(volume: HUVolume, *pieces: tuple[slice, tuple[slice, slice]]) -> np.ndarray:
    mask = np.zeros(volume.hu.shape, bool)
    for slices, place in pieces:
        mask[(slices, *place)] = True
    return mask


@pytest.mark.parametrize("ridge_on", [2, 4])
def test_a_spot_over_the_bone_below_or_above_is_found(ridge_on: int) -> None:
    volume = head(ridge_on=ridge_on)
    mask = mask_of(volume, (slice(3, 4), SPOT), (slice(4, 7), CLOT))
    assert find_bone_spots(mask, find_components(mask, volume.geometry), volume) == {1: 3}


@pytest.mark.parametrize("tilt_deg", [0.0, 11.0, 17.0, 23.0])
@pytest.mark.parametrize("step_mm", [5.0, 10.0])
def test_a_rounding_makes_no_spot_too_high(step_mm: float, tilt_deg: float) -> None:
    geometry = VolumeGeometry.axial(8, spacing_mm=(step_mm, 1.0, 1.0), tilt_deg=tilt_deg)
    volume = HUVolume(head(ridge_on=2).hu, geometry=geometry)
    mask = mask_of(volume, (slice(3, 3 + round(10 / step_mm)), SPOT), (slice(5, 7), CLOT))
    assert find_bone_spots(mask, find_components(mask, geometry), volume) == {1: 3}


def test_slices_that_are_missing_beside_a_spot_do_not_make_it_higher() -> None:
    whole = VolumeGeometry.axial(12, spacing_mm=(5.0, 1.0, 1.0))
    kept = [0, 1, 2, 3, 8, 9, 10, 11]
    geometry = replace(
        whole,
        positions_mm=whole.positions_mm[kept],
        slice_thickness_mm=whole.slice_thickness_mm[kept],
    )
    volume = HUVolume(head(ridge_on=2).hu, geometry=geometry)
    mask = mask_of(volume, (slice(3, 4), SPOT), (slice(5, 7), CLOT))
    assert find_bone_spots(mask, find_components(mask, geometry), volume) == {1: 3}


@pytest.mark.parametrize(
    ("ridge_on", "slices", "place", "step_mm"),
    [
        (None, slice(3, 4), SPOT, 5.0),  # no bone beside it
        (6, slice(3, 4), SPOT, 5.0),  # bone, but three slices away
        (2, slice(3, 6), SPOT, 5.0),  # higher than partial volume reaches
        (2, slice(3, 4), (slice(60, 76), slice(56, 72)), 5.0),  # too large
        (2, slice(3, 4), (slice(90, 98), slice(90, 98)), 5.0),  # elsewhere in the plane
    ],
)
def test_what_is_no_partial_volume_stays(
    ridge_on: int | None, slices: slice, place: tuple[slice, slice], step_mm: float
) -> None:
    volume = head(ridge_on=ridge_on, step_mm=step_mm)
    mask = mask_of(volume, (slices, place))
    assert find_bone_spots(mask, find_components(mask, volume.geometry), volume) == {}


def test_beside_a_haematoma_it_is_left_out_and_told() -> None:
    volume = head(ridge_on=2)
    clot = mask_of(volume, (slice(3, 7), CLOT))
    found = measure_haematoma(
        clot | mask_of(volume, (slice(3, 4), SPOT)), volume, min_component_ml=0.1
    )
    assert np.array_equal(found.mask, clot)
    assert found.component_volumes_ml == pytest.approx([8.0])
    told = {note.code: tell(note) for note in haematoma_notes(found, volume)}
    assert "slice 4 " in told["bone_spot_left_out"]
    assert "may_be_bone" not in told


def test_alone_it_is_counted_and_told_to_be_doubtful() -> None:
    volume = head(ridge_on=2)
    mask = mask_of(volume, (slice(3, 4), SPOT))
    found = measure_haematoma(mask, volume, min_component_ml=0.1)
    assert np.array_equal(found.mask, mask)
    told = {note.code for note in haematoma_notes(found, volume)}
    assert "may_be_bone" in told
    assert "bone_spot_left_out" not in told


def test_the_lowest_and_the_highest_slice_have_a_neighbour_less() -> None:
    volume = head(ridge_on=None)
    for index in (0, 7):
        mask = mask_of(volume, (slice(index, index + 1), SPOT))
        assert find_bone_spots(mask, find_components(mask, volume.geometry), volume) == {}


def test_two_spots_on_one_slice_go_and_the_haematoma_beside_them_stays() -> None:
    volume = head(ridge_on=2)
    clot = mask_of(volume, (slice(3, 7), CLOT))
    # The larger one goes first. It lies above, so without it the other pieces' labels are smaller by one.
    upper = mask_of(volume, (slice(3, 4), (slice(52, 62), slice(38, 47))))
    lower = mask_of(volume, (slice(3, 4), (slice(64, 72), slice(58, 66))))
    found = measure_haematoma(clot | upper | lower, volume, min_component_ml=0.1)
    assert np.array_equal(found.mask, clot)
    assert found.bone_spots == (3,)


def _cut(pixels: int) -> np.ndarray:
    """A hole of so many pixels in the middle, in rows of five."""
    hole = np.zeros((64, 64), bool)
    hole[28:40, 28:33] = np.arange(60).reshape(12, 5) < pixels
    return hole


@pytest.mark.parametrize(
    ("pixels", "hu", "fills"),
    [(20, 6, True), (21, 6, False), (21, 14, False), (21, 15, True), (60, 15, True)],
)
def test_a_cavity_is_darker_than_15_hu_and_larger_than_20_mm2(
    pixels: int, hu: int, fills: bool
) -> None:
    mask, volume = _scene(_cut(pixels), hu)
    assert (fill_holes(mask, volume)[1] > 0) is fills


def test_the_cavity_s_area_is_in_square_millimetres() -> None:
    mask, volume = _scene(_cut(21), 6)
    half = HUVolume(volume.hu, spacing_mm=(5, 0.5, 0.5))
    assert fill_holes(mask, half)[1] == pytest.approx(21 * 0.25 * 5 / 1000)


def test_a_quarter_of_clot_and_hole_together_is_the_largest_hole() -> None:
    for side, fills in ((10, True), (11, False)):
        mask = np.zeros((1, 64, 64), bool)
        mask[0, 10:30, 10:30] = True
        mask[0, 15 : 15 + side, 15:25] = False  # 100 or 110 of 400 pixels
        volume = HUVolume(np.full(mask.shape, 40, np.int16), spacing_mm=(5, 1, 1))
        assert (fill_holes(mask, volume)[1] > 0) is fills


def test_two_holes_are_each_measured_against_the_clot_round_it() -> None:
    mask = np.zeros((1, 64, 64), bool)
    mask[0, 2:6, 2:6] = True  # a small ring, whose hole is a quarter of it
    mask[0, 3:5, 3:5] = False
    mask[0, 20:40, 20:40] = True
    mask[0, 30, 30] = False
    mask[0, 50:53, 50:53] = True  # a ring of eight, with a hole of one
    mask[0, 51, 51] = False
    volume = HUVolume(np.full(mask.shape, 40, np.int16), spacing_mm=(5, 1, 1))
    filled, ml = fill_holes(mask, volume)
    assert filled[0, 3, 3]
    assert filled[0, 30, 30]
    assert filled[0, 51, 51]
    assert ml == pytest.approx(6 * 5 / 1000)


def test_filling_leaves_the_input_as_it_was_unless_in_place() -> None:
    mask, volume = _scene(_disc(4))
    before = mask.copy()
    filled, _ = fill_holes(mask, volume)
    np.testing.assert_array_equal(mask, before)
    same, _ = fill_holes(mask, volume, in_place=True)
    assert same is mask
    np.testing.assert_array_equal(mask, filled)


def test_the_largest_and_one_component_are_taken_apart() -> None:
    mask = np.zeros((3, 16, 16), bool)
    mask[0:2, 2:6, 2:6] = True  # 32 pixels
    mask[1, 10:13, 10:13] = True  # 9
    mask[2, 14, 14] = True  # 1
    components = find_components(mask, _geometry(3))
    assert keep_largest(mask, components, 3) is mask
    two = keep_largest(mask, components, 2)
    assert two.sum() == 41
    assert not two[2].any()
    middle = component_masks(mask, components, 1)
    assert list(middle) == [1]
    assert middle[1].sum() == 9
    assert middle[1][11, 11]
    largest = component_masks(mask, components, 0)
    assert {index: int(pixels.sum()) for index, pixels in largest.items()} == {0: 16, 1: 16}
    assert mask.sum() == 42, "the input stays as it was"
    assert keep_largest(mask, components, 1, in_place=True) is mask
    assert mask.sum() == 32


def test_of_equal_components_the_lower_one_is_the_first() -> None:
    mask = np.zeros((3, 8, 8), bool)
    mask[2, 1, 1] = mask[0, 5, 5] = True
    components = find_components(mask, _geometry(3))
    assert list(component_masks(mask, components, 0)) == [0]


@pytest.mark.parametrize(
    ("rows", "columns", "found"),
    [(13, 15, True), (20, 10, False), (21, 10, False)],  # 0.975, 1.0 and 1.05 mL
)
def test_a_spot_is_smaller_than_a_millilitre(rows: int, columns: int, found: bool) -> None:
    volume = head(ridge_on=2)
    place = (slice(55, 55 + rows), slice(50, 50 + columns))
    mask = mask_of(volume, (slice(3, 4), place))
    assert bool(find_bone_spots(mask, find_components(mask, volume.geometry), volume)) is found


@pytest.mark.parametrize(("step_mm", "found"), [(5.0, True), (5.4, False)])
def test_a_spot_is_at_most_10_mm_high(step_mm: float, found: bool) -> None:
    volume = head(ridge_on=2, step_mm=step_mm)
    mask = mask_of(volume, (slice(3, 5), SPOT))
    spots = find_bone_spots(mask, find_components(mask, volume.geometry), volume)
    assert spots == ({0: 3} if found else {})


def test_half_of_a_spot_lies_within_2_mm_of_bone() -> None:
    """The ridge ends with column 69: bone reaches to column 71, so columns from 72 on are too far."""
    volume = head(ridge_on=2)
    for first, found in ((68, True), (69, False)):
        place = (slice(60, 68), slice(first, first + 8))
        mask = mask_of(volume, (slice(3, 4), place))
        spots = find_bone_spots(mask, find_components(mask, volume.geometry), volume)
        assert bool(spots) is found, first


def _spots(volume: HUVolume, *pieces: tuple[slice, tuple[slice, slice]]) -> dict[int, int]:
    mask = mask_of(volume, *pieces)
    return find_bone_spots(mask, find_components(mask, volume.geometry), volume)


def test_bone_on_the_first_slice_counts_and_on_the_far_end_does_not() -> None:
    assert _spots(head(ridge_on=0), (slice(1, 2), SPOT)) == {0: 1}
    assert _spots(head(ridge_on=7), (slice(0, 1), SPOT)) == {}
    assert _spots(head(ridge_on=7), (slice(6, 7), SPOT)) == {0: 6}


def test_a_spot_of_two_slices_may_lie_under_bone() -> None:
    assert _spots(head(ridge_on=5), (slice(3, 5), SPOT)) == {0: 3}
    assert _spots(head(ridge_on=2), (slice(3, 5), SPOT)) == {0: 3}


def test_a_high_piece_does_not_hide_a_spot_after_it() -> None:
    high = (slice(3, 6), (slice(90, 97), slice(90, 97)))  # 0.735 mL, three slices
    assert _spots(head(ridge_on=2), high, (slice(3, 4), SPOT)) == {1: 3}


def test_without_bone_there_is_no_spot() -> None:
    volume = HUVolume(np.full((8, 160, 160), 35), spacing_mm=(5, 1, 1))
    assert _spots(volume, (slice(3, 4), SPOT)) == {}


def test_the_reach_is_measured_in_the_smaller_pixel_side() -> None:
    """The ridge ends with column 69; 2 mm are three columns of 0.6 mm."""
    volume = HUVolume(head(ridge_on=2).hu, spacing_mm=(5.0, 1.0, 0.6))
    for first, found in ((69, True), (70, False)):
        place = (slice(60, 68), slice(first, first + 8))
        assert bool(_spots(volume, (slice(3, 4), place))) is found, first


def test_cleaning_leaves_the_input_as_it_was() -> None:
    volume = head(ridge_on=2)
    mask = mask_of(
        volume, (slice(3, 7), CLOT), (slice(3, 4), SPOT), (slice(6, 7), (SPOT[0], SPOT[0]))
    )
    mask[5, 90, 90] = False
    before = mask.copy()
    found = clean_mask(mask, volume, min_component_ml=0.1)
    np.testing.assert_array_equal(mask, before)
    assert found.mask.sum() == mask.sum() + 1 - 64
    assert found.bone_spots == (3,)
    clean_mask(mask, volume, min_component_ml=0.0, in_place=True)
    np.testing.assert_array_equal(mask, found.mask)


def test_a_corner_that_is_open_to_the_picture_s_edge_is_no_hole() -> None:
    mask = np.zeros((1, 20, 20), bool)
    mask[0, :12, :12] = True
    mask[0, :3, :3] = False
    mask[0, 17:, 17:] = True
    volume = HUVolume(np.full(mask.shape, 40, np.int16), spacing_mm=(5, 1, 1))
    assert fill_holes(mask, volume)[0] is mask


def test_components_of_a_mask_that_does_not_fit_are_refused() -> None:
    with pytest.raises(VolumeError):
        find_components(np.zeros((2, 8, 8), bool), _geometry(3))
