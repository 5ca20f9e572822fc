"""Each rule on drawn clots: what it must find, and the look-alike that it must not."""

import numpy as np
import pytest

from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.signs import SIGNS, find_signs
from hemx_core.result import SignResult

CLOT_HU = 64.0
ROWS, COLUMNS = np.mgrid[:120, :120] * 0.5 - 30  # mm from the middle; nose up


def _disc(radius: float, row: float = 0.0, column: float = 0.0) -> np.ndarray:
    return np.hypot(ROWS - row, COLUMNS - column) <= radius


def _judge(
    lower: list[tuple[np.ndarray, float]], *, clot: np.ndarray | None = None, noise: float = 3.0
) -> dict[str, SignResult]:
    """Signs of a clot of radius 14 mm on slices 1 to 3 of 5, with parts lowered on all of them."""
    rng = np.random.default_rng(5)
    one = _disc(14) if clot is None else clot
    mask = np.zeros((5, *one.shape), bool)
    mask[1:4] = one
    hu = np.where(mask, CLOT_HU, 32.0)
    for part, drop in lower:
        hu[1:4][:, part & one] -= drop
    hu += rng.normal(0, noise, hu.shape)
    volume = HUVolume(hu, spacing_mm=(5, 0.5, 0.5))
    return {sign.code: sign for sign in find_signs(volume, mask)}


def _present(signs: dict[str, SignResult]) -> set[str]:
    return {code for code, sign in signs.items() if sign.present}


def test_a_plain_round_clot_has_no_sign_and_every_rule_answers() -> None:
    signs = _judge([])
    assert list(signs) == list(SIGNS)
    assert [sign.present for sign in signs.values()] == [False] * len(SIGNS)


def test_no_haematoma_no_signs() -> None:
    volume = HUVolume(np.full((3, 40, 40), 35, np.int16), spacing_mm=(5, 1, 1))
    assert find_signs(volume, np.zeros((3, 40, 40), bool)) == ()


def test_a_clot_too_small_to_judge_is_undecided_without_a_value() -> None:
    signs = _judge([], clot=_disc(3))
    assert {sign.present for sign in signs.values()} == {None}
    assert {sign.value for sign in signs.values()} == {None}


def test_a_black_hole_over_three_slices_is_hypodensity_and_swirl_too() -> None:
    signs = _judge([(_disc(3.5, 2, -3), 36)])
    assert {"hypodensity", "black_hole", "swirl"} <= _present(signs)
    assert not {"blend", "fluid_level", "irregular"} & _present(signs)
    assert signs["black_hole"].value == pytest.approx(36, abs=4)
    assert signs["swirl"].value == pytest.approx(15)


def test_a_faint_hole_is_hypodensity_but_no_black_hole() -> None:
    signs = _judge([(_disc(3.5, 2, -3), 20)])
    assert "hypodensity" in _present(signs)
    assert signs["black_hole"].present is False


def test_a_bay_open_to_the_outside_is_no_hypodensity() -> None:
    signs = _judge([((abs(COLUMNS) < 2.5) & (ROWS > 2), 30)])
    assert signs["hypodensity"].present is False


@pytest.mark.parametrize(("drop", "answer"), [(25, True), (18, None), (11, False)])
def test_two_parts_side_by_side_are_a_blend_sign_from_18_hu(drop: float, answer: object) -> None:
    signs = _judge([(COLUMNS + 0.02 * ROWS**2 > 3, drop)], noise=0.5)
    assert signs["blend"].present is answer
    assert signs["blend"].value == pytest.approx(drop, abs=1)
    assert signs["fluid_level"].present is False


def test_a_straight_horizontal_border_is_a_fluid_level_and_no_blend_sign() -> None:
    signs = _judge([(ROWS < -2, 26)])
    assert signs["fluid_level"].present is True
    assert signs["fluid_level"].value == pytest.approx(26, abs=2)
    assert signs["blend"].present is False


@pytest.mark.parametrize("border", [ROWS - 0.5 * COLUMNS, ROWS - 0.05 * COLUMNS**2, -ROWS])
def test_slanted_bent_or_inverted_borders_are_no_fluid_level(border: np.ndarray) -> None:
    assert _judge([(border < -2, 26)])["fluid_level"].present is False


def test_a_blend_sign_is_found_below_a_fluid_level() -> None:
    signs = _judge([(ROWS < -5, 26), ((COLUMNS > 4) & (ROWS >= -5), 24)])
    assert {"blend", "fluid_level"} <= _present(signs)


def test_a_shell_of_partial_volume_is_no_blend_sign() -> None:
    assert _judge([(~_disc(9), 24)])["blend"].present is False


def test_bone_that_the_mask_touches_is_no_part_of_the_clot() -> None:
    assert _judge([(COLUMNS > 10, -200)])["blend"].present is False


def test_lobes_are_an_irregular_margin() -> None:
    lobes = _disc(9) | _disc(5, -10, -6) | _disc(5, 10, -6) | _disc(5, 0, 12)
    signs = _judge([], clot=lobes)
    assert signs["irregular"].present is True
    assert signs["irregular"].at_least is False


def test_a_small_piece_nearby_is_a_satellite_a_far_or_large_one_is_not() -> None:
    main = _disc(9, 0, -12)
    assert _judge([], clot=main | _disc(3, 0, 8))["satellite"].present is True
    assert _judge([], clot=main | _disc(6, 0, 8))["satellite"].present is False
    assert _judge([], clot=main | _disc(3, 0, 25))["satellite"].present is False


def test_three_separate_small_pieces_or_four_with_bridges_are_an_island_sign() -> None:
    main = _disc(9)
    around = [_disc(2.5, *place) for place in ((-16, 0), (16, 0), (0, 16), (0, -16))]
    three = main | around[0] | around[1] | around[2]
    assert _judge([], clot=three)["island"].present is True
    assert _judge([], clot=main | around[0] | around[1])["island"].present is False
    bridges = (abs(ROWS) < 0.8) | (abs(COLUMNS) < 0.8)
    four = main | np.logical_or.reduce(around) | (bridges & _disc(16))
    assert _judge([], clot=four)["island"].present is True


def test_the_answer_does_not_depend_on_the_pixel_size() -> None:
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:60, :60] * 0.9 - 27
    mask = np.zeros((3, 60, 60), bool)
    mask[1] = np.hypot(rows, columns) <= 14
    hu = np.where(mask, CLOT_HU, 32.0) - 36 * (np.hypot(rows - 2, columns + 3) <= 4) * mask
    volume = HUVolume(hu + rng.normal(0, 3, hu.shape), spacing_mm=(5, 0.9, 0.9))
    signs = {sign.code: sign for sign in find_signs(volume, mask)}
    assert signs["hypodensity"].present is True
    assert signs["hypodensity"].slice_index == 1
    assert signs["blend"].present is False
