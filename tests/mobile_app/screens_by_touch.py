"""What the tests of stored results' screens share: a context on a store, fingers, sizes and words."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.core.window import Window
from kivy.tests.common import GraphicUnitTest, UnitTestTouch
from kivy.uix.widget import Widget

from mobile_app import theme
from mobile_app.context import AppContext
from mobile_app.store import Store
from mobile_app.work.jobs import Jobs
from mobile_app.work.memory_guard import MemoryBudget
from tests.mobile_app.driving import LANDSCAPE, PORTRAIT, reveal

__all__ = ["LANDSCAPE", "PORTRAIT", "ScreenTest", "below", "cut_off", "small_targets"]


class ScreenTest(GraphicUnitTest):
    """A screen on a store with studies; `fill` is called once for the class and may be slow."""

    framecount = 0
    folder: Path
    store: Store

    @staticmethod
    def fill(store: Store, folder: Path) -> None:
        """Put studies into the store."""
        raise NotImplementedError

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        theme.register_font()
        cls._folder = tempfile.TemporaryDirectory()
        cls.folder = Path(cls._folder.name)
        cls.store = Store(cls.folder / "store")
        cls.fill(cls.store, cls.folder)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.store.close()
        cls._folder.cleanup()
        super().tearDownClass()

    def setUp(self) -> None:
        super().setUp()
        self.jobs = Jobs(lambda call: Clock.schedule_once(call, 0))
        self.context = AppContext(
            store=self.store,
            jobs=self.jobs,
            budget=MemoryBudget(base_bytes=2**40),
        )
        self.context.language = "en"
        self.gone: list[str] = []
        self.errors: list[Exception] = []
        self.context.bind(
            on_go=lambda _context, name: self.gone.append(name),
            on_trouble=lambda _context, error: self.errors.append(error),
        )

    def tearDown(self, *args: object, **kwargs: object) -> None:
        self.jobs.shutdown()
        for child in list(Window.children):
            Window.remove_widget(child)
        Window.size = LANDSCAPE
        super().tearDown(*args, **kwargs)

    def show(self, screen: Widget, size: tuple[int, int] = LANDSCAPE) -> None:
        """Put a screen into a window of a size."""
        Window.size = size
        self.render(screen)
        if hasattr(screen, "on_show"):
            screen.on_show()
        self.settle()

    def settle(self, frames: int = 4) -> None:
        """Wait for the jobs, then for the layout."""
        for _ in range(2):  # what a job brings may start another one with the next frame
            self.advance_frames(2)
            self.wait(lambda: not self.jobs.busy)
        self.advance_frames(frames)

    def wait(self, holds: Callable[[], Any], frames: int = 3000) -> None:
        """Draw frames until something holds."""
        for _ in range(frames):
            if holds():
                return
            self.advance_frames(1)
        raise AssertionError("it did not come true")

    def open(self, study_id: int) -> None:
        """Open a study that has a result."""
        self.context.open_study(study_id)
        self.settle()
        assert not self.errors, self.errors

    def tap(self, widget: Widget) -> None:
        """Touch a widget's middle, scrolled into view."""
        if reveal(widget):
            self.advance_frames(2)
        x, y = widget.to_window(*widget.center)
        assert 0 <= x <= Window.width, (x, y)
        assert 0 <= y <= Window.height, (x, y)
        touch = UnitTestTouch(x, y)
        touch.touch_down()
        self.advance_frames(1)
        touch.touch_up()
        self.advance_frames(2)


def below(widget: Widget) -> list[Widget]:
    """A widget and all below it."""
    found = [widget]
    for child in reversed(widget.children):
        found += below(child)
    return found


def cut_off(screen: Widget) -> list[str]:
    """Texts that stand out of their widget or of the window's sides."""
    wrong = []
    for one in below(screen):
        told = getattr(one, "text", "")
        if not told or not hasattr(one, "texture_size") or not one.opacity:
            continue
        x, _y = one.to_window(one.x, one.y)
        beside = x < -1 or x + one.width > Window.width + 1
        if beside or any(a > b + 2 for a, b in zip(one.texture_size, one.size, strict=True)):
            wrong.append(told)
    return wrong


def small_targets(screen: Widget) -> list[str]:
    """Buttons below 48 dp."""
    from kivy.uix.behaviors import ButtonBehavior

    return [
        getattr(one, "text", repr(one))
        for one in below(screen)
        if isinstance(one, ButtonBehavior) and min(one.size) < theme.TARGET - 1
    ]
