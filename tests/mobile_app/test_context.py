from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from hemx_core.errors import BackendError, HemxError
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import SeriesIdentity
from mobile_app import settings
from mobile_app.context import AppContext
from mobile_app.errors import NotStoredError
from mobile_app.store import Store, StudyState
from mobile_app.work.jobs import Jobs
from mobile_app.work.library import import_series
from mobile_app.work.memory_guard import MemoryBudget
from tests.factories import ThresholdModels, simple_head, write_ct_series

AMPLE = MemoryBudget(base_bytes=2**40)


class Models:
    """Device models that tell what is asked of them; `go_on` lets the first slice be segmented."""

    def __init__(self) -> None:
        self.fake = ThresholdModels()
        self.closed = 0
        self.error: HemxError | None = None
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.thread: threading.Thread | None = None

    def get(self) -> Any:
        self.begun.set()
        assert self.go_on.wait(20)
        self.thread = threading.current_thread()
        if self.error:
            raise self.error
        return self.fake

    def close(self) -> None:
        self.closed += 1

    def unloaded_manifest(self) -> None:
        return None

    def budget(self, base: MemoryBudget) -> MemoryBudget:
        return base


class Driven:
    """A context whose callbacks run when `settle` says so."""

    def __init__(self, store: Store) -> None:
        self.posted: list[Callable[[], None]] = []
        self.jobs = Jobs(self.posted.append)
        self.models = Models()
        self.context = AppContext(
            store=store, jobs=self.jobs, device_models=self.models, budget=AMPLE
        )
        self.errors: list[HemxError] = []
        self.told: list[str] = []
        self.slices: list[int] = []
        self.context.bind(
            on_trouble=lambda _context, error: self.errors.append(error),
            on_tell=lambda _context, key, _named: self.told.append(key),
            on_slice_update=lambda _context, one: self.slices.append(one.index),
        )

    def settle(self) -> None:
        while self.jobs.busy or self.posted:
            while self.posted:
                self.posted.pop(0)()
            time.sleep(0.005)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def driven(store: Store) -> Iterator[Driven]:
    one = Driven(store)
    yield one
    one.models.go_on.set()
    one.jobs.shutdown()


def _study(driven: Driven, folder: Path, *, patient: str = "P1", clot_mm: float = 20.0) -> int:
    hu = simple_head(clot_mm=clot_mm).hu
    write_ct_series(folder / patient, hu=hu, PixelSpacing=[1.5, 1.5], patient=patient)
    done: list[int] = []
    driven.jobs.run(
        import_series(driven.context.store, folder / patient),
        on_done=lambda outcome: done.append(outcome.value.id),
    )
    driven.settle()
    return done[0]


def test_a_new_study_is_triaged_and_its_slices_come_in_order(
    driven: Driven, tmp_path: Path
) -> None:
    context = driven.context
    context.open_study(_study(driven, tmp_path))
    assert (context.running, context.busy, context.volume) == (True, True, None)
    driven.settle()
    assert not context.running
    assert not context.busy
    assert context.result.haematoma_volume_ml > 1
    assert context.store.results.of_study(int(context.study_id)) == (context.result_id,)
    assert driven.slices[:6] == [0, 1, 2, 3, 4, 5]
    assert driven.models.thread is driven.jobs._thread
    assert driven.told[-1] == "app.advice.discuss_with_neurosurgical_centre"


def test_the_volume_shows_before_the_models_load(driven: Driven, tmp_path: Path) -> None:
    number = _study(driven, tmp_path)
    driven.models.go_on.clear()
    driven.context.open_study(number)
    assert driven.models.begun.wait(20)
    while driven.posted:
        driven.posted.pop(0)()
    assert driven.context.volume.hu.shape == (6, 160, 160)
    assert driven.context.result is None


def test_a_stored_result_is_shown_without_the_models(driven: Driven, tmp_path: Path) -> None:
    context = driven.context
    number = _study(driven, tmp_path)
    context.open_study(number)
    driven.settle()
    result_id, first = context.result_id, context.result
    mask = np.zeros_like(first.mask)
    context.store.corrections.save(result_id, mask, volume_ml=0.0)
    context.close_study()
    assert (context.study_id, context.volume, context.result) == (None, None, None)
    driven.models.error = BackendError("must not be asked for")
    context.open_study(number)
    driven.settle()
    assert driven.errors == []
    assert context.result_id == result_id
    assert context.result.versions == first.versions
    assert context.correction.volume_ml == 0.0
    assert len(context.volume.hu) == 6
    # What the status line tells is what the Result screen says: the correction counts.
    assert driven.told[-1] == "app.advice.no_haematoma_found"


def test_again_with_the_sites_window_makes_a_second_result(driven: Driven, tmp_path: Path) -> None:
    context = driven.context
    context.open_study(_study(driven, tmp_path))
    driven.settle()
    settings.set_window(context.store, HUWindow(0, 90))
    context.triage_again()
    driven.settle()
    assert len(context.store.results.of_study(int(context.study_id))) == 2
    assert "window_changed" in {one.code for one in context.result.notes}


def test_another_study_ends_the_running_one(driven: Driven, tmp_path: Path) -> None:
    context = driven.context
    first = _study(driven, tmp_path)
    second = _study(driven, tmp_path, patient="P2", clot_mm=0.0)
    driven.models.go_on.clear()
    context.open_study(first)
    assert driven.models.begun.wait(20)
    context.open_study(second)
    driven.models.go_on.set()
    driven.settle()
    assert context.study_id == second
    assert context.result.identity.patient_id == "P2"
    assert context.store.studies.get(first).state is StudyState.IMPORTED
    assert driven.errors == []
    assert not context.busy


def test_an_error_is_told_and_the_picture_stays(driven: Driven, tmp_path: Path) -> None:
    context = driven.context
    driven.models.error = BackendError("no runtime")
    number = _study(driven, tmp_path)
    context.open_study(number)
    driven.settle()
    assert [type(one) for one in driven.errors] == [BackendError]
    assert context.volume is not None
    assert context.result is None
    assert not context.running
    assert context.store.studies.get(number).state is StudyState.FAILED


def test_deleted_while_it_runs(driven: Driven, tmp_path: Path) -> None:
    context = driven.context
    number = _study(driven, tmp_path)
    driven.models.go_on.clear()
    context.open_study(number)
    assert driven.models.begun.wait(20)
    context.close_study()
    context.store.studies.delete(number)
    driven.models.go_on.set()
    driven.settle()
    assert driven.errors == []
    assert context.volume is None
    with pytest.raises(NotStoredError):
        context.open_study(number)


def test_what_would_break_the_budget_is_refused_with_the_figure(
    driven: Driven, tmp_path: Path
) -> None:
    context = driven.context
    number = _study(driven, tmp_path)
    context._budget = MemoryBudget(base_bytes=0, app_bytes=1)
    context.open_study(number)
    driven.settle()
    assert "MiB" in driven.errors[0].found
    assert context.store.studies.get(number).state is StudyState.REFUSED


def test_models_are_forgotten_after_what_runs(driven: Driven) -> None:
    driven.context.forget_models()
    driven.settle()
    assert driven.models.closed == 1


def test_language_and_actor_are_kept(store: Store, tmp_path: Path) -> None:
    settings.set_actor(store, "Dr Sato")
    one = Driven(store)
    one.context.language = "ja"
    one.jobs.shutdown()
    other = Driven(store)
    assert other.context.language == "ja"
    identity = SeriesIdentity(series_uid="1.2")
    store.add_files([lambda: BytesIO(b"x")], identity=identity, slices=5)
    assert store.audit.entries()[0].actor == "Dr Sato"
    other.jobs.shutdown()


def test_what_waits_for_the_pin_comes_once(driven: Driven) -> None:
    done: list[int] = []
    driven.context.when_unlocked(lambda: done.append(1))
    driven.context.locked = True
    driven.context.when_unlocked(lambda: done.append(2))
    assert done == [1]
    driven.context.locked = False
    driven.context.locked = True
    driven.context.locked = False
    assert done == [1, 2]
