"""The device's models, timed: loading, self-test and every slice, in the worker.

get -> loading, self-test -> segment, segment, ... -> classify, ...
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mobile_app import settings
from mobile_app.work.device_models import DeviceModels

if TYPE_CHECKING:
    from hemx_core.bundle.load import Models
    from hemx_core.pipeline import TriageModels
    from mobile_app.store import Store
    from mobile_app.work.memory_guard import MemoryBudget


DRIVER_BYTES = 200 * 2**20
"""Mesa's software driver keeps its buffers in this process; the memory guard is to overlook them here."""


class WatchedModels:
    """Models that note when each of their calls began.

    Args:
        models: asked for everything.
    """

    def __init__(self, models: TriageModels) -> None:
        self._models = models
        self.begun: dict[str, list[float]] = {"segment": [], "classify": []}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._models, name)

    def segment_slices(self, images: Any) -> Any:
        """As the models', noted."""
        self.begun["segment"].append(time.perf_counter())
        return self._models.segment_slices(images)

    def classify(self, crop: Any, features: Any) -> Any:
        """As the models', noted."""
        self.begun["classify"].append(time.perf_counter())
        return self._models.classify(crop, features)

    def slice_seconds(self) -> list[float]:
        """From each call to the next one of its kind since the last time this was asked."""
        found = []
        for times in self.begun.values():
            found += [after - before for before, after in itertools.pairwise(times)]
            times.clear()
        return found


class TimedModels(DeviceModels):
    """Loads the shipped bundle as the app does, with a number of threads.

    Args:
        store: of the app.
        threads: of the runtime; stored as the app's setting.
    """

    def __init__(self, store: Store, *, threads: int) -> None:
        settings.set_threads(store, threads)
        super().__init__(store)
        self.loading = self.self_test = 0.0
        self._watched: WatchedModels | None = None

    def get(self) -> TriageModels:
        """The models, watched."""
        models = super().get()
        if self._watched is None:
            self._watched = WatchedModels(models)
        return self._watched

    def slice_seconds(self) -> list[float]:
        """See `WatchedModels.slice_seconds`; empty before the first triage."""
        return self._watched.slice_seconds() if self._watched else []

    def spent(self) -> dict[str, float]:
        """Seconds of loading and self-test since the last time this was asked."""
        found = {"loading": self.loading, "self_test": self.self_test}
        self.loading = self.self_test = 0.0
        return found

    def budget(self, base: MemoryBudget) -> MemoryBudget:
        """The app's, with what the graphics driver takes; a tablet's lies elsewhere."""
        known = super().budget(base)
        return replace(known, base_bytes=known.base_bytes + DRIVER_BYTES)

    def _load(self) -> Models:
        seconds, models = _timed(super()._load)
        self.loading += seconds
        return models

    def _tested(self, models: Models) -> Models:
        seconds, tested = _timed(lambda: super(TimedModels, self)._tested(models))
        self.self_test += seconds
        return tested


def _timed(act: Callable[[], Models]) -> tuple[float, Models]:
    started = time.perf_counter()
    found = act()
    return time.perf_counter() - started, found
