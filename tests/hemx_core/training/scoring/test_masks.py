import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from monai.metrics import compute_dice, compute_iou

from hemx_core.errors import VolumeError
from hemx_core.training.scoring.masks import (
    batch_numbers,
    grouped,
    overlap,
    overlap_report,
    pixel_counts,
    score_masks,
    surface_distances,
)

MASKS = arrays(np.bool_, (2, 3, 4))
SPACING = (5.0, 0.5, 0.5)


def _box(rows: slice, columns: slice, slices: slice = slice(1, 3)) -> np.ndarray:
    mask = np.zeros((4, 20, 20), bool)
    mask[slices, rows, columns] = True
    return mask


@settings(deadline=None, max_examples=40)
@given(MASKS, MASKS, MASKS)
def test_overlap_is_bounded_symmetric_and_blind_to_open_pixels(
    mask: np.ndarray, truth: np.ndarray, known: np.ndarray
) -> None:
    found = overlap(pixel_counts(mask, truth, known))
    assert ((found["dice"] >= 0) & (found["dice"] <= 1)).all()
    np.testing.assert_allclose(found["dice"], 2 * found["iou"] / (1 + found["iou"]))
    np.testing.assert_array_equal(found["f"], found["dice"])
    turned = overlap(pixel_counts(truth, mask, known))
    np.testing.assert_array_equal(turned["iou"], found["iou"])
    np.testing.assert_array_equal(
        pixel_counts(mask ^ ~known, truth, known), pixel_counts(mask, truth, known)
    )


def test_overlap_equals_monai_where_masks_are_not_empty() -> None:
    rng = np.random.default_rng(4)
    mask, truth = rng.random((2, 5, 8, 8)) < 0.4
    found = overlap(pixel_counts(mask, truth))
    tensors = [torch.from_numpy(part)[:, None].float() for part in (mask, truth)]
    np.testing.assert_allclose(found["dice"], compute_dice(*tensors)[:, 0], rtol=1e-6)
    np.testing.assert_allclose(found["iou"], compute_iou(*tensors)[:, 0], rtol=1e-6)


def test_two_empty_masks_agree_and_one_empty_mask_does_not() -> None:
    empty, full = np.zeros((1, 2, 2), bool), np.ones((1, 2, 2), bool)
    assert overlap(pixel_counts(empty, empty))["dice"][0] == 1
    assert overlap(pixel_counts(full, empty))["dice"][0] == 0
    assert overlap(pixel_counts(empty, full))["iou"][0] == 0


def test_levels_by_hand() -> None:
    # In both, found, in the reference: Dice 1/2, 1 (empty), 0, 1.
    counts = np.array([[1, 2, 2], [0, 0, 0], [0, 2, 0], [6, 6, 6]])
    report = overlap_report(counts, np.array(["a", "a", "b", "b"]), batch=3)
    assert report["image"] == {"count": 4, "dice": 0.625, "iou": 0.5833, "f": 0.625}
    assert report["image_with_blood"]["dice"] == 0.75
    assert report["image_with_blood"]["count"] == 2
    assert report["batch"]["count"] == 2
    assert report["batch"]["dice"] == pytest.approx((2 / 6 + 1) / 2, abs=1e-4)
    assert report["patient"]["dice"] == pytest.approx((2 / 4 + 12 / 14) / 2, abs=1e-4)
    assert report["pooled"]["iou"] == pytest.approx(7 / (10 + 8 - 7), abs=1e-4)
    other = overlap_report(counts, np.array(list("aabb")), batch=3, order=np.array([3, 2, 1, 0]))
    assert other["batch"]["dice"] == pytest.approx((12 / 14 + 1 / 2) / 2, abs=1e-4)
    nothing = overlap_report(counts[1:3], np.array([1, 1]), batch=2)
    assert nothing["image_with_blood"] == {"count": 0, "dice": None, "iou": None, "f": None}


def test_batches_and_groups_cover_every_row_once() -> None:
    numbers = batch_numbers(7, size=3, order=np.array([6, 5, 4, 3, 2, 1, 0]))
    assert numbers.tolist() == [2, 1, 1, 1, 0, 0, 0]
    counts = np.arange(21).reshape(7, 3)
    np.testing.assert_array_equal(grouped(counts, numbers).sum(0), counts.sum(0))


def test_surface_distance_of_a_shift_has_the_spacing_of_its_axis() -> None:
    truth = _box(slice(5, 15), slice(5, 15))
    assert surface_distances(truth, truth, SPACING) == (0, 0)
    by_columns = surface_distances(_box(slice(5, 15), slice(7, 17)), truth, SPACING)
    assert by_columns is not None
    assert 0 < by_columns[0] < by_columns[1]
    assert by_columns[1] == pytest.approx(1.0)  # two columns of 0.5 mm
    by_slice = surface_distances(_box(slice(5, 15), slice(5, 15), slice(2, 4)), truth, SPACING)
    assert by_slice is not None
    assert by_slice[1] <= 5.0
    doubled = surface_distances(_box(slice(5, 15), slice(7, 17)), truth, (10.0, 1.0, 1.0))
    assert doubled == pytest.approx(tuple(2 * distance for distance in by_columns))


def test_surface_distance_is_symmetric_and_none_without_a_surface() -> None:
    first, second = _box(slice(3, 9), slice(4, 9)), _box(slice(5, 15), slice(5, 12))
    assert surface_distances(first, second, SPACING) == pytest.approx(
        surface_distances(second, first, SPACING)
    )
    assert surface_distances(first, first & False, SPACING) is None


def test_a_mask_at_the_border_of_the_volume_has_a_surface_there() -> None:
    inside, border = _box(slice(5, 15), slice(5, 15)), _box(slice(0, 10), slice(0, 10))
    shifted = np.roll(inside, 2, axis=2)
    at_border = surface_distances(np.roll(border, 2, axis=2), border, SPACING)
    assert at_border == pytest.approx(surface_distances(shifted, inside, SPACING))


def test_patient_scores_by_hand() -> None:
    truth, mask = _box(slice(0, 10), slice(0, 10)), _box(slice(0, 10), slice(0, 5))
    mask[0, 0, :4] = True
    known = np.ones_like(truth)
    known[0, 0, 0] = False
    found = score_masks(mask, truth, known, spacing_mm=(5.0, 1.0, 1.0), surface=False)
    assert found.reference_ml == pytest.approx(200 * 5 / 1000)
    assert found.predicted_ml == pytest.approx(103 * 5 / 1000)
    assert found.false_ml == pytest.approx(3 * 5 / 1000)
    assert found.error_ml == pytest.approx(-0.485)
    assert found.error_percent == pytest.approx(-48.5)
    assert found.dice == pytest.approx(200 / 303)
    assert found.iou == pytest.approx(100 / 203)
    assert found.surface_mm is None
    measured = score_masks(mask, truth, spacing_mm=(5.0, 1.0, 1.0))
    assert measured.hausdorff95_mm is not None
    assert measured.surface_mm is not None
    assert 0 < measured.surface_mm < measured.hausdorff95_mm
    assert score_masks(mask, truth & False, spacing_mm=SPACING).error_percent is None


def test_what_cannot_be_scored_is_refused() -> None:
    mask = np.zeros((2, 3, 3), bool)
    with pytest.raises(VolumeError, match="one shape"):
        pixel_counts(mask, mask[:1])
    with pytest.raises(VolumeError, match="bool"):
        pixel_counts(mask.astype(float), mask)  # type: ignore[arg-type]
    with pytest.raises(VolumeError, match="positive"):
        score_masks(mask, mask, spacing_mm=(5.0, 0.0, 1.0))
