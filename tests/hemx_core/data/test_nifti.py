import itertools
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from hemx_core.data.nifti import read_array, read_volume
from hemx_core.errors import DatasetError, InputError
from hemx_core.imaging.nifti import write_array
from hemx_core.imaging.volume import VolumeGeometry
from tests.hemx_core.data.sets import phantom

VALUES = np.random.default_rng(0).integers(-1000, 2000, (5, 6, 7)).astype(np.int16)
GEOMETRY = VolumeGeometry.axial(5, spacing_mm=(5.0, 0.45, 0.5))


def write(path: Path, affine: np.ndarray, values: np.ndarray) -> Path:
    nib.save(nib.Nifti1Image(values, affine), path)
    return path


def test_written_volume_is_read_back_with_its_tilt(tmp_path: Path) -> None:
    volume = phantom().volume
    write_array(tmp_path / "ct.nii.gz", volume.hu, volume.geometry)
    back = read_volume(tmp_path / "ct.nii.gz", clipped_to_hu=(-100, 100))
    np.testing.assert_array_equal(back.hu, volume.hu)
    np.testing.assert_allclose(back.geometry.positions_mm, volume.geometry.positions_mm, atol=1e-3)
    assert back.geometry.tilt_deg == pytest.approx(12, abs=0.01)
    assert back.geometry.pixel_spacing_mm == pytest.approx(volume.geometry.pixel_spacing_mm)
    assert back.clipped_to_hu == (-100, 100)
    assert [path.name for path in tmp_path.iterdir()] == ["ct.nii.gz"]


def test_the_file_places_voxels_where_nibabel_expects_them(tmp_path: Path) -> None:
    """RAS: the first voxel of a slice is the patient's right front, whose LPS x and y are negative."""
    values = VALUES[:, :, :7].copy()
    write_array(tmp_path / "ct.nii", values, GEOMETRY)
    image = nib.load(tmp_path / "ct.nii")
    assert nib.aff2axcodes(image.affine) == ("L", "P", "S")
    place = image.affine @ (6, 0, 4, 1)
    np.testing.assert_allclose(place[:3], (-6 * 0.5, 0, 4 * 5.0), atol=1e-6)
    assert image.get_fdata()[6, 0, 4] == values[4, 0, 6]


def test_all_48_axis_orders_are_read_alike(tmp_path: Path) -> None:
    write_array(tmp_path / "ct.nii", VALUES, GEOMETRY)
    image = nib.load(tmp_path / "ct.nii")
    here = nib.io_orientation(image.affine)
    orders = [
        codes
        for axes in itertools.permutations(("LR", "AP", "IS"))
        for codes in itertools.product(*axes)
    ]
    assert len(set(orders)) == 48
    for codes in orders:
        turn = nib.orientations.ornt_transform(here, nib.orientations.axcodes2ornt(codes))
        nib.save(image.as_reoriented(turn), tmp_path / "turned.nii")
        values, geometry = read_array(tmp_path / "turned.nii")
        np.testing.assert_array_equal(values, VALUES, err_msg=str(codes))
        np.testing.assert_allclose(geometry.positions_mm, GEOMETRY.positions_mm, atol=1e-4)
        assert geometry.spacing_mm == pytest.approx(GEOMETRY.spacing_mm, rel=1e-5)


def test_scaled_values_become_whole_hu(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VALUES.transpose(2, 1, 0).astype(np.float32) + 0.4, np.eye(4))
    image.header.set_slope_inter(1.0, 0.0)
    nib.save(image, tmp_path / "float.nii")
    # np.eye is RAS: nose up and left on the right turns the first two axes round.
    np.testing.assert_array_equal(read_volume(tmp_path / "float.nii").hu, VALUES[:, ::-1, ::-1])


def test_a_series_axis_of_length_one_is_dropped_and_a_real_one_refused(tmp_path: Path) -> None:
    values, _ = read_array(write(tmp_path / "one.nii", np.eye(4), np.zeros((7, 6, 5, 1), np.int16)))
    assert values.shape == (5, 6, 7)
    with pytest.raises(DatasetError, match="shape"):
        read_array(write(tmp_path / "two.nii", np.eye(4), np.zeros((7, 6, 5, 2), np.int16)))


@pytest.mark.parametrize("bad", [np.nan, 40_000.0])
def test_values_that_are_no_hu_are_refused(tmp_path: Path, bad: float) -> None:
    values = np.zeros((7, 6, 5), np.float32)
    values[1, 1, 1] = bad
    with pytest.raises(DatasetError, match="not finite or beyond int16"):
        read_volume(write(tmp_path / "ct.nii", np.eye(4), values))


def test_a_file_without_a_place_in_the_patient_is_refused(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VALUES, None)
    nib.save(image, tmp_path / "nowhere.nii")
    with pytest.raises(DatasetError, match="how the axes lie"):
        read_array(tmp_path / "nowhere.nii")


def test_damaged_files_are_refused_with_their_name(tmp_path: Path) -> None:
    (tmp_path / "text.nii").write_text("no")
    write_array(tmp_path / "whole.nii.gz", phantom().volume.hu, phantom().volume.geometry)
    (tmp_path / "cut.nii.gz").write_bytes((tmp_path / "whole.nii.gz").read_bytes()[:20_000])
    for name in ("text.nii", "cut.nii.gz", "missing.nii"):
        with pytest.raises(DatasetError, match=name):
            read_array(tmp_path / name)


def test_unevenly_spaced_slices_cannot_be_written(tmp_path: Path) -> None:
    positions = np.zeros((3, 3))
    positions[:, 2] = (0, 4, 11)
    uneven = VolumeGeometry(
        positions_mm=positions,
        row_direction=np.array([1.0, 0, 0]),
        column_direction=np.array([0, 1.0, 0]),
        pixel_spacing_mm=(1.0, 1.0),
        slice_thickness_mm=np.full(3, 4.0),
    )
    with pytest.raises(InputError, match="evenly spaced"):
        write_array(tmp_path / "ct.nii", VALUES[:3], uneven)
    assert not list(tmp_path.iterdir())
