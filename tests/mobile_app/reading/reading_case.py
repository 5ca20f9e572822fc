"""The Reading screen on a stored study, in a window, under fingers."""

from __future__ import annotations

import shutil
import time
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from kivy.base import EventLoop
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.tests.common import GraphicUnitTest, UnitTestTouch
from kivy.uix.widget import Widget

from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import HUVolume
from hemx_core.manifest import ModelManifest
from mobile_app import settings, theme
from mobile_app.context import AppContext
from mobile_app.reading.screen import Reading
from mobile_app.store import Store
from mobile_app.work.jobs import Jobs
from mobile_app.work.memory_guard import MemoryBudget
from tests.factories import ThresholdModels, make_manifest
from tests.mobile_app.stored import store_study

Place = tuple[float, float]


class FixedModels:
    """Device models that are `ThresholdModels`."""

    def get(self) -> ThresholdModels:
        return ThresholdModels(logits=(3.0, -2.0, -2.0, -2.0))

    def budget(self, base: MemoryBudget) -> MemoryBudget:
        return base

    def unloaded_manifest(self) -> ModelManifest:
        return make_manifest()

    def close(self) -> None:
        """Nothing to free."""


@cache
def stored() -> tuple[Path, HUVolume]:
    """A store with studies 1 and 2 of a patient, six hours apart, and the volume of study 2."""
    folder = Path(mkdtemp(prefix="hemx-test-"))
    with Store(folder / "store") as store:
        store_study(store, folder, clot_mm=16, logits=(3.0, -2.0, -2.0, -2.0))
        second = store_study(store, folder, clot_mm=20, hours=6.0, logits=(3.0, -2.0, -2.0, -2.0))
        study = store.studies.get(second)
        volume = read_series(store.studies.path(study), series=study.series)
    return folder / "store", volume


class ReadingCase(GraphicUnitTest):
    """A test with `screen`, on study 2 as its result was stored; every test has a store of its own."""

    framecount = 0
    window_size: tuple[int, int] = (1280, 800)

    def setUp(self) -> None:
        super().setUp()
        theme.register_font()
        self.folder = Path(mkdtemp(prefix="hemx-test-"))
        source, self.volume = stored()
        shutil.copytree(source, self.folder / "store")
        self.store = Store(self.folder / "store")
        self.jobs = Jobs(lambda call: Clock.schedule_once(call, 0))
        self.context = AppContext(store=self.store, jobs=self.jobs, device_models=FixedModels())
        self.context.language = "en"
        settings.set_actor(self.store, "Dr A")
        self.told: list[str] = []
        self.context.bind(on_tell=lambda _context, key, _named: self.told.append(key))
        # Whatever test ran before: Kivy keeps the window, and with it the last size.
        Window.size = self.window_size
        self.screen = Reading(context=self.context)
        self.render(self.screen)
        self.open_stored()
        self.viewer, self.strip = self.screen.viewer, self.screen.strip
        self.buttons = self.screen.buttons

    def tearDown(self, fake: bool = False) -> None:
        self.jobs.shutdown()
        self.store.close()
        shutil.rmtree(self.folder)
        super().tearDown(fake)

    def open_stored(self) -> None:
        """What the context does with a stored study, without reading its files again."""
        context = self.context
        numbers = self.store.results.of_study(2)
        corrections = self.store.corrections.of_result(numbers[0])
        context.study_id, context.volume = 2, self.volume
        context.result_id = numbers[0]
        context.correction = self.store.corrections.load(corrections[0]) if corrections else None
        context.result = self.store.results.load(numbers[0])
        self.found = context.result
        self.finish_jobs()

    def finish_jobs(self) -> None:
        """Let the worker end, and the frames after it."""
        ends_at = time.monotonic() + 60
        while self.jobs.busy:
            assert time.monotonic() < ends_at
            EventLoop.idle()
        self.advance_frames(4)

    def finger(self, *path: Place) -> UnitTestTouch:
        """Put a finger down at the first place and move it along; it stays down."""
        touch = UnitTestTouch(*path[0])
        touch.touch_down()
        for place in path[1:]:
            touch.touch_move(*place)
        return touch

    def drag(self, *path: Place) -> None:
        self.finger(*path).touch_up()
        self.advance_frames(2)

    def tap(self, widget: Widget | str) -> None:
        """Tap in the middle of a widget or a tool by its name, as it lies on the screen."""
        button = self.buttons[widget] if isinstance(widget, str) else widget
        assert button.get_parent_window() is not None, widget
        self.drag(button.to_window(*button.center))

    def on_slice(self, *path: Place) -> list[Place]:
        """(row, column) to places in the window."""
        return [self.viewer.to_window(*self.viewer.to_screen(*one)) for one in path]

    def drawn(self) -> np.ndarray:
        """The viewer's pixels, RGB, top row first."""
        self.advance_frames(2)
        picture = self.viewer.export_as_image().texture
        pixels = np.frombuffer(picture.pixels, np.uint8)
        return pixels.reshape(picture.height, picture.width, 4)[..., :3].astype(int)

    def drawn_at(self, row: int, column: int) -> np.ndarray:
        """The colour in the middle of a native pixel."""
        x, y = self.viewer.to_screen(row, column)
        return self.drawn()[int(self.viewer.top - y), int(x - self.viewer.x)]
