import numpy as np
import pytest

from hemx_core.training.calibration import (
    Calibration,
    calibrate,
    calibrate_marker,
    choose_threshold,
    fit_platt,
)
from hemx_core.training.metrics import NOT_CLASSIFIED, Predictions, sigmoid


def _overconfident(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    true_logits = rng.normal(0, 2, count)
    labels = (rng.random(count) < sigmoid(true_logits)).astype(np.int8)
    return 3 * true_logits + 1.5, labels


def test_platt_undoes_a_known_distortion() -> None:
    shift, temperature = fit_platt(*_overconfident(20_000))
    assert temperature == pytest.approx(3, rel=0.05)
    assert shift == pytest.approx(-1.5, abs=0.15)


def test_separated_classes_keep_a_temperature_within_bounds() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1], np.int8)
    fitted = calibrate_marker(np.where(labels == 1, 9.0, -9.0), labels, sensitivity=0.9)
    assert 0.2 <= fitted.temperature <= 5
    assert fitted.threshold == pytest.approx(0.5, abs=0.1)


def test_threshold_reaches_the_sensitivity_with_the_best_youden_index() -> None:
    probabilities = np.array([0.9, 0.8, 0.7, 0.1, 0.85, 0.3, 0.25, 0.2])
    labels = np.array([1, 1, 1, 1, 0, 0, 0, 0], np.int8)
    assert choose_threshold(probabilities, labels, sensitivity=0.75) == pytest.approx(0.5)
    assert choose_threshold(probabilities, labels, sensitivity=0.9) == pytest.approx(0.1)


def test_one_unlucky_negative_does_not_cost_true_finds() -> None:
    probabilities = np.array([*np.linspace(0.6, 0.9, 20), 0.62, *np.linspace(0.1, 0.4, 30)])
    labels = np.array([1] * 20 + [0] * 31, np.int8)
    assert choose_threshold(probabilities, labels, sensitivity=0.9) == pytest.approx(0.5)


@pytest.mark.parametrize(("value", "expected"), [(0.001, 0.05), (0.999, 0.95)])
def test_threshold_is_kept_within_bounds(value: float, expected: float) -> None:
    labels = np.array([1, 0], np.int8)
    assert choose_threshold(np.array([value, value]), labels, sensitivity=0.9) == expected


def test_marker_without_positives_is_neutral_and_says_so() -> None:
    found = Predictions(
        np.random.default_rng(1).normal(size=(6, 4)),
        np.zeros((6, 4), np.int8),
        np.arange(6),
        np.zeros((6, 4), np.int8),
    )
    assert calibrate(found, sensitivity=0.9) == [Calibration(0.0, 1.0, 0.5, estimable=False)] * 4


def test_patients_that_were_not_classified_do_not_bend_the_fit() -> None:
    logits, labels = _overconfident(400)
    alone = calibrate_marker(logits, labels, sensitivity=0.5)
    missed = np.append(logits, NOT_CLASSIFIED), np.append(labels, 1).astype(np.int8)
    assert calibrate_marker(*missed, sensitivity=0.5).temperature == alone.temperature
