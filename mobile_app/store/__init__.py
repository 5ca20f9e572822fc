"""The app's store: studies, results, corrections, readings, comparisons, audit trail and settings.

    <folder>/hemx.db        SQLite, WAL; beside it how far its audit trail had come
    <folder>/studies/…      a folder of numbered DICOM files for each imported series
    <folder>/labels/…       of each series what its row says, and a hash of every file
    <folder>/settings.json  a copy of the settings
    <folder>/set_aside/…    what was damaged or belonged to nobody; deleted only by the user
    <folder>/reserve        room for a full medium
    <folder>/lock           held while the app runs

A result is written in one transaction: killed at any moment the store opens again with every finished
result and no half one. A database that is missing or damaged is made anew of what is whole, and studies
are found again by their labels; `trouble` tells of it. Reading and writing are allowed from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType

from hemx_core.errors import cause
from hemx_core.imaging.volume import SeriesIdentity
from mobile_app.errors import (
    DamagedStoreError,
    NewerStoreError,
    RescuedStoreError,
    StoreBusyError,
    StoreError,
    StoreFullError,
)
from mobile_app.store import _backup, _files, _rescue
from mobile_app.store._audit import Audit
from mobile_app.store._backup import BackedUp, Restored
from mobile_app.store._comparisons import Comparisons
from mobile_app.store._corrections import Corrections
from mobile_app.store._database import Context, Database, FolderLock, utc_now
from mobile_app.store._files import CopyProgress, Opener
from mobile_app.store._readings import Readings
from mobile_app.store._rescue import Rescue
from mobile_app.store._results import Results
from mobile_app.store._settings import Settings
from mobile_app.store._studies import Studies
from mobile_app.store.records import (
    AuditEntry,
    BrushStroke,
    Correction,
    Damage,
    Glance,
    GrowthGlance,
    StoredComparison,
    StoredReading,
    Study,
    StudyError,
    StudyState,
)

__all__ = [
    "AuditEntry",
    "BackedUp",
    "BrushStroke",
    "Correction",
    "Damage",
    "Glance",
    "GrowthGlance",
    "Rescue",
    "Restored",
    "Store",
    "StoredComparison",
    "StoredReading",
    "Study",
    "StudyError",
    "StudyState",
]

DATABASE = "hemx.db"
PIN = "pin"
"""The setting that is never dropped: damaged, it asks for a PIN that nobody has."""


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
        self._actor, self._now, self.rescue = actor, now, Rescue()
        try:
            self._open(folder / DATABASE)
        except BaseException:
            self._lock.release()
            raise
        _files.keep_reserve(folder)

    def _open(self, path: Path) -> None:
        """Open the database; one that is lost or damaged is made anew first, once."""
        try:
            _rescue.finish(path)
            if _rescue.is_lost(path):
                self._rebuild(path, "missing")
            elif _rescue.is_asked_for(path):
                self._rebuild(path, "damaged")
        except OSError as error:
            raise StoreError("app_folder", reason=cause(error)) from error
        try:
            self._stand(path)
        except DamagedStoreError:
            self._rebuild(path, "damaged")
            self._stand(path)
        except StoreError as error:
            helpless = isinstance(error, StoreBusyError | NewerStoreError)
            if helpless or not _files.release_reserve(path.parent):
                raise
            self._stand(path)  # a full medium: SQLite needs some room to open

    def _rebuild(self, path: Path, reason: str) -> None:
        self.rescue.reason = reason
        _rescue.rebuild(path, self.rescue, self._now())

    def _stand(self, path: Path) -> None:
        database = Database(path)
        try:
            self._context = Context(
                folder=path.parent, database=database, actor=self._actor, now=self._now
            )
            self.studies = Studies(self._context)
            self.results = Results(self._context)
            self.corrections = Corrections(self._context)
            self.readings = Readings(self._context)
            self.comparisons = Comparisons(self._context)
            self.audit = Audit(self._context)
            self.settings = Settings(self._context)
            self._recover()
        except BaseException:
            database.close()
            raise

    def _recover(self) -> None:
        """Put the store in order; on a full medium as far as that goes: it opens all the same."""
        context, rescue = self._context, self.rescue
        rescue.entries = rescue.entries or _rescue.lost_entries(context.database)
        lost = bool(rescue.reason or rescue.entries)
        self.interrupted: tuple[int, ...] = ()
        try:
            _rescue.tidy(context, rescue)
            rescue.settings = self.settings.mend(lost=lost, kept=PIN)
            self.interrupted = self.studies.recover()
            if rescue.trouble is not None:
                self.audit.note(
                    "store.rescued",
                    reason=rescue.reason,
                    kept=rescue.kept,
                    results=rescue.results,
                    again=len(rescue.again),
                    entries=rescue.entries,
                )
        except StoreFullError:
            if _files.release_reserve(context.folder):
                self._recover()

    @property
    def trouble(self) -> RescuedStoreError | None:
        """What the user must be told of how the store was found; None where nothing was wrong."""
        return self.rescue.trouble

    @property
    def folder(self) -> Path:
        """The app's private folder."""
        return self._context.folder

    @property
    def actor(self) -> str:
        """Who uses the app; empty where nobody was named."""
        return self._context.actor

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

    def set_aside_studies(self) -> tuple[Path, ...]:
        """Folders of series without row and label; `work.library.import_aside` imports them again."""
        aside = self.folder / _files.ASIDE
        return tuple(sorted(aside.glob(f"{_rescue.UNLABELLED}*"))) if aside.is_dir() else ()

    def forget_aside(self, folder: Path) -> None:
        """Delete what was set aside and is imported again."""
        _files.discard(folder)

    def set_aside_bytes(self) -> int:
        """Size of all that was set aside."""
        return _files.size_below(self.folder / _files.ASIDE)

    def clear_aside(self) -> None:
        """Delete all that was set aside: it may name patients.

        Raises:
            StoreError: something of it is still there.
        """
        _files.remove(self.folder / _files.ASIDE)
        self.audit.note("store.aside_deleted")

    def back_up(
        self, target: Path, progress: CopyProgress = lambda _done, _total: None
    ) -> BackedUp:
        """Write all studies with their results into one zip; it names patients and is not encrypted.

        Args:
            target: the zip; one of its name is replaced.
            progress: told the studies done and the studies there are; may raise to cancel.
        Raises:
            StoreFullError: no room for it; nothing is left of it.
            StoreError: it cannot be written.
        """
        return _backup.write(self._context, self.studies, target, progress)

    def restore(
        self, source: Path, progress: CopyProgress = lambda _done, _total: None
    ) -> Restored:
        """Add the studies of a backup that are not here; nothing is changed or deleted.

        Args:
            source: the zip that `back_up` wrote, or the folder that it was unpacked to.
            progress: see `back_up`.
        Raises:
            StoreError: it is no backup, damaged as a whole, or of a newer version; or there is no room.
        """
        return _backup.restore(self._context, source, progress)

    def check(self) -> None:
        """Look through the database and the audit trail; takes a while.

        Raises:
            DamagedStoreError: something is not as it was written.
        """
        self._context.database.check()
        self.audit.verify()

    def rescue_at_next_start(self) -> None:
        """The database is damaged, as `check` found: the next start keeps what is whole of it."""
        _rescue.ask(self.folder / DATABASE)

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
