"""The calls into Java that keep the app out of screenshots, against an activity that answers as Android's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest

from mobile_app.android.window import FLAG_SECURE, AndroidWindow, device_window


class FakeActivity:
    """android.app.Activity with its window's flags; refuses other threads than its own, as Android does."""

    def __init__(self) -> None:
        self.flags = 0x80
        self.on_its_thread = False
        self.waiting: list[Callable[[], None]] = []

    def getWindow(self) -> FakeActivity:
        assert self.on_its_thread, "CalledFromWrongThreadException"
        return self

    def addFlags(self, flags: int) -> None:
        self.flags |= flags

    def clearFlags(self, flags: int) -> None:
        self.flags &= ~flags

    def turn(self) -> None:
        """Android's thread does what waits for it."""
        self.on_its_thread = True
        while self.waiting:
            self.waiting.pop(0)()
        self.on_its_thread = False


def test_the_flag_comes_and_goes_on_androids_thread() -> None:
    activity = FakeActivity()
    window = AndroidWindow(activity, on_ui_thread=activity.waiting.append)
    window.secure(True)
    assert activity.flags == 0x80, "not from the app's own thread"
    activity.turn()
    assert activity.flags == 0x80 | FLAG_SECURE
    window.secure(False)
    activity.turn()
    assert activity.flags == 0x80, "other flags stay"


def test_the_device_s_window_is_the_activity_s(monkeypatch: pytest.MonkeyPatch) -> None:
    activity = FakeActivity()

    class Runnable:
        """python-for-android's: called, it posts to the activity's thread."""

        def __init__(self, act: Callable[[], None]) -> None:
            self.act = act

        def __call__(self) -> None:
            activity.waiting.append(self.act)

    def autoclass(name: str) -> SimpleNamespace:
        assert name == "org.kivy.android.PythonActivity"
        return SimpleNamespace(mActivity=activity)

    jnius, android, runnable = (ModuleType(one) for one in ("jnius", "android", "android.runnable"))
    jnius.autoclass, runnable.Runnable = autoclass, Runnable
    for module in (jnius, android, runnable):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    device_window().secure(True)
    activity.turn()
    assert activity.flags & FLAG_SECURE
