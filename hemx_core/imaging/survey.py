"""A look at a whole volume on a coarse grid: head, bone and what bone encloses, slice by slice.

What the picture itself tells (is this a head, is all of it there, are these CT values, was contrast
given) needs every slice, but not every pixel: each slice is looked at once, on pixels of about a
millimetre. The pixels are picked, not averaged: thin bone keeps its HU, and noise its spread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.head import BONE_HU, disk, head_mask, without_small
from hemx_core.imaging.volume import HUVolume

PIXEL_MM = 1.0
"""What the coarse grid's pixels come nearest to."""
MOST_SLICES = 200
"""More slices are looked at evenly picked, first and last among them."""
CLOSING_MM = 8.0
"""Gaps of bone up to here count as closed: sutures, foramina, the partial volume of thin bone."""
OPENING_MM = 5.0
"""Cuts what only a narrow neck joins: orbit, sinus, scalp through a burr hole."""
TISSUE_HU = (5.0, 85.0)
"""Brain, blood and what lies between them: above water, below bone."""
LEAST_PART_MM2 = 300.0
"""A smaller enclosed piece is a sinus, a vertebral canal or marrow."""
MOST_FRAME = 0.5
"""Share of a piece's rim that the picture's edge may be, where the edge cuts the head."""
LEAST_BRAIN_MM2 = 2_000.0
"""A cavity is a brain's from here."""
LEAST_BONE_MM2 = 15.0
RIM_MM = 5.0
"""Bone that comes half as near as this to the cavity's border belongs to its wall."""
HULL_OPENING_MM = 8.0
"""Cuts the brain from the muscles and the orbits where its wall is open."""
OPEN_RATIO = 1.25
"""What lies within the bone's hull must exceed what bone encloses by so much to be told apart."""

OUTSIDE, SOFT, BONE, CAVITY, OPEN = range(5)

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Survey:
    """What each slice shows on the coarse grid. `n` slices were looked at, in slice order.

    Args:
        volume: what was looked at.
        index: slice of the volume, shape (n,).
        offset_mm: its position along the normal, shape (n,), increasing.
        step: native pixels from one coarse pixel to the next, (rows, columns).
        labels: OUTSIDE, SOFT (head, neither bone nor enclosed), BONE, CAVITY (enclosed by bone and
            mostly of brain's density, with what lies in it), or OPEN (the largest piece of brain's
            density within the bone's hull, where it is larger than the cavity: brain above the
            orbits or below a craniectomy, but also muscles of the neck), shape
            (n, rows, columns), uint8.
        head_mm2, bone_mm2, cavity_mm2: areas, shape (n,); the head's with all that is in it.
        open_mm2: area of the OPEN piece with what of the cavity lies in it, shape (n,).
        rim_share, open_rim_share: share of the cavity's, of the open piece's border that has bone
            beside it, shape (n,); 0 where there is none.
        solid_share: bone, cavity and open piece against the bone's convex hull, shape (n,): 1 in the
            calvaria, far less where there is a face.
        tissue_share: share of the cavity within `TISSUE_HU`, shape (n,); 0 without cavity.
        tissue_hu: median HU of the cavity within `TISSUE_HU`, shape (n,); NaN without cavity.
        enclosed_mm2: area that bone encloses, of any density, shape (n,).
        enclosed_hu: its median HU, shape (n,); NaN where bone encloses nothing.
    """

    volume: HUVolume
    index: NDArray[np.intp]
    offset_mm: Floats
    step: tuple[int, int]
    labels: Labels
    head_mm2: Floats
    bone_mm2: Floats
    cavity_mm2: Floats
    open_mm2: Floats
    rim_share: Floats
    open_rim_share: Floats
    solid_share: Floats
    tissue_share: Floats
    tissue_hu: Floats
    enclosed_mm2: Floats
    enclosed_hu: Floats

    def __len__(self) -> int:
        """Number of slices looked at."""
        return len(self.index)

    def __repr__(self) -> str:
        """Sizes alone."""
        return f"<Survey of {len(self)} slices, {self.labels.shape[1:]} pixels each>"

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """(dy, dx) of the coarse grid."""
        dy, dx = self.volume.geometry.pixel_spacing_mm
        return dy * self.step[0], dx * self.step[1]

    @property
    def pixel_mm2(self) -> float:
        """Area of a coarse pixel."""
        return self.pixel_mm[0] * self.pixel_mm[1]

    def hu(self, place: int) -> NDArray[np.int16]:
        """HU of a slice on the coarse grid, a view; `place` counts the slices looked at."""
        return self.volume.hu[self.index[place], :: self.step[0], :: self.step[1]]

    def head(self, place: int) -> NDArray[np.bool_]:
        """The head with all that is in it, shape (rows, columns)."""
        return np.asarray(self.labels[place] != OUTSIDE)

    def bone(self, place: int) -> NDArray[np.bool_]:
        """Bone, shape (rows, columns); dense islands within the cavity are not among it."""
        return np.asarray(self.labels[place] == BONE)

    def cavity(self, place: int) -> NDArray[np.bool_]:
        """The brain's cavity, shape (rows, columns)."""
        return np.asarray(self.labels[place] == CAVITY)

    def brain(self, place: int) -> NDArray[np.bool_]:
        """Cavity and open piece, shape (rows, columns)."""
        return np.asarray(self.labels[place] >= CAVITY)

    @property
    def cut_mm(self) -> Floats:
        """How much of the picture's edge lies in the brain, shape (n,)."""
        rows, columns = self.labels[:, :, [0, -1]], self.labels[:, [0, -1], :]
        dy, dx = self.pixel_mm
        cut: Floats = (rows >= CAVITY).sum((1, 2)) * dy + (columns >= CAVITY).sum((1, 2)) * dx
        return cut

    @property
    def brain_mm2(self) -> Floats:
        """Area of the open piece where there is one, else of the cavity, shape (n,)."""
        return np.maximum(self.cavity_mm2, self.open_mm2)


@dataclass(frozen=True, slots=True)
class _Found:
    """What one slice shows; see `Survey`."""

    labels: Labels
    head: int
    bone: int
    cavity: int
    open: int
    rim: float
    open_rim: float
    solid: float
    share: float
    tissue_hu: float
    enclosed: int
    enclosed_hu: float


def survey(volume: HUVolume, on_slice: Callable[[int, int], None] | None = None) -> Survey:
    """Look at every slice of a volume, or at `MOST_SLICES` of them.

    Args:
        volume: CT values and geometry; where `clipped_to_hu` is set, bone is what reads as its top.
        on_slice: told after every slice that was looked at, of how many; what it raises ends it.
    """
    step = tuple(max(1, round(PIXEL_MM / mm)) for mm in volume.geometry.pixel_spacing_mm)
    count = len(volume.hu)
    index = np.unique(np.linspace(0, count - 1, min(count, MOST_SLICES)).round().astype(np.intp))
    found = list(_look(volume, index, (step[0], step[1]), on_slice))
    dy, dx = volume.geometry.pixel_spacing_mm
    mm2 = dy * step[0] * dx * step[1]

    def column(name: str, scale: float = 1.0) -> Floats:
        return np.array([getattr(one, name) for one in found], np.float64) * scale

    return Survey(
        volume=volume,
        index=index,
        offset_mm=volume.geometry.slice_offsets_mm[index],
        step=(step[0], step[1]),
        labels=np.stack([one.labels for one in found]),
        head_mm2=column("head", mm2),
        bone_mm2=column("bone", mm2),
        cavity_mm2=column("cavity", mm2),
        open_mm2=column("open", mm2),
        rim_share=column("rim"),
        open_rim_share=column("open_rim"),
        solid_share=column("solid"),
        tissue_share=column("share"),
        tissue_hu=column("tissue_hu"),
        enclosed_mm2=column("enclosed", mm2),
        enclosed_hu=column("enclosed_hu"),
    )


def _look(
    volume: HUVolume,
    index: NDArray[np.intp],
    step: tuple[int, int],
    on_slice: Callable[[int, int], None] | None,
) -> Iterator[_Found]:
    dy, dx = volume.geometry.pixel_spacing_mm
    spacing = (dy * step[0], dx * step[1])
    bone_hu, tissue = BONE_HU, TISSUE_HU
    if volume.clipped_to_hu is not None:
        lower, upper = volume.clipped_to_hu
        bone_hu = min(BONE_HU, upper - 1.0)
        # Clipped air reads as the window's lower end: it is not tissue.
        tissue = (max(TISSUE_HU[0], lower + 1.0), min(TISSUE_HU[1], upper))
    for done, slice_index in enumerate(index, start=1):
        hu = np.ascontiguousarray(volume.hu[slice_index, :: step[0], :: step[1]])
        yield _look_at(hu, spacing, volume.clipped_to_hu, bone_hu, tissue)
        if on_slice is not None:
            on_slice(done, len(index))


def _look_at(
    hu: NDArray[np.int16],
    spacing_mm: tuple[float, float],
    clipped_to_hu: tuple[float, float] | None,
    bone_hu: float,
    tissue_hu: tuple[float, float],
) -> _Found:
    head = head_mask(hu, pixel_spacing_mm=spacing_mm, clipped_to_hu=clipped_to_hu)
    # All that follows lies within the head; half of the picture is air.
    around = _around(head, spacing_mm)
    found = _look_within(hu[around], head[around], spacing_mm, bone_hu, tissue_hu)
    labels = np.zeros_like(head)
    labels[around] = found.labels
    return replace(found, labels=labels)


def _around(head: Labels, spacing_mm: tuple[float, float]) -> tuple[slice, slice]:
    """The head's box with as much air round it as closing needs, and a pixel more."""
    left, top, width, height = cv2.boundingRect(head)
    rows, columns = (round(CLOSING_MM / mm) + 2 for mm in spacing_mm)
    return (
        slice(max(0, top - rows), top + height + rows),
        slice(max(0, left - columns), left + width + columns),
    )


def _look_within(
    hu: NDArray[np.int16],
    head: Labels,
    spacing_mm: tuple[float, float],
    bone_hu: float,
    tissue_hu: tuple[float, float],
) -> _Found:
    mm2 = spacing_mm[0] * spacing_mm[1]
    bone = without_small(
        ((hu >= bone_hu) & (head != 0)).astype(np.uint8), LEAST_BONE_MM2 / mm2, connectivity=8
    )
    tissue = ((hu >= tissue_hu[0]) & (hu <= tissue_hu[1])).astype(np.uint8)
    enclosed = _enclosed(bone, spacing_mm)
    cavity = _parts(enclosed, tissue, LEAST_PART_MM2 / mm2)
    labels = np.where(bone != 0, np.uint8(BONE), head)
    labels[cavity != 0] = CAVITY
    brain = hu[(cavity != 0) & (tissue != 0)]
    inside = hu[enclosed != 0]
    area = cv2.countNonZero(cavity)
    hull = filled_hull(bone)
    piece = _open_piece(hull, bone, tissue, cavity, spacing_mm)
    labels[(piece != 0) & (cavity == 0)] = OPEN
    bones, whole = int(np.count_nonzero(labels == BONE)), cv2.countNonZero(hull)
    wide = cv2.countNonZero(piece)
    return _Found(
        labels=labels,
        head=cv2.countNonZero(head),
        bone=bones,
        cavity=area,
        open=wide,
        rim=_rim_share(cavity, bone, spacing_mm) if area else 0.0,
        open_rim=_rim_share(piece, bone, spacing_mm) if wide else 0.0,
        solid=min(1.0, (bones + max(area, wide)) / whole) if whole else 0.0,
        share=brain.size / area if area else 0.0,
        tissue_hu=float(np.median(brain)) if brain.size else float("nan"),
        enclosed=int(inside.size),
        enclosed_hu=float(np.median(inside)) if inside.size else float("nan"),
    )


def _enclosed(bone: Labels, spacing_mm: tuple[float, float]) -> Labels:
    """What bone encloses once its gaps are closed, of any density; holes in it are filled."""
    closed = cv2.morphologyEx(bone, cv2.MORPH_CLOSE, disk(CLOSING_MM, spacing_mm))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
    frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    contact = np.bincount(frame, minlength=count)
    inside = np.ones(count, np.uint8)
    inside[0] = 0
    for label in np.flatnonzero(contact[1:]) + 1:
        inside[label] = _cut_by_the_frame(labels == label, stats[label], int(contact[label]))
    opened = cv2.morphologyEx(inside[labels], cv2.MORPH_OPEN, disk(OPENING_MM, spacing_mm))
    return np.asarray(opened, np.uint8)


def _cut_by_the_frame(piece: NDArray[np.bool_], stats: NDArray[np.int32], contact: int) -> bool:
    """Whether a piece at the picture's edge is a cut head's inside rather than the outside."""
    rows, columns = piece.shape
    if contact > rows + columns:
        return False  # Half the frame: the outside, without measuring.
    contours, _ = cv2.findContours(
        piece.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    return contact <= MOST_FRAME * sum(cv2.arcLength(one, True) for one in contours)


def _parts(enclosed: Labels, tissue: Labels, least: float) -> Labels:
    """The enclosed pieces that are large and mostly of brain's density, filled."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(enclosed, connectivity=4)
    dense = np.bincount(labels[tissue != 0], minlength=count)
    areas = stats[:, cv2.CC_STAT_AREA]
    keep = ((areas >= least) & (2 * dense >= areas)).astype(np.uint8)
    keep[0] = 0
    if not keep.any():
        return np.zeros_like(enclosed)
    contours, _ = cv2.findContours(keep[labels], cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(enclosed)
    cv2.drawContours(filled, contours, -1, (1,), cv2.FILLED)
    return filled


def filled_hull(mask: Labels) -> Labels:
    """The convex hull of all pieces of a mask, shape (rows, columns), filled; empty without any."""
    hull = np.zeros_like(mask)
    # The hull of the outlines is that of all pixels, at a fraction of the time.
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if outlines:
        cv2.fillConvexPoly(hull, cv2.convexHull(np.concatenate(outlines)), (1,))
    return hull


def _open_piece(
    hull: Labels, bone: Labels, tissue: Labels, cavity: Labels, spacing_mm: tuple[float, float]
) -> Labels:
    """The largest piece of brain's density in the hull; none where it is not larger than the cavity.

    Nor where it leaves out a cavity that is a brain's: these are muscles, in the hull of skull and holder.
    """
    least = OPEN_RATIO * cv2.countNonZero(cavity)
    within = cv2.medianBlur(tissue, 5) & hull & (1 - bone)
    none = np.zeros_like(bone)
    if cv2.countNonZero(within) <= least:
        return none
    opened = cv2.morphologyEx(within, cv2.MORPH_OPEN, disk(HULL_OPENING_MM, spacing_mm))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if count < 2:
        return none
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    piece = np.asarray(labels == largest, np.uint8)
    brain_px = LEAST_BRAIN_MM2 / (spacing_mm[0] * spacing_mm[1])
    held = 2 * cv2.countNonZero(piece & cavity) >= cv2.countNonZero(cavity)
    if stats[largest, cv2.CC_STAT_AREA] <= least or not (held or least < OPEN_RATIO * brain_px):
        return none
    return piece


def _rim_share(piece: Labels, bone: Labels, spacing_mm: tuple[float, float]) -> float:
    """Share of a piece's border that has bone beside it."""
    inner = cv2.erode(piece, np.ones((3, 3), np.uint8))  # The picture's edge is no border.
    # Two pixels at least: opening rounds the piece's corners off.
    near = cv2.dilate(bone, disk(max(RIM_MM, 5 * min(spacing_mm)), spacing_mm))
    rim = piece - inner
    return cv2.countNonZero(rim & near) / max(1, cv2.countNonZero(rim))
