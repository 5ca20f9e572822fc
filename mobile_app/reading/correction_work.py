"""What the Reading screen asks of the store, as pieces of work for `jobs`.

save_correction(store, result_id, snapshot)(report) -> the stored Correction
find_earlier(store, study_id)(report)               -> Earlier, or None
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from hemx_core.comparison import growth_interval, is_whole
from hemx_core.intervals import GrowthInterval
from hemx_core.measure.estimate import VolumeEstimate, estimate_volume
from hemx_core.measure.expansion import Answer, Growth
from hemx_core.report.pictures import KeySlice, key_slices
from hemx_core.result import TriageResult
from mobile_app.reading.mask_editor import Snapshot
from mobile_app.store import Correction, Store
from mobile_app.work.jobs import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The earlier study that growth is measured against.

    Args:
        volume: its volume with its uncertainty.
        corrected: whether that is of a mask that a person corrected.
        acquired_at: when it was taken; None where not known.
        measured: how far a growth between the two is off; None where nobody measured it.
        whole, later_whole: whether its pictures, and those of the later study, show the whole haematoma.
    """

    volume: VolumeEstimate
    corrected: bool
    acquired_at: datetime | None
    measured: GrowthInterval | None = None
    whole: bool = True
    later_whole: bool = True


def save_correction(
    store: Store, result_id: int, snapshot: Snapshot
) -> Callable[[Report[object] | None], Correction]:
    """Work that stores a corrected mask as a new version; the result stays as it was.

    Raises (in the job):
        StoreError: see `Corrections.save`.
    """

    def work(_report: Report[object] | None) -> Correction:
        number = store.corrections.save(
            result_id,
            snapshot.mask,
            volume_ml=snapshot.volume_ml,
            strokes=snapshot.state.strokes,
        )
        return store.corrections.load(number)

    return work


def find_earlier(store: Store, study_id: int) -> Callable[[Report[object]], Earlier | None]:
    """Work that finds the earlier study of the newest comparison in which this study is the later one.

    The earlier mask counts as it was corrected last, also where that was after the comparison.

    Raises (in the job):
        StoreError: something was deleted meanwhile, or is damaged.
    """

    def work(_report: Report[object]) -> Earlier | None:
        own = store.results.of_study(study_id)
        for stored in store.comparisons.of_study(study_id):
            if stored.later_result not in own:
                continue
            comparison = store.comparisons.load(stored.id)
            earlier = comparison.earlier
            versions = store.corrections.of_result(stored.earlier_result)
            volume = comparison.earlier_volume
            if versions and versions[0] != stored.earlier_correction:
                mask = store.corrections.load(versions[0]).mask
                volume = estimate_volume(mask, earlier.geometry, earlier.volume_interval)
            return Earlier(
                volume=volume,
                measured=growth_interval(earlier, comparison.later),
                whole=is_whole("earlier", comparison.notes),
                later_whole=is_whole("later", comparison.notes),
                corrected=bool(versions),
                acquired_at=earlier.identity.acquired_at,
            )
        return None

    return work


def overall(growth: Growth) -> Answer:
    """One answer for all definitions of expansion: yes if any says yes, no if all say no."""
    answers = set(growth.answers.values())
    if Answer.YES in answers:
        return Answer.YES
    return Answer.NO if answers == {Answer.NO} else Answer.INDETERMINATE


def slices_worth_a_look(
    result: TriageResult, areas_mm2: tuple[float, ...] | None = None
) -> tuple[KeySlice, ...]:
    """The five key slices, judged by the blood areas of a corrected mask where they are given."""
    if areas_mm2 is not None:
        pairs = zip(result.slices, areas_mm2, strict=True)
        slices = tuple(replace(slice_, blood_area_mm2=float(area)) for slice_, area in pairs)
        result = replace(result, slices=slices)
    return key_slices(result)
