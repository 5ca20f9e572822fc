"""The open study: its volume, the slices of its running triage, its result and newest correction.

    open -> volume -> stored result                     where the study was triaged before
                   -> models, slices as they come -> result, stored and loaded again

One study is open at a time. What a job of a study that was closed meanwhile still tells is passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mobile_app.jobs import Job, Outcome, Report
from mobile_app.study_list import advised_of

if TYPE_CHECKING:
    from hemx_core.imaging.volume import HUVolume
    from hemx_core.result import Recommendation, SliceUpdate, TriageResult
    from mobile_app.context import AppContext
    from mobile_app.device_models import DeviceModels
    from mobile_app.store import Correction


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
            from hemx_core.memory import release_free_memory
            from mobile_app.library import read_study

            # The study before this one and its pictures; the memory guard counts what is resident.
            release_free_memory()
            context = self._context
            if not context.store.results.of_study(study_id):
                return self._triage_work(study_id)(report)
            opened = self._stored(study_id)
            report.result(read_study(context.store, study_id, budget=context.budget)(report))
            return opened

        return work

    def _triage_work(self, study_id: int) -> Callable[[Report[Any]], Opened]:
        def work(report: Report[Any]) -> Opened:
            from hemx_core.triage import TriageSettings
            from mobile_app.library import triage_study

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
