import numpy as np
import pytest

from hemx_core.phantoms.background import find_brain, follow_up, make_background
from tests.hemx_core.phantoms.heads import PIXEL_MM, SLICES, plain_background, plain_slice


@pytest.fixture(scope="module")
def turned():
    return plain_background(yaw_deg=15)


def test_the_brain_is_what_the_skull_encloses():
    brain = find_brain(plain_slice(), pixel_mm=PIXEL_MM, upper_hu=100)
    area_mm2 = brain.sum() * (2 * PIXEL_MM) ** 2
    assert area_mm2 == pytest.approx(np.pi * 67 * 86, rel=0.04)


def test_an_open_skull_encloses_nothing():
    hu = plain_slice()
    hu[:, 100:160] = np.minimum(hu[:, 100:160], 30)
    assert not find_brain(hu, pixel_mm=PIXEL_MM, upper_hu=100).any()


def test_frame_is_the_brains_and_goes_both_ways(turned):
    assert turned.centre == pytest.approx((127.5, 127.5), abs=1.5)
    assert turned.half_mm == pytest.approx((67, 86), abs=2.5)
    row, column, height = turned.from_head(np.array([28.0, -3.0, 5.0]))
    assert turned.to_head(row, column, height) == pytest.approx((28, -3, 5))
    # 28 mm to the left of a midline that leans to the right at the back: right of and above the middle.
    assert (column - 127.5) * PIXEL_MM == pytest.approx(28 * np.cos(np.deg2rad(15)), abs=2.5)
    assert row < 127.5


def test_fluid_depth_and_noise_are_found(turned):
    row, column, _ = turned.from_head(np.array([9.0, -5.0, 0.0]))
    assert turned.fluid[5, round(row / 2), round(column / 2)]
    row, column, _ = turned.from_head(np.array([35.0, 0.0, 0.0]))
    assert not turned.fluid[5, round(row / 2), round(column / 2)]
    window = slice(int(row) - 12, int(row) + 12), slice(int(column) - 12, int(column) + 12)
    assert turned.depth(5, window)[12, 12] == pytest.approx(67 - 35, abs=4)
    smooth, noise = turned.noise(5, window)
    assert abs(smooth.mean() - 30) < 1
    assert smooth.std() < noise.std() < 2.6
    np.testing.assert_allclose(smooth + noise, turned.hu[5][window], atol=1e-4)


def test_no_brain_gives_no_background():
    air = np.full((2, 64, 64), -20, np.int16)
    brains = [find_brain(one, pixel_mm=PIXEL_MM, upper_hu=100) for one in air]
    assert (
        make_background(
            air, brains=brains, usable=np.ones(2, bool), pixel_mm=PIXEL_MM, slice_mm=5.0,
            window_hu=(-20, 100),
        )
        is None
    )  # fmt: skip


def test_follow_up_moves_the_head_and_draws_other_noise(turned):
    later = follow_up(turned, np.random.default_rng(3))
    assert later.hu.shape == (SLICES, 256, 256)
    assert later.centre != turned.centre
    assert abs(later.yaw_rad - turned.yaw_rad) <= np.deg2rad(2)
    point = np.array([35.0, 10.0, 0.0])
    values = []
    for scan in (turned, later):
        row, column, _ = (round(value) for value in scan.from_head(point))
        values.append(scan.hu[5, row - 8 : row + 8, column - 8 : column + 8].astype(float))
    assert values[1].mean() == pytest.approx(values[0].mean(), abs=0.8)
    assert values[1].std() == pytest.approx(values[0].std(), rel=0.3)
    assert abs(np.corrcoef(values[0].ravel(), values[1].ravel())[0, 1]) < 0.4
