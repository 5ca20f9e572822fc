import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from benchmarks.paper.stats import delong_covariance, delong_test

RNG = np.random.default_rng(11)


def _by_pairs(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """DeLong, DeLong and Clarke-Pearson 1988, equations 4 to 8, over all pairs and with plain sums."""
    positive, negative = scores[:, labels == 1], scores[:, labels == 0]
    m, n = positive.shape[1], negative.shape[1]
    above = positive[:, :, None] - negative[:, None, :]
    psi = (above > 0) + 0.5 * (above == 0)
    auc = psi.mean((1, 2))
    v10, v01 = psi.mean(2) - auc[:, None], psi.mean(1) - auc[:, None]
    s10, s01 = v10 @ v10.T / (m - 1), v01 @ v01.T / (n - 1)
    return auc, s10 / m + s01 / n


@pytest.mark.parametrize("ties", [False, True])
def test_midranks_give_what_all_pairs_give(ties: bool) -> None:
    labels = RNG.integers(-1, 2, 50).astype(np.int8)
    scores = labels + RNG.normal(0, 1.2, (3, 50))
    scores = np.round(scores) if ties else scores
    found = delong_covariance(scores, labels)
    assert found is not None
    auc, covariance = _by_pairs(scores, labels)
    np.testing.assert_allclose(found[0], auc, atol=1e-12)
    np.testing.assert_allclose(found[1], covariance, atol=1e-12)
    known = labels >= 0
    assert found[0][0] == pytest.approx(roc_auc_score(labels[known], scores[0, known]))


def test_a_case_by_hand() -> None:
    # Positives 3, 1; negatives 2, 0: pairs won 3 of 4. V10 = (1, 1/2), V01 = (1/2, 1), each of
    # variance 1/8, so the variance is 1/8 / 2 + 1/8 / 2 = 1/8.
    found = delong_covariance(np.array([[3.0, 1, 2, 0]]), np.array([1, 1, 0, 0], np.int8))
    assert found is not None
    assert found[0][0] == 0.75
    assert found[1][0, 0] == pytest.approx(1 / 8)


def test_paired_test_follows_from_the_covariance_and_is_antisymmetric() -> None:
    labels = np.repeat([0, 1], 40).astype(np.int8)
    first = labels + RNG.normal(0, 1.5, 80)
    second = 0.5 * first + labels + RNG.normal(0, 0.7, 80)
    auc, covariance = _by_pairs(np.stack([first, second]), labels)
    sd = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    found, other = delong_test(first, second, labels), delong_test(second, first, labels)
    assert found is not None
    assert other is not None
    assert found.z == pytest.approx((auc[1] - auc[0]) / sd)
    assert found.p_value == pytest.approx(2 * (1 - norm.cdf(abs(found.z or 0))))
    assert (other.z, other.p_value) == pytest.approx((-(found.z or 0), found.p_value))
    assert found.difference.value == pytest.approx(auc[1] - auc[0])
    assert set(found.to_json()) == {"difference", "z", "p"}


def test_under_the_null_p_values_are_uniform() -> None:
    labels = np.repeat([0, 1], 60).astype(np.int8)
    values = []
    for _ in range(300):
        shared = labels + RNG.normal(0, 1, 120)
        pair = [shared + RNG.normal(0, 1, 120) for _ in range(2)]
        found = delong_test(*pair, labels)
        assert found is not None
        values.append(found.p_value)
    assert np.mean(np.array(values) < 0.05) == pytest.approx(0.05, abs=0.04)
    assert np.mean(np.array(values) < 0.5) == pytest.approx(0.5, abs=0.1)


def test_what_cannot_be_tested_is_none() -> None:
    scores, labels = np.arange(6.0), np.array([0, 0, 0, 1, 1, -1], np.int8)
    same = delong_test(scores, scores, labels)
    assert same is not None
    assert (same.difference.value, same.z, same.p_value) == (0, None, None)
    assert delong_test(scores, -scores, np.array([0, 0, 0, 0, 0, 1], np.int8)) is None
