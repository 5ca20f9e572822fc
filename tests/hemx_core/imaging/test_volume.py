import numpy as np
import pytest

from hemx_core.errors import VolumeError
from hemx_core.imaging.volume import HUVolume, SeriesIdentity, VolumeGeometry


def geometry(offsets, thickness):
    return VolumeGeometry(
        positions_mm=np.array([[0.0, 0.0, z] for z in offsets]),
        row_direction=np.array([1.0, 0, 0]),
        column_direction=np.array([0, 1.0, 0]),
        pixel_spacing_mm=(0.5, 0.5),
        slice_thickness_mm=np.array(thickness, float),
    )


def test_extents_sum_to_the_stack_when_slices_touch():
    extents = geometry([0, 4, 8, 12, 17.5, 24.5], [4, 4, 4, 4, 7, 7]).slice_extents_mm
    assert extents.tolist() == [4, 4, 4, 4.75, 6.25, 7]


def test_extents_interpolate_across_a_gap_and_tell_what_is_seen():
    stack = geometry([0, 5, 20, 25], [5] * 4)
    assert stack.slice_extents_mm.tolist() == [5, 10, 10, 5]
    assert stack.seen_extents_mm.tolist() == [5, 5, 5, 5]
    assert [(gap.below, gap.count) for gap in stack.gaps] == [(1, 2)]


@pytest.mark.parametrize(
    "thickness", [0.0, -5.0, 0.049, 50.1, 1e20, 1e308, float("nan"), float("inf")]
)
def test_no_slice_has_such_a_thickness(thickness):
    with pytest.raises(VolumeError, match=r"0\.05 to 50 mm"):
        geometry([0, 5], [5, thickness])
    with pytest.raises(VolumeError):
        HUVolume(np.zeros((2, 4, 5)), spacing_mm=(thickness, 0.5, 0.5))


def test_extent_of_a_single_slice_is_its_thickness():
    assert geometry([3], [5]).slice_extents_mm.tolist() == [5]


@pytest.mark.parametrize("tilt", [-20.0, 0.0, 18.5])
def test_tilt_comes_back_from_positions(tilt):
    tilted = VolumeGeometry.axial(8, spacing_mm=(5, 0.45, 0.45), tilt_deg=tilt)
    assert tilted.tilt_deg == pytest.approx(tilt, abs=1e-9)
    assert tilted.is_tilted == (tilt != 0)
    assert tilted.spacing_mm == pytest.approx((5, 0.45, 0.45))


def test_geometry_refuses_unsorted_slices_and_skewed_axes():
    with pytest.raises(VolumeError, match="increasing"):
        geometry([0, 5, 5], [5] * 3)
    with pytest.raises(VolumeError, match="orthogonal"):
        VolumeGeometry(
            positions_mm=np.zeros((1, 3)),
            row_direction=np.array([1.0, 0, 0]),
            column_direction=np.array([0.6, 0.8, 0]),
            pixel_spacing_mm=(0.5, 0.5),
            slice_thickness_mm=np.ones(1),
        )


def test_geometry_arrays_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        geometry([0, 5], [5, 5]).positions_mm[0] = 1


def test_an_array_is_rounded_and_keeps_its_shape():
    volume = HUVolume(np.full((2, 4, 5), 39.6), spacing_mm=(5, 0.5, 0.5))
    assert volume.shape == (2, 4, 5)
    assert volume.hu.dtype == np.int16
    assert (volume.hu == 40).all()


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.zeros((4, 5)), "shape"),
        (np.full((1, 4, 5), np.nan), "finite"),
        (np.full((1, 4, 5), 1e6), "int16"),
        (np.zeros((0, 4, 5)), "pixels"),
    ],
)
def test_a_volume_refuses(array, match):
    with pytest.raises(VolumeError, match=match):
        HUVolume(array, spacing_mm=(5, 0.5, 0.5))


def test_volume_refuses_a_wrong_number_of_uids():
    with pytest.raises(VolumeError, match="SOP"):
        HUVolume(
            np.zeros((2, 4, 5)),
            spacing_mm=(5, 0.5, 0.5),
            identity=SeriesIdentity(sop_instance_uids=("1.2",)),
        )


@pytest.mark.parametrize("spacing", [(0, 0.5, 0.5), (5, 0, 0.5), (5, 0.5, -1), (-5, 0.5, 0.5)])
def test_impossible_spacing_is_refused(spacing):
    with pytest.raises(VolumeError):
        HUVolume(np.zeros((2, 4, 5)), spacing_mm=spacing)
