import pytest

from hemx_core.measure.expansion import Answer, judge_growth
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
