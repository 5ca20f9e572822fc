"""A popup that lists studies to compare: those of the same patient first, the others behind a warning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mobile_app import settings, theme
from mobile_app.i18n import text
from mobile_app.i18n.formats import date_time, number
from mobile_app.study_list import patient_words
from mobile_app.widgets.buttons import ActionButton, Heading, Sheet, Wrapped

if TYPE_CHECKING:
    from mobile_app.context import AppContext
    from mobile_app.store import Study


def study_words(context: AppContext, study: Study) -> str:
    """Patient, time of acquisition, volume."""
    language = context.language
    hides = settings.hides_names(context.store)
    acquired = study.identity.acquired_at
    at = date_time(language, acquired) if acquired else text(language, "compare.no_time")
    volume = number(language, study.newest.volume_ml if study.newest else None, 1)
    patient = patient_words(study, language, hides_names=hides)
    return text(language, "compare.row", patient=patient, at=at, volume=volume)


class StudyChoice(Sheet):
    """One button a study.

    Args:
        context: the app's.
        title: a key of i18n.
        studies: to choose from, in order.
        patient: PatientID of the other study; "" where it has none or there is no other.
        on_study: told which one.
    """

    def __init__(
        self,
        context: AppContext,
        *,
        title: str,
        studies: Sequence[Study],
        patient: str,
        on_study: Callable[[Study], None],
    ) -> None:
        super().__init__()
        language = context.language
        self.buttons: dict[int, ActionButton] = {}
        self.body.add_widget(Heading(text=text(language, title)))
        same = [one for one in studies if patient and one.identity.patient_id == patient]
        others = [one for one in studies if one not in same]
        for key, ink, group in (
            ("same_patient", theme.MUTED, same),
            ("other_patients", theme.CAUTION, others),
        ):
            if group and patient:
                self.body.add_widget(Wrapped(text=text(language, f"compare.{key}"), color=ink))
            for study in group:
                self._add(context, study, on_study)
        cancel = ActionButton(text=text(language, "app.cancel"))
        cancel.bind(on_release=lambda *_: self.dismiss())
        self.body.add_widget(cancel)

    def _add(self, context: AppContext, study: Study, on_study: Callable[[Study], None]) -> None:
        button = ActionButton(text=study_words(context, study))

        def chosen(*_ignored: object) -> None:
            self.dismiss()
            on_study(study)

        button.bind(on_release=chosen)
        self.buttons[study.id] = button
        self.body.add_widget(button)
