from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from torchmetrics.classification import BinaryCalibrationError

from hemx_core.training.scoring.calibration import (
    Calibration,
    Scaling,
    calibrate,
    ece_equal_mass,
    fit_scaling,
    mass_bins,
    reliability_plot,
    reliability_points,
    width_bins,
)
from hemx_core.training.scoring.predictions import NOT_CLASSIFIED, sigmoid
from hemx_core.training.scoring.prevalence import prevalence_weights
from hemx_core.training.scoring.weighted import weighted_calibration_error


def _overconfident(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    true_logits = rng.normal(0, 2, count)
    labels = (rng.random(count) < sigmoid(true_logits)).astype(np.int8)
    return 3 * true_logits + 1.5, labels


def test_platt_undoes_a_known_distortion() -> None:
    shift, temperature = fit_scaling(*_overconfident(20_000), Scaling.PLATT)
    assert temperature == pytest.approx(3, rel=0.05)
    assert shift == pytest.approx(-1.5, abs=0.15)


def test_separated_classes_keep_a_temperature_within_bounds() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1], np.int8)
    fitted = calibrate(
        np.where(labels == 1, 9.0, -9.0),
        labels,
        scaling=Scaling.PLATT,
        sensitivity=0.9,
        specificity=0.0,
    )
    assert 0.2 <= fitted.temperature <= 5
    assert fitted.threshold == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("scaling", list(Scaling))
def test_patients_that_are_not_classified_or_not_known_do_not_bend_the_fit(
    scaling: Scaling,
) -> None:
    logits, labels = _overconfident(400)
    alone = calibrate(logits, labels, scaling=scaling, sensitivity=0.5, specificity=0.0)
    more = np.append(logits, [NOT_CLASSIFIED, 50.0]), np.append(labels, [1, -1]).astype(np.int8)
    found = calibrate(*more, scaling=scaling, sensitivity=0.5, specificity=0.0)
    assert (found.shift, found.temperature) == (alone.shift, alone.temperature)


def _overconfident_by(count: int, factor: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    true_logits = rng.normal(0, 2, count)
    return factor * true_logits, (rng.random(count) < sigmoid(true_logits)).astype(np.int8)


def _temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    shift, temperature = fit_scaling(logits, labels, Scaling.TEMPERATURE)
    assert shift == 0
    return temperature


def test_temperature_undoes_overconfidence_and_mends_the_ece() -> None:
    logits, labels = _overconfident_by(4000, 3.0)
    temperature = _temperature(logits, labels)
    assert temperature == pytest.approx(3, rel=0.08)
    before = ece_equal_mass(sigmoid(logits), labels)
    after = ece_equal_mass(sigmoid(logits / temperature), labels)
    assert before is not None
    assert after is not None
    assert after < 0.03 < 0.08 < before


def test_temperature_is_the_minimum_that_a_search_finds() -> None:
    logits, labels = _overconfident_by(60, 2.5)
    signed = np.where(labels == 1, -logits, logits)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0, signed * np.exp(-log_temperature)).mean())

    found = minimize_scalar(loss, bounds=np.log((0.2, 5.0)), options={"xatol": 1e-6})
    assert _temperature(logits, labels) == pytest.approx(float(np.exp(found.x)), abs=1e-5)


def test_a_class_alone_has_no_temperature() -> None:
    assert _temperature(np.array([-9.0, -8, 8, 9]), np.zeros(4, np.int8)) == 1


def test_separable_patients_do_not_sharpen_probabilities() -> None:
    logits, labels = np.array([-9.0, -8, 8, 9]), np.array([0, 0, 1, 1], np.int8)
    assert _temperature(logits, labels) == 1
    # One error, and the likelihood has an optimum, which is followed.
    wrong = np.append(logits, -0.5), np.append(labels, 1).astype(np.int8)
    assert _temperature(*wrong) == pytest.approx(1.77, abs=0.01)


@pytest.mark.parametrize("scaling", list(Scaling))
def test_thresholds_reach_the_sensitivity(scaling: Scaling) -> None:
    logits, labels = _overconfident_by(300, 2.0)
    fitted = calibrate(logits, labels, scaling=scaling, sensitivity=0.9, specificity=0.0)
    called = fitted.apply(logits) >= fitted.threshold
    assert called[labels == 1].mean() >= 0.9
    assert fitted.estimable
    assert (fitted.shift == 0) == (scaling is Scaling.TEMPERATURE)
    neutral = calibrate(logits, labels * 0, scaling=scaling, sensitivity=0.9, specificity=0.0)
    assert neutral == Calibration(0.0, 1.0, 0.5, estimable=False)


@pytest.mark.parametrize("share", [0.03, 0.5])
def test_probabilities_are_those_of_the_published_prevalence(share: float) -> None:
    """Half of the studies show the marker; of the patients a share does."""
    rng = np.random.default_rng(8)
    labels = (np.arange(6000) % 2).astype(np.int8)
    logits = rng.normal(1.5 * labels, 1.0)
    fitted = calibrate(
        logits,
        labels,
        scaling=Scaling.PLATT,
        sensitivity=0.9,
        specificity=0.9,
        prevalence=share,
    )
    probabilities = fitted.apply(logits)
    usual = prevalence_weights(labels, share)
    assert np.average(probabilities, weights=usual) == pytest.approx(share, abs=0.005)
    error = ece_equal_mass(probabilities, labels, weights=usual)
    assert error is not None
    assert error < 0.02
    # Of two normal classes 1.5 apart the log odds are 1.5 x - 1.125, and those of the prior.
    odds = float(np.log(share / (1 - share))) - 1.125
    assert fitted.shift / fitted.temperature == pytest.approx(odds, abs=0.15)
    called = probabilities >= fitted.threshold
    assert called[labels == 0].mean() <= 0.1
    assert called[labels == 1].mean() == pytest.approx(0.59, abs=0.04)


def _ece_equal_width(probabilities: np.ndarray, labels: np.ndarray, bins: int) -> float:
    ones = np.ones((1, len(labels)))
    number = width_bins(probabilities, bins=bins)
    return float(weighted_calibration_error(probabilities, labels, number, ones)[0])


def test_errors_by_hand() -> None:
    probabilities = np.array([0.05, 0.15, 0.95, 0.95, 0.5])
    labels = np.array([0, 1, 1, 0, -1], np.int8)
    by_hand = (0.05 + 0.85 + 2 * abs(0.95 - 0.5)) / 4
    assert _ece_equal_width(probabilities, labels, 10) == pytest.approx(by_hand)
    # Two bins of two rows: {0.05, 0.15} and {0.95, 0.95}.
    halves = (2 * abs(0.1 - 0.5) + 2 * abs(0.95 - 0.5)) / 4
    assert ece_equal_mass(probabilities, labels, bins=2) == pytest.approx(halves)
    assert ece_equal_mass(probabilities, np.full(5, -1, np.int8)) is None


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=40),
    st.integers(1, 15),
)
def test_errors_are_bounded_and_grow_no_smaller_than_one_bin(
    rows: list[tuple[float, int]], bins: int
) -> None:
    probabilities = np.array([p for p, _ in rows])
    labels = np.array([y for _, y in rows], np.int8)
    least = abs(float((probabilities - labels).mean()))
    for found in (
        _ece_equal_width(probabilities, labels, bins),
        ece_equal_mass(probabilities, labels, bins=bins),
    ):
        assert found is not None
        assert least - 1e-5 <= found <= 1 + 1e-5
    numbers = mass_bins(probabilities, labels, bins=bins)
    assert ((numbers >= 0) & (numbers < bins)).all()
    for value in probabilities:
        assert len(set(numbers[probabilities == value])) == 1


def test_our_bins_of_equal_width_are_those_of_torchmetrics() -> None:
    import torch

    logits, labels = _overconfident_by(500, 2.0)
    probabilities = sigmoid(logits)
    theirs = BinaryCalibrationError(n_bins=15)(
        torch.from_numpy(probabilities), torch.from_numpy(labels.astype(np.int64))
    )
    assert _ece_equal_width(probabilities, labels, 15) == pytest.approx(float(theirs), abs=1e-6)


def test_reliability_points_carry_all_rows() -> None:
    logits, labels = _overconfident_by(200, 1.0)
    mean, observed, counts = reliability_points(sigmoid(logits), labels, bins=5)
    assert counts.sum() == 200
    assert counts.min() >= 39
    assert (np.diff(mean) > 0).all()
    assert counts @ observed == labels.sum()


def test_plot_is_a_picture_with_a_panel_for_each_curve(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    logits, labels = _overconfident_by(60, 1.0)
    curves = {"blend": (sigmoid(logits), labels), "irregular": (sigmoid(logits), labels * 0 - 1)}
    path = tmp_path / "new" / "reliability.png"
    reliability_plot(path, curves)
    picture = cv2.imread(str(path))
    assert picture is not None
    assert picture.shape[1] > 600
    blue = (picture[..., 0].astype(int) - picture[..., 2]) > 80
    half = picture.shape[1] // 2
    assert blue[:, :half].sum() > 500, "the estimable marker is drawn"
    assert blue[:, half:].sum() == 0, "the other is not"
    assert [one.name for one in path.parent.iterdir()] == ["reliability.png"]
