"""Whether one study's pictures show the region of another study's haematoma.

Two studies of a patient share no coordinates: the head lies elsewhere. Heights are told from the base or the
vertex of the brain, whichever both studies show.
"""

from __future__ import annotations

import numpy as np

from hemx_core.imaging.volume import Coverage
from hemx_core.result import TriageResult

MARGIN_MM = 20.0
"""Of a scan, the lowest 0 to 18 mm of the brain may be missing and count as its base; and heads nod."""


def shows_clot(study: TriageResult, other: TriageResult) -> bool:
    """Whether a study that lacks an end of the brain still shows all of the other's haematoma.

    True where the study is whole, or where nothing is known of either's coverage.
    """
    own, of_clot = study.coverage, other.coverage
    bloody = np.flatnonzero(other.mask.any(axis=(1, 2)))
    if own is None or of_clot is None or not len(bloody):
        return True
    half_mm = other.geometry.slice_extents_mm[bloody] / 2
    offsets = other.geometry.slice_offsets_mm[bloody]
    low, high = float((offsets - half_mm).min()), float((offsets + half_mm).max())
    return _shows(own, of_clot, low, high)


def _shows(own: Coverage, of_clot: Coverage, low_mm: float, high_mm: float) -> bool:
    """Whether a clot between two offsets of its own study lies within what another one shows."""
    if own.lower_missing and own.upper_missing:
        return False
    above_base, below_vertex = high_mm - of_clot.first_mm, of_clot.last_mm - low_mm
    if of_clot.upside_down:
        above_base, below_vertex = below_vertex, above_base
    if own.upper_missing:
        return not of_clot.lower_missing and above_base + MARGIN_MM <= own.seen_mm
    if own.lower_missing:
        return not of_clot.upper_missing and below_vertex + MARGIN_MM <= own.seen_mm
    return True
