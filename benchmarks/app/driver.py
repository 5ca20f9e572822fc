"""Drives the real app in this process: its own main loop, a finger, and a script that goes on by frames.

The studies it is given are phantoms as DICOM, each with its own seed and so its own patient, files and UIDs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemx_core.errors import BenchmarkError, HemxError

if TYPE_CHECKING:
    from mobile_app.app import HemxApp
    from mobile_app.store import Store
    from mobile_app.work.device_models import DeviceModels


SLICES = 30
SEED = 7
SMALLEST_ML, LARGEST_ML = 12.0, 48.0


def write_studies(folder: Path, count: int, *, slices: int = SLICES, seed: int = SEED) -> list[str]:
    """Write studies of 512 x 512 with a haematoma each, from small to large.

    Args:
        folder: where to; a folder below it for each study.
        count: how many.
        slices: of each.
        seed: of the first one; the others follow.
    Returns:
        Their folders.
    """
    from hemx_core.phantoms import (
        LesionSpec,
        PhantomSpec,
        SiteSpec,
        make_phantom,
        write_dicom_series,
    )

    found = []
    for place in range(count):
        volume_ml = SMALLEST_ML + (LARGEST_ML - SMALLEST_ML) * place / max(1, count - 1)
        spec = PhantomSpec(
            seed=seed + place,
            noise_seed=seed + place,
            lesion=LesionSpec(volume_ml=volume_ml, lobes=4),
            site=SiteSpec(slices=slices),
        )
        study = folder / f"study-{place + 1:02d}"
        write_dicom_series(make_phantom(spec).volume, study)
        found.append(str(study))
    return found


Until = Callable[[], object]
Script = Iterator[Until]
PATIENCE_SECONDS = 300.0
CALM_FRAMES = 20
"""Frames after which nothing is left that was put off to a later one."""


def prepare_window() -> None:
    """The app's own settings, without a screen; before the first import of Kivy's window."""
    os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
    os.environ.update(KIVY_NO_ARGS="1", KIVY_NO_CONSOLELOG="1", KIVY_NO_FILELOG="1")
    from mobile_app.main import configure

    configure()


def drive(
    folder: str,
    script: Callable[[HemxApp], Script],
    *,
    device_models: Callable[[Store], DeviceModels] | None = None,
    patience: float = PATIENCE_SECONDS,
) -> None:
    """Run the app on a store until a script ends.

    Args:
        folder: of the store; made if missing.
        script: made when the app stands.
        device_models: see `HemxApp`.
        patience: seconds that a script may wait for one thing.
    Raises:
        HemxError: the app told the user of an error.
        BenchmarkError: what the script waits for did not happen.
    """
    prepare_window()
    from kivy.clock import Clock

    from mobile_app.app import HemxApp

    app = HemxApp(folder=Path(folder), device_models=device_models)
    # Kept by name: the clock holds no method's object.
    play = _Play(app, script, patience)
    Clock.schedule_interval(play.step, 0)
    app.run()


class _Play:
    """Resumes the script when what it waits for is true; once a frame."""

    def __init__(self, app: HemxApp, script: Callable[[HemxApp], Script], patience: float) -> None:
        self._app, self._script, self._patience = app, script, patience
        self._steps: Script | None = None
        self._until: Until = lambda: True
        self._since = time.monotonic()
        self._troubles: list[HemxError] = []

    def step(self, _seconds: float) -> None:
        if self._steps is None:
            self._steps = self._begin()
        if self._troubles:
            raise self._troubles[0]
        if self._until():
            try:
                self._until, self._since = next(self._steps), time.monotonic()
            except StopIteration:
                self._app.stop()
        elif time.monotonic() - self._since > self._patience:
            raise BenchmarkError(
                f"nothing happened for {self._patience:.0f} s",
                expected="the app to go on",
                remedy="run it on a machine that does nothing else",
            )

    def _begin(self) -> Script:
        context = self._app.context
        if context is None:
            raise BenchmarkError(
                "the app cannot start", expected="a store that opens", remedy="use another folder"
            )
        context.bind(on_trouble=lambda _context, error: self._troubles.append(error))
        return self._script(self._app)


def frames(count: int) -> Until:
    """Wait for so many frames."""
    left = [count]

    def passed() -> bool:
        left[0] -= 1
        return left[0] <= 0

    return passed


def calm(app: HemxApp) -> Script:
    """Wait until no job runs and nothing is put off."""
    context = app.context
    yield lambda: not (context.jobs.busy or context.quick.busy)
    yield frames(CALM_FRAMES)


def import_study(app: HemxApp, path: str) -> None:
    """What choosing a path in the app's own chooser does: look for series, copy, open, triage."""
    app.screens["studies"].flow.chosen(Path(path))


def opened(app: HemxApp, before: int | None) -> Until:
    """Wait until a study other than `before` is open and its result is there."""
    context = app.context
    return lambda: context.study_id not in (None, before) and context.result is not None


def finger(x: float, y: float) -> Any:
    """A touch of the interface at a position in the window; see `press`, `slide`, `lift`."""
    from kivy.base import EventLoop
    from kivy.core.window import Window
    from kivy.input.motionevent import MotionEvent

    def share(x: float, y: float) -> dict[str, float]:
        return {"x": x / (Window.width - 1), "y": y / (Window.height - 1)}

    class Finger(MotionEvent):
        """Kivy gives touches of a device like this one."""

        def __init__(self) -> None:
            super().__init__("benchmark", 1, share(x, y), is_touch=True, type_id="touch")
            self.profile = ["pos"]

        def depack(self, args: dict[str, float]) -> None:
            self.sx, self.sy = args["x"], args["y"]
            super().depack(args)

        def press(self) -> None:
            EventLoop.post_dispatch_input("begin", self)

        def slide(self, x: float, y: float) -> None:
            self.move(share(x, y))
            EventLoop.post_dispatch_input("update", self)

        def lift(self) -> None:
            EventLoop.post_dispatch_input("end", self)

    return Finger()


def tap(widget: Any) -> None:
    """Touch a widget's middle and let go."""
    one = finger(*widget.to_window(*widget.center))
    one.press()
    one.lift()


class Scrolling:
    """A finger that drags up and down over the slice, a little every frame, as long as there is one.

    Args:
        app: whose Reading screen is scrolled while it shows a volume.
    """

    PIXELS = 12.0
    REACH = (0.2, 0.8)

    def __init__(self, app: HemxApp) -> None:
        self._app = app
        self._finger: Any = None
        self._y, self._up = 0.0, True
        self.moves = 0

    def step(self, _seconds: float = 0.0) -> None:
        """Go on by a frame; for the clock."""
        app = self._app
        if app.current != "reading" or app.screens["reading"].viewer.volume is None:
            self.stop()
            return
        viewer = app.screens["reading"].viewer
        left, bottom = viewer.to_window(viewer.x, viewer.y)
        low, high = (bottom + share * viewer.height for share in self.REACH)
        if self._finger is None:
            self._y = low
            self._finger = finger(left + viewer.width / 2, low)
            self._finger.press()
        self._y += self.PIXELS if self._up else -self.PIXELS
        self._up = self._y < high if self._up else self._y <= low
        self._finger.slide(left + viewer.width / 2, self._y)
        self.moves += 1

    def stop(self) -> None:
        """Release the touch."""
        if self._finger is not None:
            self._finger.lift()
            self._finger = None
