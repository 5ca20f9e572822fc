import numpy as np
import pytest

from hemx_core.markers import MARKER_CODES
from hemx_core.phantoms.outlines import axes
from hemx_core.phantoms.picture_truth import filled, judge_section
from tests.hemx_core.phantoms.clots import SIDE, disc, section

PIXEL_MM = 0.9
CLOT = disc(14)
LEFT = axes(SIDE)[1] < 0
TOP = axes(SIDE)[0] < 0


def _judge(drawn, **more):
    found = judge_section(drawn, pixel_mm=PIXEL_MM, **more)
    return dict(zip(MARKER_CODES, found.tolist(), strict=True))


def test_a_plain_disc_shows_nothing():
    assert set(_judge(section(CLOT)).values()) == {0}


def test_small_clots_are_not_judged_and_nothing_is_no():
    assert set(_judge(section(disc(4))).values()) == {-1}
    assert set(_judge(section(disc(14) & False)).values()) == {0}


@pytest.mark.parametrize(
    ("drop", "radius", "truth"), [(15, 3, 1), (8, 4, 1), (2, 4, 0), (5, 4, -1)]
)
def test_an_enclosed_hole_is_a_hypodensity_by_depth(drop, radius, truth):
    found = _judge(section(CLOT, drop=drop * disc(radius)))
    assert found["hypodensity"] == truth
    assert found["blend"] in (0, -1)


def test_a_hole_of_two_pixels_is_none_and_an_open_one_is_no_clear_hypodensity():
    speck = np.zeros((SIDE, SIDE))
    speck[40, 40:42] = 20
    assert _judge(section(CLOT, drop=speck))["hypodensity"] in (0, -1)
    assert _judge(section(CLOT, drop=20 * disc(4, column=-12)))["hypodensity"] != 1
    nearly = 20 * np.maximum(disc(4), disc(1.2, column=-4) | (np.abs(axes(SIDE)[0]) < 1.2) & LEFT)
    assert _judge(section(CLOT, drop=nearly))["hypodensity"] == -1


@pytest.mark.parametrize(("apart", "truth"), [(22, 1), (15, -1), (8, 0)])
def test_two_halves_are_a_blend_sign_by_contrast(apart, truth):
    high = np.where(LEFT, 0.0, 1.0)
    found = _judge(section(CLOT, hu=64 - apart * (1 - high), high=high))
    assert found["blend"] == truth
    assert found["hypodensity"] == 0
    assert found["fluid_level"] == 0


def test_a_soft_border_is_no_blend_sign_and_a_small_part_is_not_decided():
    ramp = np.clip(0.5 + axes(SIDE)[1] / 24, 0, 1)
    assert _judge(section(CLOT, hu=66 - 22 * (1 - ramp), high=ramp))["blend"] in (0, -1)
    high = np.where(axes(SIDE)[1] < -11.5, 0.0, 1.0)
    assert _judge(section(CLOT, hu=66 - 22 * (1 - high), high=high))["blend"] == -1


def test_an_enclosed_low_part_is_a_hypodensity_and_not_a_blend_sign():
    high = np.where(disc(7), 0.0, 1.0)
    found = _judge(section(CLOT, hu=66 - 22 * (1 - high), high=high))
    assert found["hypodensity"] == 1
    assert found["blend"] == -1


def test_a_level_is_no_blend_sign_and_the_reverse():
    found = _judge(section(CLOT, hu=np.where(TOP, 38.0, 62.0), upper=TOP.astype(float)))
    assert found["fluid_level"] == 1
    assert found["blend"] == -1
    assert found["hypodensity"] == 0


def test_a_wide_cleft_leaves_blend_open_and_a_narrow_one_does_not():
    wide = 20 * disc(9, column=-11)
    assert _judge(section(CLOT, drop=wide))["blend"] == -1
    narrow = 20 * ((np.abs(axes(SIDE)[0]) < 1) & LEFT)
    assert _judge(section(CLOT, drop=narrow))["blend"] == 0


def test_irregular_is_left_open_where_blood_in_ventricles_changes_the_outline():
    lobed = disc(10) | disc(7, row=-14, column=6) | disc(7, row=12, column=12)
    assert _judge(section(lobed))["irregular"] == 1
    beside = disc(8, column=22).astype(np.float32)
    assert _judge(section(CLOT), beside=beside * 0)["irregular"] == 0
    assert _judge(section(CLOT), beside=beside)["irregular"] == -1


def test_basins_fill_to_the_lowest_pass():
    height = np.full((9, 9), 5.0, np.float32)
    height[4, 4] = 1
    assert filled(height)[4, 4] == 5
    height[4, 5:] = 3
    assert filled(height)[4, 4] == 3
