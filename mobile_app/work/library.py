"""Import, reading and triage of studies, as work for `jobs`.

import_series(store, path)(report)            -> Study
import_aside(store)(report)                   -> how many studies
read_study(store, study_id)(report)           -> HUVolume
triage_study(store, study_id, models)(report) -> number of the stored result
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hemx_core.costs import StageClock
from hemx_core.errors import HemxError, InputError
from hemx_core.imaging.reader import SeriesFiles, open_series, read_series
from hemx_core.imaging.volume import HUVolume
from hemx_core.manifest import ModelManifest
from hemx_core.pipeline import DEFAULT_SETTINGS, TriageModels, TriageSettings, triage_volume
from hemx_core.result import SliceUpdate, TriageResult
from mobile_app.errors import DamagedStoreError, MemoryBudgetError, UnexpectedError
from mobile_app.store import Store, Study, StudyState
from mobile_app.work.jobs import Report
from mobile_app.work.memory_guard import MemoryBudget, check_memory, estimate

REFUSALS = (InputError, MemoryBudgetError)
"""Errors that are the study's; all others are the program's or the device's."""

Part = SliceUpdate | HUVolume
"""What triage hands over as it goes: the volume as soon as it is read, then its slices."""


def import_series(
    store: Store, path: Path | str, *, series: str | None = None
) -> Callable[[Report[object]], Study]:
    """Work that copies a series into the store; the same files a second time give the existing study.

    Args:
        store: where to.
        path: a folder, DICOM file, DICOMDIR or zip.
        series: see `read_series`; None takes the best.
    Raises (in the job):
        DicomSeriesError: no usable series.
        StoreError: it cannot be copied, or the copy does not read as the series.
    """

    def work(report: Report[object]) -> Study:
        with open_series(path, series=series, progress=report.progress) as found:
            wanted = None if series is None else found.identity.series_uid or None

            def check(copy: Path) -> None:
                with open_series(copy, series=wanted) as copied:
                    _check_copy(found, copied)

            return store.add_files(
                [source.open for source in found.sources],
                identity=found.identity,
                slices=found.slices,
                series=wanted,
                progress=lambda done, total: report.progress("copy", done, total),
                check=check,
            )

    return work


def read_study(
    store: Store, study_id: int, *, budget: MemoryBudget | None = None
) -> Callable[[Report[Any]], HUVolume]:
    """Work that reads a stored study's volume, to be shown with a result that is there.

    Raises (in the job):
        DamagedStoreError: a file is missing or is not what was copied.
        DicomSeriesError: the stored files do not read any more.
        MemoryBudgetError: it would not fit.
    """

    def work(report: Report[Any]) -> HUVolume:
        study = store.studies.get(study_id)
        folder = store.studies.verify(study, _checked(report))
        with open_series(folder, series=study.series) as found:
            check_memory(estimate(found), budget)
        return read_series(folder, series=study.series, progress=report.progress)

    return work


def check_slices(result: TriageResult, volume: HUVolume) -> None:
    """Whether a result was made on these slices: an outline is never drawn on others.

    The files are the same (see `Studies.verify`), but a later version may choose another of their scans.

    Raises:
        DamagedStoreError: it was made on others.
    """
    made, shown = result.identity, volume.identity
    same = (
        result.mask.shape == volume.hu.shape
        and made.sop_instance_uids == shown.sop_instance_uids
        and made.frame_numbers == shown.frame_numbers
        and np.allclose(
            result.geometry.positions_mm, volume.geometry.positions_mm, rtol=0, atol=0.01
        )
    )
    if not same:
        raise DamagedStoreError("result_other_slices")


def import_aside(store: Store) -> Callable[[Report[object]], int]:
    """Work that imports series again that lay in the store without a row and without a label.

    One that does not read stays where it was set aside. Returns how many were imported.
    """

    def work(report: Report[object]) -> int:
        done = 0
        for folder in store.set_aside_studies():
            report.check()
            try:
                import_series(store, folder)(report)
            except HemxError:
                continue
            store.forget_aside(folder)
            done += 1
        return done

    return work


def _checked(report: Report[Any]) -> Callable[[int, int], None]:
    """Lets a job be cancelled between two files."""
    return lambda _done, _total: report.check()


def triage_study(
    store: Store,
    study_id: int,
    models: TriageModels | Callable[[], TriageModels],
    *,
    settings: TriageSettings = DEFAULT_SETTINGS,
    budget: MemoryBudget | None = None,
    manifest: ModelManifest | None = None,
) -> Callable[[Report[Part]], int]:
    """Work that triages a stored study and stores the result; its state says how it went.

    Cancelled, it goes back to what it was before. Call `store.studies.set_state(..., QUEUED)` when it is
    handed to `jobs`.

    Args:
        models: loaded; or a function that loads them, called when the volume has been handed over: it shows
            sooner than the models load.
        settings: the window; the series is the study's.
        budget: refuses what would not fit; None checks what the system has free only.
        manifest: of models that are still to be loaded, for the memory they will take.
    Raises (in the job):
        HemxError: as `triage`; MemoryBudgetError where the study would not fit.
    """

    def work(report: Report[Part]) -> int:
        study = store.studies.get(study_id)
        set_state = partial(store.studies.set_state, study_id)
        set_state(StudyState.RUNNING)
        try:
            result = _triage(store, study, models, settings, budget, manifest, report)
            return store.results.save(study_id, result)
        except HemxError as error:
            refused = isinstance(error, REFUSALS)
            set_state(StudyState.REFUSED if refused else StudyState.FAILED, error=error)
            raise
        except Exception as error:
            wrapped = UnexpectedError.wrap(error)
            set_state(StudyState.FAILED, error=wrapped)
            raise wrapped from error
        except BaseException:
            set_state(StudyState.DONE if study.newest else StudyState.IMPORTED)
            raise

    return work


def _triage(
    store: Store,
    study: Study,
    models: TriageModels | Callable[[], TriageModels],
    settings: TriageSettings,
    budget: MemoryBudget | None,
    manifest: ModelManifest | None,
    report: Report[Part],
) -> TriageResult:
    folder = store.studies.verify(study, _checked(report))
    with open_series(folder, series=study.series) as found:
        check_memory(estimate(found, manifest=manifest), budget)
    clock = StageClock()
    with clock.stage("read"):
        volume = read_series(folder, series=study.series, progress=report.progress)
    report.result(volume)
    if callable(models):
        report.progress("loading", 0, 1)
        models = models()
    clock.process = getattr(models, "process_id", None)
    return triage_volume(
        volume,
        models,
        settings=settings,
        progress=report.progress,
        on_slice=report.result,
        clock=clock,
    )


def _check_copy(found: SeriesFiles, copied: SeriesFiles) -> None:
    """Whether the copy, by itself, reads as the series that was chosen."""
    if copied.slices != found.slices or copied.identity != replace(
        found.identity, source=copied.identity.source
    ):
        raise DamagedStoreError("copy_differs", found=copied.slices, needed=found.slices)
