"""From two studies of a patient to a statement on haematoma expansion.

    check_pair -> triage (earlier) -> triage (later) -> judge_growth -> notes

Research software, not a medical device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hemx_core.costs import Progress, StageClock
from hemx_core.errors import InputError
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import HUVolume, Note, SeriesIdentity
from hemx_core.measure.expansion import DEFINITIONS, Answer, Growth, judge_growth
from hemx_core.measure.volume import VolumeEstimate, estimate_volume
from hemx_core.pipeline import DEFAULT_SETTINGS, TriageModels, TriageSettings, triage_volume
from hemx_core.result import Recommendation, TriageResult

SPACING_RATIO = 1.2
"""Slice spacings further apart than this get a warning: each samples the clot in its own way."""

LONG_INTERVAL_HOURS = 72.0
"""Expansion is defined for the first days; later, a clot is also resolving."""


@dataclass(frozen=True, kw_only=True, eq=False)
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


def compare(
    earlier: Path | str,
    later: Path | str,
    models: TriageModels,
    *,
    settings: TriageSettings = DEFAULT_SETTINGS,
    force: bool = False,
    progress: Progress | None = None,
) -> ComparisonResult:
    """Read two DICOM studies and compare them; see `compare_volumes`.

    Args:
        earlier, later: folders, files, DICOMDIRs or zips.
        models: a loaded bundle.
        settings: the window; the reader chooses the series of each study.
        force: compare although the patient IDs differ.
        progress: told after every slice.
    Raises:
        DicomSeriesError: no usable series.
        InputError: two patients, and not forced.
    """
    first, second = (read_series(Path(one), progress=progress) for one in (earlier, later))
    return compare_volumes(first, second, models, settings=settings, force=force, progress=progress)


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
        force: compare although the patient IDs differ.
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
    return compare_results(*results)


def compare_results(earlier: TriageResult, later: TriageResult) -> ComparisonResult:
    """Compare two studies that have been triaged already; patients are not checked here."""
    estimates = [estimate_volume(one.mask, one.geometry) for one in (earlier, later)]
    hours = interval_hours(earlier.identity, later.identity)
    growth = judge_growth(*estimates)
    return ComparisonResult(
        earlier=earlier,
        later=urge(later, growth),
        earlier_volume=estimates[0],
        later_volume=estimates[1],
        growth=growth,
        interval_hours=hours,
        notes=comparison_notes(earlier, later, hours),
    )


def urge(later: TriageResult, growth: Growth) -> TriageResult:
    """The later study's result, with the advice to call where the haematoma has expanded.

    One definition that says "yes" is enough; "indeterminate" leaves the advice as it is and is shown.
    """
    met = [one.text for one in DEFINITIONS if growth.answers[one.code] is Answer.YES]
    if not met or later.haematoma.volume_ml <= 0:
        return later
    percent = "" if growth.percent is None else f", {growth.percent:+.0f} %"
    reason = f"The haematoma has expanded: {growth.ml:+.1f} mL{percent} ({'; '.join(met)})."
    return replace(later, recommendation=Recommendation.CALL_NOW, reasons=(*later.reasons, reason))


def check_pair(earlier: SeriesIdentity, later: SeriesIdentity, *, force: bool) -> None:
    """Refuse two patients, and one series given twice.

    Two known IDs that differ are refused unless forced; where an ID is missing nothing can be
    said, and the comparison carries a warning instead.

    Raises:
        InputError: see above.
    """
    known = earlier.patient_id and later.patient_id
    if known and earlier.patient_id != later.patient_id and not force:
        raise InputError(
            "the two studies carry different patient IDs",
            expected="two studies of one patient",
            remedy="check the input; if the patient was registered twice, force the comparison",
        )
    if earlier.series_uid and earlier.series_uid == later.series_uid and not force:
        raise InputError(
            "both inputs are the same series",
            expected="an earlier and a later study",
            remedy="check the input",
        )


def interval_hours(earlier: SeriesIdentity, later: SeriesIdentity) -> float | None:
    """Hours from the earlier to the later acquisition; None where a time is not known."""
    if earlier.acquired_at is None or later.acquired_at is None:
        return None
    # The reader gives the scanner's local time without a zone; a zone of other data is left out.
    first, second = (one.replace(tzinfo=None) for one in (earlier.acquired_at, later.acquired_at))
    return (second - first).total_seconds() / 3600


def comparison_notes(
    earlier: TriageResult, later: TriageResult, hours: float | None
) -> tuple[Note, ...]:
    """Warnings that belong to the pair."""
    first, second = earlier.identity, later.identity
    ids = (first.patient_id, second.patient_id)
    dz = sorted((earlier.geometry.spacing_mm[0], later.geometry.spacing_mm[0]))
    time_of_day = any(note.code == "time_unknown" for one in (earlier, later) for note in one.notes)
    found = [one.haematoma.volume_ml > 0 for one in (earlier, later)]
    candidates = (
        (all(ids) and ids[0] != ids[1], "different_patients", "WARNING: the studies carry different "
         "patient IDs; the comparison was forced."),
        (not all(ids), "patient_unknown", "WARNING: a study has no patient ID. Make sure that both are "
         "of the same patient."),
        (hours is None or time_of_day, "interval_unknown", "The time of day of a study is not known: "
         "the interval is missing or only to the day."),
        (hours is not None and hours < 0, "later_before_earlier", "WARNING: the later study was "
         "acquired before the earlier one. They may have been swapped."),
        (hours is not None and hours > LONG_INTERVAL_HOURS, "long_interval", "More than 72 hours lie "
         "between the studies: the clot may be resolving."),
        (dz[1] > SPACING_RATIO * dz[0], "different_spacing", f"Slices are {dz[0]:.1f} and {dz[1]:.1f} mm "
         "apart: part of the difference may be the sampling's."),
        ((first.site, first.scanner) != (second.site, second.scanner), "different_scanner", "The studies "
         "come from different sites or scanners."),
        (not found[0] and found[1], "no_earlier_haematoma", "No haematoma was found on the earlier "
         "study: growth is judged in mL only."),
        (found[0] and not found[1], "no_later_haematoma", "No haematoma was found on the later study: "
         "check both by eye."),
        (not any(found), "no_haematoma", "No haematoma was found on either study."),
    )  # fmt: skip
    return tuple(Note(code, message) for holds, code, message in candidates if holds)


def _prefixed(progress: Progress | None, study: str) -> Callable[[str, int, int], None] | None:
    """Progress that names the study, so that the two do not share a bar."""
    if progress is None:
        return None
    tell = progress

    def told(stage: str, done: int, total: int) -> None:
        tell(f"{study} study: {stage}", done, total)

    return told
