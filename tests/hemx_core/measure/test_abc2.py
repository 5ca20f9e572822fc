import numpy as np
import pytest

from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.measure.abc2 import abc2_ml, slice_weights
from hemx_core.measure.volume import slice_areas_mm2, volume_ml


def test_slices_weigh_one_a_half_or_nothing() -> None:
    areas = np.array([0, 24.9, 25, 75, 75.1, 100])
    np.testing.assert_array_equal(slice_weights(areas), [0, 0, 0.5, 0.5, 1, 1])


def test_a_block_follows_the_formula() -> None:
    mask = np.zeros((5, 64, 64), bool)
    mask[1:3, 10:30, 10:50] = True  # 2 full slices of 20 x 40 mm
    mask[3, 10:30, 10:25] = True  # 37.5 %: half a slice
    mask[4, 10:14, 10:14] = True  # 2 %: nothing
    geometry = VolumeGeometry.axial(5, spacing_mm=(4.0, 1.0, 1.0))
    a = np.hypot(20, 40)
    b = 2 * (20 * 40) / a  # both corners' distance from the diagonal
    assert abc2_ml(mask, geometry) == pytest.approx(a * b * (2.5 * 4) / 2 / 1000)


def test_an_ellipsoid_in_thin_slices_comes_out_a_third_too_small() -> None:
    z, y, x = np.mgrid[:40, :128, :128]
    mask = ((z - 19.5) / 15) ** 2 + ((y - 63.5) / 30) ** 2 + ((x - 63.5) / 50) ** 2 <= 1
    geometry = VolumeGeometry.axial(40, spacing_mm=(2.0, 0.5, 0.5))
    voxel = volume_ml(slice_areas_mm2(mask, geometry), geometry)
    assert voxel == pytest.approx(4 / 3 * np.pi * 30 * 15 * 25 / 1000, rel=0.01)
    # Areas go as 1 - t^2: above 75 % for |t| < 1/2, above 25 % for |t| < sqrt(3)/2.
    share = (0.5 + (np.sqrt(3) / 2 - 0.5) / 2) * 4 / (4 / 3 * np.pi)
    assert abc2_ml(mask, geometry) == pytest.approx(share * voxel, rel=0.02)


def test_b_is_at_right_angles_to_a_not_along_the_rows() -> None:
    y, x = np.mgrid[:128, :128] - 63.5
    turned = (np.abs(y + x) / np.sqrt(2) <= 40) & (np.abs(y - x) / np.sqrt(2) <= 8)
    straight = (np.abs(y) <= 40) & (np.abs(x) <= 8)
    geometry = VolumeGeometry.axial(1, spacing_mm=(5.0, 0.5, 0.5))
    assert abc2_ml(turned[None], geometry) == pytest.approx(
        abc2_ml(straight[None], geometry), rel=0.06
    )


def test_nothing_measures_nothing() -> None:
    geometry = VolumeGeometry.axial(3, spacing_mm=(5.0, 0.5, 0.5))
    assert abc2_ml(np.zeros((3, 8, 8), bool), geometry) == 0
