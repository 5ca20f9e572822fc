"""Two stored studies compared: who may be paired, in which order, and what comes out; no Kivy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hemx_core.comparison import ComparisonResult, compare_results
from hemx_core.imaging.person import match
from hemx_core.measure.corrected import correct_result
from hemx_core.measure.estimate import VolumeEstimate, estimate_result, estimate_volume
from hemx_core.pairing import PairDoubt, check_pair, interval_hours, pair_doubt
from mobile_app.errors import NotStoredError
from mobile_app.result.expansion import newest_correction
from mobile_app.work.library import check_slices, read_study

if TYPE_CHECKING:
    from hemx_core.imaging.volume import HUVolume
    from hemx_core.result import TriageResult
    from mobile_app.store import Store, Study
    from mobile_app.work.jobs import Report
    from mobile_app.work.memory_guard import MemoryBudget


def candidates(store: Store) -> tuple[Study, ...]:
    """Studies that have a result, the newest acquisition first."""
    return tuple(study for study in store.studies.find() if study.newest is not None)


def default_pair(studies: Sequence[Study], open_id: int | None) -> tuple[Study, Study] | None:
    """The open study and that of the same patient nearest before it, else nearest after it.

    Args:
        studies: as `candidates` gives them.
        open_id: the open study; None takes the newest.
    Returns:
        (earlier, later); None where there is no second study of the patient.
    """
    chosen = next((study for study in studies if open_id in (None, study.id)), None)
    if chosen is None:
        return None
    others = [study for study in studies if study.id != chosen.id and doubt(study, chosen) is None]
    if not others:
        return None
    pairs = [ordered(other, chosen) for other in others]
    before = [pair for pair in pairs if pair[1].id == chosen.id]
    # Candidates come newest first: the first one before is the nearest, the last one after is.
    return before[0] if before else pairs[-1]


def ordered(study: Study, other: Study) -> tuple[Study, Study]:
    """(earlier, later) by time of acquisition; as given where a time is missing or both are the same."""
    hours = interval_hours(study.identity, other.identity)
    return (other, study) if hours is not None and hours < 0 else (study, other)


def times_known(study: Study, other: Study) -> bool:
    """Whether the times say which study is the earlier one."""
    return interval_hours(study.identity, other.identity) not in (None, 0.0)


def doubt(earlier: Study, later: Study) -> PairDoubt | None:
    """What stands against a pair; only the same series cannot be confirmed."""
    if earlier.id == later.id:
        return PairDoubt.SAME_SERIES
    return pair_doubt(earlier.identity, later.identity)


def naive(at: datetime | None) -> datetime:
    """A time to sort by: the scanner's local time without a zone; unknown is first."""
    return datetime.min if at is None else at.replace(tzinfo=None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """One study of a pair, as it is compared.

    Args:
        study_id, result_id: in the store.
        correction_id: whose mask was taken; None where the outline is automatic.
        volume: HU.
        result: with the corrected mask where there is one.
    """

    study_id: int
    result_id: int
    correction_id: int | None
    volume: HUVolume
    result: TriageResult


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumePoint:
    """A study's volume in the course of a patient.

    Args:
        study_id: in the store.
        at: acquisition; None where not known.
        volume_ml, interval_ml: with the 90 % interval; None where there is none.
        corrected: of a mask that was corrected by hand.
    """

    study_id: int
    at: datetime | None
    volume_ml: float
    interval_ml: tuple[float, float] | None
    corrected: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """What the Compare screen shows.

    Args:
        comparison: its results have the corrected masks.
        earlier, later: both sides.
        comparison_id: in the store; None where it is of two patients: such a one is never stored.
        course: all studies of the patient that were triaged, in time; those of unknown time last.
    """

    comparison: ComparisonResult
    earlier: Side
    later: Side
    comparison_id: int | None
    course: tuple[VolumePoint, ...]


def compare_studies(
    store: Store,
    earlier_id: int,
    later_id: int,
    *,
    confirmed: bool = False,
    budget: MemoryBudget | None = None,
) -> Callable[[Report[object]], Compared]:
    """Work that compares the newest results of two studies and stores the comparison.

    The newest corrections are what is compared. The same results and corrections a second time give the
    comparison that is stored already. One of two patients is shown, and never stored as anybody's history.

    Args:
        store: holds both studies with a result.
        earlier_id, later_id: the studies.
        confirmed: the user wants it although the patients differ.
        budget: see `read_study`.
    Raises (in the job):
        InputError: two patients and not confirmed, or one series twice.
        NotStoredError: a study has no result.
        DicomSeriesError, MemoryBudgetError, StoreError: a study cannot be read.
    """

    def work(report: Report[object]) -> Compared:
        _check(store.studies.get(earlier_id), store.studies.get(later_id), confirmed=confirmed)
        earlier, later = (
            load_side(store, study_id, report, budget=budget) for study_id in (earlier_id, later_id)
        )
        report.progress("measure", 0, 1)
        comparison = compare_results(
            earlier.result, later.result, pictures=(earlier.volume, later.volume)
        )
        number = None
        if not match(earlier.result.identity, later.result.identity).differing:
            number = _stored(store, earlier, later) or _save(store, comparison, earlier, later)
        return Compared(
            comparison=comparison,
            earlier=earlier,
            later=later,
            comparison_id=number,
            course=_course(store, comparison, earlier, later),
        )

    return work


def load_side(
    store: Store,
    study_id: int,
    report: Report[object],
    *,
    budget: MemoryBudget | None = None,
    volume: HUVolume | None = None,
) -> Side:
    """A study with its newest result and that result's newest correction.

    Args:
        report: of the job in which it is read.
        budget: see `read_study`.
        volume: the study's, where it has been read already.
    Raises:
        NotStoredError: it has no result.
        DicomSeriesError, MemoryBudgetError, StoreError: it cannot be read.
    """
    results = store.results.of_study(study_id)
    if not results:
        raise NotStoredError("no_result")
    number = results[0]
    result, correction = store.results.load(number), newest_correction(store, number)
    if volume is None:
        volume = read_study(store, study_id, budget=budget)(report)
    check_slices(result, volume)
    if correction is not None:
        known = store.corrections.load(correction)
        result = correct_result(result, known.mask, volume, version=known.version)
    return Side(
        study_id=study_id,
        result_id=number,
        correction_id=correction,
        volume=volume,
        result=result,
    )


def _check(earlier: Study, later: Study, *, confirmed: bool) -> None:
    """As `check_pair`; a confirmation is for two patients, never for one series twice."""
    force = confirmed and doubt(earlier, later) is not PairDoubt.SAME_SERIES
    check_pair(earlier.identity, later.identity, force=force)


def is_stored(store: Store, earlier_id: int, later_id: int) -> bool:
    """Whether the two studies, as they are now, have been compared and the comparison is stored.

    Never where they are of two patients: versions before stored what was forced.
    """
    if match(*(store.studies.get(one).identity for one in (earlier_id, later_id))).differing:
        return False
    numbers = [store.results.of_study(study_id)[:1] for study_id in (earlier_id, later_id)]
    if not all(numbers):
        return False
    sides = [(result, newest_correction(store, result)) for (result,) in numbers]
    return _same(store, later_id, sides[0], sides[1]) is not None


def _stored(store: Store, earlier: Side, later: Side) -> int | None:
    return _same(
        store,
        later.study_id,
        (earlier.result_id, earlier.correction_id),
        (later.result_id, later.correction_id),
    )


def _same(
    store: Store, later_id: int, earlier: tuple[int, int | None], later: tuple[int, int | None]
) -> int | None:
    """The stored comparison of exactly these (result, correction)."""
    for comparison in store.comparisons.of_study(later_id):
        first = (comparison.earlier_result, comparison.earlier_correction)
        second = (comparison.later_result, comparison.later_correction)
        if (first, second) == (earlier, later):
            return comparison.id
    return None


def _save(store: Store, comparison: ComparisonResult, earlier: Side, later: Side) -> int:
    return store.comparisons.save(
        comparison,
        earlier_result=earlier.result_id,
        later_result=later.result_id,
        earlier_correction=earlier.correction_id,
        later_correction=later.correction_id,
    )


def _course(
    store: Store, comparison: ComparisonResult, earlier: Side, later: Side
) -> tuple[VolumePoint, ...]:
    """The pair's volumes, and those of studies that are proven to be of the later study's patient."""
    points = [
        _point(side.study_id, side.result.identity.acquired_at, estimate, side.correction_id)
        for side, estimate in (
            (earlier, comparison.earlier_volume),
            (later, comparison.later_volume),
        )
    ]
    for study in store.studies.find():
        if study.newest is None or study.id in (earlier.study_id, later.study_id):
            continue
        if match(study.identity, later.result.identity).same:
            number = study.newest.result_id
            result, correction = store.results.load(number), newest_correction(store, number)
            estimate = estimate_result(result)
            if correction is not None:
                mask = store.corrections.load(correction).mask
                estimate = estimate_volume(mask, result.geometry, result.volume_interval)
            points.append(_point(study.id, study.identity.acquired_at, estimate, correction))
    return tuple(
        sorted(points, key=lambda point: (point.at is None, naive(point.at), point.study_id))
    )


def _point(
    study_id: int, at: datetime | None, estimate: VolumeEstimate, correction: int | None
) -> VolumePoint:
    return VolumePoint(
        study_id=study_id,
        at=None if at is None else at.replace(tzinfo=None),
        volume_ml=estimate.volume_ml,
        interval_ml=estimate.interval_ml,
        corrected=correction is not None,
    )
