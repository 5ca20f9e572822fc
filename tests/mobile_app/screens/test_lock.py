from __future__ import annotations

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from hemx_core.errors import HemxError
from mobile_app.pin import PinLock
from mobile_app.screens.lock import Lock
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

    def test_a_pause_locks_and_closes_popups(self) -> None:
        lock = self.locked()
        self.enter(lock, PIN)
        self.settle()
        studies = self.app.screens["studies"]
        studies.ask_to_delete(studies.rows[0].study_id)
        assert popups()
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

    def test_androids_picker_is_no_pause_unless_it_takes_long(self) -> None:
        lock = self.locked()
        self.enter(lock, PIN)
        self.app.context.picking = True
        self.app.on_pause()
        self.app.on_resume()
        assert self.app.content.parent is not None
        self.app._left_at -= 1000
        self.app.on_resume()
        assert isinstance(self.app.frame.children[0], Lock)

    def test_without_a_pin_there_is_no_lock(self) -> None:
        app = self.start()
        app.on_pause()
        assert app.frame.children == [app.content]
