"""The app's frame: navigation, status line, one screen at a time, behind the lock."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from hemx_core.errors import HemxError
from mobile_app import logs, theme
from mobile_app.context import AppContext
from mobile_app.errors import StoreError, UnexpectedError
from mobile_app.frame import Content, Trouble, trouble_widgets
from mobile_app.lock.screen import Locking
from mobile_app.work.jobs import Job, Jobs, Outcome

if TYPE_CHECKING:
    from mobile_app.store import Store
    from mobile_app.work.device_models import DeviceModels

SCREENS: dict[str, tuple[str, str]] = {
    "studies": ("mobile_app.studies.screen", "Studies"),
    "reading": ("mobile_app.reading.screen", "Reading"),
    "result": ("mobile_app.result.screen", "Result"),
    "compare": ("mobile_app.compare.screen", "Compare"),
    "report": ("mobile_app.report.screen", "Report"),
    "device": ("mobile_app.device.screen", "Device"),
    "settings": ("mobile_app.preferences.screen", "SettingsScreen"),
}
"""Module and class of each screen, imported when it is first shown: the first frame needs one."""

SWITCH_SECONDS = 0.0005
"""How long a worker's Python code may keep the interpreter's lock from a frame that waits for it.

A frame gives the lock back and takes it again many times, at calls into SDL and OpenGL, and may wait for
Python's default of 5 ms each time.
"""

ESCAPE = 27
"""Android's back button comes as this key."""


class HemxApp(App):
    """The app.

    Args:
        study: a DICOM folder, file, DICOMDIR or zip to import and open.
        demo: start with synthetic studies, in a store of their own that is deleted at the end.
        folder: the app's private folder; by default the system's place for it.
        device_models: see `AppContext`; given the store.
    """

    title = "HEMX"

    def __init__(
        self,
        *,
        study: Path | None = None,
        demo: bool = False,
        folder: Path | None = None,
        device_models: Callable[[Store], DeviceModels] | None = None,
    ) -> None:
        super().__init__()
        self._study, self._demo, self._folder = study, demo, folder
        self._device_models = device_models
        self._demo_folder: TemporaryDirectory[str] | None = None
        # None only before the start and after the end, and whoever runs then asks for it.
        self.context: AppContext = None  # type: ignore[assignment]
        self.screens: dict[str, Widget] = {}
        self.current = ""

    # Start and end

    def build(self) -> Widget:
        """Everything, or a page that says why the app cannot start."""
        theme.register_font()
        Window.clearcolor = theme.BACKGROUND
        self.frame = BoxLayout()
        try:
            store = self._open_store()
        except StoreError as error:
            self._cannot_start(error)
            return self.frame
        self._log = logs.install(store.folder)
        jobs, quick = (Jobs(lambda call: Clock.schedule_once(call, 0)) for _ in range(2))
        models = self._device_models(store) if self._device_models else None
        self.context = AppContext(store=store, jobs=jobs, quick=quick, device_models=models)
        self._bind_context()
        names = tuple(SCREENS)
        self.content = Content(context=self.context, names=names, on_chosen=self.show)
        self.navigation, self.status = self.content.navigation, self.content.status
        Window.bind(on_keyboard=self._key)
        self.show("studies")
        self.locking = Locking(
            context=self.context, frame=self.frame, content=self.content, secure=_secure
        )
        if not self.locking.lock():
            self.frame.add_widget(self.content)
        return self.frame

    def on_start(self) -> None:
        """Begin after the first frame."""
        from mobile_app.work.device_models import prepare

        sys.setswitchinterval(SWITCH_SECONDS)
        if self.context is not None:
            prepare()
            Clock.schedule_once(lambda _seconds: self._begin(), 0)

    def on_pause(self) -> bool:
        """Stay in memory, with nothing unsaved; the PIN is asked for on return."""
        self._keep()
        if self.context is not None:
            self.locking.leave()
        return True

    def on_resume(self) -> None:
        """Back on the screen."""
        if self.context is not None:
            self.locking.come_back()

    def on_stop(self) -> None:
        """End the worker, then release the models and the store."""
        Window.unbind(on_keyboard=self._key)
        if self.context is None:
            return
        self.locking.stop()
        # A lock that is on the screen asks the store every second.
        self.frame.clear_widgets()
        # The jobs first: what ends of them still asks for the list.
        ended = [_shut_down(jobs) for jobs in (self.context.jobs, self.context.quick)]
        self._keep(ends=True)
        if all(ended):
            self.context.release()
        logs.remove(self._log)
        if self._demo_folder is not None:
            self._demo_folder.cleanup()
        self.context = None  # type: ignore[assignment]

    def _keep(self, *, ends: bool = False) -> None:
        """Have the screens store what they hold; the system may end a paused app without a word."""
        for screen in self.screens.values():
            if hasattr(screen, "keep"):
                screen.keep(ends=ends)

    def _open_store(self) -> Store:
        from mobile_app.store import Store

        if self._demo:
            self._demo_folder = TemporaryDirectory(prefix="hemx-demo-", ignore_cleanup_errors=True)
            return Store(Path(self._demo_folder.name) / "store")
        return Store(self._folder or Path(self.user_data_dir) / "store")

    def _begin(self) -> None:
        context = self.context
        if context is None:
            return
        context.stands()
        context.jobs.run(_import_readers, on_done=self._warmed_up)
        if self._demo:
            from mobile_app.studies.demo import import_demo

            self.context.tell("app.demo")
            context.run(import_demo(context.store), on_done=self._open_imported)
        elif self._study is not None:
            self.import_study(self._study)
        elif context.store.interrupted:
            self.context.tell("app.interrupted")
        self._tell_of_store()

    def _tell_of_store(self) -> None:
        """Say what was wrong with the store, and import again what had no record."""
        context = self.context
        if context.store.trouble is not None:
            context.show_error(context.store.trouble)
        if context.store.set_aside_studies():

            def work(report: Any) -> int:
                from mobile_app.work.library import import_aside

                return import_aside(context.store)(report)

            context.run(work, on_done=lambda _outcome: context.studies_changed())

        def checked(outcome: Outcome[None]) -> None:
            # A trail that was tampered with is only told: making it anew would hide the trace.
            if outcome.error is not None and outcome.error.code == "database_damaged":
                context.store.rescue_at_next_start()

        context.jobs.run(
            lambda _report: context.store.check(), on_error=context.show_error, on_done=checked
        )

    def _warmed_up(self, _outcome: Outcome[None]) -> None:
        """The readers are there: make the screen that shows a study, and start the runtime beside it."""
        self._make("reading")
        if (context := self.context) is not None:
            context.quick.run(lambda _report: context.preload_runtime())

    def import_study(self, path: Path) -> Job[Any, Any]:
        """Import a study's best series and open it."""

        def work(report: Any) -> Any:
            # Imported here, in the worker: it brings OpenCV and pydicom.
            from mobile_app.work.library import import_series

            return import_series(self.context.store, path)(report)

        return self.context.run(work, on_done=self._open_imported)

    def _open_imported(self, outcome: Outcome[Any]) -> None:
        self.context.studies_changed()
        if outcome.value is not None:
            self.context.open_study(outcome.value.id)
            self.show("reading")

    # What is on the screen

    def show(self, name: str) -> None:
        """Go to a screen; see `SCREENS`."""
        self._make(name)
        if self.current and hasattr(self.screens[self.current], "on_hide"):
            self.screens[self.current].on_hide()
        self.current = name
        self.content.show(name, self.screens[name])
        if hasattr(self.screens[name], "on_show"):
            self.screens[name].on_show()

    def _make(self, name: str) -> None:
        if name not in self.screens and self.context is not None:
            module, class_name = SCREENS[name]
            self.screens[name] = getattr(import_module(module), class_name)(context=self.context)

    def _key(self, _window: Widget, key: int, *_ignored: object) -> bool:
        """Back: to the list of studies, and from there out of the app."""
        if key == ESCAPE and self.content.parent and self.current != "studies":
            self.show("studies")
            return True
        return False

    def _cannot_start(self, error: HemxError) -> None:
        from mobile_app.settings import system_language

        page = BoxLayout(orientation="vertical", padding=theme.GAP * 4, spacing=theme.GAP * 2)
        for widget in trouble_widgets(system_language(), error, title="app.cannot_start"):
            page.add_widget(widget)
        page.add_widget(Widget())
        self.frame.add_widget(page)

    # What the context tells

    def _bind_context(self) -> None:
        self.context.bind(
            on_go=lambda _context, name: self.show(name),
            on_trouble=lambda _context, error: self._trouble(error),
        )

    def _trouble(self, error: HemxError) -> None:
        logs.error_met(error)
        self.content.tell("")
        self.context.when_unlocked(lambda: Trouble(self.context.language, error).open())


def _import_readers(_report: Any) -> None:
    """While a study is being chosen, import what reads it: OpenCV, pydicom.

    In the worker that reads studies, ahead of the first one: pydicom's modules import each other in a circle,
    and in two threads at once the import fails.
    """
    import_module("mobile_app.work.library")


def _secure(on: bool) -> None:
    """On Android keep the app out of screenshots and of the pictures of recent apps, or not."""
    from hemx_core.device.machine import on_android

    if on_android():
        from mobile_app.android.window import device_window

        device_window().secure(on)


def _shut_down(jobs: Jobs) -> bool:
    """End a worker; a job that just finished may want another one, and is refused."""
    while True:
        try:
            return jobs.shutdown()
        except UnexpectedError:
            continue
