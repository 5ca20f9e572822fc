import numpy as np
import pytest

from benchmarks.paper.exp_expansion import expected_auc, true_risk
from hemx_core.training.scoring.weighted import weighted_auc
from tests.factories import make_study


@pytest.mark.parametrize(
    ("markers", "risk"),
    [
        ([0, 0, 0, 0], 0.08),
        ([0, 0, 0, 1], 0.08),
        ([0, 1, 0, 0], 0.14),
        ([1, 1, 0, 0], 0.202),
        ([1, 1, 1, -1], 0.35),
    ],
)
def test_risk_is_the_highest_rate_of_the_present_markers(markers: list[int], risk: float) -> None:
    assert true_risk(make_study(markers=[markers])) == risk


def test_expected_auc_is_the_mean_over_drawn_labels() -> None:
    rng = np.random.default_rng(2)
    risk = rng.choice([0.08, 0.14, 0.202, 0.35], 600)
    weights = np.ones((1, len(risk)))
    drawn = [
        weighted_auc(risk, (rng.random(len(risk)) < risk).astype(np.int8), weights)[0]
        for _ in range(200)
    ]
    assert expected_auc(risk, weights)[0] == pytest.approx(np.mean(drawn), abs=0.006)


def test_equal_risks_are_worth_a_coin() -> None:
    weights = np.array([[1.0, 1, 1], [0, 2, 1]])
    np.testing.assert_allclose(expected_auc(np.full(3, 0.2), weights), 0.5)
