"""A haematoma mask under correction: round brush, strokes with undo, and the volume; no Kivy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.measure.estimate import VolumeEstimate, estimate_volume
from hemx_core.measure.volume import check_mask, volume_ml
from mobile_app.store.records import BrushStroke

Mask = NDArray[np.bool_]
Point = tuple[float, float]
"""(row, column), native pixels, pixel centres at whole numbers."""


def sweep(
    mask: Mask,
    begin: Point,
    end: Point,
    radius: float,
    geometry: VolumeGeometry,
    *,
    blood: bool,
) -> None:
    """Set the pixels whose centres a round brush covers on its way between two points, in place.

    Args:
        mask: shape (rows, columns).
        begin, end: may lie outside.
        radius: in rows, as strokes keep it; the brush is round in millimetres. The pixel under it is reached
            however small it is.
        geometry: gives the pixel spacing.
        blood: what to set them to.
    """
    spacing = np.asarray(geometry.pixel_spacing_mm)
    reach_mm = max(radius * float(spacing[0]), float(np.hypot(*spacing)) / 2)
    ends = np.array([begin, end])
    low = np.maximum(np.floor(ends.min(0) - reach_mm / spacing).astype(int), 0)
    high = np.minimum(np.ceil(ends.max(0) + reach_mm / spacing).astype(int) + 1, mask.shape)
    if (low >= high).any():
        return
    start, way = ends[0] * spacing, (ends[1] - ends[0]) * spacing
    y = (np.arange(low[0], high[0]) * spacing[0] - start[0])[:, None]
    x = (np.arange(low[1], high[1]) * spacing[1] - start[1])[None, :]
    length = float(way @ way)
    share = np.clip((y * way[0] + x * way[1]) / length, 0, 1) if length > 0 else 0.0
    covered = (y - share * way[0]) ** 2 + (x - share * way[1]) ** 2 <= reach_mm**2
    mask[low[0] : high[0], low[1] : high[1]][covered] = blood


def replay(network: Mask, strokes: Iterable[BrushStroke], geometry: VolumeGeometry) -> Mask:
    """The mask that strokes make of the network's; a stored correction can be checked with it.

    Args:
        network: bool, shape (slices, rows, columns).
        strokes: in order.
        geometry: of the slices.
    """
    mask = network.copy()
    for stroke in strokes:
        one, blood = mask[stroke.slice_index], not stroke.erases
        for begin, end in zip((stroke.points[0], *stroke.points), stroke.points, strict=False):
            sweep(one, begin, end, stroke.radius, geometry, blood=blood)
    return mask


MIN_STEP = 0.5
"""Of a stroke's points, pixels: a resting finger reports many."""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What was drawn so far; compared by identity, since two ways may lead to the same strokes."""

    strokes: tuple[BrushStroke, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A state to be saved, with its slices, which are not written to any more."""

    state: State
    slices: tuple[Mask, ...]
    volume_ml: float

    @property
    def mask(self) -> Mask:
        """Bool, shape (slices, rows, columns)."""
        return np.stack(self.slices)


@dataclass(frozen=True, slots=True, eq=False)
class _Patch:
    """Pixels of a slice that a step turned over, as a box; doing it twice undoes it."""

    index: int
    row: int
    column: int
    turned: Mask


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    before: State
    after: State
    patches: tuple[_Patch, ...]


@dataclass(slots=True)
class _Stroke:
    """The stroke under the finger."""

    index: int
    radius: float
    erases: bool
    before: Mask
    points: list[Point]


class MaskEditor:
    """The current mask, with undo.

    Args:
        network: bool, shape (slices, rows, columns), as triage gave it.
        geometry: of the slices.
        saved: the stored correction's mask, of the same shape; None where there is none.
        strokes: that correction's strokes.
    Raises:
        VolumeError: a mask does not fit the geometry.
    """

    def __init__(
        self,
        network: Mask,
        geometry: VolumeGeometry,
        *,
        saved: Mask | None = None,
        strokes: Sequence[BrushStroke] = (),
    ) -> None:
        check_mask(network, geometry)
        if saved is not None:
            check_mask(saved, geometry)
        self.geometry = geometry
        self._network = Snapshot(State(()), tuple(network), 0.0)
        self._slices: list[Mask] = list(network if saved is None else saved)
        self._counts = np.array([np.count_nonzero(mask) for mask in self._slices], np.float64)
        self._state = self._network.state if saved is None else State(tuple(strokes))
        self._saved = self.snapshot()
        self._done: list[_Step] = []
        self._undone: list[_Step] = []
        self._stroke: _Stroke | None = None

    @property
    def areas_mm2(self) -> NDArray[np.float64]:
        """Blood area of every slice, shape (slices,)."""
        return self._counts * self.geometry.pixel_area_mm2

    @property
    def volume_ml(self) -> float:
        """Voxel volume of the current mask."""
        return volume_ml(self.areas_mm2, self.geometry)

    @property
    def strokes(self) -> tuple[BrushStroke, ...]:
        """What leads from the network's mask to this one, in order."""
        return self._state.strokes

    @property
    def drawing(self) -> bool:
        """Whether a stroke has begun and not ended."""
        return self._stroke is not None

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return bool(self._undone)

    @property
    def unsaved(self) -> bool:
        """Whether the mask differs from the saved one."""
        return self._state is not self._saved.state

    @property
    def corrected(self) -> bool:
        """Whether the mask differs from the network's in any pixel."""
        pairs = zip(self._slices, self._network.slices, strict=True)
        return any(mask is not other and not np.array_equal(mask, other) for mask, other in pairs)

    def slice_mask(self, index: int) -> Mask:
        """The mask of a slice, bool, shape (rows, columns); not to be written to."""
        return self._slices[index]

    def snapshot(self) -> Snapshot:
        """The current mask; a stroke in progress is ended."""
        if getattr(self, "_stroke", None) is not None:
            self.end()
        return Snapshot(self._state, tuple(self._slices), self.volume_ml)

    def mark_saved(self, snapshot: Snapshot) -> None:
        """Note that a snapshot has been stored; what was drawn since stays unsaved."""
        self._saved = snapshot

    def estimate(self) -> VolumeEstimate:
        """The volume for a growth; measured in the blood's box only, so that it follows a finger."""
        bloody = [mask for mask in self._slices if mask.any()]
        if not bloody:
            nothing = np.zeros((len(self._slices), 1, 1), np.bool_)
            return estimate_volume(nothing, self.geometry, None)
        rows, columns = _box(np.logical_or.reduce(bloody))
        boxed = np.stack([np.pad(mask[rows, columns], 1) for mask in self._slices])
        return estimate_volume(boxed, self.geometry, None)

    def begin(self, index: int, point: Point, *, radius_mm: float, erases: bool) -> None:
        """Put the brush down on a slice."""
        if self._stroke is not None:
            self.end()
        before, radius = self._slices[index], radius_mm / self.geometry.pixel_spacing_mm[0]
        self._stroke = _Stroke(index, radius, erases, before, [point])
        self._slices[index] = before.copy()
        self._paint(point, point)

    def extend(self, point: Point) -> None:
        """Draw on to a point; nothing where no stroke has begun."""
        if self._stroke is None:
            return
        last = self._stroke.points[-1]
        if max(abs(point[0] - last[0]), abs(point[1] - last[1])) < MIN_STEP:
            return
        self._stroke.points.append(point)
        self._paint(last, point)

    def end(self) -> bool:
        """Lift the brush; return whether the stroke changed anything. One that did not is forgotten."""
        stroke, self._stroke = self._stroke, None
        if stroke is None:
            return False
        patch = _difference(stroke.index, stroke.before, self._slices[stroke.index])
        if patch is None:
            self._slices[stroke.index] = stroke.before
            return False
        record = BrushStroke(
            slice_index=stroke.index,
            radius=stroke.radius,
            erases=stroke.erases,
            points=tuple(stroke.points),
        )
        self._take(_Step(self._state, State((*self.strokes, record)), (patch,)))
        return True

    def cancel(self) -> None:
        """Take the stroke in progress back as if it had never begun."""
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            self._set(stroke.index, stroke.before)

    def undo(self) -> tuple[int, ...]:
        """Undo the last step; return the slices that changed."""
        if self._stroke is not None or not self._done:
            return ()
        step = self._done.pop()
        self._undone.append(step)
        return self._turn(step, step.before)

    def redo(self) -> tuple[int, ...]:
        """Do the last undone step again; return the slices that changed."""
        if self._stroke is not None or not self._undone:
            return ()
        step = self._undone.pop()
        self._done.append(step)
        return self._turn(step, step.after)

    def discard(self) -> tuple[int, ...]:
        """Go back to what was saved last, as a step that can be undone; return the slices that changed."""
        return self._become(self._saved)

    def to_network(self) -> tuple[int, ...]:
        """Go back to the network's mask, as a step that can be undone; return the slices that changed."""
        return self._become(self._network)

    def _become(self, target: Snapshot) -> tuple[int, ...]:
        self.end()
        if self._state is target.state:
            return ()
        pairs = enumerate(zip(self._slices, target.slices, strict=True))
        found = (_difference(index, mask, other) for index, (mask, other) in pairs)
        patches = tuple(patch for patch in found if patch is not None)
        for patch in patches:
            self._set(patch.index, target.slices[patch.index])
        self._take(_Step(self._state, target.state, patches))
        return tuple(patch.index for patch in patches)

    def _take(self, step: _Step) -> None:
        self._state = step.after
        self._done.append(step)
        self._undone.clear()

    def _turn(self, step: _Step, state: State) -> tuple[int, ...]:
        for patch in step.patches:
            height, width = patch.turned.shape
            turned = self._slices[patch.index].copy()
            turned[patch.row : patch.row + height, patch.column : patch.column + width] ^= (
                patch.turned
            )
            self._set(patch.index, turned)
        self._state = state
        return tuple(patch.index for patch in step.patches)

    def _paint(self, begin: Point, end: Point) -> None:
        stroke = self._stroke
        if stroke is None:
            return
        mask = self._slices[stroke.index]
        sweep(mask, begin, end, stroke.radius, self.geometry, blood=not stroke.erases)
        self._counts[stroke.index] = np.count_nonzero(mask)

    def _set(self, index: int, mask: Mask) -> None:
        self._slices[index] = mask
        self._counts[index] = np.count_nonzero(mask)


def _difference(index: int, mask: Mask, other: Mask) -> _Patch | None:
    """What turns one mask of a slice into the other."""
    if mask is other:
        return None
    turned = mask ^ other
    if not turned.any():
        return None
    rows, columns = _box(turned)
    return _Patch(index, rows.start, columns.start, turned[rows, columns].copy())


def _box(mask: Mask) -> tuple[slice, slice]:
    """Rows and columns that hold everything set; something must be."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
