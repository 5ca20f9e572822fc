"""Small pieces of a mask over the next slice's bone: left out beside a haematoma, told alone."""

from __future__ import annotations

import numpy as np
import pytest

from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.bone_spots import find_bone_spots
from hemx_core.measure.components import find_components
from hemx_core.measure.haematoma import haematoma_notes, measure_haematoma

SPOT = (slice(60, 68), slice(60, 68))
CLOT = (slice(80, 100), slice(80, 100))


def head(*, ridge_on: int | None, step_mm: float = 5.0, slices: int = 8) -> HUVolume:
    """A disc of brain in a ring of bone; on one slice a ridge of bone reaches to `SPOT`."""
    rows, columns = np.mgrid[:160, :160] - 80.0
    away = np.hypot(rows, columns)
    hu = np.full((slices, 160, 160), -1000.0)
    hu[:, away < 70] = 900.0
    hu[:, away < 64] = 35.0
    if ridge_on is not None:
        hu[ridge_on, 56:72, 20:70] = 800.0
    return HUVolume.from_array(hu, spacing_mm=(step_mm, 1.0, 1.0))


def mask_of(volume: HUVolume, *pieces: tuple[slice, tuple[slice, slice]]) -> np.ndarray:
    mask = np.zeros(volume.hu.shape, bool)
    for slices, place in pieces:
        mask[(slices, *place)] = True
    return mask


@pytest.mark.parametrize("ridge_on", [2, 4])
def test_a_spot_over_the_bone_below_or_above_is_found(ridge_on: int) -> None:
    volume = head(ridge_on=ridge_on)
    mask = mask_of(volume, (slice(3, 4), SPOT), (slice(4, 7), CLOT))
    assert find_bone_spots(mask, find_components(mask, volume.geometry), volume) == {1: 3}


@pytest.mark.parametrize(
    ("ridge_on", "slices", "place", "step_mm"),
    [
        (None, slice(3, 4), SPOT, 5.0),  # no bone beside it
        (6, slice(3, 4), SPOT, 5.0),  # bone, but three slices away
        (2, slice(3, 6), SPOT, 5.0),  # higher than partial volume reaches
        (2, slice(3, 4), (slice(60, 76), slice(56, 72)), 5.0),  # too large
        (2, slice(3, 4), (slice(90, 98), slice(90, 98)), 5.0),  # elsewhere in the plane
    ],
)
def test_what_is_no_partial_volume_stays(
    ridge_on: int | None, slices: slice, place: tuple[slice, slice], step_mm: float
) -> None:
    volume = head(ridge_on=ridge_on, step_mm=step_mm)
    mask = mask_of(volume, (slices, place))
    assert find_bone_spots(mask, find_components(mask, volume.geometry), volume) == {}


def test_beside_a_haematoma_it_is_left_out_and_told() -> None:
    volume = head(ridge_on=2)
    clot = mask_of(volume, (slice(3, 7), CLOT))
    found = measure_haematoma(
        clot | mask_of(volume, (slice(3, 4), SPOT)), volume, min_component_ml=0.1
    )
    assert np.array_equal(found.mask, clot)
    assert found.component_volumes_ml == pytest.approx([8.0])
    told = {note.code: note.message for note in haematoma_notes(found)}
    assert "slice 4 " in told["bone_spot_left_out"]
    assert "may_be_bone" not in told


def test_alone_it_is_counted_and_told_to_be_doubtful() -> None:
    volume = head(ridge_on=2)
    mask = mask_of(volume, (slice(3, 4), SPOT))
    found = measure_haematoma(mask, volume, min_component_ml=0.1)
    assert np.array_equal(found.mask, mask)
    told = {note.code for note in haematoma_notes(found)}
    assert "may_be_bone" in told
    assert "bone_spot_left_out" not in told


def test_the_lowest_and_the_highest_slice_have_a_neighbour_less() -> None:
    volume = head(ridge_on=None)
    for index in (0, 7):
        mask = mask_of(volume, (slice(index, index + 1), SPOT))
        assert find_bone_spots(mask, find_components(mask, volume.geometry), volume) == {}


def test_two_spots_on_one_slice_go_and_the_haematoma_beside_them_stays() -> None:
    volume = head(ridge_on=2)
    clot = mask_of(volume, (slice(3, 7), CLOT))
    # The larger one goes first. It lies above, so without it the other pieces' labels are smaller by one.
    upper = mask_of(volume, (slice(3, 4), (slice(52, 62), slice(38, 47))))
    lower = mask_of(volume, (slice(3, 4), (slice(64, 72), slice(58, 66))))
    found = measure_haematoma(clot | upper | lower, volume, min_component_ml=0.1)
    assert np.array_equal(found.mask, clot)
    assert found.bone_spots == (3,)
