"""The PIN: set, change, remove. Its hash is computed beside the interface."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

from mobile_app import settings, theme
from mobile_app.pin import PinLock
from mobile_app.widgets.choices import Choices
from mobile_app.widgets.setting_cards import SettingCard


class PinCard(SettingCard):
    """Fields are emptied after every try: no PIN stays on the screen."""

    title = "pin"

    def build(self) -> None:
        """State, three fields, three buttons, and when it locks by itself."""
        self.pin = PinLock(self.context.store)
        self.state = self.line()
        self.old, self.new, self.again = (self.field(password=True) for _ in range(3))
        self.set_button = self.action(self.set, kind="primary")
        self.clear_button = self.action(self.clear)
        self.lock_button = self.action(lambda: self.context.dispatch("on_lock"))
        self.after = self.line()
        self.minutes = Choices({str(one): "" for one in settings.MINUTES})
        self.minutes.bind(on_chosen=self._chosen)
        self.add_widget(self.minutes)
        self.told = self.line(color=theme.CAUTION)
        self.forgotten = self.hint()

    def show(self) -> None:
        """Words, and only the fields that are of use."""
        super().show()
        is_set = self.pin.is_set
        self.state.text = self.say("pin_on" if is_set else "pin_off")
        self.old.hint_text = self.say("pin_old")
        self.new.hint_text, self.again.hint_text = self.say("pin_new"), self.say("pin_again")
        self.set_button.text = self.say("pin_change" if is_set else "pin_set")
        self.clear_button.text, self.lock_button.text = self.say("pin_clear"), self.say("lock_now")
        self.after.text = self.say("lock_after")
        self.minutes.label({str(one): self.say("minutes", count=one) for one in settings.MINUTES})
        self.minutes.current = str(settings.lock_minutes(self.context.store))
        self.forgotten.text = self.say("pin_forgotten")
        self.told.text = ""
        self._offer(is_set)

    def _offer(self, is_set: bool) -> None:
        """Without a PIN there is none to type, to remove or to lock with."""
        wanted = [self.new, self.again, self.set_button]
        if is_set:
            wanted = [self.old, *wanted, self.clear_button, self.lock_button]
        after = [self.after, self.minutes] if is_set else []
        wanted = [self.heading, self.state, *wanted, self.told, *after, self.forgotten]
        if self.children[::-1] != wanted:
            self.clear_widgets()
            for widget in wanted:
                self.add_widget(widget)
        self.set_button.disabled = self.clear_button.disabled = False

    def set(self) -> None:
        """Set or change it."""
        old, new = self.old.text, self.new.text
        if new != self.again.text:
            self._tell(self.say("pin_differs"))
            return
        self._run(lambda: self.pin.set(new, old=old), "pin_is_set")

    def clear(self) -> None:
        """Ask for none any more."""
        old = self.old.text
        self._run(lambda: self.pin.clear(old), "pin_is_cleared")

    def _run(self, act: Callable[[], None], done_key: str) -> None:
        for button in (self.set_button, self.clear_button):
            button.disabled = True

        def done(outcome: Any) -> None:
            for field in (self.old, self.new, self.again):
                field.text = ""
            self.show()
            if outcome.error is None:
                self.context.dispatch("on_pin")
                self._tell(self.say(done_key), theme.ACCENT)
            elif wait := ceil(self.pin.wait_seconds()):
                self._tell(self.say("pin_too_early", seconds=wait))
            else:
                self._tell(self.say("pin_refused"))

        self.context.quick.run(lambda _report: act(), on_done=done)

    def _chosen(self, _choices: Choices, minutes: str) -> None:
        settings.set_lock_minutes(self.context.store, int(minutes))

    def _tell(self, told: str, ink: Any = theme.CAUTION) -> None:
        self.told.color, self.told.text = ink, told
