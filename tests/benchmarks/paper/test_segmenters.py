import numpy as np
import pytest

from benchmarks.paper.segmenters import Counts, count, false_pixels, overlap, scores
from hemx_core.training.scoring.intervals import patient_draws

RNG = np.random.default_rng(5)
ONE = np.ones((1, 3))


def _counts(slices: int = 24) -> Counts:
    mask = RNG.random((slices, 16, 16)) < 0.4
    mask[::4] = False
    probability = np.clip(mask * 0.6 + RNG.random(mask.shape) * 0.6, 0, 1).astype(np.float32)
    rows = count(probability, mask, np.ones_like(mask))
    study = np.arange(slices) * 6 // slices
    return Counts(rows, study, study // 2)


def test_counts_of_a_small_picture() -> None:
    probability = np.array([[[0.9, 0.5, 0.2]]], np.float32)
    mask = np.array([[[True, False, True]]])
    rows = count(probability, mask, np.array([[[True, True, True]]]))
    np.testing.assert_allclose(rows, [[1, 2, 2, 1.1, 1.6]], rtol=1e-6)
    without_the_last = count(probability, mask, np.array([[[True, True, False]]]))
    np.testing.assert_allclose(without_the_last, [[1, 2, 1, 0.9, 1.4]], rtol=1e-6)


def test_f_and_iou_agree_for_one_picture_and_pooled_but_not_in_the_mean() -> None:
    counts = _counts()
    one = overlap(counts.rows[1:2])
    assert one["f"] == pytest.approx(2 * one["iou"] / (1 + one["iou"]))
    pooled = scores(counts, ONE, level="pooled")
    assert pooled["f"] == pytest.approx(2 * pooled["iou"] / (1 + pooled["iou"]))
    uneven = Counts(
        np.array([[9, 10, 10, 9, 10], [1, 10, 10, 1, 10]], float), np.arange(2), np.arange(2)
    )
    mean = scores(uneven, np.ones((1, 2)), level="image")
    assert mean["f"][0] < 2 * mean["iou"][0] / (1 + mean["iou"][0]) - 0.01


def test_levels_by_hand() -> None:
    rows = np.array([[4, 5, 5, 4, 5], [0, 3, 0, 0, 3], [1, 2, 6, 1, 2]], float)
    study = np.array([0, 0, 1])
    counts = Counts(rows, study, study)
    weights = np.ones((1, 2))
    assert scores(counts, weights, level="image")["f"] == pytest.approx((0.8 + 0.25) / 2)
    assert scores(counts, weights, level="batch")["f"] == pytest.approx(10 / 18)
    assert scores(counts, weights, level="patient")["f"] == pytest.approx((8 / 13 + 0.25) / 2)
    assert scores(counts, weights, level="pooled")["f"] == pytest.approx(10 / 21)
    assert false_pixels(counts, weights) == pytest.approx(1.5)


def test_a_draw_equals_the_score_of_the_copied_patients() -> None:
    counts = _counts()
    weights = patient_draws(3, draws=5, seed=1)
    for level in ("image", "patient", "pooled"):
        found = scores(counts, weights, level=level)["iou"]
        for draw, value in zip(weights[1:].astype(int), found[1:], strict=True):
            copies = np.repeat(np.arange(3), draw)
            rows = np.concatenate([counts.rows[counts.patient == one] for one in copies])
            numbers = [(counts.patient == one).sum() for one in copies]
            copy = np.repeat(np.arange(len(copies)), numbers)
            study = np.concatenate([counts.study[counts.patient == one] for one in copies])
            again = Counts(rows, study + 10 * copy, copy)
            assert value == pytest.approx(
                scores(again, np.ones((1, len(copies))), level=level)["iou"][0]
            )
