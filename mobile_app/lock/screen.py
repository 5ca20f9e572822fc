"""The lock: when the PIN is asked for, and how patient data is hidden until then.

    start, app left, nothing touched for some minutes, "Lock now" -> lock -> the right PIN -> unlock

Nothing that is in progress is lost: jobs go on, and screens and open popups come back as they were.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING, Any

from kivy.clock import Clock
from kivy.core.window import Window
from kivy.lang import Builder
from kivy.properties import BooleanProperty, DictProperty, ObjectProperty, StringProperty
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.modalview import ModalView
from kivy.uix.widget import Widget

from mobile_app import settings
from mobile_app.errors import PinError
from mobile_app.i18n import text
from mobile_app.lock.pin import PinLock, seconds_going_on
from mobile_app.widgets import buttons  # noqa: F401  (the layout names its widgets)

if TYPE_CHECKING:
    from mobile_app.context import AppContext


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
        """Show how long the next try must wait."""
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


PICKING_SECONDS = 120.0
"""Choosing a study in Android's picker may take so long without a PIN afterwards."""

LOOK_SECONDS = 5.0
"""How often the time without a touch is looked at."""

TOUCHES = (
    "on_touch_down",
    "on_touch_move",
    "on_touch_up",
    "on_key_down",
    "on_textinput",
    "mouse_pos",
)
"""Events of the window that a person makes."""


class Locking:
    """Puts the lock before the app's content, and takes it away.

    Args:
        context: the app's.
        frame: what fills the window; holds either the content or the lock.
        content: what the PIN protects.
        secure: told whether a PIN is set, for what the system shows of the window elsewhere.
        clock: see `seconds_going_on`.
    """

    def __init__(
        self,
        *,
        context: AppContext,
        frame: Widget,
        content: Widget,
        secure: Callable[[bool], None] = lambda _on: None,
        clock: Callable[[], float] = seconds_going_on,
    ) -> None:
        self._context, self._frame, self._content = context, frame, content
        self._secure, self.clock = secure, clock
        self._pin = PinLock(context.store)
        self._away: list[tuple[ModalView, bool]] = []
        self._left_at = self._touched_at = clock()
        context.bind(on_lock=lambda *_: self.lock(), on_pin=lambda *_: self._pin_changed())
        for event in TOUCHES:
            Window.fbind(event, self._touched)
        self._looks = Clock.schedule_interval(lambda _seconds: self.look(), LOOK_SECONDS)
        self._pin_changed()

    def stop(self) -> None:
        """Look at touches no more."""
        self._looks.cancel()
        for event in TOUCHES:
            Window.funbind(event, self._touched)

    @property
    def present(self) -> Lock | None:
        """The lock that is on the screen."""

        return next((child for child in self._frame.children if isinstance(child, Lock)), None)

    def lock(self) -> bool:
        """Ask for the PIN before anything of a patient shows; return whether there is one."""

        if not self._pin.is_set:
            return False
        if self.present is not None:
            return True
        lock = Lock(context=self._context)
        self._put_away()
        self._context.locked = True
        lock.bind(on_unlocked=lambda *_: self._unlock())
        self._frame.clear_widgets()
        self._frame.add_widget(lock)
        return True

    def leave(self) -> None:
        """The app goes to the background: lock at once, but not for Android's own picker."""
        self._left_at = self.clock()
        if not self._context.picking:
            self.lock()

    def come_back(self) -> None:
        """Back from Android's picker the PIN is asked for only after a long time."""
        if self._context.picking and self.clock() - self._left_at > PICKING_SECONDS:
            self.lock()

    def look(self) -> None:
        """Lock where nothing was touched or typed for the time that is set."""
        if self.clock() - self._touched_at >= 60.0 * settings.lock_minutes(self._context.store):
            self._touched_at = self.clock()
            self.lock()

    def _touched(self, *_ignored: object) -> None:
        self._touched_at = self.clock()

    def _unlock(self) -> None:
        self._touched()
        self._frame.clear_widgets()
        self._frame.add_widget(self._content)
        away, self._away = self._away, []
        for popup, dismisses in away:
            popup.auto_dismiss = dismisses
            if popup._is_open:
                Window.add_widget(popup)
        # Last: what waited for this opens above what was open before.
        self._context.locked = False

    def _put_away(self) -> None:
        """Take popups out of the window without closing them, and the keyboard from what is being typed."""
        popups = [child for child in reversed(Window.children) if isinstance(child, ModalView)]
        for widget in (self._content, *popups):
            for child in widget.walk():
                if getattr(child, "focus", False):
                    child.focus = False
        for popup in popups:
            self._away.append((popup, popup.auto_dismiss))
            # "Back" must not close what nobody sees.
            popup.auto_dismiss = False
            Window.remove_widget(popup)

    def _pin_changed(self) -> None:
        self._secure(self._pin.is_set)
