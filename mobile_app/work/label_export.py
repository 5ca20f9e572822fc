"""All studies with readers' answers as one zip: a data set in HEMX's format, without names.

export_labels(store, target, key=...)(report) -> Exported
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import InputError
from hemx_core.files import write_whole, writing
from hemx_core.labels.answers import OUTLINE, Answer
from hemx_core.labels.codes import Coder, split_of
from hemx_core.labels.folder import LabelledFolder, study_code
from hemx_core.result import TriageResult
from mobile_app.errors import DamagedStoreError, MemoryBudgetError
from mobile_app.store import Store, StoredReading
from mobile_app.work.jobs import Report
from mobile_app.work.library import check_slices, read_study
from mobile_app.work.memory_guard import MemoryBudget

EXPORTED = "labels.exported"
"""The audit trail's action."""
INFO = {
    "name": "HEMX labels",
    "licence": "internal use",
    "attribution": "labelled with HEMX; identities removed, dates moved back",
    "version": "1",
}
_LEFT_OUT = (InputError, DamagedStoreError, MemoryBudgetError)
"""Of one study; the others are exported all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export holds.

    Args:
        studies: in it.
        left: numbers of studies that were left out: unreadable, damaged, or with text in their pictures.
    """

    studies: int
    left: tuple[int, ...]


def export_labels(
    store: Store, target: Path, *, key: bytes, budget: MemoryBudget | None = None
) -> Callable[[Report[Any]], Exported]:
    """Work that writes the zip, one study after the other; the audit trail is told before it is there.

    Args:
        store: what it holds stays as it is.
        target: the zip; one of its name is replaced.
        key: of the codes, see `Coder`.
        budget: a study that would not fit is left out.
    Raises (in the job):
        OutputError: the disk refuses; nothing is left of it.
        StoreError: the store cannot be read.
    """

    def work(report: Report[Any]) -> Exported:
        studies, left = store.readings.studies(), []
        with (
            writing(target),
            tempfile.TemporaryDirectory(prefix="labels-", dir=store.folder) as made,
        ):
            folder = Path(made) / target.stem
            labelled, coder = LabelledFolder(folder, INFO), Coder(key)
            for done, study_id in enumerate(studies):
                report.progress("labels", done, len(studies))
                try:
                    _add(store, study_id, labelled, coder, budget, report)
                except _LEFT_OUT:
                    left.append(study_id)
            report.progress("labels", len(studies), len(studies))
            count = len(studies) - len(left)
            store.audit.note(EXPORTED, studies=count, left=len(left))
            write_whole(target, lambda stream: _zip(folder, stream), mode=0o600, make_folder=False)
        return Exported(studies=count, left=tuple(left))

    return work


def _add(
    store: Store,
    study_id: int,
    labelled: LabelledFolder,
    coder: Coder,
    budget: MemoryBudget | None,
    report: Report[Any],
) -> None:
    """Everything of a study is read before anything of it is written."""
    stored = store.readings.of_study(study_id)
    results = store.results.of_study(study_id)
    result = store.results.load(results[0]) if results else None
    masks = [_mask(store, one, result) for one in stored]
    volume = read_study(store, study_id, budget=budget)(report)
    if result is not None:
        check_slices(result, volume)
    coded = coder.nameless(volume)
    study = study_code(coded)
    labelled.add_study(coded, split=split_of(coded.identity.patient_id))
    if result is not None:
        labelled.put_network(study, result)
    for one, mask in zip(stored, masks, strict=True):
        reader = coder.reader(one.made_by)
        cell = "" if mask is None else labelled.put_mask(f"readings/{reader}/{study}", mask)
        # The time of day and the day would tell more of the study than its own moved date does.
        labelled.put_reading(reader, study, replace(one.reading, read_at=None), cell)


def _mask(
    store: Store, stored: StoredReading, result: TriageResult | None
) -> NDArray[np.bool_] | None:
    """What a reader takes for the haematoma: the own newest correction, or what was called right."""
    if result is None:
        return None
    numbers = store.corrections.of_result(store.results.of_study(stored.study_id)[0])
    for number in numbers:
        correction = store.corrections.load(number)
        if correction.made_by == stored.made_by:
            newer = stored.correction_id is None or number > stored.correction_id
            answered = stored.reading.answers.get(OUTLINE)
            if newer or answered in (None, Answer.YES):
                return correction.mask
            break
    if stored.reading.answers.get(OUTLINE) is not Answer.YES:
        return None
    if stored.correction_id is not None:
        return store.corrections.load(stored.correction_id).mask
    return None if stored.result_id is None else store.results.load(stored.result_id).mask


def _zip(folder: Path, stream: BinaryIO) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
                # A fixed time: when a file was written here is nobody's matter.
                entry = zipfile.ZipInfo(name)
                entry.compress_type = zipfile.ZIP_DEFLATED
                with path.open("rb") as source, archive.open(entry, "w") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
