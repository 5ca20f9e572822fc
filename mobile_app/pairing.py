"""Which two stored studies to compare: who may be paired, and in which order; no Kivy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mobile_app.store import Store, Study


class Doubt(StrEnum):
    """Why a pair needs a word of the user, or cannot be compared."""

    DIFFERENT_PATIENTS = "different_patients"
    PATIENT_UNKNOWN = "patient_unknown"
    SAME_SERIES = "same_series"


def candidates(store: Store) -> tuple[Study, ...]:
    """Studies that have a result, the newest acquisition first."""
    return tuple(one for one in store.studies.find() if one.newest is not None)


def default_pair(studies: Sequence[Study], open_id: int | None) -> tuple[Study, Study] | None:
    """The open study and that of the same patient that lies nearest before it, else nearest after it.

    Args:
        studies: as `candidates` gives them.
        open_id: the open study; None takes the newest.
    Returns:
        (earlier, later); None where there is no second study of the patient.
    """
    chosen = next((one for one in studies if open_id in (None, one.id)), None)
    if chosen is None or not chosen.identity.patient_id:
        return None
    others = [
        one
        for one in studies
        if one.id != chosen.id
        and one.identity.patient_id == chosen.identity.patient_id
        and doubt(one, chosen) is None
    ]
    if not others:
        return None
    pairs = [ordered(one, chosen) for one in others]
    before = [pair for pair in pairs if pair[1].id == chosen.id]
    # Candidates come newest first: the first one before is the nearest, the last one after is.
    return before[0] if before else pairs[-1]


def ordered(one: Study, other: Study) -> tuple[Study, Study]:
    """(earlier, later) by time of acquisition; as given where a time is missing or both are the same."""
    if times_known(one, other) and _local(one) > _local(other):
        return other, one
    return one, other


def times_known(one: Study, other: Study) -> bool:
    """Whether the times say which study is the earlier one."""
    times = (one.identity.acquired_at, other.identity.acquired_at)
    return None not in times and _local(one) != _local(other)


def doubt(earlier: Study, later: Study) -> Doubt | None:
    """What stands against a pair; only the same series cannot be confirmed."""
    first, second = earlier.identity, later.identity
    if earlier.id == later.id or (first.series_uid and first.series_uid == second.series_uid):
        return Doubt.SAME_SERIES
    if not (first.patient_id and second.patient_id):
        return Doubt.PATIENT_UNKNOWN
    return Doubt.DIFFERENT_PATIENTS if first.patient_id != second.patient_id else None


def naive(at: datetime | None) -> datetime:
    """A time to sort by: the scanner's local time without a zone; unknown is first."""
    return datetime.min if at is None else at.replace(tzinfo=None)


def _local(study: Study) -> datetime:
    return naive(study.identity.acquired_at)
