"""The SQLite file: one process, pragmas, one connection a thread, transactions, errors in the app's words.

| pragma | why |
| --- | --- |
| journal_mode WAL | the interface reads while a job writes |
| synchronous FULL | a commit is on the medium when it returns, so a finished result survives a dead battery |
| secure_delete ON | deleted records are overwritten in the file |
| auto_vacuum INCREMENTAL | the file shrinks after a deletion without the second copy that VACUUM writes |
| temp_store MEMORY | nothing is spilled to a temporary file (Android has no folder for them either) |
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from mobile_app.errors import DamagedStoreError, StoreBusyError, StoreError, StoreFullError
from mobile_app.store import _seal
from mobile_app.store._mark import Mark
from mobile_app.store._schema import migrate

try:
    import fcntl
except ImportError:  # Windows, for which the app is not made; SQLite still keeps the file whole
    fcntl = None  # type: ignore[assignment]


class FolderLock:
    """A lock that the system releases when the process ends, however it ends.

    Args:
        path: the lock's file.
    Raises:
        StoreBusyError: another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("ab")
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise StoreBusyError("app_folder_in_use") from error

    def release(self) -> None:
        """Release the lock."""
        self._file.close()


BUSY_SECONDS = 10.0
"""How long a write waits for another thread's."""

_DAMAGED = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    # Our statements are right: a table, a column or a type is not what we made.
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_FORMAT,
)


class Database:
    """One SQLite file, used by many threads of one process.

    Args:
        path: the file; made if missing.
    Raises:
        StoreError: it cannot be opened; see the subclasses.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._guard = threading.Lock()
        self._open: list[sqlite3.Connection] = []
        self._closed = False
        self._journal = "WAL"
        self.mark = Mark(path)
        try:
            try:
                self._first()
            except StoreError as error:
                if isinstance(error, DamagedStoreError) or not _is_full(path.parent):
                    raise
                self._without_files()
        except BaseException:
            self.close()
            raise

    def _first(self) -> None:
        with _own_errors(self.path):
            migrate(self.connection())

    def _without_files(self) -> None:
        """On a full medium: the log and its index need room that is not there, so do without them.

        Studies can then be listed and deleted. An app that is killed while it writes may leave a damaged
        file, which the next start mends; with room there is a log again.
        """
        with _own_errors(self.path):
            alone = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = MEMORY"):
                    alone.execute(f"PRAGMA {pragma}").fetchall()
            finally:
                alone.close()
        self._journal = "MEMORY"
        self._first()

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit mode."""
        if self._closed:
            raise StoreError("store_closed")
        known: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if known is None:
            known = self._local.connection = _connect(self.path, self._journal)
            with self._guard:
                self._open.append(known)
        return known

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: everything inside is written, or nothing."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection
        with _own_errors(self.path), self._guard:
            self.mark.write(newest_entry(self.connection()))

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the database for several queries, whatever others write meanwhile."""
        with self._transaction("BEGIN") as connection:
            yield connection

    def newest_entry(self) -> tuple[int, str]:
        """See `newest_entry`."""
        with self.reading() as connection:
            return newest_entry(connection)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with _own_errors(self.path):
            connection = self.connection()
            connection.execute(begin)
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def shrink(self) -> None:
        """Give freed pages back and empty the log, which still holds what was deleted."""
        with _own_errors(self.path):
            connection = self.connection()
            # `execute` would give back one page: it steps once where a statement has no columns.
            connection.executescript("PRAGMA incremental_vacuum")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def check(self) -> None:
        """Have SQLite check the whole file.

        Raises:
            DamagedStoreError: it found damage.
        """
        with self.reading() as connection:
            rows = connection.execute("PRAGMA integrity_check(3)").fetchall()
            rows += connection.execute("PRAGMA foreign_key_check").fetchall()
        if rows != [("ok",)]:
            raise _damaged(self.path, "; ".join(str(row[0]) for row in rows[:3]))

    def close(self) -> None:
        """Close the connections of all threads; none may be in use."""
        self._closed = True
        with self._guard:
            for connection in self._open:
                connection.close()
            self._open.clear()


def newest_entry(connection: sqlite3.Connection) -> tuple[int, str]:
    """Number and hash of the newest entry of the audit trail; (0, "") for an empty one."""
    row = connection.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    return (0, "") if row is None else (int(row[0]), str(row[1]))


def insert(connection: sqlite3.Connection, table: str, **values: object) -> int:
    """Insert a row inside a transaction and seal it; return its number."""
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    cursor = connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id",
        tuple(values.values()),
    )
    number: int = cursor.fetchone()[0]
    if table in _seal.SEALED:
        _seal.seal(connection, table, number)
    return number


def _is_full(folder: Path) -> bool:
    """Whether so little room is left that SQLite cannot make the files beside the database."""
    try:
        return shutil.disk_usage(folder).free < 1 << 20
    except OSError:
        return False


def _connect(path: Path, journal: str) -> sqlite3.Connection:
    # Used by its own thread only; another may close it, when the app ends.
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection, journal)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, journal: str) -> None:
    if journal != "WAL":
        # First: all others would look for room for a journal.
        connection.execute(f"PRAGMA journal_mode = {journal}").fetchall()
    for pragma in (
        # Before the first table, or it has no effect.
        "auto_vacuum = INCREMENTAL",
        f"journal_mode = {journal}",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    _seal.install(connection)


@contextmanager
def _own_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(path, error) from error
    except UnicodeDecodeError as error:
        # The name of a table or a text in SQLite's own message.
        raise _damaged(path, "text") from error


def _translated(path: Path, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    undecoded = code == 0 and isinstance(error, sqlite3.OperationalError)
    if code in _DAMAGED or undecoded:
        return _damaged(path, str(error))
    if code == sqlite3.SQLITE_READONLY and os.access(path, os.W_OK):
        return _damaged(path, str(error))  # the header says so, the medium does not
    if code == sqlite3.SQLITE_FULL:
        return StoreFullError("no_room_for_result")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusyError("database_busy", seconds=BUSY_SECONDS)
    return StoreError("database_refused", reason=str(error))


def _damaged(path: Path, reason: str) -> DamagedStoreError:
    return DamagedStoreError("database_damaged", file=path.name, reason=reason)


def utc_now() -> datetime:
    """The present time, UTC."""
    return datetime.now(UTC)


@dataclass(kw_only=True)
class Context:
    """What all parts of a store share.

    Args:
        folder: the app's private folder.
        database: its database.
        actor: who uses the app, for the audit trail and for corrections.
        now: the clock; UTC.
    """

    folder: Path
    database: Database
    actor: str
    now: Callable[[], datetime] = utc_now
