"""All experiments by name, and how one becomes three files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from benchmarks.paper.bench import Bench
from benchmarks.paper.report import Section, write_report

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
        "data": {one.name: dict(one.source.description) for one in materials},
        "jobs": dict(sorted(bench.used.items())),
    }
