"""State that all screens share: the open study, the store, the jobs, and navigation.

    open_study -> volume -> stored result                     where the study was triaged before
                         -> models, slices as they come -> result (and its newest correction)

One study is open at a time. Whatever takes time is a job; what imports OpenCV, pydicom or a runtime is
imported there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty

from hemx_core.device.memory import resident_bytes
from hemx_core.errors import HemxError
from mobile_app import settings
from mobile_app.errors import DamagedStoreError
from mobile_app.work.jobs import Job, Jobs, JobState, Outcome, Report
from mobile_app.work.memory_guard import MemoryBudget
from mobile_app.work.study_list import advised_of

if TYPE_CHECKING:
    from hemx_core.bundle.load import Models
    from hemx_core.imaging.spec import HUWindow
    from hemx_core.imaging.volume import HUVolume
    from hemx_core.pipeline import TriageModels
    from hemx_core.result import Recommendation, SliceUpdate, TriageResult
    from mobile_app.store import Correction, Store
    from mobile_app.work.device_models import DeviceModels


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """What is stored of a study's newest result.

    Args:
        result_id: in the store.
        result: as triage gave it.
        correction: its newest one.
        advice: what the Result screen will advise: correction and earlier studies count.
    """

    result_id: int
    result: TriageResult
    correction: Correction | None
    advice: Recommendation


class Opening:
    """Fills the context's properties of the open study.

    Args:
        context: the app's.
        device_models: of this device.
    """

    def __init__(self, context: AppContext, device_models: DeviceModels) -> None:
        self._context, self._device_models = context, device_models
        self._job: Job[Any, Any] | None = None

    def open(self, study_id: int) -> None:
        """See `AppContext.open_study`."""
        self._context.store.studies.get(study_id)
        self.close()
        self._context.study_id = study_id
        self._start(self._open_work(study_id))

    def again(self) -> None:
        """See `AppContext.triage_again`."""
        context = self._context
        if context.study_id is not None and not context.running:
            self._empty()
            self._start(self._triage_work(int(context.study_id)))

    def close(self) -> None:
        """See `AppContext.close_study`."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._context.running, self._context.study_id = False, None
        self._empty()

    def _empty(self) -> None:
        context = self._context
        context.volume = context.result = context.result_id = context.correction = None

    def _start(self, work: Callable[[Report[Any]], Opened]) -> None:
        def mine(act: Callable[[Any], None]) -> Callable[[Any], None]:
            return lambda value: act(value) if self._job is job else None

        context = self._context
        context.running = True
        job = context.run(
            work,
            on_result=mine(self._part),
            on_error=mine(context.show_error),
            on_done=lambda outcome: self._ended(job, outcome),
        )
        self._job = job
        context.studies_changed()

    def _open_work(self, study_id: int) -> Callable[[Report[Any]], Opened]:
        def work(report: Report[Any]) -> Opened:
            # Imported in the worker, here and below: it brings OpenCV and pydicom.
            from hemx_core.device.memory import release_free_memory
            from mobile_app.work.library import check_slices, read_study

            # The study before this one and its pictures; the memory guard counts what is resident.
            release_free_memory()
            context, damage = self._context, None
            try:
                if not context.store.results.of_study(study_id):
                    return self._triage_work(study_id)(report)
                opened = self._stored(study_id)
            except DamagedStoreError as error:
                damage = error
            volume = read_study(context.store, study_id, budget=context.budget)(report)
            # The slices show in any case: they are what they were, and can be analysed again.
            report.result(volume)
            if damage is not None:
                raise damage
            check_slices(opened.result, volume)
            return opened

        return work

    def _triage_work(self, study_id: int) -> Callable[[Report[Any]], Opened]:
        def work(report: Report[Any]) -> Opened:
            from hemx_core.pipeline import TriageSettings
            from mobile_app.work.library import triage_study

            context = self._context
            triage_study(
                context.store,
                study_id,
                context.models,
                settings=TriageSettings(window=context.window),
                budget=context.budget,
                manifest=self._device_models.unloaded_manifest(),
            )(report)
            return self._stored(study_id)

        return work

    def _stored(self, study_id: int) -> Opened:
        store = self._context.store
        number = store.results.of_study(study_id)[0]
        corrections = store.corrections.of_result(number)
        correction = store.corrections.load(corrections[0]) if corrections else None
        result = store.results.load(number)
        advice = advised_of(store, study_id) or result.recommendation
        return Opened(number, result, correction, advice)

    def _part(self, part: HUVolume | SliceUpdate) -> None:
        if hasattr(part, "index"):
            self._context.dispatch("on_slice_update", part)
        else:
            self._context.volume = part

    def _ended(self, job: Job[Any, Any], outcome: Outcome[Opened]) -> None:
        context = self._context
        context.studies_changed()
        if self._job is not job:
            return
        self._job, context.running = None, False
        if outcome.value is not None:
            opened = outcome.value
            context.result_id, context.correction = opened.result_id, opened.correction
            context.result = opened.result
            context.tell(f"app.advice.{opened.advice}")


class AppContext(EventDispatcher):
    """The open study and what the screens need of the app.

    Args:
        store: open; the app closes it.
        jobs: whose callbacks come on the interface's thread.
        quick: a second worker for short reads and writes, which must not wait for a triage; `jobs` if None.
        device_models: loads and keeps the models; by default the shipped bundle on the device's runtime.
        budget: refuses what would not fit; by default what the app uses at `stands` is its base.

    Events:
        on_slice_update: a `SliceUpdate` of the running triage of the open study, in order.
        on_go: (name) a screen is asked for.
        on_tell: (key, named) a line of i18n for the status line.
        on_trouble: (error) a HemxError for the user.
        on_studies_changed: the list of studies is not what it was.
        on_progress: (stage, done, total) of what `run` runs.
        on_lock: the PIN is to be asked for at once.
    """

    language = StringProperty("en")
    study_id = NumericProperty(None, allownone=True)
    volume = ObjectProperty(None, allownone=True)
    result = ObjectProperty(None, allownone=True)
    result_id = NumericProperty(None, allownone=True)
    correction = ObjectProperty(None, allownone=True)
    running = BooleanProperty(False)
    busy = BooleanProperty(False)
    """A job of `run` runs or waits: the status line shows its progress and offers to cancel."""

    slice_asked = NumericProperty(None, allownone=True)
    """A slice that Reading is to show, from 0; it clears this when it does."""

    locked = BooleanProperty(False)
    """The PIN is asked for: nothing may open that shows anything of a patient; see `when_unlocked`."""
    picking = BooleanProperty(False)
    """Android's picker lies over the app: coming back from it asks for no PIN."""

    __events__ = (
        "on_slice_update",
        "on_go",
        "on_tell",
        "on_trouble",
        "on_studies_changed",
        "on_progress",
        "on_lock",
        "on_pin",
    )

    def __init__(
        self,
        *,
        store: Store,
        jobs: Jobs,
        quick: Jobs | None = None,
        device_models: DeviceModels | None = None,
        budget: MemoryBudget | None = None,
    ) -> None:
        super().__init__(language=settings.language(store))
        self.store, self.jobs, self.quick = store, jobs, quick or jobs
        if device_models is None:
            from mobile_app.work.device_models import DeviceModels

            device_models = DeviceModels(store)
        self._device_models = device_models
        self._measures_base = budget is None
        self._budget = budget or MemoryBudget(base_bytes=resident_bytes())
        self._running_jobs: list[Job[Any, Any]] = []
        self._opening = Opening(self, self._device_models)
        store.act_as(settings.actor(store))
        self.fbind("language", lambda _context, code: settings.set_language(store, code))

    def stands(self) -> None:
        """Take the memory used now as the base: the first frame is drawn and no study is open."""
        if self._measures_base:
            self._budget = MemoryBudget(base_bytes=resident_bytes())

    # What the screens ask for

    def go(self, name: str) -> None:
        """Show a screen: studies, reading, result, compare, report, device or settings."""
        self.dispatch("on_go", name)

    def tell(self, key: str, **named: object) -> None:
        """Put a line of i18n into the status line; an empty key clears it."""
        self.dispatch("on_tell", key, named)

    def show_error(self, error: HemxError) -> None:
        """Tell the user in plain words what was found and what to do."""
        self.dispatch("on_trouble", error)

    def when_unlocked(self, act: Callable[[], None]) -> None:
        """Act now, or after the right PIN."""

        def unlocked(*_ignored: object) -> None:
            self.funbind("locked", unlocked)
            act()

        if self.locked:
            self.fbind("locked", unlocked)
        else:
            act()

    def studies_changed(self) -> None:
        """Announce that studies or results were added, changed or deleted."""
        self.dispatch("on_studies_changed")

    # Models and settings

    def models(self) -> TriageModels:
        """The loaded models, loaded at the first call; call it in a job.

        Raises:
            ModelError: they do not load, or compute something else on this device.
        """
        return self._device_models.get()

    def fresh_models(self) -> Models:
        """Newly loaded models, which the caller closes; for the benchmark. Call it in a job.

        Raises:
            ModelError: they do not load.
        """
        return self._device_models.fresh()

    def preload_runtime(self) -> None:
        """Start the runtime ahead of the first study; call it in a job."""
        self._device_models.preload()

    def forget_models(self) -> None:
        """Close the models after the jobs that run or wait; the next triage loads them again."""
        self.jobs.run(lambda _report: self._device_models.close())

    def release(self) -> None:
        """Close the models, their runtime and the store, when the jobs have ended."""
        self._device_models.end()
        self.store.close()

    @property
    def budget(self) -> MemoryBudget:
        """What a study may use; the runtime's own libraries count as the app's."""
        return self._device_models.budget(self._budget)

    @property
    def first_frame_bytes(self) -> int:
        """What was resident when the app stood and nothing else had been loaded."""
        return self._budget.base_bytes

    @property
    def window(self) -> HUWindow | None:
        """The site's HU window; None is the bundle's."""
        return settings.window(self.store)

    @property
    def threads(self) -> int:
        """Threads of the models' runtime."""
        return settings.threads(self.store)

    # Work with progress and cancel in the status line

    def run(
        self,
        work: Callable[[Report[Any]], Any],
        *,
        on_result: Callable[[Any], None] = lambda _item: None,
        on_error: Callable[[HemxError], None] | None = None,
        on_done: Callable[[Outcome[Any]], None] = lambda _outcome: None,
        on_progress: Callable[[str, int, int], None] = lambda _stage, _done, _total: None,
    ) -> Job[Any, Any]:
        """As `Jobs.run`; progress also goes to the status line, which offers to cancel.

        Args:
            on_error: told instead of the user, who is told by default.
        """

        def progress(stage: str, done: int, total: int) -> None:
            self.dispatch("on_progress", stage, done, total)
            on_progress(stage, done, total)

        def done(outcome: Outcome[Any]) -> None:
            self._running_jobs.remove(job)
            self.busy = bool(self._running_jobs)
            if outcome.state is JobState.CANCELLED and not self.busy:
                self.tell("app.cancelled")
            on_done(outcome)

        job = self.jobs.run(
            work,
            on_progress=progress,
            on_result=on_result,
            on_error=on_error or self.show_error,
            on_done=done,
        )
        self._running_jobs.append(job)
        self.busy = True
        return job

    def cancel(self) -> None:
        """Cancel what `run` runs, within one call of a network."""
        for job in list(self._running_jobs):
            job.cancel()

    # The open study

    def open_study(self, study_id: int) -> None:
        """Read a study's volume and show its newest result, or triage it where it has none.

        A running triage of another study ends without a result.

        Raises:
            NotStoredError: there is no such study.
        """
        self._opening.open(study_id)

    def triage_again(self) -> None:
        """Triage the open study again, with the present settings; its earlier results stay stored."""
        self._opening.again()

    def close_study(self) -> None:
        """Have no study open; its running triage ends."""
        self._opening.close()

    # Defaults of the events

    def on_slice_update(self, _part: SliceUpdate) -> None:
        """Nothing by default."""

    def on_go(self, _name: str) -> None:
        """Nothing by default."""

    def on_tell(self, _key: str, _named: dict[str, object]) -> None:
        """Nothing by default."""

    def on_trouble(self, _error: HemxError) -> None:
        """Nothing by default."""

    def on_studies_changed(self) -> None:
        """Nothing by default."""

    def on_progress(self, _stage: str, _done: int, _total: int) -> None:
        """Nothing by default."""

    def on_lock(self) -> None:
        """Nothing by default."""

    def on_pin(self) -> None:
        """A PIN was set or removed; nothing by default."""
