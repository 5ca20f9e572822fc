from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from hemx_core.imaging.person import count_people, match
from hemx_core.imaging.volume import SeriesIdentity

HANAKO = SeriesIdentity(
    patient_id="0012345",
    patient_name="Demo^Hanako=試験^花子",
    birth_date="19500131",
    sex="F",
    site="A",
)


def _with(**changes: object) -> SeriesIdentity:
    return replace(HANAKO, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"patient_id": "12345"},
        {"patient_id": "12-345 "},
        {"patient_id": "99", "other_ids": ("12345",)},
        {"patient_name": "DEMO HANAKO"},
        {"patient_name": "試験花子"},
        {"patient_name": "しけん^はなこ"},
        {"patient_name": "ANONYMOUS"},
        {"patient_name": "", "birth_date": "", "sex": ""},
        {"birth_date": "1950-01-31"},
        {"birth_date": "19000101"},
        {"sex": "O"},
        {"sex": "女"},
        {"issuer": "A"},
    ],
)
def test_one_person_is_known_however_written(changes: dict[str, object]) -> None:
    for pair in ((HANAKO, _with(**changes)), (_with(**changes), HANAKO)):
        found = match(*pair)
        assert found.same
        assert found.by_id
        assert (found.differing, found.doubtful, found.alike) == ((), (), ())


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"patient_name": "Demo^H"}, ("patient_name",)),
        ({"patient_name": "Demo^Hanakko"}, ("patient_name",)),
        ({"patient_name": "Suzuki^Hanako"}, ("patient_name",)),
        ({"patient_name": "Demo^Hanako=試験^華子"}, ("patient_name",)),
        ({"birth_date": "1950"}, ("birth_date",)),
        ({"birth_date": "19500100"}, ("birth_date",)),
    ],
)
def test_small_differences_are_one_person_written_differently(
    changes: dict[str, object], facts: tuple[str, ...]
) -> None:
    found = match(HANAKO, _with(**changes))
    assert found.same
    assert (found.alike, found.doubtful, found.differing) == (facts, (), ())


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"patient_name": "Other^Person"}, ("patient_name",)),
        ({"birth_date": "19500130"}, ("birth_date",)),
        ({"birth_date": "19500101"}, ("birth_date",)),
        ({"patient_id": "777", "site": "B"}, ("patient_id",)),
    ],
)
def test_what_the_other_facts_outweigh_is_doubtful(
    changes: dict[str, object], facts: tuple[str, ...]
) -> None:
    found = match(HANAKO, _with(**changes))
    assert found.same
    assert (found.doubtful, found.differing) == (facts, ())


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"patient_id": "777"}, ("patient_id",)),
        ({"sex": "M"}, ("sex",)),
        ({"birth_date": "19720505"}, ("birth_date",)),
        ({"patient_name": "Other^Person", "birth_date": ""}, ("patient_name",)),
        ({"patient_name": "Suzuki^Hanako", "birth_date": ""}, ("patient_name",)),
        (
            {"patient_name": "Other^Person", "birth_date": "19720505", "sex": "M"},
            ("patient_name", "birth_date", "sex"),
        ),
        ({"patient_id": "", "patient_name": "Demo^Hanakko"}, ("patient_name",)),
        ({"patient_id": "777", "site": "B", "birth_date": ""}, ("patient_id",)),
        ({"birth_date": "1951"}, ("birth_date",)),
    ],
)
def test_two_people_are_told_apart_by_each_fact(
    changes: dict[str, object], facts: tuple[str, ...]
) -> None:
    found = match(HANAKO, _with(**changes))
    assert not found.same
    assert found.differing == facts


def test_month_and_day_exchanged_are_a_slip() -> None:
    one = _with(birth_date="19500203")
    assert match(one, _with(birth_date="19500302")).doubtful == ("birth_date",)
    nameless = replace(one, patient_name="")
    assert match(nameless, _with(birth_date="19500302")).differing == ("birth_date",)


def test_name_and_birth_date_prove_a_person_without_an_id() -> None:
    for missing in ("", "0", "ANONYMOUS", "unknown"):
        found = match(HANAKO, _with(patient_id=missing))
        assert found.same
        assert not found.by_id
    assert not match(HANAKO, _with(patient_id="", birth_date="")).same
    assert not match(HANAKO, _with(patient_id="", patient_name="")).same
    assert not match(HANAKO, _with(patient_id="", birth_date="1950")).same, (
        "a year is no birth date"
    )


@pytest.mark.parametrize(
    "stand_in", ["", "ANONYMOUS", "ANON", "UNKNOWN", "XXXX", "0", "none", "TEST", "匿名"]
)
def test_what_names_nobody_matches_nobody(stand_in: str) -> None:
    nobody = SeriesIdentity(patient_id=stand_in, patient_name=stand_in)
    found = match(nobody, nobody)
    assert not found.same
    assert found.differing == ()


def test_ids_of_two_issuers_prove_nothing() -> None:
    there = _with(issuer="Clinic", patient_name="", birth_date="")
    assert not match(replace(HANAKO, issuer="Centre"), there).same
    other = _with(issuer="Clinic", patient_id="777")
    found = match(replace(HANAKO, issuer="Centre"), other)
    assert found.same
    assert not found.by_id
    assert found.differing == ()


def test_ages_that_do_not_fit_the_time_between_are_of_two() -> None:
    first = _with(birth_date="", age="075Y", acquired_at=datetime(2026, 1, 1))
    fits = replace(first, age="077Y", acquired_at=datetime(2028, 1, 1))
    assert match(first, fits).same
    assert match(first, replace(fits, age="032Y")).differing == ("age",)
    assert match(first, replace(fits, age="070Y")).doubtful == ("age",)
    assert match(_with(age="075Y"), _with(age="032Y")).same, "the birth date says more"
    assert match(first, replace(first, age="000Y")).same
    assert match(replace(first, age="006M"), replace(first, age="026W")).same


def test_people_are_counted() -> None:
    assert count_people([HANAKO]) == 1
    assert count_people([HANAKO, _with(patient_id="12345"), _with(patient_name="")]) == 1
    assert count_people([HANAKO, _with(patient_name="Other^Person", birth_date="19720505")]) == 2
    assert count_people([SeriesIdentity(), SeriesIdentity()]) == 1, "told in the same words"
    assert count_people([SeriesIdentity(), HANAKO]) == 2
