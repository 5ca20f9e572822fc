"""Slices in which rows were never written: one value where the slices beside show the head.

Archives and copying programs fill what they lost with zeros, and the file is complete all the same. Two
things give it away. A head's outline closes from row to row, as does the rim of a round field of view; a
lost part begins where the row before still crosses the head. And between two slices that show the head
there is none without it. What every slice lacks is a picture that was cropped: it is not named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_TISSUE_ABOVE_HU = 0
_SEVERAL = -32768
_CROSSING_MM = 50.0
"""Brain and bone in one row: a circle of 90 mm has it 3.5 mm from its edge, seven rows of 0.5 mm."""
_LEAST_ROWS = 5
_SEEN_MM, _SEEN_ON_BOTH_MM = 5.0, 20.0
"""Height over which the head must cross a slice beside, and both slices beside."""
_FARTHEST = 3
"""Slices away that still lie beside, where those between are blank too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of one slice as stored.

    Args:
        level_hu: the value of a row that has only one, shape (rows,); `_SEVERAL` where it has several.
        tissue_mm: tissue in each row, shape (rows,).
        row_mm: distance of the rows.
    """

    level_hu: NDArray[np.int16]
    tissue_mm: NDArray[np.float32]
    row_mm: float

    @classmethod
    def of(cls, hu: NDArray[np.int16], spacing_mm: tuple[float, ...] | None) -> Rows:
        """Measure a slice.

        Args:
            hu: shape (rows, columns), as stored.
            spacing_mm: between rows, between columns; None counts as 0.5 mm.
        """
        row_mm, column_mm = spacing_mm or (0.5, 0.5)
        one = hu.min(axis=1) == hu.max(axis=1)
        tissue = np.count_nonzero(hu > _TISSUE_ABOVE_HU, axis=1)
        return cls(
            level_hu=np.where(one, hu[:, 0], _SEVERAL).astype(np.int16),
            tissue_mm=(tissue * column_mm).astype(np.float32) * ~one,
            row_mm=row_mm,
        )

    def blanks(self) -> Iterator[tuple[int, int]]:
        """Runs of rows of one and the same value: the first row and the end."""
        edges = (np.flatnonzero(np.diff(self.level_hu.astype(np.int32))) + 1).tolist()
        for first, end in zip([0, *edges], [*edges, len(self.level_hu)], strict=True):
            if self.level_hu[first] != _SEVERAL and end - first >= _LEAST_ROWS:
                yield first, end

    def stops(self, first: int, end: int) -> bool:
        """Whether tissue crosses the picture where the run begins and ends; its edge counts as such."""
        if (first, end) == (0, len(self.level_hu)):
            return False
        # The row in which the writing stopped may be written in part: the one before it counts too.
        before, after = self.tissue_mm[max(first - 2, 0) : first], self.tissue_mm[end : end + 2]
        return all(not beside.size or beside.max() >= _CROSSING_MM for beside in (before, after))

    def is_written(self, first: int, end: int) -> bool:
        """Whether this slice has a picture there: more rows of several values than of one, or many."""
        rows = np.count_nonzero(self.level_hu[first:end] == _SEVERAL)
        return bool(rows > min((end - first) / 2, _SEEN_ON_BOTH_MM / self.row_mm))

    def crossed(self, first: int, end: int) -> NDArray[np.bool_]:
        """Which rows of the run tissue crosses here."""
        crossed: NDArray[np.bool_] = self.tissue_mm[first:end] >= _CROSSING_MM
        return crossed


def blank_slices(slices: Sequence[Rows]) -> dict[int, tuple[int, int]]:
    """Find the slices with lost rows.

    Args:
        slices: in the order of the stack, all with the same number of rows.
    Returns:
        Index of the slice to its first blank row and the end of the run.
    """
    lost = {}
    for index, one in enumerate(slices):
        for run in one.blanks():
            if _is_lost(slices, index, run):
                lost[index] = run
                break
    return lost


def _is_lost(slices: Sequence[Rows], index: int, run: tuple[int, int]) -> bool:
    one, last = slices[index], len(slices) - 1
    orders = (
        range(index - 1, max(index - _FARTHEST, 0) - 1, -1),
        range(index + 1, min(index + _FARTHEST, last) + 1),
    )
    beside = [
        next((slices[j] for j in order if slices[j].is_written(*run)), None) for order in orders
    ]
    crossed = [written.crossed(*run) for written in beside if written is not None]
    least_rows = min(run[1] - run[0], _SEEN_MM / one.row_mm)
    if one.stops(*run) and any(np.count_nonzero(rows) >= least_rows for rows in crossed):
        return True
    both = len(crossed) == 2 and np.count_nonzero(crossed[0] & crossed[1])
    return bool(both >= _SEEN_ON_BOTH_MM / one.row_mm)
