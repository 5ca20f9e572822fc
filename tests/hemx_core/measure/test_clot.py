"""The slice of a clot on its grid, and the count of its pieces, on rectangles worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hemx_core.errors import VolumeError
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure import clot
from hemx_core.measure.clot import (
    ClotPatch,
    clot_patches,
    count_islands,
    largest_piece,
)

Box = tuple[int, int, int, int]
"""First row and column, rows, columns; grid pixels of 0.5 mm."""
MAIN: Box = (30, 10, 40, 40)


def _mask(*boxes: Box, size: int = 160) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    for row, column, rows, columns in boxes:
        mask[row : row + rows, column : column + columns] = True
    return mask


def _patch(*boxes: Box) -> ClotPatch:
    mask = _mask(*boxes)
    hu = np.where(mask, 60, 30).astype(np.float32)
    return ClotPatch(
        index=0, hu=hu, outline=mask, inside=mask, pieces=mask, top_mm=0.0, left_mm=0.0
    )


@pytest.mark.parametrize(
    ("piece", "count"),
    [
        ((40, 60, 20, 20), 1),  # a quarter of the main one
        ((40, 60, 20, 21), 0),
        ((40, 60, 5, 8), 1),
        ((40, 60, 3, 13), 0),
    ],
)
def test_an_island_is_small_but_not_too_small(piece: Box, count: int) -> None:
    assert count_islands(_patch(MAIN, piece)) == count


@pytest.mark.parametrize(("width", "count"), [(7, 1), (8, 1), (9, 0)])
def test_lobes_on_bridges_of_up_to_4_mm_are_islands_less_one(width: int, count: int) -> None:
    right, left = (50, 50, width, 6), (50, 56, 14, 14)
    below, lobe = (70, 20, 6, width), (76, 20, 14, 14)
    assert count_islands(_patch(MAIN, right, left, below, lobe)) == count


def test_the_largest_piece_of_nothing_is_none() -> None:
    assert largest_piece(np.zeros((5, 5), bool)) is None
    region = _mask((0, 0, 2, 2), (4, 4, 3, 3), size=10)
    np.testing.assert_array_equal(largest_piece(region), _mask((4, 4, 3, 3), size=10))
    diagonal = _mask((0, 0, 2, 2), (2, 2, 2, 2), size=10)
    np.testing.assert_array_equal(largest_piece(diagonal), diagonal)


@pytest.mark.parametrize(
    ("first", "last", "pad", "expected"),
    [
        (3, 5, 2, slice(1, 8)),
        (3, 3, 2, slice(1, 6)),
        (1, 5, 4, slice(0, 10)),
        (0, 0, 0, slice(0, 1)),
    ],
)
def test_a_span_is_padded_and_begins_in_the_picture(
    first: int, last: int, pad: int, expected: slice
) -> None:
    occupied = np.zeros(12, bool)
    occupied[[first, last]] = True
    assert clot._span(occupied, pad) == expected


@pytest.mark.parametrize(
    ("box", "hu", "found"),
    [((10, 10, 5, 8), 95.5, True), ((10, 10, 5, 8), 95.0, False), ((10, 10, 3, 13), 200.0, False)],
)
def test_bone_is_brighter_than_95_hu_over_10_mm2(box: Box, hu: float, found: bool) -> None:
    values = np.where(_mask(box, size=40), hu, 60).astype(np.float32)
    bone = clot._bone(values)
    assert bone.any() == found
    if found:  # and 2 mm round it
        np.testing.assert_array_equal(np.flatnonzero(bone[12]), np.arange(6, 22))


@pytest.mark.parametrize(("pixels", "shown"), [(239, 0), (240, 1)])
def test_a_slice_shows_a_clot_from_60_mm2_on(
    pixels: int, shown: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch = _patch((0, 0, 1, 1))
    patch.inside.flat[:pixels] = True
    monkeypatch.setattr(clot, "_patch", lambda *_: patch)
    volume = HUVolume(np.zeros((1, 8, 8)), spacing_mm=(5, 1, 1))
    assert len(list(clot_patches(volume, np.ones((1, 8, 8), bool)))) == shown


def test_the_patch_lies_where_the_clot_does_with_a_margin_and_without_bone_and_air() -> None:
    hu = np.full((1, 80, 120), 30)
    mask = np.zeros((1, 80, 120), bool)
    mask[0, 30:50, 40:80] = True
    hu[0, 30:50, 40:80] = 60
    hu[0, 30:34, 40:44], hu[0, 46:50, 76:80] = 300, -500
    volume = HUVolume(hu, spacing_mm=(5, 0.8, 0.4))
    (patch,) = clot_patches(volume, mask)
    # 4 mm are 5 rows or 10 columns, and one more.
    assert patch.top_mm == pytest.approx((30 - 6) * 0.8)
    assert patch.left_mm == pytest.approx((40 - 11) * 0.4)
    assert patch.hu.shape == (round(32 * 0.8 / 0.5), round(62 * 0.4 / 0.5))
    assert (patch.hu.min(), patch.hu.max()) == (-10, 110)
    blurred = patch.blurred(0.9)
    mean = float(patch.hu[patch.inside].mean())
    np.testing.assert_allclose(blurred[~patch.inside], mean, rtol=1e-5)


def test_a_mask_that_does_not_fit_is_refused() -> None:
    volume = HUVolume(np.zeros((2, 8, 8)), spacing_mm=(5, 1, 1))
    with pytest.raises(VolumeError):
        list(clot_patches(volume, np.zeros((3, 8, 8), bool)))
