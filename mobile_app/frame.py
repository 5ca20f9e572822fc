"""The frame of every screen: navigation, status line, notice that this is no medical device, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kivy.core.window import Window
from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.togglebutton import ToggleButton
from kivy.uix.widget import Widget

from hemx_core.errors import HemxError
from mobile_app import theme
from mobile_app.i18n import STRINGS, text
from mobile_app.i18n.errors import explained
from mobile_app.widgets import buttons  # noqa: F401  (the layout names its widgets)
from mobile_app.widgets.buttons import ActionButton, Heading, Sheet, Wrapped
from mobile_app.work.study_list import whose

if TYPE_CHECKING:
    from mobile_app.context import AppContext


class Navigation(BoxLayout):
    """One button a screen; `on_chosen(name)` reports the touch.

    Args:
        names: of the screens, in order.
    """

    language = StringProperty("en")
    current = StringProperty("")
    upright = BooleanProperty(False)
    """Portrait: the buttons stand side by side."""

    __events__ = ("on_chosen",)

    def __init__(self, names: tuple[str, ...], **kwargs: object) -> None:
        super().__init__(spacing=theme.GAP / 3, **kwargs)
        self.buttons: dict[str, ToggleButton] = {}
        for name in names:
            button = ToggleButton(group=f"screens{id(self)}", allow_no_selection=False)
            button.size_hint_y = 1
            button.fbind("on_release", lambda _button, name=name: self.dispatch("on_chosen", name))
            self.buttons[name] = button
            self.add_widget(button)
        for name in ("language", "current", "upright"):
            self.fbind(name, self._show)
        self._show()

    def on_chosen(self, _name: str) -> None:
        """Nothing by default."""

    def _show(self, *_ignored: object) -> None:
        self.orientation = "horizontal" if self.upright else "vertical"
        if self.upright:
            self.size_hint, self.height = [1, None], theme.TARGET * 1.15
        else:
            self.size_hint, self.width = [None, 1], theme.TARGET * 2
        for name, button in self.buttons.items():
            button.text = text(self.language, f"app.{name}")
            button.state = "down" if name == self.current else "normal"
            button.bold = name == self.current


Builder.load_string(
    """
#:import theme mobile_app.theme

<StatusLine>:
    size_hint_y: None
    height: theme.TARGET
    padding: theme.GAP, 0
    spacing: theme.GAP
    BoxLayout:
        orientation: "vertical"
        Label:
            id: told
            text: root.told
            text_size: self.width, self.height
            halign: "left"
            valign: "middle"
            shorten: True
            shorten_from: "right"
            max_lines: 2
        Widget:
            size_hint_y: None
            height: theme.GAP
            canvas:
                Color:
                    rgba: theme.LINE if root.busy else (0, 0, 0, 0)
                Rectangle:
                    pos: self.pos
                    size: self.size
                Color:
                    rgba: theme.ACCENT if root.busy else (0, 0, 0, 0)
                Rectangle:
                    pos: self.pos
                    size: self.width * root.share, self.height
    ActionButton:
        id: cancel
        text: root.cancel_text
        size_hint_x: None
        width: theme.TARGET * 2.2 if root.busy else 0
        opacity: 1 if root.busy else 0
        disabled: not root.busy
        on_release: root.dispatch("on_cancel")
"""
)


class StatusLine(BoxLayout):
    """One line, always there, so that nothing below it moves."""

    told = StringProperty()
    busy = BooleanProperty(False)
    share = NumericProperty(0.0)
    """Part done, 0 to 1."""
    cancel_text = StringProperty()

    __events__ = ("on_cancel",)

    def on_cancel(self) -> None:
        """Nothing by default."""


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
        """With no other message the line names the open study; names may have been hidden meanwhile."""
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


def trouble_widgets(
    language: str, error: HemxError, *, title: str = "app.trouble"
) -> tuple[Widget, ...]:
    """Heading, plain words, what to do, and what exactly was found."""
    kind = type(error).__name__
    plain, found, expected, remedy = explained(language, kind, error.code, error.values)
    detail = " ".join(
        f"{text(language, key)}: {told}"
        for key, told in (("app.found", found), ("app.expected", expected))
        if told
    )
    return (
        Heading(text=text(language, title)),
        Wrapped(text=plain),
        Wrapped(text=f"{text(language, 'app.remedy')}: {remedy}", color=theme.CAUTION),
        Wrapped(
            text=f"{text(language, 'app.details')}: {detail}",
            font_size=theme.SMALL,
            color=theme.MUTED,
        ),
    )


class Trouble(Sheet):
    """A popup that stays until it is closed."""

    def __init__(self, language: str, error: HemxError, **kwargs: object) -> None:
        super().__init__(auto_dismiss=False, **kwargs)
        self.error = error
        for widget in trouble_widgets(language, error):
            self.body.add_widget(widget)
        self.close_button = ActionButton(text=text(language, "app.close"), kind="primary")
        self.close_button.bind(on_release=lambda *_: self.dismiss())
        self.body.add_widget(self.close_button)
