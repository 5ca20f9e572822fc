"""What every experiment is given: data, scale, seeds and the runner of its jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from benchmarks.paper.jobs import Finished, Job, Runner
from benchmarks.paper.materials import Material
from benchmarks.paper.scale import Scale
from benchmarks.paper.studies import Slices, gather
from hemx_core.evaluation.intervals import patient_draws
from hemx_core.evaluation.predictions import Array

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
        """Settings of a job: its part of the scale, data, seed, and what tells it from its siblings."""
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
