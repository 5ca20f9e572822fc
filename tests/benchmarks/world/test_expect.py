"""What is made of an answer: right, refused, warned or wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.world.expect import Expected, Found, Outcome, Said, judge

FULL = Found(
    recommendation="call_neurosurgical_centre_now",
    volume_ml=40.0,
    slices=30,
    series="HEAD",
    notes=(Said(code="old", severity="warning", text="An old one."),),
)
LOST = Said(code="missing_slices", severity="warning", text="3 slices are missing.")


def outcome(expected: Expected, **changes: object) -> tuple[Outcome, str]:
    return judge(replace(FULL, **changes), FULL, expected)  # type: ignore[arg-type]


def test_an_untyped_error_is_wrong_whatever_was_expected() -> None:
    found = Found(error="KeyError: 'x'", typed=False)
    assert judge(found, FULL, Expected(refusal=".")) == (
        Outcome.WRONG,
        "untyped error: KeyError: 'x'",
    )


@pytest.mark.parametrize(
    ("refusal", "expected"), [("head", Outcome.REFUSED), ("rescale", Outcome.WRONG), ("", "wrong")]
)
def test_a_refusal_needs_the_right_reason(refusal: str, expected: str) -> None:
    found = Found(error="no_head: only 0 slices have the cross-section of a head")
    assert judge(found, FULL, Expected(refusal=refusal))[0] == expected


def test_two_figures_may_hold_the_volume_of_the_unchanged_study() -> None:
    found = outcome(Expected(between=True), volume_ml=30.0, at_most_ml=46.0)
    assert found == (Outcome.RIGHT, "")


def test_as_before_is_right_and_what_was_warned_of_before_is_not_new() -> None:
    assert outcome(Expected(volume=0.01, advice=True, slices=True)) == (Outcome.RIGHT, "")


@pytest.mark.parametrize(
    ("expected", "changes", "why"),
    [
        (Expected(volume=0.05), {"volume_ml": 30.0}, "30.0 mL instead of 40.0"),
        (Expected(between=True), {"volume_ml": 30.0, "at_most_ml": 39.0}, "30.0 to 39.0 mL do not"),
        (Expected(between=True), {"volume_ml": 42.0, "at_most_ml": 50.0}, "42.0 to 50.0 mL do not"),
        (Expected(between=True), {"volume_ml": 30.0}, "30.0 to None mL do not"),
        (Expected(advice=True), {"recommendation": "cannot_tell"}, "advises cannot_tell"),
        (Expected(), {"recommendation": "no_haematoma_found"}, "says that none was found"),
        (Expected(slices=True), {"slices": 15}, "15 slices instead of 30"),
        (Expected(series="^CRANIO$"), {}, "read 'HEAD'"),
        (Expected(note="clip"), {}, "no note of clip"),
        (Expected(right=False, warning="missing"), {}, "nothing is said"),
        (Expected(), {"notes": (LOST,)}, "warns of missing_slices"),
        (Expected(files=("a.dcm",)), {}, "not written: a.dcm"),
        (Expected(), {"leaked": ("Hanako",)}, "in the files: Hanako"),
        (Expected(answer="indeterminate"), {"answers": {"he_30": "yes"}}, "answers yes"),
    ],
)
def test_what_is_wrong_is_named(expected: Expected, changes: dict[str, object], why: str) -> None:
    found, said = outcome(expected, **changes)
    assert found is Outcome.WRONG
    assert why in said


def test_a_warning_that_names_the_reason_is_accepted() -> None:
    expected = Expected(right=False, warning="missing", volume=0.1)
    assert outcome(expected, notes=(LOST,), volume_ml=42.0) == (Outcome.WARNED, LOST.text)
    assert outcome(expected, notes=(LOST,), volume_ml=20.0)[0] is Outcome.WRONG


def test_less_than_the_whole_needs_a_warning_and_a_bound() -> None:
    expected = Expected(warning="missing", partial=True, volume=0.01, slices=True)
    part = {"notes": (LOST,), "volume_ml": 20.0, "slices": 15}
    assert outcome(expected, **part, lower_bound=True)[0] is Outcome.WARNED
    assert outcome(expected, **part, recommendation="cannot_tell")[0] is Outcome.WARNED
    assert outcome(expected, **part)[0] is Outcome.WRONG


def test_a_row_keeps_no_sentence_below_a_warning() -> None:
    notes = (LOST, Said(code="series_choice", severity="info", text="Read series 'NAME'."))
    assert "NAME" not in str(replace(FULL, notes=notes).to_json())
