"""What a warning does to an answer: can "none found" be said, and is the volume a lower bound.

A warning never lowers the advice. It can only take "no haematoma found" away, or say that there is
more blood than was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Flag, auto
from types import MappingProxyType

from hemx_core.notes import Note, Severity


class Doubt(Flag):
    """What a warning puts in doubt."""

    NONE = 0
    """Neither: it is told, and the answer stands."""
    PICTURE = auto()
    """The pictures may hide blood: "no haematoma found" cannot be said."""
    LOWER_BOUND = auto()
    """Blood may lie where there is no picture: the volume is a lower bound."""


DOUBTS: Mapping[str, Doubt] = MappingProxyType(
    {
        # Reader
        # The earlier series is mostly the plain one: the answer stands, unless the picture says more.
        "acquired_after": Doubt.NONE,
        "acquired_before": Doubt.PICTURE,
        "another_scan": Doubt.NONE,
        "contrast": Doubt.PICTURE,
        "contrast_contradicted": Doubt.PICTURE,
        "looks_enhanced": Doubt.PICTURE,
        "comparison_damaged": Doubt.NONE,
        "derived_images": Doubt.NONE,
        "duplicate_slices_differ": Doubt.PICTURE,
        # The series' own gaps and ends tell whether what could not be read was part of it.
        "missing_files": Doubt.NONE,
        "unlisted_files": Doubt.NONE,
        "scan_continues": Doubt.PICTURE | Doubt.LOWER_BOUND,
        "several_patients": Doubt.NONE,
        "unreadable_files": Doubt.NONE,
        "unreadable_slices": Doubt.PICTURE | Doubt.LOWER_BOUND,
        # Distances of the slices: of an interpolated volume two figures are given
        "distance_doubtful": Doubt.PICTURE | Doubt.LOWER_BOUND,
        "missing_in_haematoma": Doubt.NONE,
        "too_far_to_interpolate": Doubt.LOWER_BOUND,
        "unseen_brain": Doubt.PICTURE,
        # Values
        "clipped_narrow": Doubt.PICTURE | Doubt.LOWER_BOUND,
        "brain_shifted": Doubt.PICTURE | Doubt.LOWER_BOUND,
        "no_air": Doubt.PICTURE,
        "slices_shifted": Doubt.PICTURE,
        # What the pictures show
        "brain_beside_picture": Doubt.PICTURE,
        "brain_missing_above": Doubt.PICTURE,
        "brain_missing_at_both_ends": Doubt.PICTURE,
        "brain_missing_below": Doubt.PICTURE,
        "upside_down": Doubt.NONE,
        # Blood where the brain goes on beyond the pictures; elsewhere the last two are cautions.
        "blood_beside_picture": Doubt.LOWER_BOUND,
        "blood_on_first_slice": Doubt.LOWER_BOUND,
        "blood_on_last_slice": Doubt.LOWER_BOUND,
        # Models
        "models_unsigned": Doubt.NONE,
        "models_untested": Doubt.NONE,
        # A person's correction, and comparisons
        "corrected_mask": Doubt.NONE,
        "different_patients": Doubt.NONE,
        "earlier_not_covered": Doubt.NONE,
        "expanded": Doubt.NONE,
        "later_before_earlier": Doubt.NONE,
        "patient_doubtful": Doubt.NONE,
        "later_not_covered": Doubt.NONE,
        "patient_unknown": Doubt.NONE,
        "same_images": Doubt.NONE,
        "side_changed": Doubt.NONE,
    }
)
"""By the code of a note of severity warning."""


def doubt(note: Note) -> Doubt:
    """What a note puts in doubt: nothing below a warning; a warning of an unknown code the pictures."""
    if note.severity is not Severity.WARNING:
        return Doubt.NONE
    return DOUBTS.get(note.code, Doubt.PICTURE)


def in_doubt(notes: Iterable[Note]) -> Doubt:
    """What notes put in doubt together."""
    together = Doubt.NONE
    for note in notes:
        together |= doubt(note)
    return together
