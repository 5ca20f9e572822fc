import numpy as np
import pytest

from hemx_core.errors import VolumeError
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.fill import fill_holes
from hemx_core.measure.haematoma import measure_haematoma

CLOT_HU, HOLE_HU, CSF_HU = 62, 30, 6


def _disc(radius_px: float, row: int = 30, column: int = 30) -> np.ndarray:
    rows, columns = np.mgrid[:64, :64]
    return np.hypot(rows - row, columns - column) <= radius_px


def _scene(hole: np.ndarray, hole_hu: int = HOLE_HU) -> tuple[np.ndarray, HUVolume]:
    """A clot of radius 16 on slice 1 of 3 with a part left out; pixels of 1 mm, slices of 5 mm."""
    mask = np.zeros((3, 64, 64), bool)
    mask[1] = _disc(16) & ~hole
    hu = np.full(mask.shape, 32, np.int16)
    hu[1][_disc(16)] = CLOT_HU
    hu[1][hole] = hole_hu
    return mask, HUVolume.from_array(hu, spacing_mm=(5, 1, 1))


def test_an_enclosed_hypodensity_is_filled_and_counted() -> None:
    hole = _disc(4)
    mask, volume = _scene(hole)
    filled, ml = fill_holes(mask, volume)
    np.testing.assert_array_equal(filled[1], _disc(16))
    assert ml == pytest.approx(hole.sum() * 5 / 1000)
    haematoma = measure_haematoma(mask, volume, min_component_ml=0.1)
    assert haematoma.filled_ml == pytest.approx(ml)
    assert haematoma.volume_ml == pytest.approx(_disc(16).sum() * 5 / 1000)
    assert haematoma.component_volumes_ml == pytest.approx([haematoma.volume_ml])


def test_a_bay_that_is_open_to_the_outside_stays() -> None:
    bay = _disc(4)
    bay[28:33, 30:60] = True
    mask, volume = _scene(bay)
    filled, ml = fill_holes(mask, volume)
    assert filled is mask
    assert ml == 0


def test_a_diagonal_gap_does_not_open_a_hole() -> None:
    """What 8-connected clot encloses is a hole: an outline of diagonal steps is closed."""
    mask = np.zeros((1, 64, 64), bool)
    rows, columns = np.mgrid[:64, :64]
    mask[0] = (abs(rows - 30) + abs(columns - 30) <= 12) & (abs(rows - 30) + abs(columns - 30) > 3)
    volume = HUVolume.from_array(np.full(mask.shape, 40, np.int16), spacing_mm=(5, 1, 1))
    filled, _ = fill_holes(mask, volume)
    assert filled[0, 30, 30]


@pytest.mark.parametrize(("radius", "fills"), [(7.4, True), (8.6, False)])
def test_a_hole_of_more_than_a_quarter_of_the_area_stays(radius: float, fills: bool) -> None:
    mask, volume = _scene(_disc(radius))
    assert (fill_holes(mask, volume)[1] > 0) is fills


@pytest.mark.parametrize(("radius", "fills"), [(2.0, True), (4.0, False)])
def test_a_cavity_of_csf_stays_unless_it_is_small(radius: float, fills: bool) -> None:
    mask, volume = _scene(_disc(radius), CSF_HU)
    assert (fill_holes(mask, volume)[1] > 0) is fills


def test_an_island_inside_a_hole_joins_the_clot() -> None:
    hole = _disc(6) & ~_disc(1)
    mask, volume = _scene(hole)
    haematoma = measure_haematoma(mask, volume, min_component_ml=0.0)
    assert len(haematoma.component_volumes_ml) == 1


def test_the_mask_touching_the_picture_s_edge_is_no_hole() -> None:
    mask = np.zeros((1, 20, 20), bool)
    mask[0, :, 8:12] = True
    volume = HUVolume.from_array(np.full(mask.shape, 40, np.int16), spacing_mm=(5, 1, 1))
    assert fill_holes(mask, volume)[0] is mask


def test_a_mask_that_does_not_fit_is_refused() -> None:
    _, volume = _scene(_disc(3))
    with pytest.raises(VolumeError):
        fill_holes(np.zeros((2, 64, 64), bool), volume)
