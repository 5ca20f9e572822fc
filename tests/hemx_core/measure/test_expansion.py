from math import exp

import pytest

from hemx_core.intervals import GrowthInterval, Width
from hemx_core.measure.estimate import VolumeEstimate
from hemx_core.measure.expansion import DEFINITIONS, Answer, Growth, _judge, judge_growth

YES, NO, OPEN = Answer.YES, Answer.NO, Answer.INDETERMINATE


def _measured(
    ratio: float = 0.05, ml: float = 0.02, *, ratio_floor: float = 0.0, ml_floor: float = 0.0
) -> GrowthInterval:
    return GrowthInterval(
        coverage=0.9,
        ratio=Width(width=ratio, errors=40),
        ratio_floor_ml=ratio_floor,
        ml=Width(width=ml, errors=40),
        ml_floor_ml=ml_floor,
    )


def _grown(
    earlier: float, later: float, measured: GrowthInterval | None = None, **whole: bool
) -> Growth:
    volumes = (VolumeEstimate(volume_ml=ml) for ml in (earlier, later))
    return judge_growth(*volumes, measured=measured or _measured(), **whole)


def _answers(earlier: float, later: float, measured: GrowthInterval | None = None) -> list[Answer]:
    answers = _grown(earlier, later, measured).answers
    return [answers[code] for code in ("he_30", "he_33_or_6ml", "he_12_5ml")]


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        (20, 20, [NO, NO, NO]),
        (20, 40, [YES, YES, YES]),
        (8, 12.5, [YES, YES, NO]),  # relative growth alone
        (60, 70, [NO, YES, NO]),  # 6 mL, but 17 % and under 12.5 mL
        (80, 98, [NO, YES, YES]),  # 23 %
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
    assert _answers(20, 30, _measured(ratio=0.2))[0] is OPEN


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [(20, 40, [YES, YES, YES]), (60, 70, [OPEN, YES, OPEN]), (20, 12, [OPEN, OPEN, OPEN])],
)
def test_of_a_lower_bound_only_a_yes_stands(
    earlier: float, later: float, expected: list[Answer]
) -> None:
    growth = _grown(earlier, later, later_whole=False)
    assert list(growth.answers.values()) == expected
    for later_whole in (True, False):
        growth = _grown(earlier, later, earlier_whole=False, later_whole=later_whole)
        assert set(growth.answers.values()) == {OPEN}


def test_without_a_measurement_there_is_no_interval_and_no_answer() -> None:
    volumes = (VolumeEstimate(volume_ml=20.0), VolumeEstimate(volume_ml=60.0))
    growth = judge_growth(*volumes, measured=None)
    assert (growth.ml, growth.percent) == (40, pytest.approx(200))
    assert growth.ml_interval is growth.percent_interval is None
    assert set(growth.answers.values()) == {OPEN}


def test_the_intervals_follow_the_formulas_of_the_module() -> None:
    """By hand: half of the mL is 0.1 of 25 and 1, of the logarithm 0.08 times 1 + 2 / 20."""
    growth = _grown(20, 30, _measured(0.08, 0.1, ratio_floor=2.0, ml_floor=1.0))
    assert growth.ml == pytest.approx(10)
    assert growth.ml_interval == pytest.approx((10 - 2.6, 10 + 2.6))
    assert growth.percent == pytest.approx(50)
    ends = (100 * (1.5 * exp(sign * 0.088) - 1) for sign in (-1, 1))
    assert growth.percent_interval == pytest.approx(tuple(ends))


def test_the_smaller_of_two_volumes_decides_how_sure_a_ratio_is() -> None:
    measured = _measured(0.08, ratio_floor=2.0)
    assert measured.log_spread(20, 5) == measured.log_spread(5, 20) == pytest.approx(0.08 * 1.4)


def test_what_missing_slices_may_hold_widens_both_intervals() -> None:
    earlier = VolumeEstimate(volume_ml=20.0, less_ml=1.0, more_ml=2.0)
    later = VolumeEstimate(volume_ml=30.0, less_ml=4.0, more_ml=8.0)
    growth = judge_growth(earlier, later, measured=_measured(0.0, 0.0))
    assert growth.ml_interval == pytest.approx((10 - 4 - 2, 10 + 8 + 1))
    assert growth.percent_interval == pytest.approx((100 * (26 / 22 - 1), 100 * (38 / 19 - 1)))


def test_growth_from_nothing_is_judged_in_ml_only() -> None:
    growth = _grown(0, 20)
    assert growth.percent is None
    assert growth.percent_interval is None
    assert growth.answers == {"he_30": OPEN, "he_33_or_6ml": YES, "he_12_5ml": YES}
    assert _grown(0, 1).answers["he_12_5ml"] is NO


def test_a_haematoma_that_is_gone_did_not_expand() -> None:
    growth = _grown(20, 0)
    assert growth.percent == -100
    assert growth.percent_interval == (-100, -100)
    assert set(growth.answers.values()) == {NO}


def test_the_definitions_are_the_published_ones() -> None:
    assert {one.code: (one.percent, one.ml) for one in DEFINITIONS} == {
        "he_30": (30.0, None),
        "he_33_or_6ml": (33.0, 6.0),
        "he_12_5ml": (None, 12.5),
    }


def test_a_limit_that_the_whole_interval_reaches_is_a_yes() -> None:
    """Without any uncertainty the limit itself is reached, and a hair below is not."""
    for ml, expected in ((32.5, YES), (32.499, NO)):
        assert _answers(20.0, ml, _measured(0.0, 0.0))[2] is expected


def test_an_interval_that_ends_at_a_limit_reaches_it() -> None:
    assert [_judge(one, 6.0) for one in ((6.0, 9.0), (1.0, 6.0), (1.0, 5.9))] == [YES, OPEN, NO]
