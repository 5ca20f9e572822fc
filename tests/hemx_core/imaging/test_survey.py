"""The look at a whole volume on a coarse grid."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hemx_core.imaging.survey import (
    BONE,
    CAVITY,
    MOST_SLICES,
    OPEN,
    OUTSIDE,
    SOFT,
    filled_hull,
    survey,
)
from hemx_core.imaging.volume import HUVolume

PIXEL_MM = 0.5


def skull(
    *,
    rows: int = 460,
    skull_mm: float = 5.0,
    inside: int = 35,
    gap_mm: float = 0.0,
    shift_mm: float = 0.0,
    pixel_mm: float = PIXEL_MM,
) -> NDArray[np.int16]:
    """A closed skull of 130 x 170 mm inside, scalp round it; a gap at the side where asked for."""
    hu = np.full((rows, rows), -1000, np.int16)
    centre = (rows // 2 + round(shift_mm / pixel_mm), rows // 2)
    for margin, value in ((skull_mm + 6, 20), (skull_mm, 900), (0.0, inside)):
        axes = (round((65 + margin) / pixel_mm), round((85 + margin) / pixel_mm))
        cv2.ellipse(hu, centre, axes, 0, 0, 360, int(value), -1)
    if gap_mm:
        half = round(gap_mm / 2 / pixel_mm)
        right = hu[centre[1] - half : centre[1] + half, centre[0] :]
        right[right == 900] = 20
    return hu


def volume(
    *slices: NDArray[np.int16],
    pixel_mm: float = PIXEL_MM,
    clipped_to_hu: tuple[float, float] | None = None,
) -> HUVolume:
    return HUVolume(
        np.stack(slices), spacing_mm=(5.0, pixel_mm, pixel_mm), clipped_to_hu=clipped_to_hu
    )


AREA_MM2 = np.pi * 65 * 85


@pytest.mark.parametrize("pixel_mm", [0.25, 0.5, 0.7, 1.0])
def test_areas_do_not_depend_on_the_pixels(pixel_mm: float) -> None:
    rows = round(230 / pixel_mm)
    seen = survey(volume(skull(rows=rows, pixel_mm=pixel_mm), pixel_mm=pixel_mm))
    assert max(seen.pixel_mm) <= 1.5
    assert seen.cavity_mm2[0] == pytest.approx(AREA_MM2, rel=0.04)
    assert seen.head_mm2[0] == pytest.approx(np.pi * 76 * 96, rel=0.04)
    assert seen.bone_mm2[0] == pytest.approx(np.pi * (70 * 90 - 65 * 85), rel=0.2)
    assert seen.tissue_hu[0] == 35
    assert seen.tissue_share[0] == 1


def test_every_pixel_has_one_label() -> None:
    seen = survey(volume(skull()))
    assert [seen.labels[0, 115, column] for column in (115, 115 + 67, 115 + 73, 225)] == [
        CAVITY,
        BONE,
        SOFT,
        OUTSIDE,
    ]
    assert seen.head(0).sum() == seen.labels[0].astype(bool).sum()
    assert seen.cavity(0)[115, 115]
    assert not seen.bone(0)[115, 115]
    assert seen.hu(0)[115, 115] == 35


def test_clipped_values_are_read_alike() -> None:
    full = survey(volume(skull()))
    for window in ((0, 80), (-20, 100)):
        clipped = survey(volume(np.clip(skull(), *window), clipped_to_hu=window))
        assert clipped.cavity_mm2[0] == pytest.approx(full.cavity_mm2[0], rel=0.02)


def test_a_suture_is_closed_and_a_large_defect_is_not() -> None:
    seen = survey(volume(skull(gap_mm=6), skull(gap_mm=40)))
    assert seen.cavity_mm2[0] == pytest.approx(AREA_MM2, rel=0.04)
    assert seen.cavity_mm2[1] == 0


def test_where_the_skull_is_open_brain_is_what_its_hull_holds() -> None:
    seen = survey(volume(skull(), skull(gap_mm=60)))
    assert seen.open_mm2[0] == 0
    assert seen.open_mm2[1] == pytest.approx(AREA_MM2, rel=0.08)
    np.testing.assert_allclose(seen.brain_mm2, AREA_MM2, rtol=0.08)
    assert seen.labels[1, 115, 115] == OPEN
    assert seen.brain(1)[115, 115]
    assert not seen.cavity(1).any()


def test_the_wall_of_a_skull_is_bone_and_a_cage_of_ribs_is_not() -> None:
    cage = skull()
    rows, columns = np.indices(cage.shape) - 230
    cage[(cage == 900) & (np.arctan2(rows, columns) % 0.2 > 0.11)] = 20
    seen = survey(volume(skull(), cage))
    assert seen.rim_share[0] > 0.98
    assert 0 < seen.open_rim_share[1] < 0.9
    assert min(seen.solid_share) > 0.85


def test_what_is_enclosed_but_no_brain_is_told() -> None:
    seen = survey(volume(skull(inside=-1000), skull(inside=0)))
    assert seen.cavity_mm2.tolist() == [0, 0]
    assert seen.enclosed_hu.tolist() == [-1000, 0]
    np.testing.assert_allclose(seen.enclosed_mm2, AREA_MM2, rtol=0.04)


def test_a_head_that_the_picture_cuts_is_still_closed() -> None:
    cut = survey(volume(skull(shift_mm=70)))
    assert 0.7 * AREA_MM2 < cut.cavity_mm2[0] < AREA_MM2
    assert 60 < cut.cut_mm[0] < 170
    assert survey(volume(skull())).cut_mm[0] == 0


def test_a_picture_full_of_tissue_is_not_enclosed() -> None:
    hu = np.full((460, 460), 40, np.int16)
    cv2.circle(hu, (230, 230), 40, 500, -1)
    assert survey(volume(hu)).cavity_mm2[0] == 0


def test_many_slices_are_picked_evenly() -> None:
    small = skull(rows=115, pixel_mm=2.0)
    told: list[tuple[int, int]] = []
    seen = survey(
        HUVolume(np.stack([small] * (2 * MOST_SLICES)), spacing_mm=(0.6, 2.0, 2.0)),
        lambda done, total: told.append((done, total)),
    )
    assert len(seen) == MOST_SLICES == told[-1][0] == told[-1][1]
    assert (seen.index[0], seen.index[-1]) == (0, 2 * MOST_SLICES - 1)
    assert set(np.diff(seen.index)) <= {1, 2, 3}
    np.testing.assert_allclose(seen.offset_mm, seen.index * 0.6)


def test_the_hull_of_outlines_is_that_of_all_pixels() -> None:
    mask = np.zeros((60, 50), np.uint8)
    assert not filled_hull(mask).any()
    for centre, axes in (((12, 15), (6, 9)), ((38, 40), (9, 3)), ((30, 8), (1, 1))):
        cv2.ellipse(mask, centre, axes, 20.0, 0.0, 360.0, (1,), 1)
    expected = np.zeros_like(mask)
    cv2.fillConvexPoly(expected, cv2.convexHull(cv2.findNonZero(mask)), (1,))
    assert np.array_equal(filled_hull(mask), expected)
