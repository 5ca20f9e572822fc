"""Studies: the stored studies; search, import, delete. A touch on a row opens it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import (
    ColorProperty,
    DictProperty,
    NumericProperty,
    ObjectProperty,
    StringProperty,
)
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.recycleview import RecycleView
from kivy.uix.recycleview.views import RecycleDataViewBehavior
from kivy.uix.scrollview import ScrollView

from mobile_app import settings, theme
from mobile_app.i18n import text
from mobile_app.studies.import_flow import ImportFlow
from mobile_app.widgets.buttons import Sheet, confirm
from mobile_app.work.study_list import StudyRow as RowWords
from mobile_app.work.study_list import study_rows

SEARCH_SECONDS = 0.25
"""A search begins so long after the last letter."""

INKS = {
    "alarm": theme.ALARM,
    "caution": theme.CAUTION,
    "calm": theme.TEXT,
    "muted": theme.LINE,
}


class StudyRow(RecycleDataViewBehavior, ButtonBehavior, BoxLayout):
    """One study; reports a touch to the screen."""

    study_id = NumericProperty(0)
    patient = StringProperty()
    facts = StringProperty()
    state_words = StringProperty()
    warning = StringProperty()
    advice = StringProperty()
    findings = StringProperty()
    tone = StringProperty("muted")
    ink = ColorProperty(theme.LINE)
    delete_text = StringProperty()
    screen = ObjectProperty(None, allownone=True)

    __events__ = ("on_delete",)

    def on_tone(self, _row: StudyRow, tone: str) -> None:
        """Colour beside the words."""
        self.ink = INKS[tone]

    def on_release(self) -> None:
        """Open it."""
        self.screen.open_study(int(self.study_id))

    def on_delete(self) -> None:
        """Ask whether to delete it."""
        self.screen.ask_to_delete(int(self.study_id))


class StudyTable(RecycleView):
    """The rows; only those in sight are widgets."""


class EmptyList(ScrollView):
    """What to do where there is nothing to show."""

    title = StringProperty()
    steps = StringProperty()
    act_text = StringProperty()

    __events__ = ("on_act",)

    def on_act(self) -> None:
        """Nothing by default."""


Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class Studies(BoxLayout):
    """The list with its tools.

    Args:
        context: the app's.
    """

    context = ObjectProperty()
    words = DictProperty(dict.fromkeys(("search", "import", "names", "count"), ""))

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.rows: tuple[RowWords, ...] = ()
        self.known = False
        """Whether the store has been asked: before that the list is not empty but unknown."""
        self._asked = 0
        self.flow = ImportFlow(self.context)
        self.table = StudyTable()
        self.empty = EmptyList()
        self.empty.bind(on_act=self._act)
        self._later = Clock.create_trigger(lambda _seconds: self.refresh(), SEARCH_SECONDS)
        self.ids.search.bind(text=lambda *_: self._later())
        self.context.bind(
            on_studies_changed=lambda *_: self.refresh(), language=lambda *_: self.refresh()
        )
        self.refresh()

    @property
    def search(self) -> str:
        """What is searched for."""
        return str(self.ids.search.text.strip())

    def on_show(self) -> None:
        """Look again: other screens change results."""
        self.refresh()

    def refresh(self) -> None:
        """Ask the store, beside the interface; an older question's answer is passed over."""
        self._asked += 1
        asked, context = self._asked, self.context
        hides, search = settings.hides_names(context.store), self.search
        language = context.language
        self._translate()

        def done(outcome: Any) -> None:
            if outcome.value is not None and asked == self._asked:
                self._show(outcome.value)

        context.quick.run(
            lambda _report: study_rows(context.store, language, search=search, hides_names=hides),
            on_error=context.show_error,
            on_done=done,
        )

    def open_study(self, study_id: int) -> None:
        """Open a study and go to its slices."""
        if self.context.study_id != study_id or not self.context.running:
            self.context.open_study(study_id)
        self.context.go("reading")

    def import_study(self) -> None:
        """Choose and import a study."""
        self.flow.start()

    def toggle_names(self) -> None:
        """Show or hide names and IDs, here and at the next start."""
        store = self.context.store
        settings.set_hides_names(store, not settings.hides_names(store))
        # Not this list alone: the status line names the open study.
        self.context.studies_changed()

    def ask_to_delete(self, study_id: int) -> Sheet:
        """Delete a study if the user agrees."""
        language = self.context.language
        row = next(row for row in self.rows if row.study_id == study_id)
        return confirm(
            title=text(language, "studies.delete_title"),
            message=text(language, "studies.delete_message", patient=row.patient, facts=row.facts),
            yes=text(language, "studies.delete"),
            no=text(language, "studies.keep"),
            on_yes=lambda: self.delete(study_id),
        )

    def delete(self, study_id: int) -> None:
        """Delete a study; the open one is closed first. Waits for the triage that it cancels."""
        context = self.context
        if context.study_id == study_id:
            context.close_study()

        def done(outcome: Any) -> None:
            context.studies_changed()
            if outcome.error is None:
                context.tell("studies.deleted")

        context.jobs.run(
            lambda _report: context.store.studies.delete(study_id),
            on_error=context.show_error,
            on_done=done,
        )

    def _show(self, rows: tuple[RowWords, ...]) -> None:
        self.rows, self.known = rows, True
        delete = text(self.context.language, "studies.delete")
        self.table.data = [
            {
                **{name: value for name, value in asdict(row).items() if name != "state"},
                "state_words": row.state,
                "delete_text": delete,
                "screen": self,
            }
            for row in rows
        ]
        self._translate()
        shown = self.table if rows else self.empty
        if shown.parent is None:
            self.ids.place.clear_widgets()
            self.ids.place.add_widget(shown)

    def _translate(self) -> None:
        def say(key: str, **named: object) -> str:
            return text(self.context.language, f"studies.{key}", **named)

        hides = settings.hides_names(self.context.store)
        count = say("one") if len(self.rows) == 1 else say("count", count=len(self.rows))
        self.words = {
            "search": say("search"),
            "import": say("import"),
            "names": say("show_names" if hides else "hide_names"),
            "count": count if self.rows else "",
        }
        if self.search:
            self.empty.title = say("nothing", search=self.search)
            self.empty.steps, self.empty.act_text = "", say("show_all")
        else:
            self.empty.title = say("empty_title")
            self.empty.steps = "\n".join(say(f"empty_{step}") for step in (1, 2, 3))
            self.empty.act_text = say("import")

    def _act(self, *_ignored: object) -> None:
        if self.search:
            self.ids.search.text = ""
        else:
            self.import_study()
