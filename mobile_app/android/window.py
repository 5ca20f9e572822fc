"""Android's window: what the system may show of it outside the app.

FLAG_SECURE keeps the app out of screenshots, recordings, mirrored screens and the pictures of recent apps.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

FLAG_SECURE = 0x2000
"""android.view.WindowManager.LayoutParams.FLAG_SECURE, a constant of Android's interface."""


class AndroidWindow:
    """The window of the app's activity.

    Args:
        activity: the app's PythonActivity instance.
        on_ui_thread: runs a function on Android's own thread: only that one may touch a window.
    """

    def __init__(
        self, activity: Any, *, on_ui_thread: Callable[[Callable[[], None]], object]
    ) -> None:
        self._activity, self._on_ui_thread = activity, on_ui_thread

    def secure(self, on: bool) -> None:
        """Set or clear FLAG_SECURE, soon."""

        def act() -> None:
            window = self._activity.getWindow()
            if on:
                window.addFlags(FLAG_SECURE)
            else:
                window.clearFlags(FLAG_SECURE)

        self._on_ui_thread(act)


def device_window() -> AndroidWindow:
    """The device's window; make it on the main thread, where Android finds all classes."""
    # By name: python-for-android's modules are not there on the desktop.
    jnius, runnable = (import_module(name) for name in ("jnius", "android.runnable"))
    activity = jnius.autoclass("org.kivy.android.PythonActivity").mActivity
    return AndroidWindow(activity, on_ui_thread=lambda act: runnable.Runnable(act)())
