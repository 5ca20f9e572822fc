"""The cards of the device screen that measure: the self-test and the benchmark."""

from __future__ import annotations

from typing import Any

from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from hemx_core.errors import HemxError
from hemx_core.records import Json
from mobile_app import theme
from mobile_app.device.figures import Table
from mobile_app.device.words import Told, benchmark_told, device_rows, self_test_told, stage_rows
from mobile_app.i18n import STRINGS, text
from mobile_app.widgets.buttons import ActionButton, Card, Choices, Heading, Wrapped
from mobile_app.work.jobs import Job, JobState, Outcome

TONES = {"good": theme.TEXT, "alarm": theme.ALARM, "caution": theme.CAUTION}
CLASSES = ("phone", "tablet", "desk")


class DeviceCard(Card):
    """A heading and what belongs to it.

    Args:
        context: the app's.
        title: key of the heading.
    """

    context = ObjectProperty()

    def __init__(self, *, title: str, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._title = title
        self.heading = Heading()
        self.add_widget(self.heading)

    def say(self, key: str, **named: object) -> str:
        """A string in the present language."""
        return text(self.context.language, f"device.{key}", **named)

    def show(self) -> None:
        """Write everything in the present language and state."""
        self.heading.text = self.say(self._title)

    def line(self, *, color: tuple[float, ...] = theme.MUTED) -> Wrapped:
        """Add a line of text."""
        label = Wrapped(color=color)
        self.add_widget(label)
        return label

    def actions(self, *buttons: ActionButton) -> None:
        """Add buttons side by side."""
        row = BoxLayout(size_hint_y=None, height=theme.TARGET, spacing=theme.GAP * 2)
        for button in buttons:
            button.fbind(
                "height", lambda *_: setattr(row, "height", max(b.height for b in row.children))
            )
            row.add_widget(button)
        self.add_widget(row)


class SelfTestCard(DeviceCard):
    """Whether the models compute right on this device, with the figures, and the way to test again."""

    running = BooleanProperty(False)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(title="test.title", **kwargs)
        self.state = Heading()
        self.add_widget(self.state)
        self.more = self.line()
        self.table = Table()
        self.add_widget(self.table)
        self.again = ActionButton()
        self.again.bind(on_release=lambda *_: self.run())
        self.actions(self.again)

    def run(self) -> Job[Any, Any]:
        """Test again, after the jobs that run or wait; where it fails the models are let go."""
        context = self.context

        def work(report: Any) -> None:
            from mobile_app.work.self_test import ensure_self_test

            report.progress("loading", 0, 1)
            models = context.fresh_models()
            try:
                ensure_self_test(
                    context.store,
                    models,
                    again=True,
                    on_slice=lambda done, total: report.progress("self_test", done, total),
                )
            finally:
                models.close()

        self.running = True
        self.show()
        job: Job[Any, Any] = context.run(work, on_done=self._done)
        return job

    def show(self) -> None:
        """Write what is known."""
        from mobile_app.work.self_test import last_self_test

        super().show()
        known = last_self_test(self.context.store)
        told = self_test_told(self.context.language, known)
        self.state.text, self.state.color = told.state, TONES[told.tone]
        self.more.text = told.more
        self.table.show(told.rows, alarming=self.say("too_much"))
        self.again.text = self.say("test.run" if known else "test.first")
        self.again.disabled = self.running

    def _done(self, _outcome: Outcome[None]) -> None:
        self.running = False
        self.show()


class BenchmarkCard(DeviceCard):
    """How fast this device is, against the budget of a class of devices."""

    progress_text = StringProperty("")

    def __init__(self, **kwargs: object) -> None:
        super().__init__(title="bench.title", **kwargs)
        self.record: Json | None = None
        self.job: Job[Any, Any] | None = None
        self.hint = self.line()
        labels = {name: self.say(f"choose.{name}") for name in CLASSES}
        self.classes = Choices(labels, size_hint_y=None, spacing=theme.GAP)
        self.classes.bind(minimum_height=self.classes.setter("height"))
        self.classes.bind(on_chosen=lambda _choices, name: self._choose(name))
        self.add_widget(self.classes)
        self.state = Heading()
        self.add_widget(self.state)
        self.more = self.line()
        self.verdicts, self.stages, self.facts = Table(), Table(), Table(header=False)
        for table in (self.verdicts, self.stages, self.facts):
            self.add_widget(table)
        self.measure, self.stop, self.save = (
            ActionButton(kind=kind) for kind in ("primary", "plain", "plain")
        )
        self.measure.bind(on_release=lambda *_: self.run())
        self.stop.bind(on_release=lambda *_: self.job.cancel() if self.job else None)
        self.actions(self.measure, self.stop, self.save)

    def run(self) -> Job[Any, Any]:
        """Measure, after the jobs that run or wait."""
        context, threads = self.context, self.context.threads

        def work(report: Any) -> Json:
            from mobile_app.device.benchmark import app_options, benchmark_work

            options = app_options(threads)
            return benchmark_work(context.store, context.fresh_models, options=options)(report)

        self.progress_text = ""
        self.job = context.run(
            work, on_done=self._done, on_error=self._failed, on_progress=self._told
        )
        self.show()
        return self.job

    def show(self) -> None:
        """Write the last record's verdict."""
        from mobile_app.device.benchmark import budgets, device_class, last_record

        super().show()
        store, language = self.context.store, self.context.language
        self.record = last_record(store)
        self.classes.current = chosen = device_class(store)
        self.classes.label({name: self.say(f"choose.{name}") for name in CLASSES})
        self.hint.text = self.say("bench.hint")
        self._tell(benchmark_told(language, self.record, budgets()[chosen]))
        record = self.record if self.verdicts.rows else None
        self.stages.show(() if record is None else stage_rows(language, record))
        self.facts.show(() if record is None else device_rows(language, record))
        self.measure.text, self.stop.text = self.say("bench.run"), self.say("bench.cancel")
        self.save.text = self.say("bench.export")
        self.measure.disabled, self.stop.disabled = self.job is not None, self.job is None
        self.save.disabled = self.record is None or self.job is not None

    def _tell(self, told: Told) -> None:
        self.state.text, self.state.color = told.state, TONES[told.tone]
        self.more.text = self.progress_text or told.more
        self.verdicts.show(told.rows, alarming=self.say("too_much"))

    def _choose(self, name: str) -> None:
        from mobile_app.device.benchmark import set_device_class

        set_device_class(self.context.store, name)
        self.show()

    def _told(self, stage: str, done: int, total: int) -> None:
        key = f"device.stage.{stage}"
        name = text(self.context.language, key) if key in STRINGS else stage
        self.progress_text = self.say("bench.running", stage=name, done=done, total=total)
        self.more.text = self.progress_text

    def _failed(self, error: HemxError) -> None:
        self.context.show_error(error)

    def _done(self, outcome: Outcome[Json]) -> None:
        self.job = None
        cancelled = outcome.state is JobState.CANCELLED
        self.progress_text = self.say("bench.cancelled") if cancelled else ""
        self.show()
