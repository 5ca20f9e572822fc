"""Codes with values: equal where both are, the same after JSON and pickle, never changed."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

from hemx_core.notes import Note, Phrase, Reason, Refusal, Severity, first_of, gravest_first

NOTE = Note(
    "series_choice",
    Severity.INFO,
    series=Phrase("series", number=2, thickness_mm=(1 / 3, 5.0)),
    aside=(Phrase("aside", reason=Refusal("localizer")), Phrase("more", count=3)),
)


def test_a_note_comes_back_from_json_exactly() -> None:
    assert Note.from_json(json.loads(json.dumps(NOTE.to_json()))) == NOTE
    reason = Reason("haematoma_found", volume_ml=1 / 3)
    assert Reason.from_json(json.loads(json.dumps(reason.to_json()))) == reason


def test_a_note_is_pickled_copied_and_hashed() -> None:
    for again in (pickle.loads(pickle.dumps(NOTE)), copy.deepcopy(NOTE)):
        assert again == NOTE
        assert hash(again) == hash(NOTE)
        assert again.severity is Severity.INFO


def test_severity_and_values_make_a_difference() -> None:
    assert Note("a", Severity.INFO) != Note("a", Severity.WARNING)
    assert Phrase("a", x=1) != Phrase("a", x=2)
    assert Phrase("a", x=None) == Phrase("a"), "None stands for nothing"


def test_a_phrase_is_not_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        NOTE.code = "other"
    with pytest.raises(TypeError):
        NOTE.values["count"] = 1  # type: ignore[index]


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(ValueError, match="grave"):
        Note("a", "grave")  # type: ignore[arg-type]


def test_numpy_numbers_become_pythons() -> None:
    assert type(Phrase("a", x=np.int64(3)).values["x"]) is int


def test_the_gravest_come_first_and_the_rest_keeps_its_order() -> None:
    info, first, second, grave = (
        Note("d", Severity.INFO),
        Note("b", Severity.CAUTION),
        Note("a", Severity.CAUTION),
        Note("c", Severity.WARNING),
    )
    assert gravest_first([info, first, second, grave]) == (grave, first, second, info)


def test_a_long_list_is_counted() -> None:
    assert first_of(["a", "b"], 2) == ("a", "b")
    assert first_of(["a", "b", "c"], 1) == ("a", Phrase("more", count=2))


def test_its_form_for_people_names_all() -> None:
    assert repr(Note("clipped", Severity.CAUTION, count=2)) == "Note('clipped', 'caution', count=2)"
    assert repr(Note("reoriented", Severity.INFO)) == "Note('reoriented', 'info')"
