"""The models of this device: loaded once, tested against their references, kept.

    get() -> load on the device's runtime -> self-test, once for each bundle and runtime -> models

Called in the jobs' one worker only, but for `prepare` (the main thread, on Android) and the budget.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from mobile_app import settings
from mobile_app.memory_guard import MemoryBudget, resident_bytes

if TYPE_CHECKING:
    from hemx_core.imaging.volume import Note
    from hemx_core.manifest import ModelManifest
    from hemx_core.runtime.bundle import Models
    from hemx_core.runtime.program import Backend
    from hemx_core.triage import TriageModels
    from mobile_app.store import Store


def on_android() -> bool:
    """Whether this is the app on a tablet: python-for-android sets the variable."""
    return "ANDROID_ARGUMENT" in os.environ


def device_backend(threads: int | None) -> Backend:
    """The device's runtime."""
    if on_android():
        from hemx_core.runtime.pte_android import AndroidBackend

        return AndroidBackend(threads=threads)
    from hemx_core.runtime.pte_desktop import DesktopBackend

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
        self._runtime_bytes = 0

    def get(self) -> TriageModels:
        """The models, after a self-test that passed.

        Raises:
            SelfTestError: they compute something else on this device.
            ModelError: the bundle or its runtime cannot be used.
        """
        if self._models is None:
            models = self._load()
            try:
                self._models = self._tested(models)
            except BaseException:
                models.close()
                raise
        return self._models

    def fresh(self) -> Models:
        """Models loaded anew and not tested, the caller's to close; those that were kept are closed first.

        Raises:
            ModelError: the bundle or its runtime cannot be used.
        """
        self.close()
        return self._load()

    def close(self) -> None:
        """Free the models; the next `get` loads them again."""
        if self._models is not None:
            self._models.close()
            self._models = None

    def unloaded_manifest(self) -> ModelManifest | None:
        """The manifest of models that are still to be loaded, for the memory they will take."""
        if self._models is not None:
            return None
        from hemx_core.manifest import ModelManifest, read_manifest
        from hemx_core.runtime.bundle import default_bundle

        return ModelManifest.from_bytes(read_manifest(default_bundle()))

    def budget(self, base: MemoryBudget) -> MemoryBudget:
        """The budget, with what the runtime's libraries take counted as the app's own."""
        return replace(base, base_bytes=base.base_bytes + self._runtime_bytes)

    def _load(self) -> Models:
        from hemx_core.runtime.bundle import load_models

        before = resident_bytes()
        with _objects_that_stay():
            backend = self._backend(settings.threads(self._store))
        self._runtime_bytes += max(0, resident_bytes() - before)
        return load_models(backend=backend)

    def _tested(self, models: Models) -> Models:
        """The models if they may be used; see `ensure_self_test`."""
        from mobile_app.self_test import ensure_self_test

        if ensure_self_test(self._store, models).tested:
            return models
        return replace(models, notes=(*models.notes, untested_note()))


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


def untested_note() -> Note:
    """What a result says where a bundle of schema version 1 brings nothing to test with."""
    from hemx_core.imaging.volume import Note

    return Note(
        "models_untested",
        "WARNING: the models bring no reference outputs: they were not tested on this device.",
    )
