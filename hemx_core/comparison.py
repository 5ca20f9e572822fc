"""From two studies of a patient to a statement on haematoma expansion.

    check_pair -> triage (earlier) -> triage (later) -> judge_growth -> notes

Research software, not a medical device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from hemx_core.costs import Progress, StageClock
from hemx_core.imaging.volume import HUVolume
from hemx_core.intervals import GrowthInterval
from hemx_core.measure.covered import shows_clot
from hemx_core.measure.estimate import VolumeEstimate, estimate_result
from hemx_core.measure.expansion import DEFINITIONS, Answer, Growth, judge_growth
from hemx_core.notes import Note, Reason, Severity
from hemx_core.pairing import (
    Pictures,
    check_pair,
    interval_hours,
    patient_notes,
    picture_notes,
)
from hemx_core.pipeline import DEFAULT_SETTINGS, TriageModels, TriageSettings, triage_volume
from hemx_core.result import Recommendation, TriageResult

SPACING_RATIO = 1.2
"""Slice spacings further apart than this get a warning: each samples the clot in its own way."""

LONG_INTERVAL_HOURS = 72.0
"""Expansion is defined for the first days; later, a clot is also resolving."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ComparisonResult:
    """What two studies say together.

    Args:
        earlier, later: both triage results; the later one advises to call if there is expansion.
        earlier_volume, later_volume: volumes with their uncertainty.
        growth: growth and the answer of every definition.
        interval_hours: from the earlier to the later acquisition; None where a time is not known.
        notes: what limits the comparison; each study's own notes are in its result.
    """

    earlier: TriageResult
    later: TriageResult
    earlier_volume: VolumeEstimate
    later_volume: VolumeEstimate
    growth: Growth
    interval_hours: float | None
    notes: tuple[Note, ...]

    def __repr__(self) -> str:
        """Volumes, growth and the answers; neither arrays nor names."""
        answers = ", ".join(f"{code}={answer}" for code, answer in self.growth.answers.items())
        return (
            f"<ComparisonResult {self.earlier_volume.volume_ml:.1f} mL to "
            f"{self.later_volume.volume_ml:.1f} mL, {answers}>"
        )


def compare_volumes(
    earlier: HUVolume,
    later: HUVolume,
    models: TriageModels,
    *,
    settings: TriageSettings = DEFAULT_SETTINGS,
    force: bool = False,
    progress: Progress | None = None,
    clocks: tuple[StageClock | None, StageClock | None] = (None, None),
) -> ComparisonResult:
    """Compare the haematoma of two studies of one patient.

    Args:
        earlier, later: HU with geometry and identity.
        models: a loaded bundle.
        settings: the window.
        force: compare although the patients differ.
        progress: told after every slice, its stages prefixed with the study.
        clocks: go on with clocks that have timed the reading.
    Raises:
        InputError: two patients, and not forced.
        NotHeadError: a volume shows no head.
        ModelError: a program failed.
    """
    check_pair(earlier.identity, later.identity, force=force)
    results = [
        triage_volume(volume, models, settings=settings, progress=told, clock=clock)
        for volume, told, clock in zip(
            (earlier, later),
            (_prefixed(progress, "earlier"), _prefixed(progress, "later")),
            clocks,
            strict=True,
        )
    ]
    return compare_results(*results, pictures=(earlier, later))


def compare_results(
    earlier: TriageResult, later: TriageResult, *, pictures: Pictures | None = None
) -> ComparisonResult:
    """Compare two studies that have been triaged already; patients are not refused here.

    Args:
        earlier, later: their results.
        pictures: their volumes, to find the same images and a bleed that changes side; None where they
            are not at hand.
    """
    estimates = [estimate_result(study) for study in (earlier, later)]
    hours = interval_hours(earlier.identity, later.identity)
    notes = comparison_notes(earlier, later, hours, pictures)
    growth = judge_growth(
        *estimates,
        measured=growth_interval(earlier, later),
        earlier_whole=is_whole("earlier", notes),
        later_whole=is_whole("later", notes),
    )
    if any(note.code == "same_images" for note in notes):
        growth = _undecided(growth)
    return ComparisonResult(
        earlier=earlier,
        later=urge(later, growth),
        earlier_volume=estimates[0],
        later_volume=estimates[1],
        growth=growth,
        interval_hours=hours,
        notes=notes,
    )


def growth_interval(earlier: TriageResult, later: TriageResult) -> GrowthInterval | None:
    """How far the growth between two results is off; None where they are not of networks measured alike."""
    same = earlier.growth_interval == later.growth_interval
    return later.growth_interval if same else None


def _undecided(growth: Growth) -> Growth:
    """Growth that proves no stable haematoma: where the answer was "no", it is "indeterminate"."""
    answers: dict[str, Answer] = {
        code: Answer.INDETERMINATE if answer is Answer.NO else answer
        for code, answer in growth.answers.items()
    }
    return replace(growth, answers=answers)


def is_whole(study: str, notes: Iterable[Note]) -> bool:
    """Whether the "earlier" or "later" haematoma is in its pictures as a whole, by a comparison's notes."""
    return not any(note.code == f"{study}_not_covered" for note in notes)


def urge(later: TriageResult, growth: Growth) -> TriageResult:
    """The later study's result, with the advice to call where the haematoma has expanded.

    One definition that says "yes" is enough; "indeterminate" leaves the advice as it is and is shown.
    """
    met = tuple(
        definition.code
        for definition in DEFINITIONS
        if growth.answers[definition.code] is Answer.YES
    )
    if not met or later.haematoma.volume_ml <= 0:
        return later
    reason = Reason("haematoma_expanded", ml=growth.ml, percent=growth.percent, met=met)
    return replace(later, recommendation=Recommendation.CALL_NOW, reasons=(*later.reasons, reason))


def comparison_notes(
    earlier: TriageResult,
    later: TriageResult,
    hours: float | None,
    pictures: Pictures | None = None,
) -> tuple[Note, ...]:
    """What limits the comparison of the pair."""
    return tuple(_limits(earlier, later, hours, pictures))


def _limits(
    earlier: TriageResult, later: TriageResult, hours: float | None, pictures: Pictures | None
) -> Iterator[Note]:
    first, second = earlier.identity, later.identity
    yield from patient_notes(first, second)
    if pictures is not None:
        yield from picture_notes(earlier, later, pictures)
    days = any(note.code == "time_unknown" for study in (earlier, later) for note in study.notes)
    if hours is None or days:
        yield Note("interval_unknown", Severity.CAUTION)
    if hours is not None and hours < 0:
        yield Note("later_before_earlier", Severity.WARNING)
    if hours is not None and hours > LONG_INTERVAL_HOURS:
        yield Note("long_interval", Severity.CAUTION, hours=LONG_INTERVAL_HOURS)
    dz = sorted((earlier.geometry.spacing_mm[0], later.geometry.spacing_mm[0]))
    if dz[1] > SPACING_RATIO * dz[0]:
        yield Note("different_spacing", Severity.CAUTION, narrow_mm=dz[0], wide_mm=dz[1])
    if (first.site, first.scanner) != (second.site, second.scanner):
        yield Note("different_scanner", Severity.CAUTION)
    if earlier.haematoma.lower_bound or not shows_clot(earlier, later):
        yield Note("earlier_not_covered", Severity.WARNING)
    if later.haematoma.lower_bound or not shows_clot(later, earlier):
        yield Note("later_not_covered", Severity.WARNING)
    found = [study.haematoma.volume_ml > 0 for study in (earlier, later)]
    if any(found):
        measured = growth_interval(earlier, later) is not None
        yield Note("growth_interval" if measured else "no_growth_interval", Severity.CAUTION)
    if not any(found):
        yield Note("no_haematoma", Severity.INFO)
    elif not found[0]:
        yield Note("no_earlier_haematoma", Severity.CAUTION)
    elif not found[1]:
        yield Note("no_later_haematoma", Severity.CAUTION)


def _prefixed(progress: Progress | None, study: str) -> Callable[[str, int, int], None] | None:
    """Progress that names the study, so that the two do not share a bar."""
    if progress is None:
        return None
    tell = progress

    def told(stage: str, done: int, total: int) -> None:
        tell(f"{study} study: {stage}", done, total)

    return told
