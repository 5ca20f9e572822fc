from __future__ import annotations

from pathlib import Path

import pytest

from hemx_core.comparison import compare_results
from hemx_core.errors import InputError
from hemx_core.measure.expansion import Answer
from hemx_core.result import Recommendation
from mobile_app.compare.comparing import compare_studies, default_pair, is_stored
from mobile_app.errors import NotStoredError
from mobile_app.result.expansion import expansions_of_patient, into, urged
from mobile_app.store import Store
from tests.mobile_app.stored import at_once, correct, store_study


@pytest.fixture
def store(tmp_path: Path) -> Store:
    with Store(tmp_path / "store") as store:
        yield store


def test_a_comparison_is_made_and_stored_once(store: Store, tmp_path: Path) -> None:
    earlier = store_study(store, tmp_path, clot_mm=12)
    later = store_study(store, tmp_path, clot_mm=20, hours=5)
    compared = at_once(compare_studies(store, earlier, later))
    comparison = compared.comparison
    assert comparison.interval_hours == pytest.approx(5)
    assert comparison.growth.ml == pytest.approx(
        compared.later.result.haematoma.volume_ml - compared.earlier.result.haematoma.volume_ml
    )
    assert compared.later.volume.hu.shape == compared.later.result.mask.shape
    stored = store.comparisons.load(compared.comparison_id)
    assert stored.growth == comparison.growth
    again = at_once(compare_studies(store, earlier, later))
    assert again.comparison_id == compared.comparison_id
    assert len(store.comparisons.of_study(later)) == 1


def test_certain_expansion_urges_to_call_and_uncertain_does_not(
    store: Store, tmp_path: Path
) -> None:
    numbers = [
        store_study(store, tmp_path, clot_mm=mm, hours=hours)
        for mm, hours in ((12, 0), (12.4, 2), (20, 5))
    ]
    at_once(compare_studies(store, numbers[0], numbers[1]))
    at_once(compare_studies(store, numbers[0], numbers[2]))
    found = expansions_of_patient(store, numbers[0])
    assert [one.later_study for one in found] == [numbers[2], numbers[1]], "newest first"
    grown, same = found
    assert Answer.YES in grown.growth.answers.values()
    assert Answer.YES not in same.growth.answers.values()
    for one in found:
        result = store.results.load(one.stored.later_result)
        assert result.recommendation is Recommendation.DISCUSS
        told = urged(result, into(one.later_study, found))
        urgent = one is grown
        assert (told.recommendation is Recommendation.CALL_NOW) is urgent
        assert (told.notes[0].code == "expanded") is urgent
    earlier = store.results.load(grown.stored.earlier_result)
    assert urged(earlier, into(numbers[0], found)) is earlier


def test_corrections_are_what_is_compared(store: Store, tmp_path: Path) -> None:
    earlier = store_study(store, tmp_path, clot_mm=14)
    later = store_study(store, tmp_path, clot_mm=14.2, hours=5)
    plain = at_once(compare_studies(store, earlier, later))
    number = correct(store, later, grow=40)
    (old,) = expansions_of_patient(store, later)
    assert old.outdated
    compared = at_once(compare_studies(store, earlier, later))
    added = compared.comparison.growth.ml - plain.comparison.growth.ml
    assert added == pytest.approx(
        (compared.later.result.mask.sum() - plain.later.result.mask.sum()) * 1.5 * 1.5 * 5 / 1000
    )
    assert added > 5
    new, old = expansions_of_patient(store, later)
    assert (new.stored.later_correction, new.stored.earlier_correction) == (number, None)
    assert new.corrected
    assert not new.outdated
    assert into(later, (new, old)) == (new,), "the newest of a pair counts"
    assert [one.corrected for one in compared.course] == [False, True]


def test_two_patients_need_a_word_and_one_series_none_helps(store: Store, tmp_path: Path) -> None:
    one = store_study(store, tmp_path, patient="P1")
    other = store_study(store, tmp_path, patient="P2", hours=3)
    with pytest.raises(InputError, match="different patients"):
        at_once(compare_studies(store, one, other))
    forced = at_once(compare_studies(store, one, other, confirmed=True))
    assert "different_patients" in [note.code for note in forced.comparison.notes]
    assert forced.comparison_id is None
    for study in (one, other):
        assert store.comparisons.of_study(study) == (), "nobody's history"
        assert expansions_of_patient(store, study) == ()
    assert store.comparisons.growths() == {}
    assert not is_stored(store, one, other)
    with pytest.raises(InputError, match="same series"):
        at_once(compare_studies(store, one, one, confirmed=True))


def test_a_forced_comparison_that_was_stored_before_is_nobody_s_history(
    store: Store, tmp_path: Path
) -> None:
    one = store_study(store, tmp_path, patient="P1", clot_mm=12)
    other = store_study(store, tmp_path, patient="P2", clot_mm=20, hours=3)
    results = [store.results.of_study(study)[0] for study in (one, other)]
    old = compare_results(*(store.results.load(number) for number in results))
    store.comparisons.save(old, earlier_result=results[0], later_result=results[1])
    assert expansions_of_patient(store, other) == ()
    assert store.comparisons.growths() == {}
    assert not is_stored(store, one, other)


@pytest.mark.parametrize("nobody", ["", "ANONYMOUS", "0"])
def test_anonymous_studies_are_no_one_s_course(store: Store, tmp_path: Path, nobody: str) -> None:
    numbers = [
        store_study(store, tmp_path, patient=nobody, clot_mm=mm, hours=hours)
        for mm, hours in ((12, 0), (16, 2), (20, 5))
    ]
    assert default_pair(store.studies.find(), numbers[2]) is None
    compared = at_once(compare_studies(store, numbers[0], numbers[1]))
    assert "patient_unknown" in [note.code for note in compared.comparison.notes]
    assert [one.study_id for one in compared.course] == numbers[:2], "the third may be anybody"
    assert expansions_of_patient(store, numbers[2]) == ()
    assert len(expansions_of_patient(store, numbers[1])) == 1, "its own"


def test_a_study_without_a_result_cannot_be_compared(store: Store, tmp_path: Path) -> None:
    one = store_study(store, tmp_path)
    other = store_study(store, tmp_path, hours=3, triage=False)
    with pytest.raises(NotStoredError, match="without a result"):
        at_once(compare_studies(store, one, other))


def test_the_course_has_all_of_the_patient_in_time(store: Store, tmp_path: Path) -> None:
    third = store_study(store, tmp_path, clot_mm=20, hours=30)
    first = store_study(store, tmp_path, clot_mm=12)
    second = store_study(store, tmp_path, clot_mm=16, hours=5)
    unknown = store_study(store, tmp_path, clot_mm=15, hours=None)
    store_study(store, tmp_path, patient="P2", hours=1)
    course = at_once(compare_studies(store, first, second)).course
    assert [one.study_id for one in course] == [first, second, third, unknown]
    volumes = [one.volume_ml for one in course]
    assert volumes[:3] == sorted(volumes[:3])
    for one in course:
        low, high = one.interval_ml
        assert 0 <= low < one.volume_ml < high
