import pytest

from benchmarks.accuracy.signs_real import Measured, choose, lines, score
from hemx_core.data.readings import READ_CODES
from hemx_core.measure.signs import SIGNS

RULE = SIGNS["hypodensity"]


def _patients(values: list[tuple[int, float | None]]) -> dict[str, dict[str, Measured]]:
    return {
        str(number): {code: Measured(label, value) for code in READ_CODES}
        for number, (label, value) in enumerate(values)
    }


def test_unsure_patients_are_counted_and_undecided_is_a_miss() -> None:
    rows = [(1, 9.0), (1, None), (1, RULE.threshold), (0, 0.0), (0, 9.0), (-1, 9.0), (-1, 0.0)]
    found = score(_patients(rows))["hypodensity"]
    assert (found["sensitivity"]["hits"], found["sensitivity"]["of"]) == (1, 3)
    assert (found["specificity"]["hits"], found["specificity"]["of"]) == (1, 2)
    assert (found["undecided"], found["too_small_to_judge"]) == (2, 1)
    assert (found["unsure"], found["unsure_called"], found["called"]) == (2, 1, 3)
    low, high = found["sensitivity"]["interval"]
    assert (low, high) == pytest.approx((0.0084, 0.9057), abs=1e-3)  # Clopper and Pearson, 1 of 3


def test_the_threshold_lies_in_the_middle_of_the_widest_gap_that_parts_them() -> None:
    rows = [Measured(label, value) for label, value in ((0, 0.0), (0, 2.0), (1, 6.0), (1, 9.0))]
    assert choose(RULE, rows) == 4
    assert choose(RULE, [*rows, Measured(-1, 4.0), Measured(1, None)]) == 4
    assert choose(RULE, rows[:2]) == RULE.threshold
    solid = [Measured(1, 0.8), Measured(1, 0.9), Measured(0, 0.96)]
    assert choose(SIGNS["irregular"], solid) == pytest.approx(0.93)


def test_left_out_a_patient_has_no_say_in_his_own_threshold() -> None:
    found = _patients([(0, 0.0), (0, 1.0), (1, 3.9), (1, 9.0), (1, 9.5)])
    assert score(found)["hypodensity"]["sensitivity"]["hits"] == 2
    left = score(found, left_out=True)
    assert left["hypodensity"]["sensitivity"]["hits"] == 2  # 3.9 against 5, from the others
    assert left["blend"] == score(found)["blend"], "fixed by its definition"


def test_one_line_a_sign() -> None:
    told = lines({"one_patient_left_out": score(_patients([(1, 30.0), (0, 0.0)]))})
    assert len(told) == len(READ_CODES)
    assert told[2] == "blend: sensitivity 1/1, specificity 1/1"
