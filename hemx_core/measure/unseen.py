"""What lies between slices and was not seen: the second figure of a volume, and the warnings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.bridges import find_bridges
from hemx_core.measure.volume import MM3_PER_ML
from hemx_core.notes import Note, Phrase, Severity, Value, first_of

MAX_UNSEEN_MM = 10.0
"""A ball of clot this wide has half a millilitre, and less is as likely noise as blood. What is wider
and on no slice may be a haematoma."""
_THICKEST_MM = 10.0
"""Head CT has no thicker slices: a greater thickness is not believed where it would hide a gap."""
_ONE_FIGURE_ML = 0.05
"""Figures nearer than this are one in print."""
_MOST_PLACES, _MOST_TRIED = 3, 100


def at_most_ml(volume_ml: float, areas_mm2: Sequence[float], volume: HUVolume) -> float | None:
    """The upper figure of a haematoma's volume, mL, where there are two, else None.

    There are two where slices are missing in it, and where the header names another distance of the
    slices than their positions have.

    Args:
        volume_ml: as measured.
        areas_mm2: blood area of every slice.
        volume: geometry and the reader's notes.
    """
    bridges = find_bridges(areas_mm2, volume.geometry)
    more = sum(bridge.at_most_mm3 - bridge.interpolated_mm3 for bridge in bridges)
    most = (volume_ml + more / MM3_PER_ML) * _doubtful_ratio(volume.notes)
    return most if most >= volume_ml + _ONE_FIGURE_ML else None


def _doubtful_ratio(notes: Iterable[Note]) -> float:
    """How much longer than by their positions the slices' distances are by the rest of the header."""
    for note in notes:
        if note.code == "distance_doubtful":
            mm, other_mm = note.values["mm"], note.values["other_mm"]
            if isinstance(mm, float) and isinstance(other_mm, float):
                return max(other_mm / mm, 1.0)
    return 1.0


def unseen_notes(areas_mm2: Sequence[float], volume: HUVolume) -> Iterator[Note]:
    """Warnings: slices are missing in the haematoma, or so much brain is unseen that it may hide one.

    Args:
        areas_mm2: blood area of every slice.
        volume: CT values and geometry.
    """
    bridges = find_bridges(areas_mm2, volume.geometry)
    bridged = [bridge for bridge in bridges if bridge.gap.bridged]
    if bridged:
        interpolated = sum(bridge.interpolated_mm3 for bridge in bridged) / MM3_PER_ML
        places = _places((bridge.gap.below, bridge.gap.step_mm) for bridge in bridged)
        yield Note(
            "missing_in_haematoma", Severity.WARNING, places=places, interpolated_ml=interpolated
        )
    far = [(bridge.gap.below, bridge.gap.step_mm) for bridge in bridges if not bridge.gap.bridged]
    if far:
        yield Note("too_far_to_interpolate", Severity.WARNING, places=_places(far))
    unseen = list(_unseen_brain(volume, {bridge.gap.below for bridge in bridges}))
    if unseen:
        yield Note("unseen_brain", Severity.WARNING, places=_places(unseen))


def _places(found: Iterable[tuple[int, float]]) -> tuple[Value, ...]:
    places = [Phrase("between", below=below + 1, above=below + 2, mm=mm) for below, mm in found]
    return first_of(places, _MOST_PLACES)


def _unseen_brain(volume: HUVolume, told: set[int]) -> Iterator[tuple[int, float]]:
    """Where more than `MAX_UNSEEN_MM` beside a slice with brain is on no slice: (slice below, mm)."""
    geometry = volume.geometry
    thickness = np.minimum(geometry.slice_thickness_mm, _THICKEST_MM)
    covered = (thickness[:-1] + thickness[1:]) / 2
    for gap in geometry.gaps:
        # A label that is too thin does not make a gap wider.
        planned = min(sum(gap.planned_mm) / 2, _THICKEST_MM)
        covered[gap.below] = max(covered[gap.below], planned)
    unseen = np.diff(geometry.slice_offsets_mm) - covered
    wide = [int(i) for i in np.flatnonzero(unseen > MAX_UNSEEN_MM + 0.1) if int(i) not in told]
    for index in wide[:_MOST_TRIED]:
        if _shows_brain(volume, index) or _shows_brain(volume, index + 1):
            yield index, float(unseen[index])


def _shows_brain(volume: HUVolume, index: int) -> bool:
    """Whether a slice lies in the brain; of a volume that nobody has looked at every slice may."""
    coverage, offset = volume.coverage, volume.geometry.slice_offsets_mm[index]
    return coverage is None or bool(coverage.first_mm <= offset <= coverage.last_mm)
