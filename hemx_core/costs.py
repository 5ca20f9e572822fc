"""Wall time and peak memory of each stage of a run, and its progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hemx_core.device.memory import peak_rss_mib, process_bytes
from hemx_core.result import SliceUpdate, StageCost

START_UP = "start_up"
"""Name of the stage that loads the models; a study's own time does not count it."""

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, the slices done and the slices to do."""

OnSlice = Callable[[SliceUpdate], None]
"""Called with each slice as soon as something is known of it."""


class StageClock:
    """Adds up the time of named stages; a stage may be entered many times.

    Slices stream through preparation and segmentation in turn, so a stage's time is a sum.

    Args:
        process: that the models run in, where it is not this one: its peak is added. May be set later.
    """

    def __init__(self, process: int | None = None) -> None:
        """Start with no stages."""
        self.process = process
        self._seconds: dict[str, float] = {}
        self._peaks: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what runs inside; the time counts also when it fails."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - start
            self._peaks[name] = peak_rss_mib() + process_bytes(self.process).peak / 2**20

    @property
    def costs(self) -> tuple[StageCost, ...]:
        """One entry for each stage, in the order of their first entry."""
        return tuple(
            StageCost(name, seconds, self._peaks[name]) for name, seconds in self._seconds.items()
        )


@dataclass(frozen=True, slots=True)
class Watch:
    """Times the stages of a run, reports its progress and passes on its slices."""

    clock: StageClock = field(default_factory=StageClock)
    progress: Progress | None = None
    on_slice: OnSlice | None = None

    def tell(self, stage: str, done: int, total: int) -> None:
        """Report how many slices of a stage are done."""
        if self.progress is not None:
            self.progress(stage, done, total)

    def show(self, update: SliceUpdate) -> None:
        """Hand over a slice."""
        if self.on_slice is not None:
            self.on_slice(update)


def study_seconds(costs: tuple[StageCost, ...]) -> float:
    """Seconds spent on the study itself: all stages but the start-up."""
    return sum(cost.seconds for cost in costs if cost.name != START_UP)


def start_up_seconds(costs: tuple[StageCost, ...]) -> float:
    """Seconds spent on loading the runtime and the models."""
    return sum(cost.seconds for cost in costs if cost.name == START_UP)


def peak_mib(costs: tuple[StageCost, ...]) -> float:
    """Largest peak of all stages, MiB."""
    return max((cost.peak_rss_mib for cost in costs), default=0.0)
