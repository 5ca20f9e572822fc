from dataclasses import replace

import numpy as np
import pytest

from hemx_core.markers import MARKER_CODES
from hemx_core.phantoms import Blend, LesionSpec
from hemx_core.phantoms.insert import grow_placement, insert_lesion, insert_pair, place
from tests.hemx_core.phantoms.heads import PIXEL_MM, plain_background

LESION = LesionSpec(location="putamen", side="left", volume_ml=14, clot_hu=62, oedema_mm=3)


@pytest.fixture(scope="module")
def background():
    return plain_background()


@pytest.fixture(scope="module")
def placed(background):
    return place(background, LESION, np.random.default_rng(0), seed=5)


@pytest.fixture(scope="module")
def inserted(background, placed):
    return insert_lesion(background, placed)


def test_a_clot_is_placed_near_its_template_inside_the_brain(background, placed):
    assert placed.lesion.location == "putamen"
    assert placed.lesion.side == "left"
    x, y, z = background.to_head(placed.row, placed.column, placed.height_mm)
    assert np.linalg.norm(np.array([x, y, z]) - (28, -3, 5)) < 15
    assert placed.outside <= 0.02
    assert placed.fluid <= 0.06


def test_volume_mask_and_density_are_those_of_the_lesion(background, inserted):
    assert inserted.volume_ml == pytest.approx(14, rel=0.1)
    assert (inserted.mask.any((1, 2)) <= inserted.touched).all()
    index = int(inserted.mask.sum((1, 2)).argmax())
    clot = inserted.hu(index)[inserted.mask[index]]
    assert np.median(clot) == pytest.approx(62, abs=3)
    far = ~inserted.mask[index] & (background.hu[index] > 95)
    np.testing.assert_array_equal(inserted.hu(index)[far], background.hu[index][far])
    for index in np.flatnonzero(~inserted.touched)[[0, -1]]:
        np.testing.assert_array_equal(inserted.hu(index), background.hu[index])


def test_noise_of_the_background_stays_in_the_clot(background, placed, inserted):
    flat = replace(placed, lesion=replace(placed.lesion, heterogeneity_hu=0.0))
    even = insert_lesion(background, flat)
    index = int(inserted.mask.sum((1, 2)).argmax())
    from_edge = np.argwhere(even.mask[index]).mean(0).round().astype(int)
    window = tuple(slice(int(at) - 4, int(at) + 5) for at in from_edge)
    noise = background.noise(index, window)[1]
    assert np.corrcoef(even.hu(index)[window].ravel(), noise.ravel())[0, 1] > 0.95


def test_a_blend_shows_in_the_picture_and_in_the_truth(background, placed):
    blend = Blend(direction_deg=20, offset=0.1, contrast_hu=26)
    lesion = replace(placed.lesion, blend=blend, heterogeneity_hu=0.0)
    inserted = insert_lesion(background, replace(placed, lesion=lesion))
    place_ = MARKER_CODES.index("blend")
    assert (inserted.slice_markers[:, place_] == 1).any()
    assert not (inserted.slice_markers[:, MARKER_CODES.index("fluid_level")] == 1).any()
    assert not inserted.slice_markers[~inserted.mask.any((1, 2))].any()
    index = int(inserted.mask.sum((1, 2)).argmax())
    low, high = np.percentile(inserted.hu(index)[inserted.mask[index]], [12, 80])
    assert high - low > 18


def test_growth_keeps_place_and_shape(background, placed, inserted):
    later = insert_lesion(background, grow_placement(placed, 1.5))
    assert later.volume_ml / inserted.volume_ml == pytest.approx(1.5, rel=0.08)
    assert (inserted.mask & ~later.mask).sum() < 0.02 * inserted.mask.sum()


def test_a_pair_moves_with_the_head_and_grows(background, placed):
    first, later = insert_pair(background, placed, 1.4, np.random.default_rng(2))
    assert later.volume_ml / first.volume_ml == pytest.approx(1.4, rel=0.1)
    centres = []
    for scan in (first, later):
        slices, rows, columns = (float(at.mean()) for at in np.nonzero(scan.mask))
        centres.append(scan.background.to_head(rows, columns, slices * 5.0))
    assert centres[0] == pytest.approx(centres[1], abs=1.5)
    assert first.background.centre != later.background.centre
    same = insert_pair(background, placed, 1.0, np.random.default_rng(2))[1]
    assert same.volume_ml == pytest.approx(first.volume_ml, rel=0.05)


def test_a_clot_ends_within_the_usable_slices():
    background = plain_background(usable=slice(9, 14))
    placed = place(background, replace(LESION, volume_ml=60), np.random.default_rng(1), seed=5)
    assert placed is not None
    assert 0.5 < placed.lesion.volume_ml < 60
    touched = np.flatnonzero(insert_lesion(background, placed).touched)
    assert touched[0] >= 9
    assert touched[-1] <= 13


def test_no_place_where_the_stack_does_not_reach():
    background = plain_background(usable=slice(0, 2))
    assert place(background, LESION, np.random.default_rng(1), seed=5) is None


def test_clots_keep_to_their_side(background):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        placed = place(background, replace(LESION, location="thalamus"), rng, seed=seed)
        mask = insert_lesion(background, placed).mask
        columns = np.flatnonzero(mask.any((0, 1))) - 127.5
        assert np.count_nonzero(mask[:, :, :128]) < 0.03 * mask.sum()
        assert columns.max() * PIXEL_MM < 67
