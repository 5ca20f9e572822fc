"""What the picture itself tells of a volume, whatever its header says: looked at before anything is answered.

An answer depends on facts that can be checked: these are CT values, this is a head. Where one fails, the
volume is refused, or goes on with a note of severity warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from hemx_core.imaging.contrast_picture import contrast_notes, look_for_contrast
from hemx_core.imaging.coverage import coverage_notes, find_coverage
from hemx_core.imaging.skull import check_skull, skull_notes
from hemx_core.imaging.survey import survey
from hemx_core.imaging.values import check_values, shift_back
from hemx_core.imaging.volume import HUVolume
from hemx_core.notes import Note

OnSlice = Callable[[int, int], None]
"""Told after every slice that was looked at, of how many; what it raises ends the inspection."""


def inspect(volume: HUVolume, on_slice: OnSlice | None = None) -> HUVolume:
    """Check a volume's pictures.

    Args:
        volume: HU, shape (slices, rows, columns), with its geometry.
        on_slice: told after every slice.
    Returns:
        The volume with what was found: a recognised clipping, which part of the brain it shows, and
        notes.
    Raises:
        NotHUError: the values are not Hounsfield units.
        NotHeadError: the volume shows no head with a brain in it.
    """
    volume = check_values(volume)
    seen = survey(volume, on_slice)
    check_skull(seen)
    coverage = find_coverage(seen)
    notes = contrast_notes(volume.notes, look_for_contrast(seen))
    if not any(note.code == "brain_shifted" for note in notes):
        # Where brain does not read as such, nothing is said of how much of it there is.
        notes = (*notes, *coverage_notes(coverage))
    notes = (*notes, *skull_notes(seen, coverage))
    return replace(volume, coverage=coverage, notes=notes)


def as_inspected(
    volume: HUVolume, clipped_to_hu: tuple[float, float] | None, notes: Iterable[Note]
) -> HUVolume:
    """A volume that was read again, with its clipping recognised and its slices shifted back.

    Args:
        volume: as the reader gives it, or as `inspect` did.
        clipped_to_hu: of the triage result.
        notes: of the triage result.
    """
    if any(note.code == "slices_shifted" for note in notes):
        volume = shift_back(volume)
    if volume.clipped_to_hu == clipped_to_hu:
        return volume
    return replace(volume, clipped_to_hu=clipped_to_hu)
