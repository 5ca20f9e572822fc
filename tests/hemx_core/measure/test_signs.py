"""Each rule on drawn clots: what it must find, and the look-alike that it must not."""

from collections.abc import Callable

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
    beside = signs.pop("satellite")  # is looked for round it
    assert (beside.present, beside.value) == (False, 0)
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


def test_a_hole_behind_a_narrow_gap_counts_one_behind_a_door_does_not() -> None:
    """Noise and partial volume open the walls of real clots."""
    assert SCENES["hole behind a gap"]()["hypodensity"].present is True
    assert SCENES["hole behind a door"]()["hypodensity"].present is False


def test_a_swirl_goes_on_where_the_next_slice_shows_its_trace() -> None:
    swirl = SCENES["trace below"]()["swirl"]
    assert (swirl.present, swirl.value) == (True, pytest.approx(10))
    assert SCENES["hole on one slice"]()["swirl"].present is False


def test_the_outline_is_that_of_large_cross_sections() -> None:
    assert SCENES["lobes on one slice"]()["irregular"].present is True
    assert SCENES["lobes on a cap"]()["irregular"].present is False


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


def _heart() -> np.ndarray:
    return _disc(9) | _disc(5, -10, -6) | _disc(5, 10, -6) | _disc(5, 0, 12)


def _four() -> np.ndarray:
    around = [_disc(2.5, *place) for place in ((-16, 0), (16, 0), (0, 16), (0, -16))]
    bridges = (abs(ROWS) < 0.8) | (abs(COLUMNS) < 0.8)
    return _disc(9) | np.logical_or.reduce(around) | (bridges & _disc(16))


SCENES: dict[str, Callable[[], dict[str, SignResult]]] = {
    "plain": lambda: _judge([]),
    "deep hole": lambda: _judge([(_disc(3.5, 2, -3), 36)]),
    "faint hole": lambda: _judge([(_disc(3.5, 2, -3), 20)]),
    "two holes": lambda: _judge([(_disc(3, -5, -5), 30), (_disc(2, 5, 5), 34)]),
    "long hole": lambda: _judge([((abs(ROWS) < 1.6) & (abs(COLUMNS - 1) < 6), 34)]),
    "two parts": lambda: _judge([(COLUMNS + 0.02 * ROWS**2 > 3, 25)], noise=0.5),
    "small part": lambda: _judge([(COLUMNS > 8, 22)], noise=1.0),
    "fluid level": lambda: _judge([(ROWS < -2, 26)]),
    "slanted level": lambda: _judge([(ROWS - 0.15 * COLUMNS < -2, 26)]),
    "level over parts": lambda: _judge([(ROWS < -5, 26), ((COLUMNS > 4) & (ROWS >= -5), 24)]),
    "shell": lambda: _judge([(~_disc(9), 24)]),
    "bone": lambda: _judge([(COLUMNS > 10, -200)]),
    "lobes": lambda: _judge([], clot=_heart()),
    "bridges": lambda: _judge([], clot=_four()),
    "satellites": lambda: _judge(
        [], clot=_disc(9, 0, -12) | _disc(3, 0, 8) | _disc(4.6, -16, 8) | _disc(1.9, 18, 0)
    ),
    "ellipse": lambda: _judge([], clot=np.hypot(ROWS / 0.7, COLUMNS) <= 9),
    "cap": lambda: _judge([], clot=_disc(5)),
}
"""Drawn clots; FIGURES are what the rules measure on them."""


def _judge_slices(
    slices: list[tuple[np.ndarray, list[tuple[np.ndarray, float]]]], noise: float = 1.0
) -> dict[str, SignResult]:
    """Signs of a clot that differs from slice to slice: each one's clot, and parts lowered in it."""
    mask = np.zeros((len(slices) + 2, *ROWS.shape), bool)
    hu = np.full(mask.shape, 32.0)
    for index, (clot, lower) in enumerate(slices, start=1):
        mask[index] = clot
        hu[index][clot] = CLOT_HU
        for part, drop in lower:
            hu[index][part & clot] -= drop
    hu += np.random.default_rng(9).normal(0, noise, hu.shape)
    volume = HUVolume(hu, spacing_mm=(5, 0.5, 0.5))
    return {sign.code: sign for sign in find_signs(volume, mask)}


_ROUND = _disc(14)
_LEFT, _RIGHT = _disc(2.5, 0, -4), _disc(2.5, 0, 4)
_PART = COLUMNS + 0.02 * ROWS**2 > 3

SCENES |= {
    "trace below": lambda: _judge_slices(
        [(_ROUND, [(_LEFT | ((abs(ROWS) < 1.5) & (COLUMNS < -3)), 9)]), (_ROUND, [(_LEFT, 20)])]
    ),
    "hole behind a gap": lambda: _judge_slices(
        [(_ROUND, [(_disc(4) | ((abs(ROWS) < 0.6) & (COLUMNS < 0)), 20)])], noise=0.5
    ),
    "hole behind a door": lambda: _judge_slices(
        [(_ROUND, [(_disc(4) | ((abs(ROWS) < 2.6) & (COLUMNS < 0)), 20)])], noise=0.5
    ),
    "lobes on a cap": lambda: _judge_slices([(_disc(20), []), (_heart(), []), (_disc(20), [])]),
    "lobes on one slice": lambda: _judge_slices([(_ROUND, []), (_heart(), []), (_ROUND, [])]),
    "pieces on one slice": lambda: _judge_slices(
        [(_disc(9), []), (_four() | _disc(2.5, 16, 16), []), (_disc(9), [])]
    ),
    "hole on one slice": lambda: _judge_slices([(_ROUND, [(_LEFT, 30)]), (_ROUND, [])]),
    "holes apart": lambda: _judge_slices(
        [(_ROUND, [(_LEFT, 30)]), (_ROUND, [(_disc(2.5, 6, 6), 30)]), (_ROUND, [(_LEFT, 30)])]
    ),
    "hole that widens": lambda: _judge_slices(
        [(_ROUND, [(_LEFT, 30)]), (_ROUND, [(_LEFT, 30), (_RIGHT, 30)]), (_ROUND, [(_disc(5), 30)])]
    ),
    "holes of 3 HU": lambda: _judge_slices([(_ROUND, [(_disc(4), 3.3)])] * 2, noise=0.01),
    "holes of 4 HU": lambda: _judge_slices([(_ROUND, [(_disc(4), 4.3)])] * 2, noise=0.01),
    "part on one of two": lambda: _judge_slices([(_ROUND, [(_PART, 25)]), (_ROUND, [])]),
    "part on one of four": lambda: _judge_slices(
        [(_ROUND, [(_PART, 25)])] + [(_ROUND, [(_PART, drop)]) for drop in (23, 20, 0)]
    ),
    "part on the only one": lambda: _judge_slices([(_ROUND, [(_PART, 25)])]),
    "levels at two heights": lambda: _judge_slices(
        [
            (_ROUND, [(ROWS < -7, 26), ((COLUMNS > 4) & (ROWS >= -7), 22)]),
            (_ROUND, [((COLUMNS > 4) & (ROWS > -4), 24)]),
            (_ROUND, [((COLUMNS > 4) & (ROWS > -4), 24)]),
            (_ROUND, [(ROWS < 2, 26)]),
        ]
    ),
    "bar": lambda: _judge_slices([((abs(ROWS) < 1.7) & (abs(COLUMNS) < 20), [])] * 2),
    "growing": lambda: _judge_slices([(_disc(radius), []) for radius in (5, 6.8, 7.2, 9)]),
}

# In the order of SIGNS: the value, @ the slice.
FIGURES = {
    "plain": "0 0.99@1 0.9262@3 0 0 0 0.008112@1 0@1 0@1",
    "deep hole": "35.38@2 0.99@1 0.9171@3 0 39.21@3 15@3 0.1328@1 0@1 0@1",
    "faint hole": "19.66@2 0.99@1 0.9186@3 0 23.28@3 15@3 0.07224@1 0@1 0@1",
    "two holes": "28.13@3 0.99@1 1.221@2 0 36.94@1 15@3 0.111@1 0@1 0@1",
    "long hole": "30.99@1 0.99@1 0.8882@3 0 37.02@2 15@3 0.1234@1 0@1 0@1",
    "two parts": "0 0.99@1 25.04@2 0 0 0 0.2125@1 0@1 0@1",
    "small part": "0 0.99@1 21.84@3 0 0 0 0.09605@1 0@1 0@1",
    "fluid level": "0 0.99@1 1.565@2 25.69@1 0 0 0.2214@1 0@1 0@1",
    "slanted level": "0 0.99@1 0 25.67@1 0 0 0.2238@1 0@1 0@1",
    "level over parts": "0 0.99@1 24.19@1 24.39@2 0 0 0.2208@1 0@1 0@1",
    "shell": "0 0.99@1 0 0 0 0 0.1921@1 0@1 0@1",
    "bone": "0 0.99@1 0.8539@2 0 0 0 0.008067@1 0@1 0@1",
    "lobes": "0 0.7997@1 1.431@1 0 0 0 0.007797@1 0@1 0@1",
    "bridges": "0 0.4575@1 0 0 0 0 0.008524@1 3@1 0@1",
    "satellites": "0 0.9875@1 1.085@2 0 0 0 0.00905@1 2@1 32.65@1",
    "ellipse": "0 0.985@1 0.6435@2 0 0 0 0.007529@1 0@1 0@1",
    "cap": "0 0.9718@1 0 0 0 0 0.007809@1 0@1 0@1",
    "trace below": "16.96@2 0.99@1 0 0 21.31@2 10@2 0.02909@1 0@1 0@1",
    "hole behind a gap": "12.69@1 0.99@1 0 0 20.08@1 0 0.08947@1 0@1 0@1",
    "hole behind a door": "0 0.99@1 0 0 0 0 0.1171@1 0@1 0@1",
    "lobes on a cap": "0 0.9919@1 0 0 0 0 0.002624@1 0@1 0@1",
    "lobes on one slice": "0 0.7997@2 0 0 0 0 0.002704@1 0@1 0@1",
    "pieces on one slice": "0 0.4575@2 0 0 0 0 0.003354@2 4@2 31.16@2",
    "hole on one slice": "25.09@1 0.99@1 0.4557@2 0 30.98@1 0 0.07542@1 0@1 0@1",
    "holes apart": "25.31@3 0.99@1 0.4558@1 0 31.11@3 0 0.07542@1 0@1 0@1",
    "hole that widens": "29.94@3 0.99@1 0 0 31.31@3 15@3 0.07542@1 0@1 0@1",
    "holes of 3 HU": "2.988@1 0.99@1 0 0 3@1 0 0.01235@1 0@1 0@1",
    "holes of 4 HU": "3.984@1 0.99@1 0 0 4@1 10@2 0.01649@1 0@1 0@1",
    "part on one of two": "0 0.99@1 0.4557@2 0 0 0 0.213@1 0@1 0@1",
    "part on one of four": "0 0.99@1 23.08@2 0 0 0 0.213@1 0@1 0@1",
    "part on the only one": "0 0.99@1 25.11@1 0 0 0 0.213@1 0@1 0@1",
    "levels at two heights": "0 0.99@1 23.97@3 25.85@4 0 0 0.1953@1 0@1 0@1",
    "bar": "0 1@1 0 0 0 0 0@1 0@1 0@1",
    "growing": "0 0.9875@4 0 0 0 0 0.002259@4 0@1 0@1",
}


@pytest.mark.parametrize("name", SCENES)
def test_the_rules_measure_what_they_measured(name: str) -> None:
    """The figures are today's: a change of any is a change of the rules, and must be meant."""
    found = SCENES[name]()
    for sign, cell in zip(found.values(), FIGURES[name].split(), strict=True):
        value, _, where = cell.partition("@")
        assert sign.slice_index == (int(where) if where else None), sign.code
        if value == "-":
            assert sign.value is None, sign.code
        else:
            assert sign.value == pytest.approx(float(value), rel=1e-3, abs=1e-6), sign.code


RULE_FIGURES = {
    "hypodensity": (3.75, 0.25), "irregular": (0.935, 0.003), "blend": (18.0, 1.0),
    "fluid_level": (18.0, 1.0), "black_hole": (28.0, 1.0), "swirl": (9.0, 0.0),
    "heterogeneous": (0.12, 0.005), "island": (3.0, 0.0), "satellite": (15.0, 1.0),
}  # fmt: skip


@pytest.mark.parametrize("code", SIGNS)
def test_within_the_margin_of_a_threshold_a_rule_is_undecided(code: str) -> None:
    threshold, margin = RULE_FIGURES[code]
    rule = SIGNS[code]
    assert (rule.threshold, rule.margin) == (threshold, margin)
    assert rule.at_least is (code != "irregular")
    beyond = margin + 1e-6
    more, less = (rule.judge(threshold + sign * beyond, 2) for sign in (1, -1))
    assert (more.present, less.present) == (rule.at_least, not rule.at_least)
    at = rule.judge(threshold, 2)
    assert at.present is (None if margin else True)
    assert (at.value, at.slice_index, at.unit, at.threshold) == (threshold, 2, rule.unit, threshold)
    if margin:
        assert rule.judge(threshold + margin / 2, 0).present is None
        assert rule.judge(threshold - margin / 2, 0).present is None
    assert rule.judge(None, None).present is None
