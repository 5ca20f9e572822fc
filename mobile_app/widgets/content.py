"""What surrounds every screen: navigation, status line, and the words that this is no medical device."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kivy.core.window import Window
from kivy.lang import Builder
from kivy.properties import ObjectProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile_app.i18n import STRINGS, text
from mobile_app.study_list import whose
from mobile_app.widgets.buttons import Wrapped
from mobile_app.widgets.navigation import Navigation
from mobile_app.widgets.status import StatusLine

if TYPE_CHECKING:
    from mobile_app.context import AppContext

Builder.load_string(
    """
#:import theme mobile_app.theme

<Disclaimer>:
    color: theme.CAUTION
    font_size: theme.SMALL
    halign: "center"

<Content>:
    padding: theme.GAP
    spacing: theme.GAP
"""
)


class Disclaimer(Wrapped):
    """Always there."""


class Content(BoxLayout):
    """Navigation and one screen: a bar below in portrait, a rail at the left in landscape.

    Args:
        context: the app's.
        names: of the screens, in order.
        on_chosen: told which one was touched.
    """

    context = ObjectProperty()

    def __init__(
        self, *, names: tuple[str, ...], on_chosen: Callable[[str], None], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._said: tuple[str, dict[str, Any]] = ("", {})
        self.navigation = Navigation(names)
        self.navigation.bind(on_chosen=lambda _bar, name: on_chosen(name))
        self.status, self.place, self.disclaimer = StatusLine(), BoxLayout(), Disclaimer()
        self.status.bind(on_cancel=lambda *_: self.context.cancel())
        self.middle = BoxLayout(orientation="vertical", spacing=self.spacing)
        for widget in (self.status, self.place, self.disclaimer):
            self.middle.add_widget(widget)
        Window.bind(size=self._turn)
        self.context.bind(
            on_tell=lambda _context, key, named: self.tell(key, **named),
            on_progress=self._progress,
            busy=self._busy,
            language=self._translate,
            study_id=self._opened,
            on_studies_changed=self._opened,
        )
        self._turn()
        self._translate()

    def show(self, name: str, screen: Widget) -> None:
        """Put a screen into the middle."""
        self.navigation.current = name
        self.place.clear_widgets()
        self.place.add_widget(screen)

    def tell(self, key: str, **named: object) -> None:
        """Put a line of i18n into the status line; an empty key leaves it to the open study."""
        self._said = (key, named)
        self.status.told = self._words()

    def _opened(self, *_ignored: object) -> None:
        """Where nothing else is told, the line tells the open study; names may be hidden meanwhile."""
        if not self._said[0]:
            self.status.told = self._words()

    def _turn(self, *_ignored: object) -> None:
        upright = Window.height > Window.width
        self.clear_widgets()
        self.orientation = "vertical" if upright else "horizontal"
        self.navigation.upright = upright
        order = (self.middle, self.navigation) if upright else (self.navigation, self.middle)
        for widget in order:
            self.add_widget(widget)

    def _busy(self, _context: AppContext, busy: bool) -> None:
        self.status.busy, self.status.share = busy, 0.0
        if not busy and self._said[0] in ("app.progress", "app.begun"):
            self.tell("")

    def _progress(self, _context: AppContext, stage: str, done: int, total: int) -> None:
        self.status.share = done / total if total else 0.0
        key = "app.progress" if total > 1 else "app.begun"
        self.tell(key, stage=stage, done=done, total=total)

    def _translate(self, *_ignored: object) -> None:
        language = self.context.language
        self.navigation.language = language
        self.disclaimer.text = text(language, "app.not_a_device")
        self.status.cancel_text = text(language, "app.cancel")
        self.status.told = self._words()

    def _words(self) -> str:
        key, named = self._said
        if not key:
            context = self.context
            known = whose(context.store, context.study_id, context.language)
            return known or text(context.language, "app.no_study")
        if "stage" in named:
            stage = f"app.stage.{named['stage']}"
            stage = stage if stage in STRINGS else "app.stage.other"
            named = {**named, "stage": text(self.context.language, stage)}
        return text(self.context.language, key, **named)
