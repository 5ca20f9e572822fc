"""Studies of small heads in a store, for the screens that show stored results."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.manifest import ModelManifest
from hemx_core.measure.volume import slice_areas_mm2, volume_ml
from mobile_app.result.findings import Facts, gather
from mobile_app.store import Store
from mobile_app.work.jobs import Jobs, Outcome, Report
from mobile_app.work.library import import_series, read_study, triage_study
from tests.factories import ThresholdModels, simple_head, write_ct_series

JAPANESE = "Yamada^Tarou=山田^太郎=やまだ^たろう"
FIRST_AT = datetime(2026, 11, 2, 8, 30)


def at_once(work: Callable[[Report[Any]], Any]) -> Any:
    """Run a job's work and wait for it; an error is raised."""
    queue: list[Callable[..., None]] = []
    outcomes: list[Outcome[Any]] = []
    jobs = Jobs(queue.append)
    try:
        jobs.run(work, on_done=outcomes.append)
        while jobs.busy:
            if queue:
                queue.pop(0)()
    finally:
        jobs.shutdown()
    if outcomes[0].error is not None:
        raise outcomes[0].error
    return outcomes[0].value


def store_study(
    store: Store,
    folder: Path,
    *,
    clot_mm: float = 14.0,
    hours: float | None = 0.0,
    patient: str = "P1",
    logits: tuple[float, ...] = (-2.0, -2.0, -2.0, -2.0),
    slices: int = 6,
    clot_slices: tuple[int, ...] = (2, 3),
    step_mm: float = 5.0,
    manifest: ModelManifest | None = None,
    triage: bool = True,
) -> int:
    """Write, import and triage a study; returns its number.

    Args:
        hours: after `FIRST_AT`; None leaves date and time out.
        clot_mm, slices, clot_slices: see `simple_head`.
        patient: PatientID, "" for none.
        logits, manifest: see `ThresholdModels`.
    """
    hu = simple_head(clot_mm=clot_mm, slices=slices, clot_slices=clot_slices).hu
    at = None if hours is None else FIRST_AT + timedelta(hours=hours)
    study = f"{patient}{hours}{clot_mm}"
    write_ct_series(
        folder / study,
        hu=hu,
        patient=patient,
        study=study,
        step_mm=step_mm,
        PatientName=JAPANESE,
        SpecificCharacterSet="ISO_IR 192",
        PixelSpacing=[1.5, 1.5],
        StudyDate=at and f"{at:%Y%m%d}",
        StudyTime=at and f"{at:%H%M%S}",
    )
    number: int = at_once(import_series(store, folder / study)).id
    if triage:
        at_once(triage_study(store, number, ThresholdModels(manifest, logits=logits)))
    return number


def correct(store: Store, study_id: int, grow: int = 6) -> int:
    """Store a correction that adds a square of blood, `grow` pixels wide; returns its number."""
    result_id = store.results.of_study(study_id)[0]
    mask = store.results.load(result_id).mask.copy()
    mask[2, 80 : 80 + grow, 100 : 100 + grow] = True
    return store.corrections.save(result_id, mask, volume_ml=float(np.count_nonzero(mask)))


def redraw(store: Store, study_id: int, mask: NDArray[np.bool_]) -> None:
    """Store a correction with its true volume."""
    result_id = store.results.of_study(study_id)[0]
    geometry = store.results.load(result_id).geometry
    measured = volume_ml(slice_areas_mm2(mask, geometry), geometry)
    store.corrections.save(result_id, mask, volume_ml=measured)


def facts_of(store: Store, study_id: int, manifest: ModelManifest | None = None) -> Facts:
    """What the Result screen shows of a study that was opened."""
    result_id = store.results.of_study(study_id)[0]
    corrections = store.corrections.of_result(result_id)
    work = gather(
        store,
        study_id=study_id,
        result=store.results.load(result_id),
        correction=store.corrections.load(corrections[0]) if corrections else None,
        volume=at_once(read_study(store, study_id)),
        manifest=lambda: manifest,
    )
    facts: Facts = at_once(work)
    return facts
