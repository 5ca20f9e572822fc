"""Stored comparisons for the screens, and their effect on a recommendation; no Kivy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from hemx_core.comparison import urge
from hemx_core.imaging.person import match
from hemx_core.measure.expansion import Answer, Growth
from hemx_core.notes import Note, Severity
from hemx_core.result import TriageResult
from mobile_app.store import StoredComparison

if TYPE_CHECKING:
    from mobile_app.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """A stored comparison at a glance.

    Args:
        stored: which results and corrections it compares.
        earlier_study, later_study: numbers of the two studies.
        earlier_at, later_at: when they were acquired; None where not known.
        interval_hours: between them; None where not known.
        growth: mL, %, and the answer of every definition.
        outdated: a study was triaged, or its outline corrected, again since.
    """

    stored: StoredComparison
    earlier_study: int
    later_study: int
    earlier_at: datetime | None
    later_at: datetime | None
    interval_hours: float | None
    growth: Growth
    outdated: bool

    @property
    def certain(self) -> bool:
        """Whether one definition of expansion is met with its whole 90 % interval."""
        return Answer.YES in self.growth.answers.values()

    @property
    def corrected(self) -> bool:
        """Whether a mask that was corrected by hand entered."""
        return (
            self.stored.earlier_correction is not None or self.stored.later_correction is not None
        )


def expansions_of_patient(store: Store, study_id: int) -> tuple[Expansion, ...]:
    """Comparisons of all studies of a study's patient, newest first; never one of two patients.

    Studies are of one patient where that is proven, see `hemx_core.imaging.person`; a study of an unknown
    patient has its own comparisons.

    Raises:
        StoreError: one cannot be read.
    """
    patient = store.studies.get(study_id).identity
    found = store.studies.find()
    identities = {study.id: study.identity for study in found}
    studies = {study.id for study in found if match(study.identity, patient).same} | {study_id}
    stored = {
        comparison.id: comparison
        for study in studies
        for comparison in store.comparisons.of_study(study)
    }
    studies_of = {
        result: study.id for study in found for result in store.results.of_study(study.id)
    }
    expansions = (
        _expansion(store, stored[number], studies_of) for number in sorted(stored, reverse=True)
    )
    # Versions before stored what was forced.
    return tuple(
        one
        for one in expansions
        if not match(identities[one.earlier_study], identities[one.later_study]).differing
    )


def into(study_id: int, expansions: Iterable[Expansion]) -> tuple[Expansion, ...]:
    """Those with a study as the later one, the newest of each earlier study, in their order.

    Args:
        expansions: newest first.
    """
    newest: dict[int, Expansion] = {}
    for expansion in expansions:
        if expansion.later_study == study_id:
            newest.setdefault(expansion.earlier_study, expansion)
    return tuple(newest.values())


def urged(result: TriageResult, expansions: Iterable[Expansion]) -> TriageResult:
    """A result with the advice to call where a comparison found certain expansion up to it.

    Args:
        result: the later study's.
        expansions: as `into` gives them. Outdated ones count until they are compared again.
    """
    for expansion in expansions:
        if expansion.certain:
            return warned(urge(result, expansion.growth), expansion.growth)
    return result


def warned(result: TriageResult, growth: Growth) -> TriageResult:
    """The result with a note that it has expanded; once, and not where no blood is left."""
    if result.haematoma.volume_ml <= 0 or any(note.code == "expanded" for note in result.notes):
        return result
    expanded = Note("expanded", Severity.WARNING, ml=growth.ml)
    return replace(result, notes=(expanded, *result.notes))


def doubted(store: Store, study_id: int, result: TriageResult) -> TriageResult:
    """The result with a warning where a comparison up to it is lost or damaged: it may have expanded."""
    if study_id not in store.comparisons.broken():
        return result
    note = Note("comparison_damaged", Severity.WARNING)
    return replace(result, notes=(note, *result.notes))


def newest_correction(store: Store, result_id: int) -> int | None:
    """Number of a result's newest correction."""
    found = store.corrections.of_result(result_id)
    return found[0] if found else None


def _expansion(store: Store, stored: StoredComparison, studies: dict[int, int]) -> Expansion:
    comparison = store.comparisons.load(stored.id)
    return Expansion(
        stored=stored,
        earlier_study=studies[stored.earlier_result],
        later_study=studies[stored.later_result],
        earlier_at=comparison.earlier.identity.acquired_at,
        later_at=comparison.later.identity.acquired_at,
        interval_hours=comparison.interval_hours,
        growth=comparison.growth,
        outdated=any(
            store.results.of_study(studies[result])[0] != result
            or newest_correction(store, result) != correction
            for result, correction in (
                (stored.earlier_result, stored.earlier_correction),
                (stored.later_result, stored.later_correction),
            )
        ),
    )
