"""The lock: nothing of a patient shows before the PIN."""

from __future__ import annotations

from math import ceil
from typing import Any

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import BooleanProperty, DictProperty, ObjectProperty, StringProperty
from kivy.uix.anchorlayout import AnchorLayout

from mobile_app.errors import PinError
from mobile_app.i18n import text
from mobile_app.pin import PinLock
from mobile_app.widgets import buttons  # noqa: F401  (the layout names its widgets)

Builder.load_string(
    """
#:import theme mobile_app.theme

<Lock>:
    anchor_y: "top"
    padding: theme.GAP * 2, theme.TARGET, theme.GAP * 2, theme.GAP
    Card:
        size_hint_x: None
        width: min(theme.TARGET * 9, root.width - theme.GAP * 4)
        padding: theme.GAP * 4
        spacing: theme.GAP * 3
        Heading:
            text: root.words["title"]
            halign: "center"
        TextInput:
            id: pin
            password: True
            hint_text: root.words["hint"]
            disabled: root.checking
            on_text_validate: root.unlock()
        Wrapped:
            text: root.told
            color: theme.CAUTION
            halign: "center"
        ActionButton:
            id: unlock
            kind: "primary"
            text: root.words["unlock"]
            disabled: root.checking or root.waits
            on_release: root.unlock()
        Wrapped:
            text: root.words["running"]
            color: theme.MUTED
            font_size: theme.SMALL
            halign: "center"
"""
)


class Lock(AnchorLayout):
    """Asks for the PIN; `on_unlocked` once it was right. The hash is computed beside the interface.

    Args:
        context: the app's.
    """

    context = ObjectProperty()
    told = StringProperty()
    checking = BooleanProperty(False)
    waits = BooleanProperty(False)
    words = DictProperty(dict.fromkeys(("title", "hint", "unlock", "running"), ""))

    __events__ = ("on_unlocked",)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.pin = PinLock(self.context.store)
        self._ticks = Clock.schedule_interval(lambda _seconds: self._wait(), 1)
        self.context.bind(language=self._translate, running=self._translate)
        self._translate()
        self._wait()

    def on_parent(self, _lock: Lock, parent: object) -> None:
        """Stop counting once it is gone."""
        if parent is None:
            self._ticks.cancel()

    def unlock(self) -> None:
        """Check what was typed."""
        typed = self.ids.pin.text
        if self.checking or self.waits or not typed:
            return
        self.checking, self.told = True, self._say("checking")
        self.context.quick.run(
            lambda _report: self.pin.check(typed),
            on_error=self._refused,
            on_done=self._checked,
        )

    def on_unlocked(self) -> None:
        """Nothing by default."""

    def _refused(self, error: Exception) -> None:
        self.told = self._say("wrong")
        if not isinstance(error, PinError):
            self.context.show_error(error)

    def _checked(self, outcome: Any) -> None:
        self.checking, self.ids.pin.text = False, ""
        if outcome.error is None:
            self.told = ""
            self.dispatch("on_unlocked")
        else:
            self._wait()

    def _wait(self) -> None:
        """Say how long the next try must wait."""
        seconds = ceil(self.pin.wait_seconds())
        if seconds > 0:
            self.told = self._say("wait", seconds=seconds)
        elif self.waits:
            self.told = ""
        self.waits = seconds > 0

    def _translate(self, *_ignored: object) -> None:
        self.words = {
            **{name: self._say(name) for name in ("title", "hint", "unlock")},
            "running": self._say("running") if self.context.running else "",
        }

    def _say(self, key: str, **named: object) -> str:
        return text(self.context.language, f"lock.{key}", **named)
