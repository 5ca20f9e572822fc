import cv2
import numpy as np
import pytest

from benchmarks.accuracy.insertion_picture import PIXEL_MM, compare, measure_clot
from hemx_core.phantoms.background import grain


def _disk(radius_mm: float, clot_hu: float = 60.0, soft_px: float = 0.8):
    grid = (np.arange(256) - 127.5) * PIXEL_MM
    mask = np.hypot(grid[None, :], grid[:, None]) < radius_mm
    hu = cv2.GaussianBlur(np.where(mask, clot_hu, 30).astype(np.float32), (0, 0), soft_px)
    return hu + 2.5 * grain(np.random.default_rng(0), hu.shape, PIXEL_MM), mask


def test_figures_of_a_round_clot():
    figures = measure_clot(*_disk(12))
    assert figures.area_mm2 == pytest.approx(np.pi * 144, rel=0.02)
    assert figures.mean_hu == pytest.approx(60, abs=0.5)
    assert figures.brain_hu == pytest.approx(30, abs=0.5)
    assert figures.noise_in_clot_hu == pytest.approx(figures.noise_in_brain_hu, rel=0.15)
    assert figures.solidity > 0.96
    assert 10 < figures.steepest_hu_per_mm < 30


def test_softer_borders_are_less_steep_and_small_clots_are_left_out():
    sharp, soft = measure_clot(*_disk(12)), measure_clot(*_disk(12, soft_px=4))
    assert soft.steepest_hu_per_mm < 0.75 * sharp.steepest_hu_per_mm
    assert measure_clot(*_disk(4)) is None


def test_comparison_gives_quartiles_and_the_mean_profile():
    answer = compare([_disk(12, 55), _disk(12, 65), _disk(12, 60), _disk(3)])
    assert answer["slices"] == 3
    assert answer["mean_hu"]["median"] == pytest.approx(60, abs=0.5)
    assert answer["mean_hu"]["q1"] == pytest.approx(57.5, abs=0.5)
    assert answer["profile_hu"][0] == pytest.approx(60, abs=1)
    assert answer["profile_hu"][-1] == pytest.approx(30, abs=1)
