"""Result: the recommendation with its reasons and their uncertainty, or that there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kivy.clock import Clock
from kivy.metrics import dp
from kivy.properties import ObjectProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from mobile_app import theme
from mobile_app.i18n import text
from mobile_app.i18n.errors import explained
from mobile_app.result import cards
from mobile_app.result.cards import StatusIcon
from mobile_app.result.findings import Facts, bundle_manifest, gather
from mobile_app.result.markers import markers_card, signs_card
from mobile_app.store import StudyState
from mobile_app.widgets.buttons import ActionButton, Card, Heading, Wrapped
from mobile_app.work.jobs import Outcome
from mobile_app.work.study_list import whose

if TYPE_CHECKING:
    from hemx_core.manifest import ModelManifest
    from hemx_core.result import SliceUpdate
    from mobile_app.context import AppContext
    from mobile_app.store import Study

TWO_COLUMNS = dp(840)
"""From this width the cards stand in two columns."""


class Result(ScrollView):
    """Rebuilt whenever its content changes; values of a running triage are never shown as results.

    Args:
        context: the app's.
        manifest: the present bundle's, for licence and uncertain band.
    """

    context: AppContext = ObjectProperty()

    def __init__(
        self,
        *,
        context: AppContext,
        manifest: Callable[[], ModelManifest | None] = bundle_manifest,
        **kwargs: object,
    ) -> None:
        super().__init__(context=context, do_scroll_x=False, bar_width=theme.GAP, **kwargs)
        self._manifest = manifest
        self._facts: Facts | None = None
        self._asked = 0
        self._seen: dict[int, bool] = {}
        self.cards: dict[str, Widget] = {}
        self._page = BoxLayout(
            orientation="vertical", size_hint_y=None, padding=theme.GAP, spacing=theme.GAP * 2
        )
        self._page.bind(minimum_height=self._page.setter("height"))
        self._columns = BoxLayout(size_hint_y=None, spacing=theme.GAP * 2)
        self._columns.bind(minimum_height=self._columns.setter("height"))
        self.add_widget(self._page)
        # The context changes one property after the other; what is shown goes by all of them, and is made
        # anew before the next frame.
        self._changed = Clock.create_trigger(self._refresh, -1)
        self._rewrite = Clock.create_trigger(self._write, -1)
        for name in ("result", "correction", "study_id", "running", "volume"):
            context.fbind(name, self._changed)
        context.fbind("language", self._rewrite)
        context.bind(on_slice_update=self._slice)
        self.fbind("width", self._turn)
        self._refresh()

    @property
    def told(self) -> str:
        """All words, top to bottom."""
        return "\n".join(
            widget.text for widget in ordered_widgets(self._page) if getattr(widget, "text", "")
        )

    @property
    def facts(self) -> Facts | None:
        """What is shown; None where there is no result yet."""
        return self._facts

    def on_show(self) -> None:
        """Comparisons may have been made meanwhile."""
        self._changed()

    def _refresh(self, *_ignored: object) -> None:
        context = self.context
        self._asked += 1
        asked = self._asked
        if self._facts is not None and self._facts.automatic is not context.result:
            self._facts = None
        if not context.running:
            self._seen = {}
        self._write()
        if None in (context.study_id, context.result, context.volume):
            return
        work = gather(
            context.store,
            study_id=int(context.study_id),
            result=context.result,
            correction=context.correction,
            volume=context.volume,
            manifest=self._manifest,
        )

        def done(outcome: Outcome[Facts]) -> None:
            if asked == self._asked and outcome.value is not None:
                self._facts = outcome.value
                self._write()

        context.quick.run(work, on_error=context.show_error, on_done=done)

    def _slice(self, _context: object, update: SliceUpdate) -> None:
        self._seen[update.index] = bool(update.mask.any())
        if "so_far" in self.cards:
            self.cards["so_far"].text = self._so_far()

    def _so_far(self) -> str:
        if self.context.volume is None:
            return ""
        seen, count = len(self._seen), len(self.context.volume.hu)
        named = {"seen": seen, "count": count, "blood": sum(self._seen.values())}
        return text(self.context.language, "result.so_far", **named)

    def _write(self, *_ignored: object) -> None:
        context, language = self.context, self.context.language
        self._page.clear_widgets()
        self._columns.clear_widgets()
        self.cards = {}
        if self._facts is not None and not context.running:
            self._write_facts(language, self._facts)
        elif context.running:
            self._write_running(language)
        elif context.study_id is None:
            self._write_none(language)
        elif context.result is not None:
            self._page.add_widget(Wrapped(text=text(language, "result.waiting")))
        else:
            self._write_refused(language, context.store.studies.get(int(context.study_id)))

    def _write_facts(self, language: str, facts: Facts) -> None:
        context, study_id = self.context, int(self.context.study_id)
        self.cards = {
            "banner": cards.banner(
                language, facts, study_id, whose(context.store, study_id, language)
            ),
            "volume": cards.volume_card(language, facts, self.context.correction),
            "markers": markers_card(language, facts, self._jump),
            "signs": signs_card(language, facts, self._jump),
            "history": cards.history_card(language, facts, lambda: self.context.go("compare")),
            "notes": cards.notes_card(language, facts.shown),
            "model": cards.model_card(language, facts),
        }
        self._page.add_widget(self.cards["banner"])
        self._sides = []
        for names in (("markers", "signs"), ("volume", "history", "notes", "model")):
            side = BoxLayout(
                orientation="vertical",
                size_hint_y=None,
                spacing=theme.GAP * 2,
                pos_hint={"top": 1},
            )
            side.bind(minimum_height=side.setter("height"))
            for name in names:
                side.add_widget(self.cards[name])
            self._sides.append(side)
        self._turn()
        self._page.add_widget(self._columns)

    def _turn(self, *_ignored: object) -> None:
        """Two columns where there is room; one column begins with the volume."""
        if "banner" not in self.cards:
            return
        wide = self.width >= TWO_COLUMNS
        self._columns.clear_widgets()
        self._columns.orientation = "horizontal" if wide else "vertical"
        volume = self.cards["volume"]
        volume.parent.remove_widget(volume)
        home = self._sides[1] if wide else self._sides[0]
        home.add_widget(volume, index=len(home.children))
        for side in self._sides:
            self._columns.add_widget(side)

    def _write_running(self, language: str) -> None:
        card = Card(fill=cards.FILLS["caution"])
        told = text(language, "result.running")
        card.add_widget(Heading(text=told, color=theme.CAUTION, bold=True))
        self.cards["so_far"] = Wrapped(text=self._so_far(), color=theme.MUTED)
        card.add_widget(self.cards["so_far"])
        self._page.add_widget(card)

    def _write_none(self, language: str) -> None:
        card = Card()
        card.add_widget(Heading(text=text(language, "result.none")))
        card.add_widget(Wrapped(text=text(language, "result.none_hint"), color=theme.MUTED))
        self._button(card, "to_studies", lambda: self.context.go("studies"))
        self._page.add_widget(card)

    def _write_refused(self, language: str, study: Study) -> None:
        """Why there is no result, and what to do."""
        key = {StudyState.REFUSED: "refused", StudyState.FAILED: "failed"}.get(study.state)
        card = Card(fill=cards.FILLS["caution"])
        card.add_widget(StatusIcon(tone="caution"))
        title = text(language, f"result.{key or 'no_result'}")
        card.add_widget(Heading(text=title, bold=True))
        if key is None or study.error is None:
            card.add_widget(Wrapped(text=text(language, "result.no_result_hint")))
        else:
            said = study.error.said
            plain, found, _, remedy = explained(language, study.error.kind, said.code, said.values)
            card.add_widget(Wrapped(text=plain))
            told = f"{text(language, 'app.remedy')}: {remedy}"
            card.add_widget(Wrapped(text=told, color=theme.CAUTION))
            details = f"{text(language, 'app.details')}: {found}"
            card.add_widget(cards.small(details))
        card.add_widget(Wrapped(text=text(language, "result.by_eye"), bold=True))
        self._button(card, "again", self.context.triage_again)
        self._page.add_widget(card)

    def _button(self, card: Card, key: str, act: Callable[[], None]) -> None:
        button = ActionButton(text=text(self.context.language, f"result.{key}"), kind="primary")
        button.bind(on_release=lambda *_: act())
        card.add_widget(button)
        self.cards[key] = button

    def _jump(self, index: int) -> None:
        self.context.slice_asked = index
        self.context.go("reading")


def ordered_widgets(widget: Widget) -> list[Widget]:
    """A widget and all below it, in the order in which they were added."""
    found = [widget]
    for child in reversed(widget.children):
        found += ordered_widgets(child)
    return found
