"""Rows that were never written are found; heads that end, crops, tables and fields of view are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hemx_core.errors import UnreadablePixelsError
from hemx_core.imaging.blank import Rows, blank_slices
from hemx_core.imaging.reader import read_series
from hemx_core.words import tell
from tests.factories import simple_head, write_ct_series

PIXEL_MM = 1.5


def head(slices: int = 8) -> NDArray[np.int16]:
    """Heads that shrink towards the vertex, in air of one value."""
    hu = simple_head(slices=slices, pixel_mm=PIXEL_MM).hu.copy()
    hu[hu < -900] = -1024
    row, column = np.mgrid[: hu.shape[1], : hu.shape[2]] - (hu.shape[1] - 1) / 2
    for index in range(slices):
        outside = np.hypot(row / 90, column / 70) * PIXEL_MM > 1 - 0.08 * index
        hu[index][outside] = -1024
    return hu


def found(hu: NDArray[np.int16]) -> dict[int, tuple[int, int]]:
    return blank_slices([Rows.of(one, (PIXEL_MM, PIXEL_MM)) for one in hu])


@pytest.mark.parametrize("fill", [-1024, 0, 24, -1000])
@pytest.mark.parametrize(
    ("index", "row"), [(0, 40), (0, 110), (3, 0), (3, 10), (3, 40), (3, 80), (3, 110), (7, 80)]
)
def test_rows_that_were_never_written_are_found(fill: int, index: int, row: int) -> None:
    hu = head()
    hu[index].reshape(-1)[row * 160 + 70 :] = fill
    ((slice_index, (first, end)),) = found(hu).items()
    assert (slice_index, end) == (index, 160)
    assert first <= row + 1


def test_at_the_end_of_the_stack_nothing_tells_that_there_was_a_head() -> None:
    for index in (0, 7):
        hu = head()
        hu[index, 10:] = -1024
        assert found(hu) == {}


def test_a_block_lost_in_the_middle_and_slices_lost_together_are_found() -> None:
    hu = head()
    hu[2, 60:90] = 0
    assert found(hu) == {2: (60, 90)}
    hu = head()
    hu[2:5, 60:] = -1024
    assert found(hu) == {2: (60, 160), 3: (60, 160), 4: (60, 160)}
    hu = head()
    for index in range(1, 8):
        hu[index, 70 + 2 * index :] = -1024
    assert set(found(hu)) == set(range(1, 4))  # beyond, no slice is near that shows the rows


def test_a_slice_without_any_picture_is_lost_between_two_heads() -> None:
    hu = head()
    hu[4] = -1024
    assert found(hu) == {4: (0, 160)}


def test_what_ends_by_itself_is_not_lost() -> None:
    plain = head()
    cropped = plain.copy()
    cropped[:, 90:] = -1024
    round_view = plain.copy()
    row, column = np.mgrid[:160, :160] - 79.5
    round_view[:, np.hypot(row, column) > 40] = -2000
    clipped = np.clip(plain, 0, 80)
    table = plain.copy()
    for index in range(8):  # of a tilted gantry: it moves from slice to slice
        table[index, 140 + index : 143 + index, 20:140] = 40
    empty_end = plain.copy()
    empty_end[6:] = -1024
    for hu in (plain, cropped, round_view, clipped, table, empty_end, plain.transpose(0, 2, 1)):
        assert found(np.ascontiguousarray(hu)) == {}


def test_a_slice_filled_up_by_an_archive_is_left_out_and_named(tmp_path: Path) -> None:
    hu = head()
    whole = read_series(write_ct_series(tmp_path / "whole", hu=hu)[0].parent)
    assert not [one for one in whole.notes if one.code == "unreadable_slices"]
    hu[3, 77:] = -1024
    paths = write_ct_series(tmp_path / "lost", hu=hu, PixelSpacing=[PIXEL_MM, PIXEL_MM])
    volume = read_series(tmp_path / "lost")
    assert len(volume.hu) == 7
    np.testing.assert_array_equal(volume.hu, np.delete(hu, 3, axis=0))
    (note,) = [one for one in volume.notes if one.code == "unreadable_slices"]
    assert note.values["files"] == (paths[3].name,)
    assert "83 rows of" in tell(note)
    assert "83行" in tell(note, "ja")


def test_a_series_filled_up_in_most_slices_is_refused(tmp_path: Path) -> None:
    hu = head()
    for index in range(1, 7):
        hu[index, 60 + index :] = -1024
    hu[7] = hu[0]
    write_ct_series(tmp_path, hu=hu, PixelSpacing=[PIXEL_MM, PIXEL_MM])
    with pytest.raises(UnreadablePixelsError, match="hold one value only"):
        read_series(tmp_path)
