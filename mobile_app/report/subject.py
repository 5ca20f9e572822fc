"""The subject of a report, and a preview of its page; no Kivy.

    here:      reportable -> load_subject (a job) -> draw_preview
    exporting: make_files -> write_folder | android_share.deliver -> note_export

De-identified unless a person asks otherwise for this one export.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hemx_core.comparison import ComparisonResult, urge
from hemx_core.imaging.spec import HUWindow
from hemx_core.measure.corrected import correct_result, is_corrected
from hemx_core.report.fonts import is_in_first_font
from hemx_core.report.names import shown_name
from hemx_core.report.referral import ReferralOptions, draw_referral
from hemx_core.words.report import Texts
from mobile_app.compare.comparing import load_side
from mobile_app.errors import NotStoredError
from mobile_app.result.expansion import Expansion, doubted, expansions_of_patient, into, urged
from mobile_app.widgets.picture import PRESETS
from mobile_app.work.library import check_slices, read_study

if TYPE_CHECKING:
    from hemx_core.imaging.volume import HUVolume, SeriesIdentity
    from hemx_core.report.page import Page
    from hemx_core.result import TriageResult
    from mobile_app.store import Store
    from mobile_app.work.jobs import Report
    from mobile_app.work.memory_guard import MemoryBudget

PREVIEW_DPI = 110


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """What is reported.

    Args:
        study_id, result_id: in the store.
        volume: HU.
        result: with the corrected mask where there is one, and the advice that a comparison gives.
        comparison: with an earlier study; its later study is `result`'s. None for the study alone.
        comparison_id: in the store.
        window: display window of the slices, HU.
        folder: the study's files, for DICOM.
    """

    study_id: int
    result_id: int
    volume: HUVolume
    result: TriageResult
    comparison: ComparisonResult | None
    comparison_id: int | None
    window: HUWindow
    folder: Path

    @property
    def corrected(self) -> bool:
        """Whether a corrected mask is reported, of this study or of the compared one."""
        earlier = self.comparison.earlier if self.comparison else self.result
        return is_corrected(self.result) or is_corrected(earlier)


def reportable(store: Store, study_id: int) -> tuple[Expansion, ...]:
    """Comparisons up to a study that can be reported: none that is outdated; newest first.

    Raises:
        StoreError: one cannot be read.
    """
    found = into(study_id, expansions_of_patient(store, study_id))
    return tuple(expansion for expansion in found if not expansion.outdated)


def load_subject(
    store: Store,
    study_id: int,
    *,
    comparison_id: int | None = None,
    window: HUWindow | None = None,
    volume: HUVolume | None = None,
    budget: MemoryBudget | None = None,
) -> Callable[[Report[object]], Subject]:
    """Work that loads what is reported: the newest result with its newest correction.

    Args:
        store: holds the study with a result.
        study_id: the study.
        comparison_id: one of `reportable`; None reports the study alone. An expansion that is known makes
            its advice "call now" all the same.
        window: display window; the brain window by default.
        volume: the study's, where it has been read already.
        budget: see `read_study`.
    Raises (in the job):
        NotStoredError: no result, or no such comparison.
        DicomSeriesError, MemoryBudgetError, StoreError: something cannot be read.
    """

    def work(report: Report[object]) -> Subject:
        side = load_side(store, study_id, report, budget=budget, volume=volume)
        known = into(study_id, expansions_of_patient(store, study_id))
        result, comparison = doubted(store, study_id, urged(side.result, known)), None
        if comparison_id is not None:
            found = next(
                (expansion for expansion in known if expansion.stored.id == comparison_id), None
            )
            if found is None or found.outdated:
                raise _outdated()
            comparison = _comparison(store, found, side.result, report, budget)
            result = doubted(store, study_id, comparison.later)
            comparison = replace(comparison, later=result)
        return Subject(
            study_id=study_id,
            result_id=side.result_id,
            volume=side.volume,
            result=result,
            comparison=comparison,
            comparison_id=comparison_id,
            window=window or PRESETS["brain"],
            folder=store.studies.path(store.studies.get(study_id)),
        )

    return work


def draw_preview(
    subject: Subject, *, language: str, identify: bool, dpi: int = PREVIEW_DPI
) -> Page:
    """The referral page as it will look, at a screen's resolution."""
    return draw_referral(
        subject.result,
        subject.volume,
        window=subject.window,
        comparison=subject.comparison,
        options=ReferralOptions(language=language, identify=identify, dpi=dpi),
    )


def named_in_files(identity: SeriesIdentity, language: str) -> tuple[tuple[str, str], ...]:
    """What an identified export names: (key of the referral's texts, value), without what is not known."""
    texts, at = Texts(language), identity.acquired_at
    named = (
        ("name", shown_name(identity.patient_name, language, can_show=is_in_first_font)),
        ("patient_id", identity.patient_id),
        ("acquired", texts("moment", at, "").strip() if at else ""),
        ("site", identity.site),
    )
    return tuple((texts(key), value) for key, value in named if value)


def _comparison(
    store: Store,
    found: Expansion,
    later: TriageResult,
    report: Report[object],
    budget: MemoryBudget | None,
) -> ComparisonResult:
    """The stored comparison with the masks that were compared."""
    stored = store.comparisons.load(found.stored.id)
    earlier, correction = stored.earlier, found.stored.earlier_correction
    if correction is not None:
        known = store.corrections.load(correction)
        volume = read_study(store, found.earlier_study, budget=budget)(report)
        check_slices(earlier, volume)
        earlier = correct_result(earlier, known.mask, volume, version=known.version)
    return replace(stored, earlier=earlier, later=urge(later, stored.growth))


def _outdated() -> NotStoredError:
    return NotStoredError("comparison_gone")
