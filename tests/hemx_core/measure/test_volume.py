import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hemx_core
from hemx_core.errors import VolumeError
from hemx_core.imaging.volume import HUVolume, VolumeGeometry
from hemx_core.measure.volume import (
    boundary_points_mm,
    diameter_mm,
    max_diameter_mm,
    mean_hu,
    slice_areas_mm2,
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
    volume = HUVolume.from_array(np.zeros((4, 8, 8)), spacing_mm=(5, 0.5, 0.4))
    assert max_diameter_mm(mask, _geometry(4)) == 0
    assert volume_ml(slice_areas_mm2(mask, _geometry(4)), _geometry(4)) == 0
    assert mean_hu(volume, mask) is None


def test_mean_hu_is_taken_inside_the_mask_over_all_slices() -> None:
    hu = np.full((4, 64, 64), -1000)
    hu[1, 10:30, 20:50], hu[2, 10:30, 20:50] = 50, 71
    volume = HUVolume.from_array(hu, spacing_mm=(5, 0.5, 0.4))
    assert mean_hu(volume, _block()) == pytest.approx(60.5)


@pytest.mark.parametrize("mask", [np.ones((4, 8, 8)), np.ones((3, 8, 8), bool)])
def test_probabilities_and_other_geometries_are_refused(mask: np.ndarray) -> None:
    with pytest.raises(VolumeError):
        slice_areas_mm2(mask, _geometry(4))


def test_a_copied_mask_takes_memory_for_slices_with_blood_only() -> None:
    # In a process of its own: in this one freed memory may be reused.
    code = (
        "import numpy as np; from hemx_core.measure.volume import copy_mask; "
        "from hemx_core.memory import rss_mib; mask = np.zeros((512, 256, 256), bool); "
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
