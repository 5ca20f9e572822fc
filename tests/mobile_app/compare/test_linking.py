from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.robustness.stored import make_result
from hemx_core.imaging.volume import SeriesIdentity, VolumeGeometry
from hemx_core.result import Haematoma, TriageResult
from mobile_app.compare.linking import Anchor, link


def stack(
    spacing: float,
    slices: int,
    *,
    first: float = 0.0,
    bloody: tuple[int, ...] = (),
    frame: str = "",
) -> TriageResult:
    """A stack of slices from a height up, with the same blood area on some of them."""
    geometry = VolumeGeometry.axial(slices, spacing_mm=(spacing, 1, 1))
    geometry = replace(geometry, positions_mm=np.add(geometry.positions_mm, (0, 0, first)))
    areas = tuple(100.0 if index in bloody else 0.0 for index in range(slices))
    result = make_result(1)
    haematoma = replace(result.haematoma, areas_mm2=areas)
    assert isinstance(haematoma, Haematoma)
    identity = SeriesIdentity(frame_of_reference_uid=frame)
    return replace(result, geometry=geometry, haematoma=haematoma, identity=identity)


def test_slices_are_matched_by_height_and_not_by_index() -> None:
    found = link(stack(5, 10, frame="1"), stack(2.5, 20, first=-10, frame="1"))
    assert found.anchor is Anchor.FRAME
    assert [found.to_later(index).index for index in range(4)] == [4, 6, 8, 10]
    assert found.to_earlier(7).index in (1, 2)
    assert abs(found.to_earlier(7).off_mm) == pytest.approx(2.5)
    assert found.to_later(9).beyond
    assert not found.to_later(7).beyond


def test_the_haematoma_brings_other_frames_to_one_height() -> None:
    earlier = stack(5, 10, frame="1", bloody=(4, 5, 6))
    later = stack(4, 12, first=300, frame="2", bloody=(7, 8, 9))
    found = link(earlier, later)
    assert found.anchor is Anchor.HAEMATOMA
    assert found.to_later(5).index == 8
    assert found.to_later(5).off_mm == pytest.approx(0)
    assert found.to_earlier(8).index == 5


def test_without_blood_the_tops_are_matched() -> None:
    found = link(stack(5, 10), stack(5, 12, first=80, bloody=(3,)))
    assert found.anchor is Anchor.TOP
    assert found.to_later(9).index == 11


def test_a_person_may_put_two_slices_side_by_side() -> None:
    found = link(stack(5, 10, frame="1"), stack(5, 10, frame="1")).by_hand(2, 4)
    assert found.anchor is Anchor.HAND
    assert found.to_later(2).index == 4
    assert found.to_earlier(5).index == 3
    assert np.array_equal(found.earlier_mm, found.later_mm)
