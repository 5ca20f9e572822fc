"""The app's store: studies, results, corrections, comparisons, audit trail and settings.

    <folder>/hemx.db      SQLite, WAL
    <folder>/studies/…    a folder of numbered DICOM files for each imported series
    <folder>/lock         held while the app runs

A result is written in one transaction: killed at any moment the store opens again with every finished
result and no half one. Reading and writing are allowed from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType

from hemx_core.errors import cause
from hemx_core.imaging.volume import SeriesIdentity
from mobile_app.errors import StoreError
from mobile_app.store import _files
from mobile_app.store._audit import Audit
from mobile_app.store._comparisons import Comparisons
from mobile_app.store._corrections import Corrections
from mobile_app.store._database import Context, Database, FolderLock, utc_now
from mobile_app.store._files import CopyProgress, Opener
from mobile_app.store._results import Results
from mobile_app.store._settings import Settings
from mobile_app.store._studies import Studies
from mobile_app.store.records import (
    AuditEntry,
    BrushStroke,
    Correction,
    Glance,
    GrowthGlance,
    StoredComparison,
    Study,
    StudyError,
    StudyState,
)

__all__ = [
    "AuditEntry",
    "BrushStroke",
    "Correction",
    "Glance",
    "GrowthGlance",
    "Store",
    "StoredComparison",
    "Study",
    "StudyError",
    "StudyState",
]

DATABASE = "hemx.db"


class Store:
    """The app's private folder, open; to be closed or used in a `with` statement.

    Args:
        folder: made if missing, for its owner only.
        actor: who uses the app, for the audit trail; changed with `act_as`.
        now: the clock; UTC.
    Raises:
        StoreError: it cannot be opened; see the subclasses.
    """

    def __init__(
        self, folder: Path, *, actor: str = "", now: Callable[[], datetime] = utc_now
    ) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = FolderLock(folder / "lock")
        except OSError as error:
            raise StoreError("app_folder", reason=cause(error)) from error
        try:
            database = Database(folder / DATABASE)
        except BaseException:
            self._lock.release()
            raise
        try:
            self._context = Context(folder=folder, database=database, actor=actor, now=now)
            self.studies = Studies(self._context)
            self.results = Results(self._context)
            self.corrections = Corrections(self._context)
            self.comparisons = Comparisons(self._context)
            self.audit = Audit(self._context)
            self.settings = Settings(self._context)
            self.interrupted = self.studies.recover()
        except BaseException:
            database.close()
            self._lock.release()
            raise

    @property
    def folder(self) -> Path:
        """The app's private folder."""
        return self._context.folder

    def act_as(self, actor: str) -> None:
        """Name who uses the app from now on."""
        self._context.actor = actor

    def add_files(
        self,
        openers: Sequence[Opener],
        *,
        identity: SeriesIdentity,
        slices: int,
        series: str | None = None,
        progress: CopyProgress | None = None,
        check: Callable[[Path], None] | None = None,
    ) -> Study:
        """Copy the files of a series into the folder and add the study.

        Args:
            openers: open the files, in order; each is called once.
            identity: of the series.
            slices: slices of the series.
            series: what to give the reader as `series`.
            progress: told after every file; may raise to cancel.
            check: called with the folder of the copy before it is taken over; may raise.
        Raises:
            StoreFullError: no room; nothing is left of the copy.
            StoreError: a file cannot be read or written.
        """
        copied = _files.copy_files(
            self._context.folder / _files.STUDIES, openers, progress or (lambda _done, _total: None)
        )
        try:
            if check is not None:
                check(copied.draft)
            return self.studies.add(copied, identity=identity, slices=slices, series=series)
        except BaseException:
            # Renamed already or not: what no row owns is also swept at the next start.
            _files.discard(copied.draft)
            raise

    def check(self) -> None:
        """Look through the database and the audit trail; takes a while.

        Raises:
            DamagedStoreError: something is not as it was written.
        """
        self._context.database.check()
        self.audit.verify()

    def close(self) -> None:
        """Close the database and release the folder; no thread may be using the store."""
        self._context.database.close()
        self._lock.release()

    def __enter__(self) -> Store:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
