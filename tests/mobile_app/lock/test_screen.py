from __future__ import annotations

import os
import threading
from unittest.mock import Mock, patch

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.core.window import Window

from hemx_core.errors import HemxError
from mobile_app import settings
from mobile_app.app import _secure
from mobile_app.lock.pin import PinLock
from mobile_app.lock.screen import Lock, seconds_going_on
from mobile_app.store import Store
from tests.mobile_app.driving import PORTRAIT, AppTest, popups, texts
from tests.mobile_app.filled import fill

PIN = "491827"


class TestLock(AppTest):
    def locked(self, **kwargs: object) -> Lock:
        with Store(self.folder / "store") as store:
            fill(store)
            PinLock(store).set(PIN)
        app = self.start(**kwargs)
        return app.frame.children[0]

    def enter(self, lock: Lock, pin: str) -> None:
        lock.ids.pin.text = pin
        self.tap(lock.ids.unlock)
        self.settle()

    def test_nothing_of_a_patient_shows_before_the_right_pin(self) -> None:
        lock = self.locked(size=PORTRAIT, language="ja")
        assert isinstance(lock, Lock)
        assert "ロック" in texts(self.app.root)
        assert "山田" not in texts(self.app.root)
        self.enter(lock, "000000")
        assert lock.told == "PINが違います。"
        assert lock.ids.pin.text == ""
        assert self.app.content.parent is None
        self.enter(lock, PIN)
        assert self.app.frame.children == [self.app.content]
        assert not self.app.context.locked

    def test_after_three_wrong_ones_it_waits(self) -> None:
        lock = self.locked()
        for _ in range(3):
            self.enter(lock, "000000")
        assert "Try again in" in lock.told
        assert lock.ids.unlock.disabled

    def test_a_pause_locks_and_puts_popups_away(self) -> None:
        lock = self.locked()
        self.enter(lock, PIN)
        self.settle()
        studies = self.app.screens["studies"]
        asked = studies.ask_to_delete(studies.rows[0].study_id)
        assert popups() == [asked]
        assert self.app.on_pause()
        self.idle()
        assert popups() == []
        assert isinstance(self.app.frame.children[0], Lock)
        # What goes wrong meanwhile waits for the PIN too: it may name a file.
        self.app.context.show_error(HemxError("Yamada.dcm is damaged"))
        self.idle()
        assert popups() == []
        self.enter(self.app.frame.children[0], PIN)
        self.idle()
        assert "Yamada.dcm" in texts(popups()[0])
        assert popups()[1:] == [asked], "as it stood before"
        popups()[0].dismiss()
        self.tap(asked.no)
        assert popups() == []

    def opened(self) -> None:
        self.enter(self.locked(), PIN)
        self.settle()
        self.now = 0.0
        self.app.locking.clock = lambda: self.now
        self.touch_something()

    def touch_something(self) -> None:
        self.tap(self.app.content.disclaimer)

    def passes(self, minutes: float) -> bool:
        """Let time pass without a touch; return whether it is locked."""
        self.now += 60 * minutes
        self.app.locking.look()
        self.idle()
        return self.app.locking.present is not None

    def test_five_minutes_without_a_touch_lock(self) -> None:
        self.opened()
        assert not self.passes(4.9)
        assert self.passes(0.2)
        assert self.app.content.parent is None
        assert "Yamada" not in texts(self.app.root)
        self.enter(self.app.locking.present, PIN)
        assert not self.passes(4.9), "the time begins again"

    def test_every_touch_and_key_begins_the_time_again(self) -> None:
        self.opened()
        acts = (
            self.touch_something,
            lambda: Window.dispatch("on_key_down", 97, 4, "a", []),
            lambda: Window.dispatch("on_textinput", "山"),
            lambda: setattr(Window, "mouse_pos", (self.now % 300, 5)),
        )
        for act in acts:
            assert not self.passes(4.9)
            act()
        assert not self.passes(4.9)
        assert self.passes(0.2)

    def test_the_time_is_set_in_the_settings(self) -> None:
        self.opened()
        self.tap(self.app.navigation.buttons["settings"])
        card = self.app.screens["settings"].cards["PinCard"]
        assert card.minutes.current == "5"
        self.tap(card.minutes.buttons["1"])
        assert settings.lock_minutes(self.app.context.store) == 1
        assert not self.passes(0.9)
        assert self.passes(0.2)

    def test_without_a_pin_nothing_locks_by_itself(self) -> None:
        app = self.start()
        self.now = 0.0
        app.locking.clock = lambda: self.now
        self.tap(app.navigation.buttons["settings"])
        card = app.screens["settings"].cards["PinCard"]
        assert not self.passes(600)
        assert card.minutes.parent is None, "no time is offered where there is no PIN"

    def test_what_is_typed_behind_the_lock_goes_nowhere(self) -> None:
        self.opened()
        search = self.app.screens["studies"].ids.search
        search.focus, search.text = True, "tan"
        assert self.passes(6)
        assert not search.focus
        self.enter(self.app.locking.present, PIN)
        assert search.text == "tan"

    def test_back_closes_no_popup_behind_the_lock(self) -> None:
        self.opened()
        studies = self.app.screens["studies"]
        asked = studies.ask_to_delete(studies.rows[0].study_id)
        assert self.passes(6)
        Window.dispatch("on_keyboard", 27, 1, None, [])
        self.enter(self.app.locking.present, PIN)
        assert popups() == [asked]
        Window.dispatch("on_keyboard", 27, 1, None, [])
        assert popups() == []

    def test_a_running_triage_goes_on(self) -> None:
        self.opened()
        go_on, told = threading.Event(), []
        self.app.context.run(
            lambda report: (go_on.wait(20), report.progress("segment", 1, 1))[0],
            on_done=lambda outcome: told.append(outcome.value),
        )
        assert self.passes(6)
        go_on.set()
        self.settle()
        assert told == [True]
        assert self.app.locking.present is not None

    def test_on_android_a_pin_keeps_the_app_out_of_screenshots(self) -> None:
        told: list[bool] = []
        with patch("mobile_app.app._secure", told.append):
            self.start()
            assert told == [False]
            self.tap(self.app.navigation.buttons["settings"])
            card = self.app.screens["settings"].cards["PinCard"]
            card.new.text = card.again.text = PIN
            card.set()
            self.settle()
            assert told == [False, True]
            card.old.text = PIN
            card.clear()
            self.settle()
            assert told == [False, True, False]

    def test_only_android_is_asked_for_it(self) -> None:
        window = Mock()
        with patch("mobile_app.android.window.device_window", window):
            _secure(True)
            assert not window.called
            with patch.dict(os.environ, {"ANDROID_ARGUMENT": "/app"}):
                _secure(True)
        window.return_value.secure.assert_called_once_with(True)

    def test_androids_picker_is_no_pause_unless_it_takes_long(self) -> None:
        lock = self.locked()
        self.enter(lock, PIN)
        self.app.context.picking = True
        self.app.on_pause()
        self.app.on_resume()
        assert self.app.content.parent is not None
        self.app.locking.clock = lambda: seconds_going_on() + 1000
        self.app.on_resume()
        assert isinstance(self.app.frame.children[0], Lock)

    def test_without_a_pin_there_is_no_lock(self) -> None:
        app = self.start()
        app.on_pause()
        assert app.frame.children == [app.content]
