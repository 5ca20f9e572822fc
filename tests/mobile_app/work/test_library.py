from __future__ import annotations

import os
import threading
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from benchmarks.robustness.stored import assert_same
from hemx_core import triage
from hemx_core.device.memory import MIB, resident_bytes
from hemx_core.errors import BackendError, NoSeriesError, NotHeadError
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import HUVolume
from hemx_core.result import SliceUpdate
from mobile_app.errors import DamagedStoreError, MemoryBudgetError, NotStoredError, UnexpectedError
from mobile_app.store import Store, StudyError, StudyState
from mobile_app.work import library
from mobile_app.work.jobs import Jobs, JobState, Outcome, Report
from mobile_app.work.library import (
    check_slices,
    import_aside,
    import_series,
    read_study,
    triage_study,
)
from mobile_app.work.memory_guard import MemoryBudget
from tests.factories import ThresholdModels, simple_head, write_ct_series


class Desk:
    """A store, jobs and an interface whose turns the test takes."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.calls: deque[Callable[..., None]] = deque()
        self.woken = threading.Semaphore(0)
        self.jobs = Jobs(self._schedule, progress_seconds=0.0)
        self.parts: list[Any] = []
        self.steps: list[tuple[str, int, int]] = []

    def _schedule(self, call: Callable[..., None]) -> None:
        self.calls.append(call)
        self.woken.release()

    def do(
        self,
        work: Callable[..., Any],
        *,
        cancel_at: str = "",
        cancelled: threading.Event | None = None,
    ) -> Outcome[Any]:
        ended: list[Outcome[Any]] = []

        def step(*told: Any) -> None:
            self.steps.append(told)
            if told[0] == cancel_at:
                job.cancel()
                if cancelled is not None:
                    cancelled.set()

        job = self.jobs.run(
            work, on_progress=step, on_result=self.parts.append, on_done=ended.append
        )
        while not ended:
            assert self.woken.acquire(timeout=20), "the job tells nothing"
            self.calls.popleft()()
        return ended[0]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "app")
    yield made
    assert made.jobs.shutdown()
    made.store.close()


def write_head(folder: Path, *, clot_mm: float = 14.0, series: str = "1") -> Path:
    hu = simple_head(clot_mm=clot_mm, matrix=80, pixel_mm=3.0).hu
    write_ct_series(folder, hu=hu, PixelSpacing=[3.0, 3.0], series=series, SeriesDescription="Head")
    return folder


def test_import_triage_and_load_by_jobs(desk: Desk, tmp_path: Path) -> None:
    source = write_head(tmp_path / "medium")
    imported = desk.do(import_series(desk.store, source)).value
    assert {stage for stage, _, _ in desk.steps} == {"headers", "copy"}
    assert (imported.slices, imported.files, imported.series) == (6, 6, None)
    assert imported.identity.patient_name == "Test^Case"
    assert str(tmp_path) not in str(imported.identity)
    desk.steps.clear()
    models = ThresholdModels()
    outcome = desk.do(triage_study(desk.store, imported.id, models))
    assert outcome.state is JobState.DONE
    stored = desk.store.results.load(outcome.value)
    fresh = triage(source, models=models)
    np.testing.assert_array_equal(stored.mask, fresh.mask)
    assert_same(stored.markers, fresh.markers)
    assert_same(stored.slices, fresh.slices)
    assert desk.store.studies.get(imported.id).state is StudyState.DONE
    assert stored.costs[0].name == "read"
    assert {stage for stage, _, _ in desk.steps} == {
        "headers",
        "pixels",
        "check",
        "segment",
        "classify",
    }


def test_the_volume_comes_first_then_slices_as_segmented_then_as_classified(
    desk: Desk, tmp_path: Path
) -> None:
    study = desk.do(import_series(desk.store, write_head(tmp_path / "medium"))).value
    outcome = desk.do(triage_study(desk.store, study.id, ThresholdModels()))
    volume, *updates = desk.parts
    assert isinstance(volume, HUVolume)
    assert all(isinstance(one, SliceUpdate) for one in updates)
    assert [one.index for one in updates] == [0, 1, 2, 3, 4, 5, 2, 3]
    assert [one.result is not None for one in updates] == [False] * 6 + [True] * 2
    result = desk.store.results.load(outcome.value)
    for one in updates:
        np.testing.assert_array_equal(one.mask, result.mask[one.index])
    assert_same([one.result for one in updates[6:]], list(result.slices[2:4]))


@pytest.mark.parametrize("way", ["zeroed", "missing", "another scan's"])
def test_no_slice_of_damaged_files_is_shown(desk: Desk, tmp_path: Path, way: str) -> None:
    study = desk.do(import_series(desk.store, write_head(tmp_path / "medium"))).value
    desk.do(triage_study(desk.store, study.id, ThresholdModels()))
    path = desk.store.studies.path(study) / "00003.dcm"
    if way == "zeroed":
        path.write_bytes(bytes(path.stat().st_size))
    elif way == "missing":
        path.unlink()
    else:
        other = write_head(tmp_path / "other", clot_mm=20.0)
        path.write_bytes(sorted(other.iterdir())[2].read_bytes())
    desk.parts.clear()
    for work in (
        read_study(desk.store, study.id),
        triage_study(desk.store, study.id, ThresholdModels()),
    ):
        error = desk.do(work).error
        assert isinstance(error, DamagedStoreError)
        assert error.code == "files_damaged"
    assert desk.parts == []


def test_an_outline_is_never_put_on_other_slices(desk: Desk, tmp_path: Path) -> None:
    study = desk.do(import_series(desk.store, write_head(tmp_path / "medium"))).value
    number = desk.do(triage_study(desk.store, study.id, ThresholdModels())).value
    result = desk.store.results.load(number)
    volume = desk.do(read_study(desk.store, study.id)).value
    check_slices(result, volume)
    uids = volume.identity.sop_instance_uids
    shifted = replace(volume.identity, sop_instance_uids=(*uids[1:], uids[0]))
    raised = replace(volume.geometry, positions_mm=volume.geometry.positions_mm + 5.0)
    for other in (replace(volume, identity=shifted), replace(volume, geometry=raised)):
        with pytest.raises(DamagedStoreError, match="other slices"):
            check_slices(result, other)


def test_what_was_set_aside_is_imported_again(desk: Desk, tmp_path: Path) -> None:
    study = desk.do(import_series(desk.store, write_head(tmp_path / "medium"))).value
    folder = desk.store.folder
    files = desk.store.studies.path(study)
    for name in ("study-good", "study-bad"):
        (folder / "set_aside" / name).mkdir(parents=True)
    for path in files.iterdir():
        (folder / "set_aside" / "study-good" / path.name).write_bytes(path.read_bytes())
    (folder / "set_aside" / "study-bad" / "00001.dcm").write_bytes(b"no DICOM")
    desk.store.studies.delete(study.id)
    assert desk.do(import_aside(desk.store)).value == 1
    assert [one.slices for one in desk.store.studies.find()] == [6]
    assert [path.name for path in desk.store.set_aside_studies()] == ["study-bad"]


@pytest.mark.parametrize("stage", ["headers", "pixels", "check", "segment", "classify"])
def test_cancelled_at_any_stage_the_study_is_as_it_was(
    desk: Desk, tmp_path: Path, stage: str
) -> None:
    study = desk.do(import_series(desk.store, write_head(tmp_path / "medium"))).value

    told, seen = threading.Event(), []

    class Patient(ThresholdModels):
        """Waits at the second slice until the interface has cancelled."""

        def segment(self, image):  # type: ignore[no-untyped-def]
            if stage != "classify":
                self.wait()
            return super().segment(image)

        def classify(self, crop, features):  # type: ignore[no-untyped-def]
            if stage == "classify":
                self.wait()
            return super().classify(crop, features)

        def wait(self) -> None:
            seen.append(stage)
            assert len(seen) == 1 or told.wait(20)

    work = triage_study(desk.store, study.id, Patient())
    outcome = desk.do(work, cancel_at=stage, cancelled=told)
    assert outcome.state is JobState.CANCELLED
    assert len(seen) <= 2, "it ends within a slice"
    assert desk.store.studies.get(study.id).state is StudyState.IMPORTED
    assert desk.store.results.of_study(study.id) == ()


def test_a_cancelled_import_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    source = write_head(tmp_path / "medium")
    told = threading.Event()

    def work(report: Report[object]) -> object:
        def progress(stage: str, done: int, total: int) -> None:
            if (stage, done) == ("copy", 3):
                told.wait(20)
            report.progress(stage, done, total)

        return import_series(desk.store, source)(Told(progress))

    class Told:
        def __init__(self, progress: Callable[[str, int, int], None]) -> None:
            self.progress = progress

    outcome = desk.do(work, cancel_at="copy", cancelled=told)
    assert outcome.state is JobState.CANCELLED
    assert ("copy", 1, 6) in desk.steps
    assert desk.store.studies.find() == ()
    assert list((tmp_path / "app" / "studies").iterdir()) == []


def test_what_is_no_head_is_refused_and_kept_with_its_reason(desk: Desk, tmp_path: Path) -> None:
    write_ct_series(
        tmp_path / "knee", hu=np.full((6, 96, 96), 40, np.int16), PixelSpacing=[1.5, 1.5]
    )
    study = desk.do(import_series(desk.store, tmp_path / "knee")).value
    outcome = desk.do(triage_study(desk.store, study.id, ThresholdModels()))
    assert isinstance(outcome.error, NotHeadError)
    kept = desk.store.studies.get(study.id)
    assert kept.state is StudyState.REFUSED
    assert kept.error is not None
    assert kept.error == StudyError.of(outcome.error)


@pytest.mark.parametrize(
    ("raised", "told"),
    [(BackendError("no memory on the device"), BackendError), (KeyError("x"), UnexpectedError)],
)
def test_what_is_not_the_study_s_fault_is_a_failure(
    desk: Desk, tmp_path: Path, raised: Exception, told: type[Exception]
) -> None:
    class Broken(ThresholdModels):
        def segment(self, image):  # type: ignore[no-untyped-def]
            raise raised

    study = desk.do(import_series(desk.store, write_head(tmp_path / "medium"))).value
    outcome = desk.do(triage_study(desk.store, study.id, Broken()))
    assert isinstance(outcome.error, told)
    kept = desk.store.studies.get(study.id)
    assert kept.state is StudyState.FAILED
    assert kept.error is not None
    assert kept.error.kind == told.__name__


def test_a_study_beyond_the_budget_is_refused_before_its_pixels_are_read(
    desk: Desk, tmp_path: Path
) -> None:
    study = desk.do(import_series(desk.store, write_head(tmp_path / "medium"))).value
    desk.steps.clear()
    budget = MemoryBudget(base_bytes=resident_bytes(), app_bytes=2 * MIB)
    outcome = desk.do(triage_study(desk.store, study.id, ThresholdModels(), budget=budget))
    assert isinstance(outcome.error, MemoryBudgetError)
    assert desk.store.studies.get(study.id).state is StudyState.REFUSED
    assert desk.steps == []


def test_a_study_that_is_deleted_meanwhile_gets_no_result(desk: Desk, tmp_path: Path) -> None:
    study = desk.do(import_series(desk.store, write_head(tmp_path / "medium"))).value

    class Deleting(ThresholdModels):
        def segment(self, image):  # type: ignore[no-untyped-def]
            if desk.store.studies.find():
                desk.store.studies.delete(study.id)
            return super().segment(image)

    outcome = desk.do(triage_study(desk.store, study.id, Deleting()))
    assert isinstance(outcome.error, NotStoredError)
    assert desk.store.results.of_study(study.id) == ()
    desk.store.check()


def test_only_the_chosen_series_is_copied_and_it_is_read_again_as_chosen(
    desk: Desk, tmp_path: Path
) -> None:
    write_head(tmp_path / "medium" / "a", series="1")
    write_head(tmp_path / "medium" / "b", series="2", clot_mm=0.0)

    def contrast(_index: int, dataset: Dataset) -> None:
        dataset.ContrastBolusAgent = "Iomeprol"

    write_ct_series(tmp_path / "medium" / "c", series="3", change=contrast)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(one for one in (tmp_path / "medium").rglob("*") if one.is_file()):
            archive.write(path, path.relative_to(tmp_path))
    for source in (tmp_path / "medium", tmp_path / "all.zip"):
        for number in ("2", "3"):
            outcome = desk.do(import_series(desk.store, source, series=number))
            assert outcome.error is None
            study = outcome.value
            volume = read_series(desk.store.studies.path(study), series=study.series)
            assert study.files == len(volume.hu) == 6
            assert volume.identity.series_uid == study.identity.series_uid
            expected = read_series(tmp_path / "medium", series=number)
            np.testing.assert_array_equal(volume.hu, expected.hu)
    assert len(desk.store.studies.find()) == 2, "a zip of the same files is the same study"


def test_a_copy_that_reads_otherwise_is_not_kept(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_head(tmp_path / "medium")
    original = library.open_series
    calls = []

    def fewer(path: Path, **options: Any) -> Any:
        calls.append(path)
        if len(calls) == 2:  # the copy
            (path / "00003.dcm").unlink()
        return original(path, **options)

    monkeypatch.setattr(library, "open_series", fewer)
    outcome = desk.do(import_series(desk.store, source))
    assert isinstance(outcome.error, DamagedStoreError)
    assert desk.store.studies.find() == ()
    assert list((tmp_path / "app" / "studies").iterdir()) == []


def test_nothing_there_is_the_reader_s_error(desk: Desk, tmp_path: Path) -> None:
    outcome = desk.do(import_series(desk.store, tmp_path / "nowhere"))
    assert isinstance(outcome.error, NoSeriesError)


@pytest.mark.skipif("HEMX_DATA" not in os.environ, reason="HEMX_DATA names no folder of real CT")
@pytest.mark.parametrize("name", ["ge_tilted_head", "philips_skull_phantom_5mm"])
def test_a_real_series_reads_from_its_copy_as_from_its_medium(desk: Desk, name: str) -> None:
    source = Path(os.environ["HEMX_DATA"]) / "dicom" / name
    if not source.is_dir():
        pytest.skip(f"no {name} in HEMX_DATA")
    study = desk.do(import_series(desk.store, source)).value
    copied, original = read_series(desk.store.studies.path(study)), read_series(source)
    assert study.slices == len(original.hu)
    np.testing.assert_array_equal(copied.hu, original.hu)
    assert copied.identity == replace(original.identity, source=copied.identity.source)
    assert study.identity == replace(original.identity, source="")
