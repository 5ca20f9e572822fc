"""Drives the real app in a test: a store of its own, fake models, touches where a finger would touch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kivy.base import EventLoop
from kivy.core.window import Window
from kivy.tests.common import GraphicUnitTest, UnitTestTouch
from kivy.uix.modalview import ModalView
from kivy.uix.recycleview import RecycleView
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from mobile_app.app import HemxApp
from mobile_app.work.device_models import DeviceModels
from tests.factories import ThresholdModels

LANDSCAPE, PORTRAIT = (1280, 800), (800, 1280)


class FakeDeviceModels(DeviceModels):
    """Models without a network; `close` and `get` are counted."""

    def __init__(self, store: Any, models: Any = None) -> None:
        super().__init__(store)
        self.fake = models or ThresholdModels()
        self.loaded = self.closed = 0

    def get(self) -> Any:
        """The models."""
        self.loaded += 1
        return self.fake

    def close(self) -> None:
        """Count it."""
        self.closed += 1

    def unloaded_manifest(self) -> None:
        """None: fake models take no memory."""


class AppTest(GraphicUnitTest):
    """A test with the app; `start` builds it, the end stops it."""

    framecount = 0

    def setUp(self) -> None:
        """A folder for the store."""
        super().setUp()
        self.temporary = TemporaryDirectory(prefix="hemx-test-")
        self.folder = Path(self.temporary.name)
        self.app: HemxApp | None = None

    def tearDown(self, fake: bool = False) -> None:
        """Stop the app and delete the folder."""
        for popup in popups():
            popup.dismiss(force=True)
        if self.app is not None:
            self.app.on_stop()
        Window.size = (320, 240)
        self.temporary.cleanup()
        super().tearDown(fake)

    def start(
        self, size: tuple[int, int] = LANDSCAPE, *, language: str = "en", **kwargs: Any
    ) -> HemxApp:
        """Build and show the app; begin as `App.run` does."""
        Window.size = size
        kwargs.setdefault("device_models", FakeDeviceModels)
        self.app = app = HemxApp(folder=self.folder / "store", **kwargs)
        app.root = app.build()
        if app.context is not None:
            app.context.language = language
        self.render(app.root, framecount=2)
        app.on_start()
        self.idle()
        return app

    def idle(self, frames: int = 3) -> None:
        """Let some frames pass."""
        for _ in range(frames):
            EventLoop.idle()

    def wait(self, until: Callable[[], object], seconds: float = 120.0) -> Any:
        """Let frames pass until something is true; return it."""
        ends_at = time.monotonic() + seconds
        while not (found := until()):
            assert time.monotonic() < ends_at, "it did not happen"
            EventLoop.idle()
        return found

    def tap(self, widget: Widget) -> None:
        """Touch the middle of a widget that can be seen, if need be after scrolling to it."""
        self.idle()
        if reveal(widget):
            self.idle()
        x, y = widget.to_window(*widget.center)
        assert 0 <= x <= Window.width, "out of sight"
        assert 0 <= y <= Window.height, "out of sight"
        touch = UnitTestTouch(x, y)
        touch.touch_down()
        EventLoop.idle()
        touch.touch_up()
        # A scroll view holds a touch back until it knows that it does not scroll.
        self.idle(8)

    def settle(self) -> None:
        """Wait for every job."""
        context = self.app.context
        self.wait(lambda: not (context.jobs.busy or context.quick.busy))
        self.idle(4)


def reveal(widget: Widget) -> bool:
    """Scroll a widget into view; return whether that took a scroll view."""
    found, parent = False, widget.parent
    while parent is not None and parent is not Window:
        scrolls = isinstance(parent, ScrollView) and not isinstance(parent, RecycleView)
        if scrolls and parent.children[0].height > parent.height:
            parent.scroll_to(widget, animate=False)
            found = True
        parent = parent.parent
    return found


def popups() -> list[ModalView]:
    """Popups on the screen."""
    return [one for one in Window.children if isinstance(one, ModalView)]


def below(widget: Widget, kind: type[Widget]) -> Iterator[Any]:
    """All widgets of a class below one."""
    return (one for one in widget.walk() if isinstance(one, kind))


def texts(widget: Widget) -> str:
    """Every word below a widget."""
    return "\n".join(str(one.text) for one in widget.walk() if getattr(one, "text", ""))
