from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from hemx_core.errors import BackendError
from mobile_app.device_models import DeviceModels
from mobile_app.store import Store


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
    monkeypatch.setattr("hemx_core.runtime.bundle.load_models", lambda backend: backend)
    try:
        brought = DeviceModels(store, backend=lambda _threads: [[] for _ in range(1000)]).fresh()
        assert len(brought) == 1000
        assert gc.get_freeze_count() >= before + 1000
    finally:
        gc.unfreeze()
