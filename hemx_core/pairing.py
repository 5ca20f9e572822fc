"""Whether two studies may be compared: one patient, other pictures, in which order, on which side.

check_pair     before anything is computed: refuses two patients, and one series given twice
patient_notes  what names, IDs and birth dates leave in doubt
picture_notes  what the pictures of the two say about being a pair
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import InputError
from hemx_core.imaging.head import head_mask
from hemx_core.imaging.person import match
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from hemx_core.notes import Note, Severity
from hemx_core.result import TriageResult

Pictures = tuple[HUVolume, HUVolume]
"""The volumes of the earlier and the later study."""

SIDE_MM = 10.0
"""How far from the head's middle the middle of the blood must lie to be called left or right."""
SIDE_SHARE = 0.8
"""Share of the blood that must lie on that side."""
SAME_SHARE = 0.5
"""Share of the slices with blood that are found in the other study, from which both are the same images."""
_COARSE_MM = 2.0


class PairDoubt(StrEnum):
    """Why a pair needs a word of the user, or cannot be compared."""

    DIFFERENT_PATIENTS = "different_patients"
    PATIENT_UNKNOWN = "patient_unknown"
    SAME_SERIES = "same_series"


def pair_doubt(earlier: SeriesIdentity, later: SeriesIdentity) -> PairDoubt | None:
    """What stands against a pair; see `hemx_core.imaging.person` for who is one person."""
    if earlier.series_uid and earlier.series_uid == later.series_uid:
        return PairDoubt.SAME_SERIES
    found = match(earlier, later)
    if found.differing:
        return PairDoubt.DIFFERENT_PATIENTS
    return None if found.same else PairDoubt.PATIENT_UNKNOWN


def check_pair(earlier: SeriesIdentity, later: SeriesIdentity, *, force: bool) -> None:
    """Refuse two patients, and one series given twice.

    Name, ID, birth date or sex that contradict each other are refused unless forced; where nothing proves
    one patient, nothing is refused, and the comparison carries a warning instead.

    Raises:
        InputError: see above; it names the facts, not their values.
    """
    found = None if force else pair_doubt(earlier, later)
    if found is PairDoubt.SAME_SERIES:
        raise InputError("same_series")
    if found is PairDoubt.DIFFERENT_PATIENTS:
        raise InputError("two_patients", facts=match(earlier, later).differing)


def interval_hours(earlier: SeriesIdentity, later: SeriesIdentity) -> float | None:
    """Hours from the earlier to the later acquisition; None where a time is not known.

    Offsets from UTC count where both are known; else both clocks are taken for one zone's.
    """
    if earlier.acquired_at is None or later.acquired_at is None:
        return None
    first, second = (time.replace(tzinfo=None) for time in (earlier.acquired_at, later.acquired_at))
    offsets = [_offset_minutes(one) for one in (earlier, later)]
    ahead = 0.0 if None in offsets else float((offsets[1] or 0) - (offsets[0] or 0))
    return (second - first).total_seconds() / 3600 - ahead / 60


def _offset_minutes(identity: SeriesIdentity) -> int | None:
    """The clock's offset, as the header tells it or as a time of other data carries it."""
    offset = None if identity.acquired_at is None else identity.acquired_at.utcoffset()
    return identity.utc_offset_minutes if offset is None else int(offset.total_seconds() // 60)


def patient_notes(earlier: SeriesIdentity, later: SeriesIdentity) -> Iterator[Note]:
    """What is to be said of the patient, or the patients, of a pair."""
    found = match(earlier, later)
    if found.differing:
        yield Note("different_patients", Severity.WARNING, facts=found.differing)
    if found.doubtful:
        yield Note("patient_doubtful", Severity.WARNING, facts=found.doubtful)
    if not found.differing and not found.same:
        yield Note("patient_unknown", Severity.WARNING)
    if found.alike:
        yield Note("patient_alike", Severity.CAUTION, facts=found.alike)
    if found.same and not found.by_id:
        yield Note("patient_by_name", Severity.CAUTION)


def picture_notes(earlier: TriageResult, later: TriageResult, pictures: Pictures) -> Iterator[Note]:
    """What the pictures say: the same ones under other numbers, a bleed on the other side.

    Args:
        earlier, later: the studies' results.
        pictures: what they were made of.
    """
    if same_images(earlier, later, pictures):
        yield Note("same_images", Severity.WARNING)
    sides = [
        blood_side(one.mask, volume) for one, volume in zip((earlier, later), pictures, strict=True)
    ]
    if sides in (["left", "right"], ["right", "left"]):
        yield Note("side_changed", Severity.WARNING, was=sides[0], now=sides[1])


def same_images(earlier: TriageResult, later: TriageResult, pictures: Pictures) -> bool:
    """Whether slices with blood of one study are slices of the other, pixel by pixel.

    Noise makes no two scans equal. Where neither study has blood, all slices are looked at.
    """
    if pictures[0].shape[1:] != pictures[1].shape[1:]:
        return False
    shown = [np.flatnonzero(one.mask.any(axis=(1, 2))) for one in (earlier, later)]
    if not any(map(len, shown)):
        shown = [_not_blank(volume) for volume in pictures]
    # Of two that have blood, the one with fewer slices of it.
    few = min((0, 1), key=lambda which: (not len(shown[which]), len(shown[which])))
    looked_at, other = pictures[few], pictures[1 - few]
    known = {_digest(other.hu[index]) for index in _not_blank(other)}
    found = sum(_digest(looked_at.hu[index]) in known for index in shown[few])
    return found > 0 and found >= SAME_SHARE * len(shown[few])


def _digest(slice_: NDArray[np.int16]) -> bytes:
    return hashlib.blake2b(slice_.tobytes(), digest_size=16).digest()


def _not_blank(volume: HUVolume) -> NDArray[np.intp]:
    return np.flatnonzero([slice_.min() < slice_.max() for slice_ in volume.hu])


def blood_side(mask: NDArray[np.bool_], volume: HUVolume) -> str:
    """The patient's side that a haematoma lies on: "left", "right", or "" for neither clearly.

    Measured against the middle of the head's cross-section on each slice with blood.

    Args:
        mask: bool, shape (slices, rows, columns), native pixels.
        volume: the study's.
    """
    to_left = float(volume.geometry.row_direction[0]) * volume.geometry.pixel_spacing_mm[1]
    step = max(1, round(_COARSE_MM / max(volume.geometry.pixel_spacing_mm)))
    spacing = tuple(mm * step for mm in volume.geometry.pixel_spacing_mm)
    offsets, weights = [], []
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        coarse = np.ascontiguousarray(volume.hu[index, ::step, ::step])
        head = head_mask(
            coarse, pixel_spacing_mm=(spacing[0], spacing[1]), clipped_to_hu=volume.clipped_to_hu
        )
        columns = head.sum(axis=0)
        if not columns.any():
            continue
        middle = step * float(np.average(np.arange(len(columns)), weights=columns))
        counts = mask[index].sum(axis=0)
        offsets.append((np.arange(len(counts)) - middle) * to_left)
        weights.append(counts * volume.geometry.slice_extents_mm[index])
    if not offsets:
        return ""
    offset, weight = np.concatenate(offsets), np.concatenate(weights)
    mean = float(np.average(offset, weights=weight))
    share = float(weight[np.sign(offset) == np.sign(mean)].sum() / weight.sum())
    if abs(mean) < SIDE_MM or share < SIDE_SHARE:
        return ""
    return "left" if mean > 0 else "right"
