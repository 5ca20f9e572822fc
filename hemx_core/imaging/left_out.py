"""What of a scan is not read: slices that continue it elsewhere, and other scans of the same place.

Both are told as warnings. In the first case the answer is incomplete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from pydicom.uid import UID

from hemx_core.imaging.geometry import offsets_mm, turned_like
from hemx_core.imaging.grouping import DIFFERENCES, fits
from hemx_core.imaging.headers import SliceHeader
from hemx_core.imaging.scans import same_person
from hemx_core.imaging.series import (
    CT_CLASSES,
    SeriesPart,
    contrast,
    has_geometry,
    head_score,
    names_other_part,
)
from hemx_core.notes import Note, Phrase, Severity, first_of

_UNSEEN = 0.75
"""A slice further than this share of the thickness from all that are read shows tissue that is not."""
_SEAM_MM = 30.0
"""How far slices may lie apart that continue each other."""
_MARGIN_MM = 10.0
"""Another reconstruction of the same scan may reach so much further without a word."""
_WHOLE_HEAD_MM = 130.0
"""From the vertex to the base of an adult's skull."""
_GRAVE = {"differ.frame", "differ.patient", "differ.study", "differ.series"}
_IMAGES = ("", "derived", "not_hu")
_SHOWN = 5

Label = Callable[[SeriesPart], Phrase]


def scan_notes(chosen: SeriesPart, others: Sequence[SeriesPart], label: Label) -> Iterator[Note]:
    """What the slices of a series disagree in, and what else of its scan or place there is.

    Args:
        chosen: the part that is read.
        others: all other parts of the input.
        label: names a part in a message.
    """
    what = tuple(Phrase(code) for code in chosen.differ)
    if _GRAVE & set(chosen.differ):
        yield Note("headers_differ", Severity.CAUTION, what=what)
    elif what:
        yield Note("headers_differ", Severity.INFO, what=what)
    known = _series_of([chosen, *others])
    rest = [(part, count) for part in others if (count := _continues(chosen, part, known))]
    if rest:
        told = [
            Phrase("rest", series=label(part), why=_why(chosen, part) or None) for part, _ in rest
        ]
        total = sum(count for _, count in rest)
        yield Note("scan_continues", Severity.WARNING, count=total, rest=first_of(told, _SHOWN))
    left = [part for part, _ in rest]
    again = [part for part in others if part not in left and _is_another_scan(chosen, part)]
    if again:
        yield Note(
            "another_scan",
            Severity.WARNING,
            count=len(again),
            scans=first_of([label(part) for part in again], _SHOWN),
        )


def _series_of(parts: Sequence[SeriesPart]) -> frozenset[str]:
    """The series that slices with a place and a size are of."""
    return frozenset(uid for part in parts if has_geometry(part.first) for uid in part.series_uids)


def _continues(chosen: SeriesPart, part: SeriesPart, known: frozenset[str]) -> int:
    """How many slices of another part show tissue of the same scan that is not read."""
    own = bool(chosen.series_uids & part.series_uids - {""})
    if not has_geometry(part.first) and not part.kind:
        missed = _is_slice(part.first) and (own or _is_nobodys(chosen, part, known))
        return len(part.headers) if missed else 0
    if not own and (part.kind not in _IMAGES or not _of_one_study(chosen, part)):
        return 0
    if part.kind not in _IMAGES and not _was_an_image(chosen, part):
        return 0
    if not has_geometry(part.first) or part.plane != "axial":
        return 0
    step = max(_step_mm(chosen), 0.1)
    away = _distances(chosen, part)
    unseen = int((away > _UNSEEN * min(step, chosen.thickness_mm or step)).sum())
    if not unseen:
        return 0
    follows = float(away.min()) <= max(_SEAM_MM, 2 * step)
    if own:
        far = part.first.facts.frame_of_reference == chosen.first.facts.frame_of_reference
        if far and not follows:
            return 0  # another part of the body
        on_top = 2 * unseen < len(away)
        return 0 if on_top and float(away.max()) < _MARGIN_MM else unseen
    beside = 2 * unseen >= len(away) and follows and float(away.max()) >= _MARGIN_MM
    return unseen if beside and _may_be_the_rest(chosen, part) else 0


def _is_nobodys(chosen: SeriesPart, part: SeriesPart, known: frozenset[str]) -> bool:
    """Whether a damaged header leaves open what it is of.

    It names no series any more, one that there cannot be, or the beginning of a name. What names
    a series of its own and is an image without a size lost more than its place: its end is cut off.
    """
    if not any(UID(uid).is_valid for uid in part.series_uids):
        return True
    if part.series_uids & known:
        return False
    begins = any(own.startswith(uid) for own in chosen.series_uids for uid in part.series_uids)
    return begins or not _is_sized(part.first)


def _was_an_image(chosen: SeriesPart, part: SeriesPart) -> bool:
    """Whether slices of the series that say they are no CT images say so because they are damaged."""
    one, other = chosen.first, part.first
    alike = (one.facts.rows, one.facts.columns) == (other.facts.rows, other.facts.columns)
    return alike and other.image_type == one.image_type and fits(one, other)


def _step_mm(part: SeriesPart) -> float:
    steps = np.diff(offsets_mm([slot[0] for slot in part.slots]))
    return float(np.median(steps)) if len(steps) else 0.0


def _is_slice(header: SliceHeader) -> bool:
    return _is_sized(header) or header.facts.sop_class in CT_CLASSES


def _is_sized(header: SliceHeader) -> bool:
    return header.facts.rows > 0 and header.facts.columns > 0


def _distances(
    chosen: SeriesPart, part: SeriesPart
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """How far each slice of a part lies from the nearest of the chosen ones, along their normal."""
    first = chosen.first
    moved = [turned_like(slot[0], first) for slot in part.slots]
    at = offsets_mm([slot[0] for slot in chosen.slots], first)
    other = offsets_mm(moved, first)
    return np.asarray(np.abs(other[:, None] - at[None, :]).min(axis=1))


def _of_one_study(chosen: SeriesPart, part: SeriesPart) -> bool:
    one, other = chosen.first.facts, part.first.facts
    return (
        one.study_uid != ""
        and one.study_uid == other.study_uid
        and one.frame_of_reference != ""
        and one.frame_of_reference == other.frame_of_reference
    )


def _may_be_the_rest(chosen: SeriesPart, part: SeriesPart) -> bool:
    """Whether another series of the study can be the rest of a head that is not whole by itself."""
    return (
        chosen.coverage_mm < _WHOLE_HEAD_MM
        and not part.kind
        and head_score(part.first) >= head_score(chosen.first)
        and not names_other_part(part.first)
        and not any(contrast(header).given for header in part.headers)
        and same_person(chosen.first, part.first)
    )


def _why(chosen: SeriesPart, part: SeriesPart) -> tuple[Phrase, ...]:
    """In what a part differs from what is read."""
    a, b = chosen.first, part.first
    if not has_geometry(b):
        return (Phrase("differ.place"),)
    differ = [name for name, of in DIFFERENCES.items() if of(a) != of(b)]
    if fits(a, b):
        differ = [name for name in differ if name not in ("differ.spacing", "differ.orientation")]
    if (a.facts.rows, a.facts.columns) != (b.facts.rows, b.facts.columns):
        differ.append("differ.matrix")
    if a.rescale_type != b.rescale_type:
        differ.append("differ.rescale")
    return tuple(Phrase(name) for name in differ)


def _is_another_scan(chosen: SeriesPart, part: SeriesPart) -> bool:
    """Whether a part of the same series shows the same place at another time.

    Another reconstruction of the same data is none.
    """
    if part.kind or part.plane != "axial" or not chosen.series_uids & part.series_uids - {""}:
        return False
    if not has_geometry(part.first) or any(contrast(header).given for header in part.headers):
        return False
    return not _is_reconstruction(chosen, part)


def _is_reconstruction(chosen: SeriesPart, part: SeriesPart) -> bool:
    a, b = chosen.first, part.first
    same = (
        fits(a, b)
        and a.kernel == b.kernel
        and chosen.thickness_mm == part.thickness_mm
        and a.facts.columns == b.facts.columns
    )
    acquired = _acquisitions(chosen) == _acquisitions(part)
    return not same and acquired and a.kvp == b.kvp


def _acquisitions(part: SeriesPart) -> set[tuple[object, object]]:
    return {(header.acquisition, header.phase) for header in part.headers}
