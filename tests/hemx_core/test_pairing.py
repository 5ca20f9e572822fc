from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

import hemx_core as hemx
from hemx_core.comparison import ComparisonResult, compare_results
from hemx_core.errors import InputError
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from hemx_core.measure.expansion import Answer
from hemx_core.notes import Severity
from hemx_core.pairing import (
    PairDoubt,
    blood_side,
    check_pair,
    interval_hours,
    pair_doubt,
    patient_notes,
)
from hemx_core.pipeline import triage_volume
from hemx_core.words import tell
from tests.factories import ThresholdModels, simple_head, write_ct_series

AT = datetime(2026, 3, 1, 22, 30)
FIRST = SeriesIdentity(
    patient_id="P1",
    patient_name="Demo^Hanako",
    birth_date="19500131",
    series_uid="1.1",
    acquired_at=AT,
)
SECOND = replace(FIRST, series_uid="1.2", acquired_at=AT + timedelta(hours=5))
OTHER = replace(SECOND, patient_name="Other^Person", birth_date="19720505", sex="M")


def _codes(earlier: SeriesIdentity, later: SeriesIdentity) -> dict[str, Severity]:
    return {note.code: note.severity for note in patient_notes(earlier, later)}


def test_two_people_under_one_id_are_refused_with_what_differs_and_no_value() -> None:
    assert pair_doubt(FIRST, OTHER) is PairDoubt.DIFFERENT_PATIENTS
    with pytest.raises(InputError, match="they differ in the name, the birth date") as error:
        check_pair(FIRST, OTHER, force=False)
    assert error.value.values["facts"] == ("patient_name", "birth_date")
    assert not any(value in str(error.value) for value in ("Hanako", "Other", "1950", "1972"))
    assert "氏名" in error.value.told("ja")[0]
    check_pair(FIRST, OTHER, force=True)
    assert _codes(FIRST, OTHER) == {"different_patients": Severity.WARNING}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        ({"patient_name": "DEMO HANAKO"}, {}),
        ({"patient_name": "Demo^H"}, {"patient_alike": Severity.CAUTION}),
        ({"patient_name": "Other^Person"}, {"patient_doubtful": Severity.WARNING}),
        ({"patient_id": ""}, {"patient_by_name": Severity.CAUTION}),
        ({"patient_id": "", "birth_date": ""}, {"patient_unknown": Severity.WARNING}),
        (
            {"patient_id": "ANONYMOUS", "patient_name": "匿名"},
            {"patient_unknown": Severity.WARNING},
        ),
    ],
)
def test_what_is_said_of_the_patient(
    changes: dict[str, str], expected: dict[str, Severity]
) -> None:
    later = replace(SECOND, **changes)  # type: ignore[arg-type]
    check_pair(FIRST, later, force=False)
    assert _codes(FIRST, later) == _codes(later, FIRST) == expected
    for note in patient_notes(FIRST, later):
        for language in ("en", "ja"):
            assert tell(note, language)


def test_anonymous_studies_never_match_by_themselves() -> None:
    one = SeriesIdentity(patient_id="ANON", patient_name="ANONYMOUS", series_uid="1")
    other = replace(one, series_uid="2")
    assert pair_doubt(one, other) is PairDoubt.PATIENT_UNKNOWN
    assert _codes(one, other) == {"patient_unknown": Severity.WARNING}
    assert pair_doubt(FIRST, SECOND) is None
    assert pair_doubt(FIRST, FIRST) is PairDoubt.SAME_SERIES


@pytest.mark.parametrize(
    ("first", "second", "hours"),
    [(540, 540, 5), (None, 540, 5), (540, None, 5), (540, 480, 6), (60, 120, 4), (-300, 540, -9)],
)
def test_offsets_from_utc_count_where_both_are_known(
    first: int | None, second: int | None, hours: float
) -> None:
    earlier, later = (
        replace(one, utc_offset_minutes=offset)
        for one, offset in ((FIRST, first), (SECOND, second))
    )
    assert interval_hours(earlier, later) == pytest.approx(hours)


def test_zones_that_times_carry_count_too() -> None:
    tokyo = timezone(timedelta(hours=9))
    first = replace(FIRST, acquired_at=AT.replace(tzinfo=UTC))
    second = replace(SECOND, acquired_at=(AT + timedelta(hours=10)).replace(tzinfo=tokyo))
    assert interval_hours(first, second) == pytest.approx(1.0)


def _head(clot_mm: float = 14.0, seed: int = 0, *, mirrored: bool = False) -> HUVolume:
    head = simple_head(clot_mm=clot_mm, identity=replace(FIRST, series_uid=f"1.{seed}"))
    noise = np.random.default_rng(seed).integers(-1, 2, head.shape)
    hu = (head.hu + noise).astype(np.int16)
    return replace(head, hu=np.ascontiguousarray(hu[..., ::-1]) if mirrored else hu)


def _compared(earlier: HUVolume, later: HUVolume) -> ComparisonResult:
    results = [triage_volume(one, ThresholdModels()) for one in (earlier, later)]
    return compare_results(*results, pictures=(earlier, later))


def _warnings(result: ComparisonResult) -> set[str]:
    return {note.code for note in result.notes if note.severity is Severity.WARNING}


def test_the_same_images_prove_no_stable_haematoma() -> None:
    first = _head()
    again = replace(first, identity=replace(first.identity, series_uid="1.9"))
    found = _compared(first, again)
    assert _warnings(found) == {"same_images"}
    assert set(found.growth.answers.values()) == {Answer.INDETERMINATE}
    other = _compared(first, _head(seed=1))
    assert _warnings(other) == set()
    assert set(other.growth.answers.values()) == {Answer.NO}


def test_half_of_the_images_with_blood_are_enough_and_other_images_are_none() -> None:
    first, second = _head(), _head(seed=1)
    hu = second.hu.copy()
    hu[2] = first.hu[2]
    assert _warnings(_compared(first, replace(second, hu=hu))) == {"same_images"}
    hu = second.hu.copy()
    hu[[0, 1, 4, 5]] = first.hu[[0, 1, 4, 5]]
    assert _warnings(_compared(first, replace(second, hu=hu))) == set()


def test_the_same_images_without_blood_are_known_too() -> None:
    assert "same_images" in _warnings(_compared(_head(0.0), _head(0.0)))
    assert "same_images" not in _warnings(_compared(_head(0.0), _head(0.0, seed=1)))
    assert "same_images" not in _warnings(_compared(_head(0.0), _head(14.0, seed=1)))
    large = HUVolume(
        np.pad(_head(seed=2).hu, ((0, 0), (0, 8), (0, 8)), mode="edge"), spacing_mm=(5, 1.5, 1.5)
    )
    assert "same_images" not in _warnings(_compared(_head(), large))


def test_a_bleed_on_the_other_side_is_told() -> None:
    found = _compared(_head(), _head(seed=1, mirrored=True))
    assert _warnings(found) == {"side_changed"}
    (note,) = (one for one in found.notes if one.code == "side_changed")
    assert (note.values["was"], note.values["now"]) == ("left", "right")
    assert "on the left in the earlier and on the right" in tell(note)
    assert "前回は左、今回は右" in tell(note, "ja")


@pytest.mark.parametrize("shift", [-40, 0, 40])
def test_the_side_is_the_head_s_wherever_it_lies_in_the_picture(shift: int) -> None:
    head = _head()
    hu = np.full((6, 160, 260), -1000, np.int16)
    hu[:, :, 50 + shift : 210 + shift] = head.hu
    moved = HUVolume(hu, spacing_mm=(5, 1.5, 1.5))
    mask = hu == -2000
    mask[2:4, 70:90, 90 + 50 + shift : 110 + 50 + shift] = True
    assert blood_side(mask, moved) == "left"
    mirrored = HUVolume(np.ascontiguousarray(hu[..., ::-1]), spacing_mm=(5, 1.5, 1.5))
    assert blood_side(mask[..., ::-1], mirrored) == "right"


def test_blood_of_both_sides_and_of_the_middle_has_no_side() -> None:
    head = _head()
    mask = np.zeros(head.shape, bool)
    assert blood_side(mask, head) == ""
    mask[2, 70:90, 76:84] = True
    assert blood_side(mask, head) == ""
    mask[:] = False
    mask[2, 70:90, 40:60] = mask[2, 70:90, 100:121] = True
    assert blood_side(mask, head) == ""


def test_studies_of_two_people_are_refused_from_their_files(tmp_path: Path) -> None:
    """The same ID, another name, sex and birth date; refused before anything is computed."""
    facts = ({"PatientSex": "F", "PatientBirthDate": "19400101"},
             {"PatientSex": "M", "PatientBirthDate": "19720505", "PatientName": "Other^Person"})  # fmt: skip
    for day, told in zip(("20260102", "20260103"), facts, strict=True):
        hu = simple_head(clot_mm=14.0).hu
        elements = {"PixelSpacing": [1.5, 1.5], "StudyDate": day, "PatientName": "Demo^Hanako"}
        write_ct_series(tmp_path / day, hu=hu, study=day, **(elements | told))
    studies = tmp_path / "20260102", tmp_path / "20260103"
    with pytest.raises(InputError, match="the name, the birth date, the sex"):
        hemx.compare(*studies, models=ThresholdModels())
    forced = hemx.compare(*studies, models=ThresholdModels(), force=True)
    assert "different_patients" in {note.code for note in forced.notes}
