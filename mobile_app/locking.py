"""When the PIN is asked for, and what is put away meanwhile.

    start, app left, nothing touched for some minutes, "Lock now" -> lock -> the right PIN -> unlock

Nothing that is in progress is lost: jobs go on, and screens and open popups leave the window as they stand
and come back to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.modalview import ModalView
from kivy.uix.widget import Widget

from mobile_app import settings
from mobile_app.pin import PinLock

if TYPE_CHECKING:
    from mobile_app.context import AppContext
    from mobile_app.screens.lock import Lock

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


def seconds_going_on() -> float:
    """Seconds that only go forward, also while the device sleeps where the system counts that."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


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
        from mobile_app.screens.lock import Lock

        return next((one for one in self._frame.children if isinstance(one, Lock)), None)

    def lock(self) -> bool:
        """Ask for the PIN before anything of a patient shows; return whether there is one."""
        from mobile_app.screens.lock import Lock

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
        popups = [one for one in reversed(Window.children) if isinstance(one, ModalView)]
        for widget in (self._content, *popups):
            for one in widget.walk():
                if getattr(one, "focus", False):
                    one.focus = False
        for popup in popups:
            self._away.append((popup, popup.auto_dismiss))
            # "Back" must not close what nobody sees.
            popup.auto_dismiss = False
            Window.remove_widget(popup)

    def _pin_changed(self) -> None:
        self._secure(self._pin.is_set)
