"""How much of the brain is in the pictures."""

from __future__ import annotations

import numpy as np
import pytest

from hemx_core.imaging.inspect import inspect
from hemx_core.imaging.volume import Coverage, HUVolume
from tests.hemx_core.imaging.heads import BRAIN_MM, SLICE_MM, Picture, head_slices, stack

WHOLE = head_slices()
BRAIN = round(BRAIN_MM / SLICE_MM)
"""Slices with brain, the lowest first."""


def _inspected(slices: list[Picture]) -> tuple[Coverage, dict[str, dict[str, object]]]:
    seen = inspect(stack(slices))
    assert seen.coverage is not None
    return seen.coverage, {note.code: dict(note.values) for note in seen.notes}


def test_a_whole_head_is_whole() -> None:
    coverage, notes = _inspected(WHOLE)
    assert not notes
    assert coverage.seen_mm == pytest.approx(BRAIN_MM, abs=2 * SLICE_MM)
    assert not any((coverage.upper_missing, coverage.lower_missing, coverage.upside_down))


@pytest.mark.parametrize("lost", [1, 2])
def test_the_uppermost_and_the_lowest_ten_millimetres_may_be_missing(lost: int) -> None:
    assert not _inspected(WHOLE[lost : BRAIN - lost])[1]


@pytest.mark.parametrize("kept", [6, 9, 14, BRAIN - 5])
def test_the_top_is_missing(kept: int) -> None:
    _, notes = _inspected(WHOLE[:kept])
    assert notes == {"brain_missing_above": {"seen_mm": kept * SLICE_MM}}


@pytest.mark.parametrize("cut", [8, 12, 16])
def test_the_base_is_missing(cut: int) -> None:
    _, notes = _inspected(WHOLE[cut:])
    assert list(notes) == ["brain_missing_below"]
    seen = notes["brain_missing_below"]["seen_mm"]
    assert seen == pytest.approx(BRAIN_MM - cut * SLICE_MM, abs=2 * SLICE_MM)


@pytest.mark.parametrize("slices", [1, 2, 3, 8])
def test_a_slab_from_the_middle_lacks_both_ends(slices: int) -> None:
    _, notes = _inspected(WHOLE[10 : 10 + slices])
    assert notes == {"brain_missing_at_both_ends": {"seen_mm": slices * SLICE_MM}}


def test_what_lies_below_the_head_is_no_matter() -> None:
    assert not _inspected(head_slices(-60.0))[1]


def test_upside_down_is_told_and_the_ends_keep_their_names() -> None:
    coverage, notes = _inspected(WHOLE[::-1])
    assert list(notes) == ["upside_down"]
    assert coverage.upside_down
    coverage, notes = _inspected(WHOLE[:14][::-1])
    assert set(notes) == {"upside_down", "brain_missing_above"}
    assert coverage.first_missing
    assert coverage.upper_missing
    assert not coverage.last_missing
    _, notes = _inspected(WHOLE[14:][::-1])
    assert set(notes) == {"upside_down", "brain_missing_below"}


def test_two_ends_that_look_alike_tell_nothing() -> None:
    dome = WHOLE[12:]
    assert not _inspected([*dome[::-1], *dome])[1]


def test_millimetres_follow_the_spacing_and_the_normal() -> None:
    whole = stack(WHOLE)
    for dz in (2.5, 10.0):
        coverage = inspect(HUVolume(whole.hu, spacing_mm=(dz, 1.0, 1.0))).coverage
        assert coverage is not None
        assert coverage.seen_mm == pytest.approx(BRAIN_MM * dz / SLICE_MM, abs=2 * dz)


def test_a_lost_slice_does_not_end_the_brain() -> None:
    slices = [one.copy() for one in WHOLE]
    slices[15] = np.full_like(slices[15], -1000)
    coverage, notes = _inspected(slices)
    assert not notes
    assert coverage.seen_mm > BRAIN_MM - 2 * SLICE_MM
