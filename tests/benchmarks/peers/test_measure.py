"""Fingerprints and accuracy, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.harness.material import Inputs
from benchmarks.harness.process import same
from benchmarks.peers import measure
from benchmarks.peers.measure import fingerprint, marker_accuracy, mask_accuracy, time_calls


def test_masks_are_compared_together() -> None:
    expected = [np.array([[0.9, 0.9], [0.1, 0.1]]), np.array([[0.9, 0.1], [0.1, 0.1]])]
    found = [np.array([[0.9, 0.1], [0.1, 0.1]]), np.array([[0.9, 0.9], [0.1, 0.1]])]
    # 2 of 3 pixels each in common: 2 * 2 / (3 + 3).
    accuracy = mask_accuracy(found, expected, 0.5)
    assert accuracy["mask_dice"] == pytest.approx(2 / 3, abs=1e-5)
    assert accuracy["probability_max"] == pytest.approx(0.8)
    assert accuracy["probability_mean"] == pytest.approx(0.2)


def test_two_empty_masks_agree() -> None:
    assert mask_accuracy([np.zeros((2, 2))], [np.zeros((2, 2))], 0.5)["mask_dice"] == 1.0


def test_markers_are_compared_as_calibrated_probabilities() -> None:
    # A temperature of 2 halves the logit: sigmoid(1) - sigmoid(0).
    accuracy = marker_accuracy([np.array([[2.0]])], [np.array([[0.0]])], [2.0])
    assert accuracy["probability_max"] == pytest.approx(0.231, abs=1e-3)


def test_short_calls_are_timed_for_a_while_and_long_ones_as_often_as_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    # Of the clock only its calls count: each takes 2 ms here, on a busy machine too.
    monkeypatch.setattr(measure.time, "perf_counter", lambda: 0.002 * len(asked))

    def model(inputs: Inputs) -> list[np.ndarray]:
        asked.append(int(inputs[0][0]))
        return []

    inputs = [(np.array([index]),) for index in range(3)]
    assert time_calls(model, inputs, 2, least_ms=9.0) == pytest.approx([2.0] * 5)
    assert asked == [0, 1, 2, 0, 1]
    assert len(time_calls(model, inputs, 4, least_ms=1.0)) == 4


def test_a_fingerprint_changes_with_any_output() -> None:
    first = [[np.zeros((2, 2), np.float32), np.ones(3, np.float32)]]
    other = [[np.zeros((2, 2), np.float32), np.array([1, 1, 1.5], np.float32)]]
    assert same(fingerprint(first), fingerprint(first))
    assert not same(fingerprint(first), fingerprint(other))
