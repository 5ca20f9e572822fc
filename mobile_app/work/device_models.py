"""The models of this device: loaded once, tested against their references, kept.

    preload() -> the runtime                  on the desktop a process of its own, without models yet
    get()     -> load on it -> self-test, once for each bundle and runtime -> models

Called in the jobs' one worker only, but for `prepare` (the main thread, on Android), `preload` (any worker),
`end` (when the workers have ended) and the budget.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from hemx_core.device.machine import on_android
from hemx_core.device.memory import process_bytes, resident_bytes
from hemx_core.notes import Note, Severity
from hemx_core.runtime.program import OutsideBackend
from mobile_app import settings
from mobile_app.work.jobs import breathe
from mobile_app.work.memory_guard import MemoryBudget

if TYPE_CHECKING:
    from hemx_core.bundle.load import Models
    from hemx_core.manifest import ModelManifest
    from hemx_core.pipeline import TriageModels
    from hemx_core.runtime.program import Backend
    from mobile_app.store import Store

UNTESTED = Note("models_untested", Severity.WARNING)
"""Where a bundle brings nothing to test with."""


def device_backend(threads: int | None) -> Backend:
    """The device's runtime: on the desktop in a process of its own, so that the interface never waits for it.

    Where no such process can be started (Windows, a frozen app) it runs in this one.
    """
    if on_android():
        from hemx_core.runtime.android import AndroidBackend

        return AndroidBackend(threads=threads)
    from hemx_core.runtime.process import ProcessBackend, can_start_processes

    if can_start_processes():
        return ProcessBackend(threads=threads, stays=True)
    from hemx_core.runtime.desktop import DesktopBackend

    return DesktopBackend(threads=threads)


def prepare() -> None:
    """On Android find the runtime's Java classes: only the main thread sees them."""
    if on_android():
        device_backend(None)


class DeviceModels:
    """Loads the shipped bundle at the first call and keeps it.

    Args:
        store: keeps the self-test's answer, and the number of threads.
        backend: makes the runtime; takes the number of threads.
    """

    def __init__(
        self, store: Store, *, backend: Callable[[int | None], Backend] = device_backend
    ) -> None:
        self._store = store
        self._backend = backend
        self._models: Models | None = None
        self._runtime: Backend | None = None
        self._runtime_threads = 0
        self._library_bytes = 0
        self._starts, self._loads_here = threading.Lock(), threading.Lock()

    def get(self) -> TriageModels:
        """The models, after a self-test that passed.

        Raises:
            SelfTestError: they compute something else on this device.
            ModelError: the bundle or its runtime cannot be used.
        """
        if self._lost:
            self.close()
        if self._models is None:
            models = self._load()
            try:
                self._models = self._tested(models)
            except BaseException:
                models.close()
                raise
        return self._models

    def preload(self) -> None:
        """Start the desktop's runtime; the models come with the first study.

        Raises:
            BackendError: it does not start. The first study will say so.
        """
        if not on_android():
            self._started()

    def fresh(self) -> Models:
        """Models loaded anew and not tested, the caller's to close; those that were kept are closed first.

        Raises:
            ModelError: the bundle or its runtime cannot be used.
        """
        self.close()
        return self._load()

    def close(self) -> None:
        """Free the models; the next `get` loads them again, on the runtime that is there."""
        if self._models is not None:
            self._models.close()
            self._models = None

    def end(self) -> None:
        """Free the models, and end the runtime's process where it has one."""
        self.close()
        with self._starts:
            self._end_runtime()

    def unloaded_manifest(self) -> ModelManifest | None:
        """The manifest of models that are still to be loaded, for the memory they will take."""
        if self._models is not None and not self._lost:
            return None
        from hemx_core.bundle.load import default_bundle
        from hemx_core.manifest import ModelManifest, read_manifest

        return ModelManifest.from_bytes(read_manifest(default_bundle()))

    def budget(self, base: MemoryBudget) -> MemoryBudget:
        """The budget, with what the runtime's libraries take counted as the app's own.

        What models and buffers take in a process of the runtime's own counts as the study's; where that
        process is to be started again, so does what it will take of the free memory. Libraries that another
        worker loads into this process are waited for: half of them would count as a study's.
        """
        with self._loads_here:
            budget = replace(base, base_bytes=base.base_bytes + self._library_bytes)
            runtime = self._runtime
        if not isinstance(runtime, OutsideBackend):
            return budget
        # First the process: where there is one, what its libraries take is known.
        process = runtime.process_id
        if process is None:
            return replace(budget, starting_bytes=runtime.runtime_bytes)
        outside = process_bytes(process).resident - runtime.runtime_bytes
        return replace(budget, outside_bytes=max(0, outside))

    @property
    def runtime_bytes(self) -> int:
        """What the runtime's libraries took when they were loaded, here or in their own process."""
        if isinstance(self._runtime, OutsideBackend):
            return self._runtime.runtime_bytes
        return self._library_bytes

    @property
    def process_id(self) -> int | None:
        """Of the runtime's own process; None where it has none, or none that runs."""
        return self._runtime.process_id if isinstance(self._runtime, OutsideBackend) else None

    @property
    def _lost(self) -> bool:
        """Whether the process that ran the models has ended."""
        models = self._models
        return (
            models is not None
            and models.process_id is not None
            and models.process_id != self.process_id
        )

    def _load(self) -> Models:
        from hemx_core.bundle.load import load_models

        models = load_models(backend=self._started())
        breathe()
        return models

    def _started(self) -> Backend:
        """The runtime, with the number of threads that the settings say; from any worker."""
        threads = settings.threads(self._store)
        with self._starts:
            runtime = self._runtime
            if not isinstance(runtime, OutsideBackend) or self._runtime_threads != threads:
                self._end_runtime()
                with self._loads_here:
                    before = resident_bytes()
                    with _objects_that_stay():
                        self._runtime = runtime = self._backend(threads)
                    if not isinstance(runtime, OutsideBackend):
                        self._library_bytes += max(0, resident_bytes() - before)
                self._runtime_threads = threads
            if isinstance(runtime, OutsideBackend):
                runtime.start()
            return runtime

    def _end_runtime(self) -> None:
        runtime, self._runtime = self._runtime, None
        if isinstance(runtime, OutsideBackend):
            runtime.close()

    def _tested(self, models: Models) -> Models:
        """The models if they may be used; see `ensure_self_test`."""
        from mobile_app.work.self_test import ensure_self_test

        report = ensure_self_test(self._store, models, on_slice=lambda _done, _total: breathe())
        if report.tested:
            return models
        return replace(models, notes=(*models.notes, UNTESTED))


@contextmanager
def _objects_that_stay() -> Iterator[None]:
    """Keep the garbage collector from ever looking at what is made inside.

    The runtime's libraries bring several hundred thousand objects that live as long as the process. A full
    collection of them would stop the interface for longer than a frame may take, and would come so rarely
    that closed studies and pictures stay in memory.
    """
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
