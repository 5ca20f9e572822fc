from pathlib import Path

import numpy as np
import pytest

from benchmarks.harness.jobs import Job, Outcome, Runner
from hemx_core.errors import TrainingError


class Work:
    """Counts how often it is done; fails on the first call if told to."""

    def __init__(self, *, fail: bool = False) -> None:
        self.calls: list[bool] = []
        self.fail = fail

    def __call__(self, folder: Path, resume: bool) -> Outcome:
        self.calls.append(resume)
        if self.fail and len(self.calls) == 1:
            raise KeyboardInterrupt
        return Outcome({"steps": 3}, {"scores": np.arange(4.0)})


def _job(work: Work, **settings: object) -> Job:
    return Job(name="data/arm/seed-1", settings={"seed": 1, "steps": 3} | settings, work=work)


def test_a_job_is_done_once_in_a_run_and_once_over_runs(tmp_path: Path) -> None:
    work = Work()
    runner = Runner(tmp_path, resume=False)
    first = runner.run(_job(work))
    again = runner.run(_job(work))
    later = Runner(tmp_path, resume=True).run(_job(work))
    assert work.calls == [False]
    for found in (first, again, later):
        assert found.values == {"steps": 3}
        np.testing.assert_array_equal(found.arrays["scores"], np.arange(4.0))
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_finished_job_is_not_taken_silently(tmp_path: Path) -> None:
    Runner(tmp_path, resume=False).run(_job(Work()))
    with pytest.raises(TrainingError, match="finished already"):
        Runner(tmp_path, resume=False).run(_job(Work()))


def test_other_settings_are_refused(tmp_path: Path) -> None:
    Runner(tmp_path, resume=False).run(_job(Work()))
    with pytest.raises(TrainingError, match=r"other settings \(steps\)"):
        Runner(tmp_path, resume=True).run(_job(Work(), steps=4))


def test_a_killed_job_goes_on(tmp_path: Path) -> None:
    work = Work(fail=True)
    with pytest.raises(KeyboardInterrupt):
        Runner(tmp_path, resume=True).run(_job(work))
    assert not (tmp_path / "data/arm/seed-1/job.json").exists()
    with pytest.raises(TrainingError, match=r"other settings \(steps\)"):
        Runner(tmp_path, resume=True).run(_job(work, steps=4))
    found = Runner(tmp_path, resume=True).run(_job(work))
    assert found.values == {"steps": 3}
    assert work.calls == [True, True]


def test_settings_are_compared_as_json(tmp_path: Path) -> None:
    work = Work()
    Runner(tmp_path, resume=False).run(_job(work, channels=(1, 2)))
    Runner(tmp_path, resume=True).run(_job(work, channels=(1, 2)))
    assert len(work.calls) == 1


def test_time_of_a_job_leaves_out_the_jobs_that_it_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 10.0, 17.0, 30.0])  # outer starts, inner starts, inner ends, outer ends
    monkeypatch.setattr("benchmarks.harness.jobs.time.perf_counter", lambda: next(clock))
    runner = Runner(tmp_path, resume=False)
    inner = Job(name="inner", settings={}, work=Work())

    def work(_folder: Path, _resume: bool) -> Outcome:
        assert runner.run(inner).seconds == 7.0
        return Outcome({}, {})

    assert runner.run(Job(name="outer", settings={}, work=work)).seconds == 23.0
