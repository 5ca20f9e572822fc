"""The app: a bar to go between screens, and the job that fills them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.properties import StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.button import Button
from kivy.uix.label import Label

from hemx_core.errors import HemxError
from hemx_core.imaging.volume import HUVolume
from hemx_core.result import SliceUpdate, TriageResult
from hemx_core.triage import TriageModels
from mobile_app import theme
from mobile_app.demo import bundle_models, triage_work
from mobile_app.i18n import STRINGS, text
from mobile_app.jobs import Job, Jobs, JobState, Outcome
from mobile_app.screens.reading import Reading
from mobile_app.screens.result import Result


class HemxApp(App):
    """Opens one study, triages it beside the interface, and shows it.

    Args:
        study: a series to open.
        demo: open the phantom.
        models: loads the models, in the job's thread.
    """

    language = StringProperty("en")
    title = "HEMX"

    def __init__(
        self,
        *,
        study: Path | None = None,
        demo: bool = False,
        models: Callable[[], TriageModels] = bundle_models,
    ) -> None:
        super().__init__()
        self._study, self._demo, self._models = study, demo, models
        self._status: tuple[str, dict[str, object]] = ("no_study", {})
        self.job: Job | None = None

    def build(self) -> BoxLayout:
        """Bar, status line, screen."""
        theme.register_font()
        Window.clearcolor = theme.BACKGROUND
        self.jobs = Jobs(lambda call: Clock.schedule_once(call, 0))
        self.reading, self.result = Reading(), Result()
        self.bar = BoxLayout(size_hint_y=None, height=theme.TARGET, spacing=theme.GAP)
        self.tabs = {name: Button() for name in ("reading", "result", "cancel", "other_language")}
        for name, button in self.tabs.items():
            button.bind(on_release=lambda *_, name=name: self._pressed(name))
            self.bar.add_widget(button)
        line = {"size_hint_y": None, "height": theme.TARGET / 2, "font_size": theme.SMALL}
        self.status = Label(color=theme.CAUTION, **line)
        self.status.bind(width=lambda one, width: setattr(one, "text_size", (width, None)))
        self.status.bind(texture_size=lambda one, size: setattr(one, "height", size[1]))
        self.status.halign = "center"
        self.warning = Label(color=theme.MUTED, **line)
        self.place = BoxLayout()
        root = BoxLayout(orientation="vertical", padding=theme.GAP, spacing=theme.GAP)
        for widget in (self.bar, self.status, self.place, self.warning):
            root.add_widget(widget)
        self.bind(language=self._translate)
        self.show("reading")
        self._translate()
        return root

    def on_start(self) -> None:
        """Begin after the first frame."""
        if self._demo or self._study is not None:
            Clock.schedule_once(lambda _seconds: self.open(self._study), 0)

    def on_stop(self) -> None:
        """End the worker."""
        self.jobs.shutdown()

    def open(self, study: Path | None) -> None:
        """Triage a study; None is the phantom."""
        self.result.result = None
        self.job = self.jobs.run(
            triage_work(study, self._models),
            on_progress=self._progress,
            on_result=self._part,
            on_error=self._failed,
            on_done=self._done,
        )
        self.tabs["cancel"].disabled = False

    def show(self, name: str) -> None:
        """Go to a screen: reading or result."""
        self.place.clear_widgets()
        self.place.add_widget({"reading": self.reading, "result": self.result}[name])

    def _pressed(self, name: str) -> None:
        if name == "other_language":
            self.language = "ja" if self.language == "en" else "en"
        elif name == "cancel":
            if self.job is not None:
                self.job.cancel()
        else:
            self.show(name)

    def _progress(self, stage: str, done: int, total: int) -> None:
        key = stage if stage in STRINGS else f"stage.{stage}"
        self._tell("progress", stage=key, done=done, total=total)

    def _part(self, part: HUVolume | SliceUpdate) -> None:
        if isinstance(part, HUVolume):
            self.reading.open(part)
        else:
            self.reading.update(part)

    def _failed(self, error: HemxError) -> None:
        self._tell("failed", message=str(error))

    def _done(self, outcome: Outcome[TriageResult]) -> None:
        self.tabs["cancel"].disabled = True
        if outcome.state is JobState.CANCELLED:
            self._tell("cancelled")
        elif outcome.value is not None:
            self.reading.finish(outcome.value)
            self.result.result = outcome.value
            self._tell(str(outcome.value.recommendation))

    def _tell(self, key: str, **named: object) -> None:
        self._status = (key, named)
        self._translate()

    def _translate(self, *_ignored: object) -> None:
        for name, button in self.tabs.items():
            button.text = text(self.language, name)
        self.reading.language = self.result.language = self.language
        self.warning.text = text(self.language, "not_a_device")
        self.status.text = self._status_text()

    def _status_text(self) -> str:
        from hemx_core.report.texts import Texts

        key, named = self._status
        if key not in STRINGS:
            return Texts(self.language)(key)
        if "stage" in named and named["stage"] in STRINGS:
            named = {**named, "stage": text(self.language, str(named["stage"]))}
        return text(self.language, key, **named)
