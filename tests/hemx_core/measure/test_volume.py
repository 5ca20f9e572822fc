import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hemx_core
from hemx_core.errors import VolumeError
from hemx_core.imaging.volume import HUVolume, VolumeGeometry
from hemx_core.measure.volume import (
    abc2_ml,
    boundary_points_mm,
    copy_mask,
    diameter_mm,
    max_diameter_mm,
    mean_hu,
    slice_areas_mm2,
    slice_weights,
    volume_ml,
)


def _geometry(slices: int, dz: float = 5.0, tilt_deg: float = 0.0) -> VolumeGeometry:
    return VolumeGeometry.axial(slices, spacing_mm=(dz, 0.5, 0.4), tilt_deg=tilt_deg)


def _block() -> np.ndarray:
    mask = np.zeros((4, 64, 64), bool)
    mask[1:3, 10:30, 20:50] = True
    return mask


def test_a_block_has_its_volume() -> None:
    areas = slice_areas_mm2(_block(), _geometry(4))
    np.testing.assert_allclose(areas, [0, 120, 120, 0])
    assert volume_ml(areas, _geometry(4)) == pytest.approx(1.2)


def test_a_tilt_does_not_change_a_volume_measured_along_the_normal() -> None:
    areas = slice_areas_mm2(_block(), _geometry(4, tilt_deg=20))
    assert volume_ml(areas, _geometry(4, tilt_deg=20)) == pytest.approx(1.2)


def test_unequal_spacing_counts_each_slice_with_its_own_length() -> None:
    geometry = VolumeGeometry(
        positions_mm=np.array([[0, 0, 0], [0, 0, 5], [0, 0, 10], [0, 0, 12.5]]),
        row_direction=np.array([1.0, 0, 0]),
        column_direction=np.array([0, 1.0, 0]),
        pixel_spacing_mm=(0.5, 0.4),
        slice_thickness_mm=np.array([5, 5, 5, 2.5]),
    )
    areas = slice_areas_mm2(_block(), geometry)
    assert volume_ml(areas, geometry) == pytest.approx(0.12 * (5 + 3.75))


def test_the_diameter_counts_whole_pixels_and_their_spacing() -> None:
    assert max_diameter_mm(_block(), _geometry(4)) == pytest.approx(np.hypot(20 * 0.5, 30 * 0.4))
    one = np.zeros((1, 8, 8), bool)
    one[0, 3, 3] = True
    assert max_diameter_mm(one, _geometry(1)) == pytest.approx(np.hypot(0.5, 0.4))


def test_a_disc_has_its_diameter() -> None:
    row, column = np.mgrid[:128, :128] - 63.5
    points = boundary_points_mm(np.hypot(row, column) <= 40, (0.5, 0.5))
    assert diameter_mm(points)[0] == pytest.approx(40, abs=0.8)


def test_an_empty_mask_measures_nothing() -> None:
    mask = np.zeros((4, 8, 8), bool)
    volume = HUVolume(np.zeros((4, 8, 8)), spacing_mm=(5, 0.5, 0.4))
    assert max_diameter_mm(mask, _geometry(4)) == 0
    assert volume_ml(slice_areas_mm2(mask, _geometry(4)), _geometry(4)) == 0
    assert mean_hu(volume, mask) is None


def test_mean_hu_is_taken_inside_the_mask_over_all_slices() -> None:
    hu = np.full((4, 64, 64), -1000)
    hu[1, 10:30, 20:50], hu[2, 10:30, 20:50] = 50, 71
    volume = HUVolume(hu, spacing_mm=(5, 0.5, 0.4))
    assert mean_hu(volume, _block()) == pytest.approx(60.5)


@pytest.mark.parametrize("mask", [np.ones((4, 8, 8)), np.ones((3, 8, 8), bool)])
def test_probabilities_and_other_geometries_are_refused(mask: np.ndarray) -> None:
    volume = HUVolume(np.zeros((4, 8, 8)), spacing_mm=(5, 0.5, 0.4))
    with pytest.raises(VolumeError):
        slice_areas_mm2(mask, _geometry(4))
    with pytest.raises(VolumeError):
        max_diameter_mm(mask, _geometry(4))
    with pytest.raises(VolumeError):
        mean_hu(volume, mask)


def test_a_copied_mask_takes_memory_for_slices_with_blood_only() -> None:
    # In a process of its own: in this one freed memory may be reused.
    code = (
        "import numpy as np; from hemx_core.measure.volume import copy_mask; "
        "from hemx_core.device.memory import rss_mib; mask = np.zeros((512, 256, 256), bool); "
        "mask[7, 3, 3] = True; before = rss_mib(); copied = copy_mask(mask); "
        "print(rss_mib() - before, (copied == mask).all())"
    )
    root = Path(hemx_core.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    grown, same = done.stdout.split()
    assert same == "True"
    assert float(grown) < 4  # 32 MiB are the whole mask


def test_a_copied_mask_is_the_same_and_another() -> None:
    mask = _block()
    copied = copy_mask(mask)
    np.testing.assert_array_equal(copied, mask)
    copied[:] = False
    assert mask.any()


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


def test_the_largest_diameter_is_that_of_the_widest_slice() -> None:
    mask = np.zeros((4, 64, 64), bool)
    mask[1, 30:32, 30:32] = True
    mask[2, 10:30, 20:50] = True
    mask[3, 30:36, 30:36] = True
    assert max_diameter_mm(mask, _geometry(4)) == pytest.approx(np.hypot(20 * 0.5, 30 * 0.4))
