"""What the store holds, as plain frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import HemxError
from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.labels.answers import Reading
from hemx_core.notes import Note, Phrase
from hemx_core.records import Json
from hemx_core.result import Recommendation
from hemx_core.words import tell_error


class StudyState(StrEnum):
    """Where a study stands.

    imported -> queued -> running -> done, refused (no usable study) or failed (the program's or the device's
    fault); interrupted where the app ended while it ran.
    """

    IMPORTED = "imported"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Damage(StrEnum):
    """What of a study is not as it was written, and is therefore not shown."""

    RECORD = "record"
    """Its row: who it is of and which files are its own are not known."""
    RESULT = "result"
    """Its newest result."""
    CORRECTION = "correction"
    """The newest correction of its newest result."""


@dataclass(frozen=True, slots=True)
class StudyError:
    """Why a study was refused or failed: the error's class, and its code with values."""

    kind: str
    said: Phrase

    @classmethod
    def of(cls, error: HemxError) -> StudyError:
        """What is kept of an error."""
        return cls(type(error).__name__, Phrase(error.code, **error.values))

    def told(self, language: str) -> tuple[str, str, str]:
        """What was found, what was expected and what to do; see `HemxError.told`."""
        return tell_error(self.said.code, self.said.values, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What a list shows of a study's newest result, with its newest correction as the Result screen has it.

    Args:
        result_id: the result.
        created_at: when it was stored.
        recommendation: what it advises by itself; `study_list.advised` also looks at earlier studies.
        volume_ml: measured volume; of the newest correction where there is one.
        markers: codes of the validated markers that are present.
        not_validated: codes of the others that are present: they do not enter the recommendation.
        judged: whether any marker was judged: not where triage found no blood, or a person erased all.
        corrected: whether a correction exists.
        warnings: of the result.
        at_most_ml: the upper figure of the volume, where there are two.
    """

    result_id: int
    created_at: datetime
    recommendation: Recommendation
    volume_ml: float
    markers: tuple[str, ...]
    judged: bool
    corrected: bool
    warnings: tuple[Note, ...] = ()
    at_most_ml: float | None = None
    not_validated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One imported series.

    Args:
        id: never used again for another study.
        folder: its files, relative to the store's folder.
        series: what to give the reader as `series`; None lets it choose.
        identity: patient, study and series, from the headers.
        slices: slices of the series.
        files, bytes: what was copied.
        state: where it stands.
        changed_at: when that state began.
        imported_at: when it was copied.
        error: why it was refused or failed.
        newest: its newest result at a glance; None where there is none, or where it is damaged.
        damage: what of it is not as it was written; None where all is.
    """

    id: int
    folder: str
    series: str | None
    identity: SeriesIdentity
    slices: int
    files: int
    bytes: int
    state: StudyState
    changed_at: datetime
    imported_at: datetime
    error: StudyError | None
    newest: Glance | None
    damage: Damage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrushStroke:
    """One stroke on one slice, in native pixels.

    Args:
        slice_index: the slice, from 0 in volume order.
        radius: of the brush, in rows of the slice (mm over the row spacing).
        erases: takes blood away instead of adding it.
        points: (row, column) along the stroke.
    """

    slice_index: int
    radius: float
    erases: bool
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Correction:
    """A mask that a person corrected; the result itself stays as it was.

    Args:
        id: of the correction.
        result_id: what was corrected.
        version: 1, 2, ... of that result.
        made_at, made_by: when and by whom.
        volume_ml: of the corrected mask.
        strokes: how it was made, in order.
        mask: bool, shape (slices, rows, columns), native pixels.
    """

    id: int
    result_id: int
    version: int
    made_at: datetime
    made_by: str
    volume_ml: float
    strokes: tuple[BrushStroke, ...]
    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReading:
    """What a person answered to the markers of a study.

    Args:
        id: of these answers.
        study_id: of which study.
        version: 1, 2, ... of that study, whoever answered.
        result_id, correction_id: whose outline was shown; None where there was none.
        made_at, made_by: when and by whom.
        reading: the answers.
    """

    id: int
    study_id: int
    version: int
    result_id: int | None
    correction_id: int | None
    made_at: datetime
    made_by: str
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredComparison:
    """Which results (and corrections of them) a stored comparison compares."""

    id: int
    earlier_result: int
    later_result: int
    earlier_correction: int | None
    later_correction: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthGlance:
    """What a list shows of a study's newest comparison with one earlier study.

    Args:
        ml: growth in mL.
        percent: of the earlier volume; None where that is 0.
        answers: definition code to 'yes', 'no' or 'indeterminate'.
    """

    ml: float
    percent: float | None
    answers: dict[str, str]

    @property
    def certain(self) -> bool:
        """Whether one definition of expansion is met with its whole 90 % interval."""
        return "yes" in self.answers.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the audit trail.

    Args:
        id: 1, 2, ... without gaps.
        at: UTC.
        actor: who did it, as the app was told.
        action: a stable code such as "result.saved".
        study_id: which study; None where it concerns none.
        detail: facts without names or identifiers of patients.
        previous: hash of the entry before, "" for the first.
        hash: SHA-256 over all of this and `previous`.
    """

    id: int
    at: datetime
    actor: str
    action: str
    study_id: int | None
    detail: Json
    previous: str
    hash: str
