"""Background jobs: one worker thread, one queue back, and how a job ends.

    work(report) in the worker      -> report.progress, report.result
    callbacks in the interface      <- the queue, emptied by what `schedule` calls there

Everything crosses by one queue, so callbacks come in order. One job runs at a time. No Kivy.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Generic, TypeVar

from hemx_core.errors import HemxError
from mobile_app.errors import UnexpectedError

__all__ = [
    "Cancelled",
    "Job",
    "JobState",
    "Jobs",
    "Outcome",
    "Report",
    "Schedule",
    "T",
    "breathe",
    "outcome_of",
]


T = TypeVar("T")


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Cancelled(BaseException):
    """Ends a cancelled job from inside. No Exception: nothing in between may take it for an error."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """How a job ended.

    Args:
        state: DONE, FAILED or CANCELLED.
        value: what the work returned; None unless it is done.
        error: why it failed.
    """

    state: JobState
    value: T | None = None
    error: HemxError | None = None


def outcome_of(work: Callable[[], T]) -> Outcome[T]:
    """Run work; an error that is no HemxError comes wrapped."""
    try:
        return Outcome(JobState.DONE, value=work())
    except Cancelled:
        return Outcome(JobState.CANCELLED)
    except HemxError as error:
        _forget_locals(error)
        return Outcome(JobState.FAILED, error=error)
    except BaseException as error:
        # The worker must outlive whatever a job does, MemoryError included.
        _forget_locals(error)
        return Outcome(JobState.FAILED, error=UnexpectedError.wrap(error))


def _forget_locals(error: BaseException) -> None:
    """Keep the lines of a traceback and drop its variables: a volume hangs on them."""
    known: BaseException | None = error
    while known is not None:
        traceback.clear_frames(known.__traceback__)
        known = known.__cause__ or known.__context__


Schedule = Callable[[Callable[..., None]], object]
"""Runs a function soon on the interface's thread; it may hand it arguments, which are ignored."""

PROGRESS_SECONDS = 0.1
"""Progress is reported at most this often; a new stage and its last slice always."""

DRAIN_SECONDS = 0.008
"""A frame's share for callbacks; what is left waits for the next one."""

BREATH_SECONDS = 0.003
"""Between two slices a worker's Python code holds the interpreter's lock for most of the time, and where the
runtime has no process of its own, so does a slice. A frame that needs the lock several times would wait each
time; in this pause it is finished."""

NICENESS = 5
"""Of the worker's thread."""

R = TypeVar("R")


def breathe() -> None:
    """Let the interface draw; see `BREATH_SECONDS`. Called in a worker, between computations."""
    time.sleep(BREATH_SECONDS)


def _yield_to_the_interface() -> None:
    """Let this thread wait where cores are few; Linux and Android count niceness by thread."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


class Report(Generic[R]):
    """Reports of a job to the interface; both calls end the work if it has been cancelled."""

    def __init__(self, job: Job[Any, R], jobs: Jobs) -> None:
        self._job = job
        self._jobs = jobs
        self._told_at = -float("inf")
        self._stage = ""

    def progress(self, stage: str, done: int, total: int) -> None:
        """Tell progress; fits `hemx_core.costs.Progress`."""
        self.check()
        now = self._jobs.clock()
        last = done >= total or stage != self._stage
        if last or now - self._told_at >= self._jobs.progress_seconds:
            self._told_at, self._stage = now, stage
            job = self._job
            self._jobs.post(job, lambda: job.on_progress(stage, done, total))

    def result(self, item: R) -> None:
        """Hand over a part of the result, such as one slice, and let the interface draw it."""
        self.check()
        job = self._job
        self._jobs.post(job, lambda: job.on_result(item))
        breathe()

    def check(self) -> None:
        """End the work here if it has been cancelled."""
        if self._job.cancel_asked:
            raise Cancelled


class Job(Generic[T, R]):
    """A piece of work; made by `Jobs.run`. `state` changes on the interface's thread only."""

    def __init__(
        self,
        jobs: Jobs,
        work: Callable[[Report[R]], T],
        on_progress: Callable[[str, int, int], None],
        on_result: Callable[[R], None],
        on_error: Callable[[HemxError], None],
        on_done: Callable[[Outcome[T]], None],
    ) -> None:
        self._jobs = jobs
        self.work = work
        self.on_progress = on_progress
        self.on_result = on_result
        self.on_error = on_error
        self.on_done = on_done
        self.state = JobState.WAITING
        self._cancel = threading.Event()

    @property
    def cancel_asked(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancel.is_set()

    def cancel(self) -> None:
        """Ask it to end at its next report; from then on it reports nothing but its end.

        A job that still waits ends at once. Work that had finished by then ends as done: what it stored
        is there.
        """
        self._cancel.set()
        self._jobs.drop(self)


class Jobs:
    """Runs jobs one after the other in a thread of its own.

    Args:
        schedule: see `Schedule`.
        progress_seconds: see `PROGRESS_SECONDS`.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        schedule: Schedule,
        *,
        progress_seconds: float = PROGRESS_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.progress_seconds = progress_seconds
        self.clock = clock
        self._schedule = schedule
        self._changed = threading.Condition()
        self._waiting: deque[Job[Any, Any]] = deque()
        self._running: Job[Any, Any] | None = None
        self._posted: deque[tuple[Job[Any, Any], Callable[[], None] | Outcome[Any]]] = deque()
        self._draining = False
        self._ends = False
        self._thread = threading.Thread(target=self._serve, name="hemx-jobs", daemon=True)
        self._thread.start()

    def run(
        self,
        work: Callable[[Report[R]], T],
        *,
        on_progress: Callable[[str, int, int], None] = lambda _stage, _done, _total: None,
        on_result: Callable[[R], None] = lambda _item: None,
        on_error: Callable[[HemxError], None] = lambda _error: None,
        on_done: Callable[[Outcome[T]], None] = lambda _outcome: None,
    ) -> Job[T, R]:
        """Run work after the jobs that wait already. All callbacks come on the interface's thread.

        Args:
            work: called in the worker with its report; touches no widget.
            on_progress: (stage, done, total), throttled.
            on_result: every `report.result`, in order.
            on_error: the error of a failed job; one that is no HemxError comes wrapped.
            on_done: comes last, once, however the job ended.
        Raises:
            UnexpectedError: after `shutdown`.
        """
        job: Job[T, R] = Job(self, work, on_progress, on_result, on_error, on_done)
        with self._changed:
            if self._ends:
                raise UnexpectedError("closing")
            self._waiting.append(job)
            self._changed.notify_all()
        return job

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits, or something that one told is still to be delivered."""
        with self._changed:
            return self._running is not None or bool(self._waiting or self._posted)

    def shutdown(self, seconds: float = 10.0) -> bool:
        """Cancel everything and wait for the worker; call it on the interface's thread, last.

        What was posted is delivered before this returns.

        Returns:
            Whether the worker has ended; if not, it ends with the process.
        """
        with self._changed:
            self._ends = True
            unfinished = [*self._waiting, *([self._running] if self._running else [])]
            self._changed.notify_all()
        for job in unfinished:
            job.cancel()
        self._thread.join(seconds)
        while self._posted:
            self._drain()
        return not self._thread.is_alive()

    def post(self, job: Job[Any, Any], event: Callable[[], None] | Outcome[Any]) -> None:
        """Queue an event for the interface, from any thread; used by `Report`."""
        with self._changed:
            self._posted.append((job, event))
            if isinstance(event, Outcome) and self._running is job:
                # In one step: who sees that nothing runs finds its end in the queue, and who is told
                # its end finds that nothing runs.
                self._running = None
            wakes, self._draining = not self._draining, True
        if wakes:
            self._schedule(self._drain)

    def drop(self, job: Job[Any, Any]) -> None:
        """End a cancelled job that still waits; used by `Job.cancel`."""
        with self._changed:
            if job not in self._waiting:
                return
            self._waiting.remove(job)
        self.post(job, Outcome(JobState.CANCELLED))

    def _serve(self) -> None:
        _yield_to_the_interface()
        while (job := self._next()) is not None:
            outcome = outcome_of(partial(_perform, job, self))
            self.post(job, outcome)
            # While this thread waits it must not keep a result, its volume or its mask alive.
            del job, outcome

    def _next(self) -> Job[Any, Any] | None:
        with self._changed:
            while not self._waiting and not self._ends:
                self._changed.wait()
            if not self._waiting:
                return None
            self._running = job = self._waiting.popleft()
        self.post(job, lambda: None)
        return job

    def _drain(self, *_ignored: object) -> None:
        """Deliver what was posted, for a frame's share of time; on the interface's thread."""
        ends_at = time.monotonic() + DRAIN_SECONDS
        try:
            while self._posted and time.monotonic() < ends_at:
                self._deliver(*self._posted.popleft())
        finally:
            # Also where a callback failed: the events behind it must not be stuck.
            with self._changed:
                self._draining = again = bool(self._posted)
            if again:
                self._schedule(self._drain)

    def _deliver(self, job: Job[Any, Any], event: Callable[[], None] | Outcome[Any]) -> None:
        if not isinstance(event, Outcome):
            if job.state is JobState.WAITING:
                job.state = JobState.RUNNING
            if not job.cancel_asked:
                event()
            return
        job.state = event.state
        try:
            if event.error is not None:
                job.on_error(event.error)
        finally:
            job.on_done(event)


def _perform(job: Job[T, R], jobs: Jobs) -> T:
    """Run a job's work, in the worker."""
    report = Report(job, jobs)
    report.check()
    return job.work(report)
