"""Jobs: one training (experiment x arm x seed x data) each, in a folder of its own, done once.

A job's folder holds its checkpoints while it runs, then `arrays.npz` and, written last,
`job.json`. A job with a `job.json` is finished; one without goes on from its newest checkpoint.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core import provenance
from hemx_core.errors import TrainingError
from hemx_core.files import write_whole

RECORD = "job.json"
ARRAYS = "arrays.npz"
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a job leaves: JSON values, and arrays such as predictions."""

    values: dict[str, Any]
    arrays: Arrays


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """One piece of work.

    Args:
        name: its folder below the runner's, parts separated by `/`.
        settings: all that determines the outcome; JSON values.
        work: given the job's folder and whether to go on from a checkpoint there.
    """

    name: str
    settings: dict[str, Any]
    work: Callable[[Path, bool], Outcome]


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A finished job.

    Args:
        folder: of the job.
        values: see `Outcome`.
        arrays: see `Outcome`.
        seconds: that the session took which finished it.
    """

    folder: Path
    values: dict[str, Any]
    arrays: Arrays
    seconds: float


class Runner:
    """Runs jobs, each at most once.

    Args:
        root: folder of the jobs' folders.
        resume: take finished jobs as they are and go on with interrupted ones.
        say: told what is run and what is taken as it is.
    """

    def __init__(
        self, root: Path, *, resume: bool, say: Callable[[str], None] | None = None
    ) -> None:
        self.root = root
        self.resume = resume
        self._say = say or (lambda _line: None)
        self._mine: set[str] = set()
        self._inner = 0.0  # seconds of jobs that the job at work asked for

    def run(self, job: Job) -> Finished:
        """The job's outcome; works only if it is not finished yet.

        Raises:
            TrainingError: the job is finished and neither `resume` is set nor was it this runner
                that finished it; or it was run with other settings.
        """
        folder = self.root / job.name
        record = folder / RECORD
        if record.exists():
            if job.name not in self._mine:
                self._accept(job, record)
            return _load(folder)
        if (folder / "settings.json").exists() and self.resume:
            _compare(job, json.loads((folder / "settings.json").read_text(encoding="utf-8")))
        provenance.write_json(folder / "settings.json", job.settings)
        self._say(f"{job.name}: running")
        outcome, seconds = self._timed(job, folder)
        _save_arrays(folder / ARRAYS, outcome.arrays)
        provenance.write_json(
            record,
            {
                "provenance": provenance.provenance(seed=job.settings.get("seed")),
                "settings": job.settings,
                "seconds": seconds,
                "values": outcome.values,
            },
        )
        self._mine.add(job.name)
        self._say(f"{job.name}: {seconds:.0f} s")
        return _load(folder)

    def _timed(self, job: Job, folder: Path) -> tuple[Outcome, float]:
        """The outcome and the seconds of this job alone, without those of jobs that it ran."""
        outer, self._inner = self._inner, 0.0
        started = time.perf_counter()
        outcome = job.work(folder, self.resume)
        total = time.perf_counter() - started
        own, self._inner = total - self._inner, outer + total
        return outcome, round(own, 1)

    def _accept(self, job: Job, record: Path) -> None:
        if not self.resume:
            raise TrainingError(
                f"{job.name} is finished already",
                expected="an empty folder of runs",
                remedy="add --resume to take finished jobs as they are, or give another --runs",
            )
        _compare(job, json.loads(record.read_text(encoding="utf-8"))["settings"])
        self._mine.add(job.name)
        self._say(f"{job.name}: finished before")


def _compare(job: Job, known: dict[str, Any]) -> None:
    wanted = json.loads(json.dumps(job.settings))
    if known != wanted:
        names = sorted(k for k in known.keys() | wanted.keys() if known.get(k) != wanted.get(k))
        raise TrainingError(
            f"{job.name} was run with other settings ({', '.join(names)})",
            expected="the same settings",
            remedy="give another --runs, or delete the job's folder",
        )


def _save_arrays(path: Path, arrays: Arrays) -> None:
    write_whole(path, lambda stream: np.savez_compressed(stream, allow_pickle=True, **arrays))


def _load(folder: Path) -> Finished:
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    with np.load(folder / ARRAYS, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return Finished(folder, record["values"], arrays, record["seconds"])
