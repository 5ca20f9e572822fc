import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from hemx_core.training.scoring.agreement import agreement, gwet_ac1, kappa


def _raters(both: int, first: int, second: int, none: int) -> tuple[np.ndarray, np.ndarray]:
    counts = (both, first, second, none)
    one, other = np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)
    return one.astype(np.int8), other.astype(np.int8)


PUBLISHED = [
    # Gwet, "Kappa statistic is not satisfactory ...", Statistical Methods for Inter-Rater Reliability
    # Assessment 2002;1: 125 subjects, agreement .944, kappa -.0234, AC1 .9408.
    ((118, 5, 2, 0), 0.944, -0.0234, 0.9408),
    # Feinstein and Cicchetti, J Clin Epidemiol 1990;43:543-549: one agreement, kappa .70 and .32.
    ((40, 9, 6, 45), 0.85, 0.70, None),
    ((80, 10, 5, 5), 0.85, 0.32, None),
    # By hand: po .7; p = .6, .5, so pe = .5 and kappa .4; q = .55, so pg = .495 and AC1 .205/.505.
    ((4, 2, 1, 3), 0.7, 0.4, 0.205 / 0.505),
]


@pytest.mark.parametrize(("counts", "raw", "cohen", "gwet"), PUBLISHED)
def test_published_and_hand_computed_examples(counts, raw, cohen, gwet) -> None:
    one, other = _raters(*counts)
    found = agreement(one, other, np.arange(len(one)), draws=200)
    digits = 2 if gwet is None else 4
    assert found.agreement.value == pytest.approx(raw)
    assert round(found.kappa.value, digits) == pytest.approx(cohen)
    if gwet is not None:
        assert round(found.ac1.value, 4) == pytest.approx(round(gwet, 4))
    assert found.kappa.value == pytest.approx(cohen_kappa_score(one, other))
    assert (found.both_yes, found.first_only, found.second_only, found.both_no) == counts


def test_open_answers_count_for_nothing() -> None:
    one = np.array([1, 0, -1, 1, 0], np.int8)
    other = np.array([1, 0, 1, -1, 1], np.int8)
    found = agreement(one, other, np.arange(5), draws=100)
    assert (found.studies, found.both_yes, found.second_only, found.both_no) == (3, 1, 1, 1)
    assert found.sensitivity.value == 1.0
    assert found.specificity.value == 0.5


def test_kappa_says_nothing_where_both_always_say_the_same_and_ac1_does() -> None:
    always = np.ones(6, np.int8)
    found = agreement(always, always, np.arange(6), draws=100)
    assert found.kappa.value is None
    assert found.ac1.value == 1.0
    assert np.isnan(kappa(np.array([1.0, 0, 0, 0])))
    assert gwet_ac1(np.array([0.0, 0, 0, 1])) == 1.0


def test_nobody_answered() -> None:
    empty = np.full(3, -1, np.int8)
    found = agreement(empty, empty, np.arange(3), draws=100)
    assert found.studies == 0
    assert found.agreement.value is None


def test_studies_of_one_patient_are_drawn_together() -> None:
    rng = np.random.default_rng(0)
    one = rng.integers(0, 2, 40).astype(np.int8)
    other = np.where(rng.random(40) < 0.8, one, 1 - one).astype(np.int8)
    alone = agreement(one, other, np.arange(40)).agreement
    # The same studies four times, of the same patients: no narrower an interval.
    again = agreement(np.tile(one, 4), np.tile(other, 4), np.tile(np.arange(40), 4)).agreement
    assert again.value == alone.value
    assert (again.lower, again.upper) == pytest.approx((alone.lower, alone.upper))
