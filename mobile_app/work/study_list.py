"""The list of studies as words: one row a study, ready to be shown. No Kivy, so any thread can make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.markers import MARKERS
from hemx_core.notes import Note
from hemx_core.report.fonts import is_in_first_font
from hemx_core.report.nameless import nameless_description, nameless_note
from hemx_core.result import Recommendation
from hemx_core.words import tell_labelled
from hemx_core.words.plain import plain
from hemx_core.words.report import Texts
from mobile_app import settings
from mobile_app.errors import DamagedStoreError, NotStoredError
from mobile_app.i18n import date_time, number, text
from mobile_app.i18n.errors import words
from mobile_app.store.records import Damage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mobile_app.store import Glance, GrowthGlance, Store, Study

SEPARATOR = "   "


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """One line of the list.

    Args:
        study_id: the study.
        patient: name and ID as stored; the study's number where they are hidden.
        facts: when it was acquired, slices, description.
        warning: the result's warnings; empty where there are none.
        state: where it stands, in words.
        advice: the recommendation, or in plain words why there is none.
        findings: volume, markers, growth; empty where there is no result.
        tone: 'alarm', 'caution', 'calm' or 'muted'; says nothing that `advice` does not say in words.
    """

    study_id: int
    patient: str
    facts: str
    state: str
    warning: str
    advice: str
    findings: str
    tone: str


TONES = {
    Recommendation.CALL_NOW: "alarm",
    Recommendation.DISCUSS: "caution",
    Recommendation.CANNOT_TELL: "alarm",
    Recommendation.NO_HAEMATOMA_FOUND: "calm",
}


def study_rows(
    store: Store, language: str, *, search: str = "", hides_names: bool = False
) -> tuple[StudyRow, ...]:
    """The studies that a search finds, the newest acquisition first."""
    try:
        growths, broken = store.comparisons.growths(), store.comparisons.broken()
    except DamagedStoreError:
        # Which studies were compared cannot be read: any may have expanded.
        growths, broken = {}, None
    return tuple(
        _row(
            study,
            growths.get(study.id, ()),
            language,
            hides_names,
            compared=broken is not None and study.id not in broken,
        )
        for study in store.studies.find(search)
    )


def advised(newest: Glance, growths: Sequence[GrowthGlance]) -> Recommendation:
    """What the Result screen advises, found without reading a mask: `expansion.urged` on a glance.

    Args:
        newest: the study's, with its correction.
        growths: since earlier studies, as `Comparisons.growths` has them.
    """
    if newest.volume_ml > 0 and any(growth.certain for growth in growths):
        return Recommendation.CALL_NOW
    return newest.recommendation


def advised_of(store: Store, study_id: int) -> Recommendation | None:
    """As `advised`, for one study; None where it has no result.

    Raises:
        NotStoredError: there is no such study.
    """
    newest = store.studies.get(study_id).newest
    if newest is None:
        return None
    return advised(newest, store.comparisons.growths().get(study_id, ()))


def patient_words(study: Study, language: str, *, hides_names: bool = False) -> str:
    """Name and ID as stored, or the study's number."""
    if hides_names or study.damage is Damage.RECORD:
        return text(language, "studies.number", number=study.id)
    name, number_ = name_words(study.identity.patient_name, language), study.identity.patient_id
    if not name and not (number_ and study.identity.patient_name.strip(" ^=")):
        name = text(language, "studies.no_name")
    return SEPARATOR.join(part for part in (name, number_) if part)


def whose(store: Store, study_id: float | None, language: str) -> str:
    """Patient and time of acquisition of a study; empty where there is none (any more)."""
    if study_id is None:
        return ""
    try:
        study = store.studies.get(int(study_id))
    except NotStoredError:
        return ""
    acquired = study.identity.acquired_at
    at = date_time(language, acquired) if acquired else text(language, "studies.no_time")
    patient = patient_words(study, language, hides_names=settings.hides_names(store))
    return SEPARATOR.join((patient, at))


def name_words(stored: str, language: str) -> str:
    """A DICOM person name without its carets: Latin, ideographic and phonetic group side by side.

    Japanese begins with the ideographic group. A group that the app's font cannot write is left out.
    """
    groups = [" ".join(group.replace("^", " ").split()) for group in plain(stored).split("=")]
    if language == "ja":
        groups = [*groups[1:], groups[0]]
    return " / ".join(group for group in groups if group and is_in_first_font(group))


def _row(
    study: Study,
    growths: Sequence[GrowthGlance],
    language: str,
    hides_names: bool,
    *,
    compared: bool = True,
) -> StudyRow:
    """A study's line; `compared` says that its comparisons could all be read."""
    state = study.state.value
    advice, tone, warning = text(language, f"studies.next.{state}"), "muted", ""
    if study.newest is not None and state != "running":
        recommendation = advised(study.newest, growths)
        advice, tone = text(language, f"app.advice.{recommendation}"), TONES[recommendation]
        hidden = study.identity if hides_names else None
        warning = _warning(study.newest.warnings, language, hidden)
        if not compared:
            told = text(language, "studies.damaged.comparison")
            warning = SEPARATOR.join(part for part in (told, warning) if part)
    elif study.damage is not None and state != "running":
        advice, tone = text(language, f"studies.damaged.{study.damage.value}"), "alarm"
    elif study.error is not None:
        plain, remedy = words(language, study.error.kind)
        advice, tone = f"{plain} {remedy}", "caution"
    return StudyRow(
        study_id=study.id,
        patient=patient_words(study, language, hides_names=hides_names),
        facts=_facts(study, language, hides_names=hides_names),
        state=text(language, "studies.damaged" if study.damage else f"studies.state.{state}"),
        warning=warning,
        advice=advice,
        findings=_findings(study, growths, language),
        tone=tone,
    )


def _warning(notes: Sequence[Note], language: str, hidden: SeriesIdentity | None) -> str:
    """The warnings in one line; the Result screen has the rest of what does not fit."""
    shown = [nameless_note(note, hidden) for note in notes] if hidden else notes
    return " ".join(tell_labelled(note, language) for note in shown)


def _facts(study: Study, language: str, *, hides_names: bool) -> str:
    if study.damage is Damage.RECORD:
        return ""
    acquired = study.identity.acquired_at
    when = date_time(language, acquired) if acquired else text(language, "studies.no_time")
    slices = text(language, "studies.slices", count=study.slices)
    description = study.identity.series_description
    if hides_names:
        description = nameless_description(description, study.identity)
    parts = (when, slices, description)
    return SEPARATOR.join(part for part in parts if part)


def _findings(study: Study, growths: Sequence[GrowthGlance], language: str) -> str:
    newest = study.newest
    if newest is None:
        return ""
    ml = number(language, newest.volume_ml, 1)
    if newest.at_most_ml is not None:
        ml = Texts(language)("span", low=ml, high=number(language, newest.at_most_ml, 1))
    volume = text(language, "studies.volume", ml=ml)
    if newest.corrected:
        volume += text(language, "studies.corrected")
    if newest.volume_ml <= 0:
        # That a person erased what triage had found must not be lost on who looks at the list only.
        return volume if newest.corrected else ""
    names = {
        marker.code: marker.name_ja if language == "ja" else marker.name_en for marker in MARKERS
    }
    counted = [name for code, name in names.items() if code in newest.markers]
    others = [
        text(language, "studies.not_validated", marker=name)
        for code, name in names.items()
        if code in newest.not_validated
    ]
    markers = text(language, "studies.comma").join([*counted, *others])
    none = text(language, "studies.no_markers" if newest.judged else "studies.not_judged")
    parts = [volume, markers or none]
    if growths:
        # The one that decides the advice, else the newest.
        parts.append(
            _growth(next((growth for growth in growths if growth.certain), growths[0]), language)
        )
    return SEPARATOR.join(parts)


def _growth(growth: GrowthGlance, language: str) -> str:
    answers = set(growth.answers.values())
    answer = next(word for word in ("yes", "indeterminate", "no") if word in answers)
    sign = "+" if growth.ml > 0 else ""
    ml = sign + number(language, growth.ml, 1)
    percent = "" if growth.percent is None else f" ({sign}{number(language, growth.percent)} %)"
    return text(language, f"studies.growth.{answer}", ml=ml, percent=percent)
