"""The experiments by name.

What each is given (data, scale, seeds, runner of jobs), and how one becomes three files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from benchmarks.harness.jobs import Finished, Job, Runner
from benchmarks.paper.data import Material, Slices, gather
from benchmarks.paper.report import Section, write_report
from benchmarks.paper.scale import Scale
from hemx_core.training.scoring.intervals import patient_draws
from hemx_core.training.scoring.predictions import Array

DRAW_SEED = 2026


@dataclass(kw_only=True)
class Bench:
    """The setting of a run.

    Args:
        scale: sizes.
        seeds: of the trainings; the data stay the same.
        runner: of jobs.
        cohort: studies with markers.
        real: studies with masks only, for experiment 1; None where there are none.
        threads: of torch, for the report.
        say: told what happens.
    """

    scale: Scale
    seeds: tuple[int, ...]
    runner: Runner
    cohort: Material
    real: Material | None = None
    threads: int = 1
    say: Callable[[str], None] = print
    used: dict[str, float] = field(default_factory=dict)
    """Seconds of every job that the current experiment took its figures from."""
    memo: dict[str, Any] = field(default_factory=dict)
    """What several jobs share and would else compute again."""

    def run(self, job: Job) -> Finished:
        """The outcome of a job."""
        finished = self.runner.run(job)
        self.used[job.name] = finished.seconds
        return finished

    def settings(
        self, material: Material, seed: int, sizes: dict[str, Any], **more: Any
    ) -> dict[str, Any]:
        """Settings of a job: its part of the scale, data, seed, and what distinguishes it from other jobs."""
        return {
            "sizes": sizes,
            "data": dict(material.source.description),
            "preprocessing": material.source.preprocessing.to_json(),
            "seed": seed,
            **more,
        }

    def name(self, material: Material, arm: str, seed: int) -> str:
        """Folder of a job."""
        return f"{self.scale.name}/{material.name}/{arm}/seed-{seed}"

    def draws(self, patients: int) -> Array:
        """The bootstrap draws that all arms on these patients share."""
        return patient_draws(patients, draws=self.scale.draws, seed=DRAW_SEED)

    @cached_property
    def cohort_train(self) -> Slices:
        """Training slices of the cohort."""
        return gather(self.cohort.source.patients("train"))

    @cached_property
    def cohort_held_out(self) -> Slices:
        """Held-out slices of the cohort."""
        return gather(self.cohort.held_out())


NAMES = ("segmentation", "location", "merging", "masking", "gan", "expansion")


class Experiment(Protocol):
    """A module `exp_NAME` with a title and a function that runs its jobs."""

    TITLE: str

    @staticmethod
    def sections(bench: Bench) -> list[Section]:
        """Run what is not finished and give the tables."""


def experiment_named(name: str) -> Experiment:
    """The module of an experiment of `NAMES`."""
    return cast(Experiment, import_module(f"benchmarks.paper.exp_{name}"))


def run_experiments(bench: Bench, names: Iterable[str], *, folder: Path) -> Iterator[Path]:
    """Run experiments one after the other.

    Args:
        bench: data, scale, seeds and runner.
        names: of `NAMES`.
        folder: for the results.
    Yields:
        The Markdown file of each finished experiment.
    """
    for name in names:
        bench.used.clear()
        one = experiment_named(name)
        found = one.sections(bench)
        write_report(folder, name, found, facts=_facts(bench, one.TITLE))
        yield folder / f"{name}.md"


def _facts(bench: Bench, title: str) -> dict[str, Any]:
    materials = [bench.cohort] + ([bench.real] if bench.real else [])
    return {
        "title": title,
        "scale": bench.scale.to_json(),
        "seeds": list(bench.seeds),
        "threads": bench.threads,
        "minutes": round(sum(bench.used.values()) / 60, 1),
        "data": {material.name: dict(material.source.description) for material in materials},
        "jobs": dict(sorted(bench.used.items())),
    }
