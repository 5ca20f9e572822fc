"""Compare: two studies of a patient side by side, what grew, and by which definition that is expansion."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kivy.clock import Clock
from kivy.properties import ObjectProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.scrollview import ScrollView

from hemx_core.imaging.person import match
from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.pairing import PairDoubt
from mobile_app import settings, theme
from mobile_app.compare import cards
from mobile_app.compare.comparing import (
    Compared,
    candidates,
    compare_studies,
    default_pair,
    doubt,
    is_stored,
    ordered,
    times_known,
)
from mobile_app.compare.linked_viewers import LinkedViewers
from mobile_app.context import AppContext
from mobile_app.i18n import date_time, number, text
from mobile_app.store import Study
from mobile_app.widgets.buttons import ActionButton, Card, Heading, Sheet, Wrapped, confirm
from mobile_app.work.jobs import Outcome, Report
from mobile_app.work.study_list import patient_words


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
        patient: identity of the other study; None where there is no other.
        on_study: told which one.
    """

    def __init__(
        self,
        context: AppContext,
        *,
        title: str,
        studies: Sequence[Study],
        patient: SeriesIdentity | None,
        on_study: Callable[[Study], None],
    ) -> None:
        super().__init__()
        language = context.language
        self.buttons: dict[int, ActionButton] = {}
        self.body.add_widget(Heading(text=text(language, title)))
        same = [study for study in studies if patient and match(study.identity, patient).same]
        others = [study for study in studies if study not in same]
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


WHICH = ("earlier", "later")


class Compare(BoxLayout):
    """The pair above, both studies and the findings below, beside each other or one under the other.

    A comparison that is stored already is shown at once; a new one is made, and stored, on touch only. One
    of two patients is shown once, and not stored.
    """

    context: AppContext = ObjectProperty()
    compared: Compared | None = ObjectProperty(None, allownone=True)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(orientation="vertical", spacing=theme.GAP, **kwargs)
        self._studies: tuple[Study, ...] = ()
        self._pair: dict[str, Study | None] = dict.fromkeys(WHICH)
        self._of: float | None = None
        self._confirmed = False
        self._asked = 0
        self._head = BoxLayout(orientation="vertical", size_hint_y=None, spacing=theme.GAP)
        self._head.bind(minimum_height=self._head.setter("height"))
        self._make_choosers()
        self.viewers = LinkedViewers()
        self.scroll = ScrollView(do_scroll_x=False, bar_width=theme.GAP)
        self.findings = BoxLayout(orientation="vertical", size_hint_y=None, spacing=theme.GAP * 2)
        self.findings.bind(minimum_height=self.findings.setter("height"))
        self.scroll.add_widget(self.findings)
        self._body = BoxLayout(spacing=theme.GAP)
        self.add_widget(self._head)
        self.add_widget(self._body)
        self.cards: dict[str, Card] = {}
        self._rewrite = Clock.create_trigger(self._write, -1)
        self.context.fbind("language", self._rewrite)
        self.fbind("size", self._turn)
        self._turn()
        self._write()

    def on_show(self) -> None:
        """Offer the open study's pair; a pair that was chosen stays while the same study is open."""
        self._studies = candidates(self.context.store)
        known = {study.id: study for study in self._studies}
        if self._of != self.context.study_id or None in self._pair.values():
            self._of = self.context.study_id
            pair = default_pair(self._studies, int(self._of) if self._of else None)
            found = pair or (None, known.get(int(self._of)) if self._of else None)
            self._pair = dict(zip(WHICH, found, strict=True))
        else:
            self._pair = {
                name: known.get(study.id) if study else None for name, study in self._pair.items()
            }
        self._chosen()

    def on_hide(self) -> None:
        """Release both volumes; the pair stays, and its comparison comes back from the store."""
        self._asked += 1
        self.compared = None
        self.viewers.close()

    @property
    def told(self) -> str:
        """All words, in order."""
        from mobile_app.result.screen import ordered_widgets

        return "\n".join(
            widget.text for widget in ordered_widgets(self) if getattr(widget, "text", "")
        )

    @property
    def doubt(self) -> PairDoubt | None:
        """What stands against the chosen pair."""
        earlier, later = (self._pair[name] for name in WHICH)
        return None if earlier is None or later is None else doubt(earlier, later)

    # The pair

    def _make_choosers(self) -> None:
        self.choosers = {name: ActionButton(font_size=theme.SMALL) for name in WHICH}
        self.swap = ActionButton(size_hint_x=0.35)
        self.go = ActionButton(kind="primary", size_hint_x=0.6)
        self._row = BoxLayout(size_hint_y=None, height=theme.TARGET * 1.4, spacing=theme.GAP)
        for name, button in self.choosers.items():
            button.bind(on_release=lambda *_, name=name: self._choose(name))
        self.swap.bind(on_release=lambda *_: self._swap())
        self.go.bind(on_release=lambda *_: self._ask())
        for button in (*self.choosers.values(), self.swap, self.go):
            button.fbind("height", self._row_height)
        self.warning = Wrapped(color=theme.CAUTION)

    def _row_height(self, *_ignored: object) -> None:
        self._row.height = max(child.height for child in self._row.children)

    def _choose(self, name: str) -> None:
        other = self._pair["later" if name == "earlier" else "earlier"]
        choice = StudyChoice(
            self.context,
            title=f"compare.choose_{name}",
            studies=[study for study in self._studies if other is None or study.id != other.id],
            patient=other.identity if other else None,
            on_study=lambda study: self._take(name, study),
        )
        self.choice = choice
        choice.open()

    def _take(self, name: str, study: Study) -> None:
        """A study was chosen; time, where it is known, decides which of the two is the earlier one."""
        self._pair[name] = study
        earlier, later = (self._pair[each] for each in WHICH)
        if earlier is not None and later is not None:
            self._pair = dict(zip(WHICH, ordered(earlier, later), strict=True))
        self._chosen()

    def _swap(self) -> None:
        self._pair = dict(zip(WHICH, (self._pair["later"], self._pair["earlier"]), strict=True))
        self._chosen()

    def _chosen(self) -> None:
        """Another pair: what was shown goes; a stored comparison of it comes."""
        self._confirmed = False
        self._asked += 1
        self.compared = None
        self.viewers.close()
        self._write()
        earlier, later = (self._pair[name] for name in WHICH)
        if earlier and later and is_stored(self.context.store, earlier.id, later.id):
            self._confirmed = True
            self._run()

    def _ask(self) -> None:
        """Compare, after a word where the patient is in doubt."""
        found = self.doubt
        if found is None:
            self._run()
            return
        language = self.context.language
        self.question = confirm(
            title=text(language, "compare.doubt_title"),
            message=text(language, f"compare.{found}"),
            yes=text(language, f"compare.anyway.{found}"),
            no=text(language, "compare.back"),
            on_yes=self._agreed,
        )

    def _agreed(self) -> None:
        self._confirmed = True
        self._run()

    def _run(self) -> None:
        context, asked = self.context, self._asked
        earlier, later = (self._pair[name] for name in WHICH)
        if earlier is None or later is None:
            return
        self.go.disabled = True
        known = is_stored(context.store, earlier.id, later.id)

        def done(outcome: Outcome[Compared]) -> None:
            if asked != self._asked:
                return
            if outcome.value is None:
                self._write()
                return
            self.compared = outcome.value
            self.viewers.open(outcome.value)
            self._write()
            if not known:
                context.studies_changed()

        confirmed = self._confirmed

        def work(report: Report[object]) -> Compared:
            # The budget may have to wait for the runtime's libraries: in the worker.
            compare = compare_studies(
                context.store, earlier.id, later.id, confirmed=confirmed, budget=context.budget
            )
            return compare(report)

        context.run(work, on_done=done)

    # What is shown

    def _write(self, *_ignored: object) -> None:
        language = self.context.language
        self.viewers.language = language
        self._write_head(language)
        self.findings.clear_widgets()
        self.cards = {}
        if self.compared is not None:
            self.cards = {
                "growth": cards.growth_card(language, self.compared),
                "definitions": cards.definitions_card(language, self.compared),
                "chart": cards.chart_card(language, self.compared),
                "limits": cards.limits_card(language, self.compared),
            }
        else:
            hint = Card()
            hint.add_widget(Wrapped(text=text(language, f"compare.{self._hint()}")))
            self.cards = {"hint": hint}
        for card in self.cards.values():
            self.findings.add_widget(card)
        self.scroll.scroll_y = 1

    def _hint(self) -> str:
        if len(self._studies) < len(WHICH):
            return "too_few"
        return "no_partner" if None in self._pair.values() else "ready"

    def _write_head(self, language: str) -> None:
        earlier, later = (self._pair[name] for name in WHICH)
        for name, button in self.choosers.items():
            study = self._pair[name]
            words = study_words(self.context, study) if study else text(language, "compare.choose")
            which = text(language, f"compare.{name}")
            button.text = text(language, "compare.chooser", study=which, words=words)
            button.disabled = not self._studies
        both = earlier is not None and later is not None
        known = earlier is not None and later is not None and times_known(earlier, later)
        found = self.doubt
        self.swap.text = text(language, "compare.swap")
        self.go.text = text(language, "compare.go")
        self.go.disabled = not both or found is PairDoubt.SAME_SERIES or self.compared is not None
        told = [text(language, f"compare.{found}")] if found else []
        if both and not known:
            told.append(text(language, "compare.order_unknown"))
        self.warning.text = "\n".join(told)
        self._lay_out_head(swap=both and not known, warning=bool(told))

    def _lay_out_head(self, *, swap: bool, warning: bool) -> None:
        self._row.clear_widgets()
        self._head.clear_widgets()
        buttons = [*self.choosers.values(), *([self.swap] if swap else [])]
        for button in buttons:
            self._row.add_widget(button)
        self._head.add_widget(self._row)
        if self.compared is None:
            if self.width < self.height:
                self._head.add_widget(self.go)
            else:
                self._row.add_widget(self.go)
        if warning:
            self._head.add_widget(self.warning)
        self._row_height()

    def _turn(self, *_ignored: object) -> None:
        """Landscape: pictures left, findings right; portrait: pictures above findings."""
        upright = self.width < self.height
        self._body.clear_widgets()
        self._body.orientation = "vertical" if upright else "horizontal"
        self.viewers.size_hint = (1, 0.85) if upright else (1.6, 1)
        self._body.add_widget(self.viewers)
        self._body.add_widget(self.scroll)
        self._rewrite()
