from __future__ import annotations

import gc
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hemx_core.device.memory import process_bytes
from hemx_core.errors import BackendError
from mobile_app import settings
from mobile_app.store import Store
from mobile_app.work.device_models import DeviceModels
from mobile_app.work.memory_guard import MemoryBudget
from tests.factories import FakeBackend, write_tested_bundle


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store(tmp_path) as one:
        yield one


def test_the_collector_rests_while_the_runtime_comes_and_never_sees_it_again(store: Store) -> None:
    seen: list[bool] = []

    def backend(_threads: int | None) -> Any:
        seen.append(gc.isenabled())
        raise BackendError("no runtime", expected="one", remedy="install it")

    with pytest.raises(BackendError):
        DeviceModels(store, backend=backend).get()
    assert seen == [False]
    assert gc.isenabled()


def test_what_the_runtime_brings_is_frozen(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = gc.get_freeze_count()
    monkeypatch.setattr("hemx_core.bundle.load.load_models", lambda backend: backend)
    try:
        brought = DeviceModels(store, backend=lambda _threads: [[] for _ in range(1000)]).fresh()
        assert len(brought) == 1000
        assert gc.get_freeze_count() >= before + 1000
    finally:
        gc.unfreeze()


class Outside(FakeBackend):
    """A runtime that says it has a process of its own: this one."""

    def __init__(self, threads: int | None) -> None:
        super().__init__()
        self.threads = threads
        self.runtime_bytes = 0
        self.process_id: int | None = None
        self.starts = self.ends = 0

    def start(self) -> None:
        if self.process_id is None:
            self.starts += 1
            self.process_id, self.runtime_bytes = os.getpid(), 1000

    def close(self) -> None:
        self.ends += 1
        self.process_id = None


class Runtimes(list[Outside]):
    """Makes them and keeps them."""

    def __call__(self, threads: int | None) -> Outside:
        self.append(Outside(threads))
        return self[-1]


@pytest.fixture
def runtimes() -> Runtimes:
    return Runtimes()


@pytest.fixture
def outside(
    store: Store, runtimes: Runtimes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> DeviceModels:
    monkeypatch.setattr(settings, "cores", lambda: 4)
    monkeypatch.setenv("HEMX_MODELS", str(tmp_path / "bundle"))
    write_tested_bundle(tmp_path / "bundle")
    return DeviceModels(store, backend=runtimes)


def test_a_runtime_that_was_started_ahead_runs_the_models(
    outside: DeviceModels, runtimes: Runtimes
) -> None:
    outside.preload()
    assert (len(runtimes), runtimes[0].starts, runtimes[0].opened) == (1, 1, [])
    assert outside.runtime_bytes == 1000
    models = outside.get()
    assert outside.get() is models
    outside.close()
    outside.get()
    assert (len(runtimes), runtimes[0].starts, runtimes[0].ends) == (1, 1, 0)
    outside.end()
    assert runtimes[0].ends == 1
    assert all(one.closed for one in runtimes[0].opened)
    outside.end()


def test_another_number_of_threads_takes_another_runtime(
    outside: DeviceModels, runtimes: Runtimes, store: Store
) -> None:
    outside.preload()
    settings.set_threads(store, 3)
    outside.get()
    assert [(one.threads, one.ends) for one in runtimes] == [(2, 1), (3, 0)]


def test_models_whose_process_has_ended_are_loaded_anew(
    outside: DeviceModels, runtimes: Runtimes
) -> None:
    lost = outside.get()
    assert outside.unloaded_manifest() is None
    runtimes[0].process_id = None
    assert outside.unloaded_manifest() is not None, "its memory is to be found again"
    base = MemoryBudget(base_bytes=0)
    assert outside.budget(base).starting_bytes == 1000
    found = outside.get()
    assert found is not lost
    assert (len(runtimes), runtimes[0].starts) == (1, 2)
    assert outside.budget(base).starting_bytes == 0


def test_what_the_models_take_in_another_process_counts_and_its_libraries_do_not(
    outside: DeviceModels, runtimes: Runtimes
) -> None:
    base = MemoryBudget(base_bytes=7)
    assert outside.budget(base) == base
    outside.preload()
    runtimes[0].runtime_bytes = process_bytes(os.getpid()).resident - 2**20
    counted = outside.budget(base)
    assert (counted.base_bytes, counted.starting_bytes) == (7, 0)
    assert 0 < counted.outside_bytes < 2**28
    runtimes[0].runtime_bytes = 2**40
    assert outside.budget(base).outside_bytes == 0


def test_a_process_that_still_loads_its_libraries_counts_for_nothing(store: Store) -> None:
    """As when a study is opened while the app starts."""
    models = DeviceModels(store)
    base = MemoryBudget(base_bytes=7)
    starting = threading.Thread(target=models.preload)
    starting.start()
    counted = [models.budget(base)]
    while starting.is_alive():
        counted.append(models.budget(base))
        time.sleep(0.001)
    counted.append(models.budget(base))
    models.end()
    assert len(counted) > 2
    # What a process without programs may have written since it was ready.
    assert max(one.outside_bytes for one in counted) < 32 * 2**20
    assert {one.base_bytes for one in counted} == {7}


def test_libraries_that_load_into_this_process_are_waited_for(store: Store) -> None:
    begun, goes_on = threading.Event(), threading.Event()
    brought: list[bytes] = []

    def backend(_threads: int | None) -> FakeBackend:
        begun.set()
        goes_on.wait(30)
        brought.append(b"x" * (64 * 2**20))
        return FakeBackend()

    models = DeviceModels(store, backend=backend)
    base = MemoryBudget(base_bytes=7)
    starting = threading.Thread(target=models.preload)
    starting.start()
    assert begun.wait(30)
    counted: list[MemoryBudget] = []
    asking = threading.Thread(target=lambda: counted.append(models.budget(base)))
    asking.start()
    asking.join(0.1)
    assert counted == []
    goes_on.set()
    starting.join()
    asking.join()
    assert counted[0].base_bytes > 60 * 2**20
