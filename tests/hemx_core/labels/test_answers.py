from datetime import datetime

import pytest

from hemx_core.labels.answers import (
    NETWORK_COLUMNS,
    READING_COLUMNS,
    Answer,
    Reading,
    agreed_label,
    agreed_slices,
    network_row,
    reading_row,
)
from hemx_core.markers import MARKER_CODES
from hemx_core.pipeline import triage_volume
from tests.factories import ThresholdModels, simple_head

YES, POSSIBLE, NO, CANNOT = Answer.YES, Answer.POSSIBLE, Answer.NO, Answer.CANNOT_TELL


@pytest.mark.parametrize(
    ("answers", "label"),
    [
        ((), None),
        ((YES,), 1),
        ((NO, NO), 0),
        ((YES, NO), -1),
        ((YES, POSSIBLE), -1),
        ((POSSIBLE, POSSIBLE), -1),
        ((CANNOT,), -1),
        ((NO, CANNOT), -1),
    ],
)
def test_agreement_is_a_label_and_all_else_is_unknown(answers, label) -> None:
    assert agreed_label(answers) == label


def test_slices_are_those_that_all_name_who_name_any() -> None:
    assert agreed_slices([(3, 4), (4, 5), ()]) == (4,)
    assert agreed_slices([(1,), (2,)]) == ()
    assert agreed_slices([(), ()]) == ()


def test_a_reading_becomes_a_row() -> None:
    reading = Reading(
        answers={"blend": YES, "irregular": CANNOT, "outline": YES},
        slices={"blend": (3, 4)},
        read_at=datetime(2026, 11, 30, 8, 5),
    )
    row = reading_row("S1", reading, "none")
    assert tuple(row) == READING_COLUMNS
    assert (row["blend"], row["blend_slices"]) == ("yes", "3 4")
    assert (row["irregular"], row["hypodensity"], row["outline"]) == ("cannot_tell", "", "yes")
    assert (row["read_at"], row["mask"]) == ("2026-11-30T08:05:00", "none")
    assert not reading.complete


def test_a_network_says_yes_or_no_and_no_where_it_found_no_blood() -> None:
    models = ThresholdModels(logits=(3.0, -2.0, -2.0, -2.0))
    row = network_row("S1", triage_volume(simple_head(clot_mm=14.0), models))
    assert tuple(row) == NETWORK_COLUMNS
    assert [row[code] for code in MARKER_CODES] == ["1", "0", "0", "0"]
    assert float(row["hypodensity_probability"]) > 0.9
    row = network_row("S1", triage_volume(simple_head(), models))
    assert [row[code] for code in MARKER_CODES] == ["0"] * 4
    assert row["hypodensity_probability"] == ""
