import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemx_core.errors import VolumeError
from hemx_core.imaging import prepare as prepare_module
from hemx_core.imaging.head import bone_mask, head_mask
from hemx_core.imaging.prepare import (
    GridTransform,
    centroid,
    crop_around,
    prepare,
    prepare_slice,
)
from hemx_core.imaging.spec import HUWindow, PreprocessingSpec
from hemx_core.imaging.volume import HUVolume

SPACING = (0.9, 0.9)
SPEC = PreprocessingSpec(size=256, pixel_mm=0.9)


def head(*, rows=256, shift=(0, 0), holder=True, clot=None):
    """A slice: scalp, skull, brain at 35 HU, ventricle, and a holder below; 0.9 mm pixels."""
    hu = np.full((rows, rows), -1000, np.int16)
    centre = (rows // 2 + shift[1], rows // 2 + shift[0] - 10)
    for axes, value in (((76, 92), 30), ((72, 88), 900), ((66, 82), 35), ((8, 16), 6)):
        cv2.ellipse(hu, (centre, (2 * axes[0], 2 * axes[1]), 0), int(value), -1)
    if clot is not None:
        cv2.circle(hu, (centre[0] + 28, centre[1]), 12, int(clot), -1)
    if holder:
        cv2.ellipse(hu, (centre[0], centre[1]), (100, 112), 0, 30, 150, 200, 3)
    return hu


def spot(hu, centre, radius, value):
    """The slice with a round spot; (column, row)."""
    hu = hu.copy()
    cv2.circle(hu, centre, radius, value, -1)
    return hu


def turned(hu, degrees):
    """The slice turned about the head's centre."""
    turn = cv2.getRotationMatrix2D((128, 118), degrees, 1.0)
    return cv2.warpAffine(
        hu, turn, hu.shape[::-1], flags=cv2.INTER_NEAREST, borderValue=int(hu[0, 0])
    )


def volume(slices, **keywords):
    return HUVolume(np.stack(slices), spacing_mm=(5.0, *SPACING), **keywords)


def test_window_is_equation_one():
    hu = head(holder=False)
    plain = replace(SPEC, remove_artefacts=False, remove_bone=False, centre=False)
    image = prepare_slice(hu, plain, pixel_spacing_mm=SPACING).image
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, np.clip(hu / 80.0, 0, 1), atol=1e-6)
    shifted = replace(plain, window=HUWindow(20, 60))
    image = prepare_slice(hu, shifted, pixel_spacing_mm=SPACING).image
    np.testing.assert_allclose(image, np.clip((hu - 20) / 40.0, 0, 1), atol=1e-6)


def test_each_step_can_be_switched_off():
    hu = head(clot=65)
    holder = (slice(215, 256), slice(0, 256))
    skull = (128 - 10 - 85, 128)

    def image(**steps):
        spec = replace(SPEC, **{"centre": False, **steps})
        return prepare_slice(hu, spec, pixel_spacing_mm=SPACING).image

    assert image(remove_artefacts=False)[holder].max() == 1
    assert image()[holder].max() == 0
    assert image(remove_bone=False)[skull] == 1
    assert image()[skull] == 0
    assert image()[118, 128 + 28] == pytest.approx(65 / 80)


def test_centring_moves_the_head_by_whole_pixels():
    images = [
        prepare_slice(head(shift=shift), SPEC, pixel_spacing_mm=SPACING).image
        for shift in ((0, 0), (9, -14))
    ]
    np.testing.assert_array_equal(*images)
    rows, columns = np.nonzero(images[0])
    assert abs(rows.min() + rows.max() - 255) <= 1
    assert abs(columns.min() + columns.max() - 255) <= 1


def test_clipped_input_gives_nearly_the_same_picture_and_a_note():
    full = head(clot=70)
    for low, high in ((-20, 100), (0, 80)):
        clipped = volume([np.clip(full, low, high)] * 3, clipped_to_hu=(low, high))
        prepared = prepare(clipped, replace(SPEC, centre=False))
        reference = prepare(volume([full] * 3), replace(SPEC, centre=False))
        assert [note.code for note in prepared.notes] == ["clipped_hu"]
        assert reference.notes == ()
        brain = np.zeros((256, 256), np.uint8)
        cv2.ellipse(brain, ((128, 118), (120, 150), 0), 1, -1)
        difference = np.abs(prepared[0].image - reference[0].image)[brain > 0]
        assert difference.max() < 1e-6


def bone_at(hu, row, column, **keywords):
    mask = head_mask(hu, pixel_spacing_mm=SPACING, **keywords)
    return bone_mask(hu, mask, pixel_spacing_mm=SPACING, **keywords)[row, column] == 1


def test_deep_bone_is_removed_and_the_densest_clot_stays():
    clot, skull = (118, 128 + 28), (128 - 10 - 85, 128)
    assert bone_at(head(clot=300), *clot), "a petrous bone lies deep and apart from the skull"
    assert not bone_at(head(clot=88), *clot)
    assert bone_at(head(clot=88), *skull)


def test_a_clot_saturated_by_clipping_is_not_bone():
    narrow = np.clip(head(clot=88), 0, 80)
    assert not bone_at(narrow, 118, 128 + 28, clipped_to_hu=(0, 80))
    assert bone_at(narrow, 128 - 10 - 85, 128, clipped_to_hu=(0, 80))


@pytest.mark.parametrize("turn", [-12, 0, 12])
@pytest.mark.parametrize("column", [128 + 49, 128 + 56])
def test_a_clot_saturated_by_clipping_near_the_skull_is_not_bone(turn, column):
    # The nearer one touches the skull, and lies in its partial volume there.
    narrow = np.clip(turned(spot(head(), (column, 118), 11, 88), turn), 0, 80)
    mask = head_mask(narrow, pixel_spacing_mm=SPACING, clipped_to_hu=(0, 80))
    bone = bone_mask(narrow, mask, pixel_spacing_mm=SPACING, clipped_to_hu=(0, 80))
    clot = turned(spot(np.zeros_like(narrow), (column, 118), 9, 1), turn) > 0
    inside = turned(spot(np.zeros_like(narrow), (128, 118), 50, 1), turn) > 0
    assert bone[clot & inside].mean() < 0.1
    # What is skull without the clot stays skull.
    plain = np.clip(turned(head(), turn), 0, 80)
    skull = bone_mask(plain, mask, pixel_spacing_mm=SPACING, clipped_to_hu=(0, 80))
    assert bone[skull > 0].mean() > 0.995


def test_saturated_bone_on_both_sides_is_the_base_of_the_skull():
    hu = head()
    for side in (-1, 1):
        cv2.ellipse(hu, ((128 + side * 52, 124), (44, 20), side * 30), 700, -1)
    for clipped in (np.clip(hu, 0, 80), np.clip(turned(hu, 8), 0, 80)):
        mask = head_mask(clipped, pixel_spacing_mm=SPACING, clipped_to_hu=(0, 80))
        bone = bone_mask(clipped, mask, pixel_spacing_mm=SPACING, clipped_to_hu=(0, 80))
        assert bone[(clipped >= 80) & (mask > 0)].mean() > 0.99


def test_saturated_bone_beside_air_cells_is_bone():
    hu = spot(head(), (128 + 50, 118), 14, 700)
    for row, column in ((118, 163), (106, 168), (130, 168)):
        hu = spot(hu, (column, row), 4, -900)
    clipped = np.clip(hu, 0, 80)
    assert bone_at(clipped, 118, 128 + 50, clipped_to_hu=(0, 80))


def test_a_small_calcification_is_not_bone():
    hu = head()
    cv2.circle(hu, (150, 118), 1, 300, -1)
    assert not bone_at(hu, 118, 150)


def test_bone_goes_with_its_partial_volume_rim():
    hu = head()
    blurred = cv2.GaussianBlur(hu.astype(np.float32), (0, 0), 0.6).astype(np.int16)
    image = prepare_slice(blurred, replace(SPEC, centre=False), pixel_spacing_mm=SPACING).image
    inner = image[118 - 80 : 118, 128]
    assert inner.max() < 60 / 80, "the rim of the skull must not look like clot"


@settings(deadline=None, max_examples=40)
@given(
    rows=st.integers(40, 300),
    columns=st.integers(40, 300),
    dy=st.floats(0.3, 1.6),
    seed=st.integers(0, 2**16),
)
def test_masks_come_back_to_native_pixels(rows, columns, dy, seed):
    rng = np.random.default_rng(seed)
    hu = np.full((rows, columns), -1000, np.int16)
    centre = (int(columns * rng.uniform(0.4, 0.6)), int(rows * rng.uniform(0.4, 0.6)))
    radius = int(min(rows, columns, 210 / dy) * 0.35)
    cv2.circle(hu, centre, radius, 40, -1)
    prepared = prepare_slice(hu, SPEC, pixel_spacing_mm=(dy, dy))
    truth = np.zeros((rows, columns), np.uint8)
    cv2.circle(truth, centre, max(6, radius // 2), 1, -1)
    back = prepared.transform.to_native(prepared.transform.to_grid(truth)) >= 0.5
    assert back.shape == (rows, columns)
    overlap = 2 * np.count_nonzero(back & (truth > 0)) / (back.sum() + truth.sum())
    assert overlap > 0.93
    for axis in (0, 1):
        offset = np.mean(np.nonzero(back)[axis]) - np.mean(np.nonzero(truth)[axis])
        assert abs(offset) < 0.15


def test_round_trip_is_exact_on_a_grid_of_native_pixels():
    spec = PreprocessingSpec(size=512, pixel_mm=0.45)
    rng = np.random.default_rng(0)
    truth = (rng.random((512, 512)) < 0.5).astype(np.float32)
    truth[:60] = truth[-60:] = 0
    truth[:, :60] = truth[:, -60:] = 0
    transform = GridTransform((512, 512), (512, 512), 31, -17, spec.size)
    np.testing.assert_array_equal(transform.to_native(transform.to_grid(truth)), truth)


def test_points_and_boxes_follow_the_images():
    hu = head(rows=320, shift=(13, 21))
    prepared = prepare_slice(hu, SPEC, pixel_spacing_mm=(0.6, 0.7))
    native = np.zeros(hu.shape, np.float32)
    cv2.circle(native, (140, 180), 9, 1, -1)
    rows, columns = np.nonzero(prepared.transform.to_grid(native) >= 0.5)
    row, column = prepared.transform.point_to_native(rows.mean(), columns.mean())
    assert (row, column) == pytest.approx((180, 140), abs=0.5)
    box = prepared.transform.box_to_native(
        rows.min(), columns.min(), np.ptp(rows) + 1, np.ptp(columns) + 1
    )
    assert box == pytest.approx((170.5, 130.5, 19, 19), abs=1.5)


def test_black_and_air_slices_are_prepared_to_nothing():
    for hu in (np.full((64, 64), -1000, np.int16), np.full((64, 64), -32768, np.int16)):
        prepared = prepare_slice(hu, SPEC, pixel_spacing_mm=SPACING)
        assert prepared.head_area_mm2 == 0
        assert prepared.image.max() == 0


def test_slices_are_lazy_and_indexable():
    prepared = prepare(volume([head(), head(clot=60)]), SPEC)
    assert len(prepared) == 2
    assert [slice_.index for slice_ in prepared] == [0, 1]
    np.testing.assert_array_equal(prepared[-1].image, prepared[1].image)
    with pytest.raises(IndexError):
        prepared[2]


def test_specification_round_trip_and_refusals():
    spec = PreprocessingSpec(window=HUWindow(5, 75), remove_bone=False, size=128)
    assert PreprocessingSpec.from_json(spec.to_json()) == spec
    with pytest.raises(VolumeError, match="lower < upper"):
        HUWindow(80, 0)
    with pytest.raises(VolumeError, match="divisible by 32"):
        PreprocessingSpec(size=250)
    with pytest.raises(VolumeError, match="does not fit"):
        PreprocessingSpec.from_json({**spec.to_json(), "zoom": 2})


def test_a_native_slice_takes_under_15_ms():
    hu = cv2.resize(head(clot=60), (512, 512), interpolation=cv2.INTER_NEAREST)
    times = []
    for _ in range(9):
        start = time.thread_time()
        prepare_slice(hu, SPEC, pixel_spacing_mm=(0.45, 0.45))
        times.append(time.thread_time() - start)
    assert np.median(times) < 0.015


def _image(size: int = 16) -> np.ndarray:
    return np.arange(1, size * size + 1, dtype=np.float32).reshape(size, size)


def test_centroid_is_in_pixel_indices_and_weighted() -> None:
    mask = np.zeros((6, 8), bool)
    mask[2:4, 5:8] = True
    assert centroid(mask) == (2.5, 6.0)
    weights = np.zeros((6, 8), np.float32)
    weights[0, 0], weights[0, 4] = 1, 3
    assert centroid(weights) == (0.0, 3.0)


def test_an_empty_mask_crops_the_middle() -> None:
    image = _image()
    crop, corner = crop_around(image, np.zeros((16, 16), bool), 8)
    assert corner == (4, 4)
    np.testing.assert_array_equal(crop, image[4:12, 4:12])


@pytest.mark.parametrize("pixel", [(0, 0), (15, 15), (3, 9), (0, 15)])
@pytest.mark.parametrize("size", [5, 8, 24])
def test_a_lesion_stays_in_the_centre_and_the_rest_is_zero(
    pixel: tuple[int, int], size: int
) -> None:
    image, mask = _image(), np.zeros((16, 16), bool)
    mask[pixel] = True
    crop, (row, column) = crop_around(image, mask, size)
    assert crop.shape == (size, size)
    assert crop.dtype == np.float32
    inside = pixel[0] - row, pixel[1] - column
    assert crop[inside] == image[pixel]
    assert all(abs(place - (size - 1) / 2) <= 0.5 for place in inside)
    padded = np.pad(image, 32)
    np.testing.assert_array_equal(crop, padded[row + 32 :, column + 32 :][:size, :size])


def test_the_crop_is_a_copy() -> None:
    image = _image()
    crop, _ = crop_around(image, np.ones((16, 16), bool), 16)
    crop[:] = 0
    assert image.min() == 1


def test_a_crop_of_the_picture_s_own_size_is_the_picture_wherever_the_lesion_is() -> None:
    mask = np.zeros((16, 16), bool)
    mask[1, 14] = True
    crop, corner = crop_around(_image(), mask, 16)
    assert corner == (0, 0)
    np.testing.assert_array_equal(crop, _image())


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(VolumeError, match="one shape"):
        crop_around(_image(), np.zeros((8, 8), bool), 4)


def test_points_and_boxes_by_hand() -> None:
    """Two native rows and four native columns to a grid pixel, moved by (3, -4)."""
    transform = GridTransform((100, 200), (50, 50), 3, -4, 64)
    assert transform.point_to_native(10, 10) == (14.5, 57.5)
    assert transform.box_to_native(10, 10, 5, 6) == (14, 56, 10, 24)


def test_what_lies_outside_becomes_the_fill_value_both_ways() -> None:
    ones = np.ones((4, 6), np.float32)
    transform = GridTransform((4, 6), (4, 6), 2, -1, 8)
    grid = transform.to_grid(ones, fill=-7)
    expected = np.full((8, 8), -7.0)
    expected[2:6, 0:5] = 1
    np.testing.assert_array_equal(grid, expected)
    back = transform.to_native(np.full((8, 8), 2, np.float32), fill=-3)
    np.testing.assert_array_equal(back[:, 0], -3)
    np.testing.assert_array_equal(back[:, 1:], 2)
    away = GridTransform((4, 6), (4, 6), 20, -30, 8)
    assert away.to_grid(ones).max() == 0
    assert away.to_native(np.ones((8, 8), np.float32), fill=-3).max() == -3


def test_shrinking_averages_and_enlarging_interpolates() -> None:
    native = np.array([[0, 4], [8, 12]], np.float32)
    assert GridTransform((2, 2), (1, 1), 0, 0, 1).to_grid(native) == 6
    larger = GridTransform((2, 2), (2, 4), 0, 0, 4).to_grid(native)
    np.testing.assert_allclose(larger[0], [0, 1, 3, 4])
    mask = GridTransform((2, 2), (2, 4), 0, 0, 4).to_grid(native, interpolation=cv2.INTER_NEAREST)
    np.testing.assert_allclose(mask[0], [0, 0, 4, 4])


def test_the_grid_s_pixel_and_the_head_s_middle_set_the_transform() -> None:
    hu = np.full((200, 160), -1000, np.int16)
    hu[20:140, 30:150] = 40
    transform = prepare_slice(
        hu, PreprocessingSpec(size=128, pixel_mm=1.0), pixel_spacing_mm=(0.5, 1.0)
    ).transform
    assert transform.native_shape == (200, 160)
    assert transform.resized_shape == (100, 160)
    # The head's middle, row 80 of 200 and column 90 of 160, comes to the middle of 128 pixels.
    assert (transform.offset_row, transform.offset_col) == (64 - 40, 64 - 90)
    still = prepare_slice(
        hu, PreprocessingSpec(size=128, pixel_mm=1.0, centre=False), pixel_spacing_mm=(0.5, 1.0)
    ).transform
    assert (still.offset_row, still.offset_col) == (64 - 50, 64 - 80)


def test_the_area_of_the_head_is_in_square_millimetres() -> None:
    hu = np.full((200, 160), -1000, np.int16)
    hu[20:140, 30:150] = 40
    area = prepare_slice(hu, SPEC, pixel_spacing_mm=(0.5, 1.0)).head_area_mm2
    assert area == pytest.approx(120 * 120 * 0.5, rel=0.05)


def test_slices_are_counted_from_both_ends() -> None:
    prepared = prepare(volume([head(), head(), head()]), SPEC)
    assert (prepared[-1].index, prepared[-3].index, prepared[2].index) == (2, 0, 2)
    for outside in (3, -4):
        with pytest.raises(IndexError):
            prepared[outside]


@pytest.mark.parametrize("shape", [(16, 16, 1), (16,)])
def test_a_crop_is_of_a_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(VolumeError):
        crop_around(np.ones(shape, np.float32), np.ones(shape, bool), 4)


def test_the_smallest_crop_is_a_pixel() -> None:
    mask = np.zeros((16, 16), bool)
    mask[3, 5] = True
    crop, corner = crop_around(_image(), mask, 1)
    assert corner == (3, 5)
    assert crop == _image()[3, 5]
    with pytest.raises(VolumeError):
        crop_around(_image(), mask, 0)
    with pytest.raises(VolumeError):
        crop_around(_image(), np.ones((16, 15), bool), 4)


def test_an_empty_picture_s_centroid_is_its_middle() -> None:
    assert centroid(np.zeros((4, 7), bool)) == (1.5, 3.0)
    assert centroid(np.full((4, 7), 0.001)) == pytest.approx((1.5, 3.0))


@pytest.mark.parametrize(("rows", "columns"), [(101, 131), (100, 130)])
@pytest.mark.parametrize(("height", "width"), [(60, 60), (61, 61)])
def test_the_middle_comes_to_the_middle_for_odd_and_even_sizes(
    rows: int, columns: int, height: int, width: int
) -> None:
    hu = np.full((rows, columns), -1000, np.int16)
    hu[20 : 20 + height, 30 : 30 + width] = 40
    moved, still = (
        prepare_slice(
            hu,
            PreprocessingSpec(size=128, pixel_mm=1.0, centre=centre),
            pixel_spacing_mm=(1.0, 1.0),
        ).transform
        for centre in (True, False)
    )
    # Of two middle pixels the one that halves, rounded up, lead to.
    assert (moved.offset_row, moved.offset_col) == (44 - height // 2, 34 - width // 2)
    assert (still.offset_row, still.offset_col) == (64 - rows // 2, 64 - columns // 2)


def test_what_is_smaller_than_a_grid_pixel_becomes_one() -> None:
    transform = prepare_module._transform(np.ones((1, 1), np.uint8), SPEC, (0.3, 0.3))
    assert transform.resized_shape == (1, 1)
    hu = np.full((200, 160), -1000, np.int16)
    hu[20:140, 30:150] = 40
    prepared = prepare_slice(hu, SPEC, pixel_spacing_mm=(0.5, 0.8))
    assert prepared.index == 0
    assert prepared.head_area_mm2 == pytest.approx(120 * 120 * 0.4, rel=0.05)


@pytest.mark.parametrize(("columns", "last"), [(1, 3.0), (3, 9.0)])
def test_one_side_alone_is_averaged_too(columns: int, last: float) -> None:
    native = np.array([[0, 0, 0, 12]] * 2, np.float32)
    across = GridTransform((2, 4), (2, columns), 0, 0, 4).to_grid(native)
    assert across[0, columns - 1] == pytest.approx(last)
    down = GridTransform((4, 2), (columns, 2), 0, 0, 4).to_grid(native.T)
    assert down[columns - 1, 0] == pytest.approx(last)


def test_a_crop_s_first_pixel_and_its_ends_by_hand() -> None:
    mask = np.zeros((16, 24), bool)
    mask[15, 20] = True
    image = np.arange(16 * 24, dtype=np.float32).reshape(16, 24)
    crop, corner = crop_around(image, mask, 8)
    assert corner == (12, 17)
    np.testing.assert_array_equal(crop[:4, :7], image[12:, 17:])
    assert crop[4:].max() == 0
    tall, corner = crop_around(image.T.copy(), mask.T.copy(), 8)
    assert corner == (17, 12)
    np.testing.assert_array_equal(tall, crop.T)
