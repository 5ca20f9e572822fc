from math import exp, hypot, log

import pytest

from hemx_core.measure.expansion import DEFINITIONS, Answer, _judge, judge_growth
from hemx_core.measure.volume import VolumeEstimate

YES, NO, OPEN = Answer.YES, Answer.NO, Answer.INDETERMINATE


def _estimate(ml: float, *, sampling: float = 0.0) -> VolumeEstimate:
    """A ball's volume and surface."""
    radius = (ml * 1000 * 3 / (4 * 3.14159)) ** (1 / 3)
    surface = 4 * 3.14159 * radius**2
    return VolumeEstimate(volume_ml=ml, surface_mm2=surface, sampling_sd_ml=sampling)


def _answers(earlier: float, later: float, **more: float) -> list[Answer]:
    growth = judge_growth(_estimate(earlier, **more), _estimate(later, **more))
    return [growth.answers[code] for code in ("he_30", "he_33_or_6ml", "he_12_5ml")]


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        (20, 20, [NO, NO, NO]),
        (20, 40, [YES, YES, YES]),
        (8, 12.5, [YES, YES, NO]),  # relative growth alone
        (60, 70, [NO, YES, NO]),  # 6 mL, but 17 % and under 12.5 mL
        (80, 101, [NO, YES, YES]),  # 26 %
        (20, 12, [NO, NO, NO]),
    ],
)
def test_clear_growth_is_answered_by_each_definition(
    earlier: float, later: float, expected: list[Answer]
) -> None:
    assert _answers(earlier, later) == expected


@pytest.mark.parametrize(
    ("earlier", "later", "position"), [(20, 26.0, 0), (60, 66.0, 1), (40, 52.5, 2)]
)
def test_on_a_threshold_the_answer_is_indeterminate(
    earlier: float, later: float, position: int
) -> None:
    assert _answers(earlier, later)[position] is OPEN


def test_more_uncertainty_makes_a_clear_answer_indeterminate() -> None:
    assert _answers(20, 30)[0] is YES
    assert _answers(20, 30, sampling=3.0)[0] is OPEN


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [(20, 40, [YES, YES, YES]), (60, 70, [OPEN, YES, OPEN]), (20, 12, [OPEN, OPEN, OPEN])],
)
def test_of_a_lower_bound_only_a_yes_stands(
    earlier: float, later: float, expected: list[Answer]
) -> None:
    volumes = _estimate(earlier), _estimate(later)
    growth = judge_growth(*volumes, later_whole=False)
    assert list(growth.answers.values()) == expected
    for later_whole in (True, False):
        growth = judge_growth(*volumes, earlier_whole=False, later_whole=later_whole)
        assert set(growth.answers.values()) == {OPEN}


def test_intervals_lie_round_the_values_and_widen_with_uncertainty() -> None:
    narrow = judge_growth(_estimate(20), _estimate(27))
    wide = judge_growth(_estimate(20, sampling=1.0), _estimate(27, sampling=1.0))
    assert narrow.percent == pytest.approx(35)
    assert narrow.percent_interval is not None
    assert wide.percent_interval is not None
    assert wide.percent_interval[0] < narrow.percent_interval[0] < 35
    assert 35 < narrow.percent_interval[1] < wide.percent_interval[1]
    assert wide.ml_interval[0] < narrow.ml_interval[0] < 7 < narrow.ml_interval[1]


def test_no_growth_between_equal_studies_has_an_interval_round_zero() -> None:
    growth = judge_growth(_estimate(20), _estimate(20))
    assert growth.ml_interval[0] == pytest.approx(-growth.ml_interval[1])
    assert 0 < growth.ml_interval[1] < 1


def test_growth_from_nothing_is_judged_in_ml_only() -> None:
    growth = judge_growth(_estimate(0), _estimate(20))
    assert growth.percent is None
    assert growth.percent_interval is None
    assert growth.answers == {"he_30": OPEN, "he_33_or_6ml": YES, "he_12_5ml": OPEN}
    assert judge_growth(_estimate(0), _estimate(1)).answers["he_12_5ml"] is NO


def test_a_haematoma_that_is_gone_did_not_expand() -> None:
    growth = judge_growth(_estimate(20), _estimate(0))
    assert growth.percent == -100
    assert set(growth.answers.values()) == {NO}


def test_the_intervals_follow_the_formulas_of_the_module() -> None:
    """With figures put in by hand: 0.05 mm repeats, 1.46 mm are common, z is 1.645."""
    earlier = VolumeEstimate(volume_ml=20.0, surface_mm2=3000.0, sampling_sd_ml=0.5)
    later = VolumeEstimate(volume_ml=30.0, surface_mm2=4000.0, sampling_sd_ml=1.0)
    growth = judge_growth(earlier, later)
    first, second = hypot(0.15, 0.5), hypot(0.2, 1.0)
    half = 1.645 * hypot(first, second, 1.46)
    assert growth.ml == pytest.approx(10)
    assert growth.ml_interval == pytest.approx((10 - half, 10 + half))
    spread = 1.645 * hypot(first / 20, second / 30, 1.46 * (4 / 30 - 3 / 20))
    low, high = (100 * (exp(log(1.5) + sign * spread) - 1) for sign in (-1, 1))
    assert growth.percent == pytest.approx(50)
    assert growth.percent_interval == pytest.approx((low, high))


def test_the_definitions_are_the_published_ones() -> None:
    assert {one.code: (one.percent, one.ml) for one in DEFINITIONS} == {
        "he_30": (30.0, None),
        "he_33_or_6ml": (33.0, 6.0),
        "he_12_5ml": (None, 12.5),
    }


def test_a_limit_that_the_whole_interval_reaches_is_a_yes() -> None:
    """Without any uncertainty the limit itself is reached, and a hair below is not."""
    sure = VolumeEstimate(volume_ml=20.0, surface_mm2=0.0, sampling_sd_ml=0.0)
    for ml, expected in ((32.5, YES), (32.499, NO)):
        later = VolumeEstimate(volume_ml=ml, surface_mm2=0.0, sampling_sd_ml=0.0)
        assert judge_growth(sure, later).answers["he_12_5ml"] is expected


def test_a_haematoma_that_is_gone_has_shrunk_by_all_of_it() -> None:
    growth = judge_growth(_estimate(20), _estimate(0))
    assert growth.percent_interval == (-100, -100)
    assert judge_growth(_estimate(0.5), _estimate(0.8)).percent == pytest.approx(60)


def test_an_interval_that_ends_at_a_limit_reaches_it() -> None:
    assert [_judge(one, 6.0) for one in ((6.0, 9.0), (1.0, 6.0), (1.0, 5.9))] == [YES, OPEN, NO]
