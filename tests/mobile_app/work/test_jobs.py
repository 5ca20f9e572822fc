from __future__ import annotations

import gc
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from hemx_core.errors import HemxError, NotHeadError
from mobile_app.errors import UnexpectedError
from mobile_app.work.jobs import DRAIN_SECONDS, Job, Jobs, JobState, Outcome, Report

SOON = 10.0
"""Seconds after which a test gives up waiting for another thread."""


class Interface:
    """The interface's thread, as the test's own: what is scheduled waits until `turn`."""

    def __init__(self) -> None:
        self.calls: deque[Callable[..., None]] = deque()
        self.woken = threading.Condition()
        self.scheduled = 0
        self.told: list[tuple[object, ...]] = []
        self.threads: set[int] = set()

    def schedule(self, call: Callable[..., None]) -> None:
        with self.woken:
            self.scheduled += 1
            self.calls.append(call)
            self.woken.notify_all()

    def turn(self, seconds: float = SOON) -> None:
        """Run what is scheduled, waiting for something if there is nothing."""
        with self.woken:
            assert self.woken.wait_for(lambda: self.calls, seconds), "nothing was scheduled"
            call = self.calls.popleft()
        call(0.016)  # Kivy's clock hands over the time that passed

    def until(self, condition: Callable[[], bool]) -> None:
        ends_at = time.monotonic() + SOON
        while not condition():
            assert time.monotonic() < ends_at, self.told
            self.turn()

    def callbacks(self, name: str) -> dict[str, Callable[..., None]]:
        def tell(kind: str) -> Callable[..., None]:
            def told(*values: object) -> None:
                self.threads.add(threading.get_ident())
                self.told.append((name, kind, *values))

            return told

        return {f"on_{kind}": tell(kind) for kind in ("progress", "result", "error", "done")}


@pytest.fixture
def interface() -> Interface:
    return Interface()


@pytest.fixture
def jobs(interface: Interface) -> Iterator[Jobs]:
    made = Jobs(interface.schedule, progress_seconds=0.0)
    yield made
    assert made.shutdown(SOON), "the worker must end"


def ended(job: Job) -> Callable[[], bool]:
    return lambda: job.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


def triage_of(slices: int) -> Callable[[Report[int]], str]:
    """A fake triage that reports as the true one does."""

    def work(report: Report[int]) -> str:
        for index in range(slices):
            report.result(index)
            report.progress("segment", index + 1, slices)
        return "result"

    return work


def test_results_and_progress_come_in_order_on_the_interface_s_thread(
    interface: Interface, jobs: Jobs
) -> None:
    worker: list[int] = []

    def work(report: Report[int]) -> str:
        worker.append(threading.get_ident())
        return triage_of(300)(report)

    job = jobs.run(work, **interface.callbacks("a"))
    interface.until(ended(job))
    assert interface.told == [
        event
        for index in range(300)
        for event in (("a", "result", index), ("a", "progress", "segment", index + 1, 300))
    ] + [("a", "done", Outcome(JobState.DONE, value="result"))]
    assert interface.threads == {threading.get_ident()}
    assert worker != [threading.get_ident()]


def test_nothing_is_delivered_before_the_interface_takes_its_turn(
    interface: Interface, jobs: Jobs
) -> None:
    worked = threading.Event()

    def work(report: Report[int]) -> None:
        triage_of(5)(report)
        worked.set()

    job = jobs.run(work, **interface.callbacks("a"))
    assert worked.wait(SOON)
    assert (job.state, interface.told) == (JobState.WAITING, [])
    assert interface.scheduled == 1, "one turn is asked for, however much waits"
    interface.until(ended(job))


def test_a_turn_takes_a_frame_s_share_only(interface: Interface, jobs: Jobs) -> None:
    callbacks = interface.callbacks("a")
    slow = callbacks["on_result"]

    def draw(item: object) -> None:
        time.sleep(0.003)
        slow(item)

    job = jobs.run(triage_of(40), **(callbacks | {"on_result": draw}))
    turns = 0
    while not ended(job)():
        interface.turn()
        turns += 1
    assert turns > 40 * 0.003 / 0.012, "the results are spread over several frames"
    assert [told[2] for told in interface.told if told[1] == "result"] == list(range(40))


def test_progress_is_throttled_but_never_the_last_slice_or_a_new_stage(
    interface: Interface,
) -> None:
    now = [0.0]
    jobs = Jobs(interface.schedule, progress_seconds=0.1, clock=lambda: now[0])

    def work(report: Report[int]) -> None:
        for stage in ("segment", "classify"):
            for index in range(100):
                now[0] += 0.01
                report.progress(stage, index + 1, 100)

    job = jobs.run(work, **interface.callbacks("a"))
    interface.until(ended(job))
    steps = [told[2:4] for told in interface.told if told[1] == "progress"]
    for stage in ("segment", "classify"):
        done = [count for one, count in steps if one == stage]
        assert done[0] == 1
        assert done[-1] == 100
        assert 10 <= len(done) <= 13
    assert jobs.shutdown(SOON)


def test_cancel_ends_within_one_slice_and_silences_the_job(
    interface: Interface, jobs: Jobs
) -> None:
    reached, cancelled, slices = threading.Event(), threading.Event(), []

    def work(report: Report[int]) -> None:
        for index in range(1000):
            try:
                slices.append(index)
                report.progress("segment", index + 1, 1000)
            except Exception:  # as careless code in between would
                pass
            if index == 3:
                reached.set()
                assert cancelled.wait(SOON)

    job = jobs.run(work, **interface.callbacks("a"))
    assert reached.wait(SOON)
    job.cancel()
    cancelled.set()
    interface.until(ended(job))
    assert slices == [0, 1, 2, 3, 4]
    assert interface.told == [("a", "done", Outcome(JobState.CANCELLED))]
    assert job.state is JobState.CANCELLED


def test_work_that_had_finished_when_it_was_cancelled_ends_as_done(
    interface: Interface, jobs: Jobs
) -> None:
    finished = threading.Event()

    def work(report: Report[int]) -> int:
        report.result(1)
        finished.set()
        return 7

    job = jobs.run(work, **interface.callbacks("a"))
    assert finished.wait(SOON)
    next_one = threading.Event()
    jobs.run(lambda _report: next_one.set())
    assert next_one.wait(SOON), "the worker has posted the first one's end"
    job.cancel()
    interface.until(ended(job))
    assert interface.told == [("a", "done", Outcome(JobState.DONE, value=7))]


def test_whoever_finds_nothing_busy_was_told_every_end(interface: Interface) -> None:
    class SlowToPost(Jobs):
        def post(self, job: Job, event: object) -> None:
            if isinstance(event, Outcome):
                time.sleep(0.05)
            super().post(job, event)

    jobs = SlowToPost(interface.schedule)
    jobs.run(lambda _report: 7, **interface.callbacks("a"))
    while jobs.busy:
        if interface.calls:
            interface.turn()
    assert interface.told == [("a", "done", Outcome(JobState.DONE, value=7))]
    assert jobs.shutdown(SOON)


def test_what_waits_for_the_next_frame_keeps_it_busy(interface: Interface, jobs: Jobs) -> None:
    callbacks = interface.callbacks("a")
    job = jobs.run(
        triage_of(3), **(callbacks | {"on_progress": lambda *_: time.sleep(DRAIN_SECONDS * 1.5)})
    )
    while not ended(job)():
        assert jobs.busy
        interface.turn()
    assert not jobs.busy, "also where the end was delivered a moment ago"


def test_a_second_job_waits_and_a_waiting_one_is_cancelled_at_once(
    interface: Interface, jobs: Jobs
) -> None:
    release, running = threading.Event(), []

    def work(name: str) -> Callable[[Report[int]], str]:
        def inner(report: Report[int]) -> str:
            running.append(name)
            assert len(running) == 1, "one at a time"
            assert release.wait(SOON)
            report.result(0)
            running.remove(name)
            return name

        return inner

    first, second, third = (jobs.run(work(name), **interface.callbacks(name)) for name in "abc")
    interface.until(lambda: first.state is JobState.RUNNING)
    assert (second.state, third.state) == (JobState.WAITING, JobState.WAITING)
    second.cancel()
    interface.until(ended(second))
    assert first.state is JobState.RUNNING
    assert jobs.busy
    release.set()
    interface.until(ended(third))
    assert [(told[0], told[1]) for told in interface.told] == [
        ("b", "done"), ("a", "result"), ("a", "done"), ("c", "result"), ("c", "done"),
    ]  # fmt: skip
    assert not jobs.busy


@pytest.mark.parametrize(
    "raised", [NotHeadError("a knee"), ValueError("Yamada"), MemoryError(), SystemExit(1)]
)
def test_errors_are_told_as_hemx_errors_and_the_worker_lives_on(
    interface: Interface, jobs: Jobs, raised: BaseException
) -> None:
    def work(_report: Report[int]) -> None:
        raise raised

    job = jobs.run(work, **interface.callbacks("a"))
    interface.until(ended(job))
    (_, kind, error), (_, last, outcome) = interface.told
    assert (kind, last) == ("error", "done")
    assert isinstance(error, HemxError)
    if isinstance(raised, HemxError):
        assert error is raised
    else:
        assert isinstance(error, UnexpectedError)
        assert error.__cause__ is raised
        assert type(raised).__name__ in str(error)
        assert "Yamada" not in str(error), "a text may hold a patient's name"
    assert outcome == Outcome(JobState.FAILED, error=error)
    again = jobs.run(triage_of(1), **interface.callbacks("b"))
    interface.until(ended(again))
    assert again.state is JobState.DONE


def test_an_error_keeps_no_volume_alive(interface: Interface, jobs: Jobs) -> None:
    class Volume:
        hu = np.zeros(4)

    seen: list[weakref.ref[Volume]] = []

    def fail(volume: Volume) -> None:
        raise NotHeadError("a knee")

    def work(_report: Report[int]) -> None:
        volume = Volume()
        seen.append(weakref.ref(volume))
        fail(volume)

    job = jobs.run(work, **interface.callbacks("a"))
    interface.until(ended(job))
    error = interface.told[0][2]
    gc.collect()
    assert isinstance(error, NotHeadError)
    assert error.__traceback__ is not None, "its lines are kept"
    assert seen[0]() is None


def test_the_idle_worker_keeps_no_result_alive(interface: Interface, jobs: Jobs) -> None:
    class Result:
        pass

    seen: list[weakref.ref[Result]] = []

    def work(report: Report[Result]) -> Result:
        result = Result()
        seen.append(weakref.ref(result))
        report.result(result)
        return result

    done: list[JobState] = []
    jobs.run(work, on_done=lambda outcome: done.append(outcome.state))
    interface.until(lambda: bool(done))
    ends_at = time.monotonic() + SOON
    while seen[0]() is not None and time.monotonic() < ends_at:
        gc.collect()
        time.sleep(0.001)
    assert seen[0]() is None


def test_a_callback_that_fails_holds_nothing_up(interface: Interface, jobs: Jobs) -> None:
    callbacks = interface.callbacks("a")

    def broken(_item: object) -> None:
        raise RuntimeError("a widget is gone")

    job = jobs.run(triage_of(2), **(callbacks | {"on_result": broken}))
    failures = 0
    while not ended(job)():
        try:
            interface.turn()
        except RuntimeError:
            failures += 1
    assert failures == 2
    assert [told[1] for told in interface.told] == ["progress", "progress", "done"]


def test_shutdown_cancels_what_runs_and_waits_and_tells_the_end(interface: Interface) -> None:
    jobs = Jobs(interface.schedule)
    started = threading.Event()

    def endless(report: Report[int]) -> None:
        started.set()
        while True:
            report.check()
            time.sleep(0.0005)

    running = jobs.run(endless, **interface.callbacks("a"))
    waiting = jobs.run(triage_of(3), **interface.callbacks("b"))
    assert started.wait(SOON)
    assert jobs.shutdown(SOON)
    assert (running.state, waiting.state) == (JobState.CANCELLED, JobState.CANCELLED)
    assert {told[:2] for told in interface.told} == {("a", "done"), ("b", "done")}
    with pytest.raises(UnexpectedError, match="closing"):
        jobs.run(triage_of(1))


def test_shutdown_does_not_wait_for_ever(interface: Interface) -> None:
    jobs = Jobs(interface.schedule)
    release, started = threading.Event(), threading.Event()

    def deaf(_report: Report[int]) -> None:
        started.set()
        release.wait(SOON)

    jobs.run(deaf)
    assert started.wait(SOON)
    assert not jobs.shutdown(0.02)
    release.set()
    assert jobs.shutdown(SOON)
