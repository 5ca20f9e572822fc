"""Backup and restore: all studies with their results in one zip, and back into any store.

    manifest.json        {"kind": "hemx-backup", "version": 1, "files": {name: [bytes, sha256]}, ...}
    hemx.db              a snapshot, without settings and PIN
    labels/<series>.json
    studies/<series>/00001.dcm ...

Restoring adds what is not there: it changes and deletes nothing. Each study comes whole, with its results,
corrections and comparisons, or not at all. A backup names patients and is not encrypted.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from hemx_core.errors import cause
from hemx_core.notes import Phrase
from mobile_app.errors import DamagedStoreError, NewerStoreError, StoreError, StoreFullError
from mobile_app.store import _audit, _files, _labels, _transfer
from mobile_app.store._database import Context, Database, newest_entry
from mobile_app.store._files import FileHash
from mobile_app.store._schema import STEPS
from mobile_app.store._studies import Studies, insert_study

KIND = "hemx-backup"
VERSION = 1
MANIFEST = "manifest.json"
DATABASE = "hemx.db"
SUFFIX = ".zip"
MOST_MANIFEST_BYTES = 64 << 20
MOST_FILES = 1_000_000
_NAME = re.compile(r"hemx\.db|labels/[0-9a-f]{16}\.json|studies/[0-9a-f]{16}/[0-9]{5}\.dcm")
_CHUNK = 1 << 20

Progress = Callable[[int, int], None]
"""Called with the studies done and the studies there are; may raise to cancel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """What a backup holds.

    Args:
        studies: with all their files.
        damaged: numbers of studies whose files are not what was copied; they are left out.
        bytes: of the zip.
    """

    studies: int
    damaged: tuple[int, ...]
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did.

    Args:
        added: studies that were not there.
        present: studies that were there; what they have stays as it is.
        results: results that came with the added ones.
        damaged: studies of the backup that are not what was written; they are left out.
    """

    added: int
    present: int
    results: int
    damaged: int


def write(context: Context, studies: Studies, target: Path, progress: Progress) -> BackedUp:
    """Write a backup, whole or not at all.

    Raises:
        StoreFullError: no room for it.
        StoreError: it cannot be written.
    """
    draft = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with (
            tempfile.TemporaryDirectory(prefix="backup-", dir=context.folder) as made,
            open(draft, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream,
        ):
            backed = _write(context, studies, stream, Path(made) / DATABASE, progress)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise _not_written(error) from error
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return replace(backed, bytes=target.stat().st_size)


def _write(
    context: Context, studies: Studies, stream: BinaryIO, snapshot: Path, progress: Progress
) -> BackedUp:
    found = sorted(studies.find(), key=lambda study: study.id)
    files: dict[str, FileHash] = {}
    whole, damaged = 0, []
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for done, study in enumerate(found):
            progress(done, len(found))
            try:
                folder = studies.verify(study)
            except DamagedStoreError:
                damaged.append(study.id)
                continue
            name = f"labels/{folder.name}.json"
            files[name] = _add(archive, name, _labels.place(context.folder, folder.name))
            for path in sorted(folder.iterdir()):
                name = f"studies/{folder.name}/{path.name}"
                files[name] = _add(archive, name, path)
            whole += 1
        _snapshot(context.database, snapshot)
        files[DATABASE] = _add(archive, DATABASE, snapshot)
        listed = {name: [one.bytes, one.sha256] for name, one in files.items()}
        manifest = {
            "kind": KIND,
            "version": VERSION,
            "schema": len(STEPS),
            "made_at": context.now().isoformat(),
            "studies": whole,
            "files": listed,
            "sha256": _hash_of(listed),
        }
        archive.writestr(MANIFEST, json.dumps(manifest, separators=(",", ":")))
    with context.database.writing() as connection:
        _audit.append(connection, context, "store.backed_up", studies=whole, damaged=len(damaged))
    progress(len(found), len(found))
    return BackedUp(studies=whole, damaged=tuple(damaged), bytes=0)


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> FileHash:
    digest, length = hashlib.sha256(), 0
    with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as sink:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            sink.write(chunk)
            length += len(chunk)
    return FileHash(length, digest.hexdigest())


def _snapshot(database: Database, target: Path) -> None:
    """One state of the database, whatever is written meanwhile, without the settings."""
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        database.connection().backup(copy)
        copy.execute("PRAGMA secure_delete = ON").fetchall()
        copy.execute("DELETE FROM settings")
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        if full:
            raise StoreFullError("no_room_for_backup") from error
        raise DamagedStoreError("database_damaged", file=DATABASE, reason=str(error)) from error
    finally:
        copy.close()


def _hash_of(listed: dict[str, Any]) -> str:
    text = json.dumps(listed, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _not_written(error: OSError) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFullError("no_room_for_backup")
    return StoreError("backup_not_written", reason=cause(error))


class _Backup:
    """A backup that is read: a zip, or the folder that one was unpacked to."""

    def __init__(self, path: Path, archive: zipfile.ZipFile | None) -> None:
        self._path, self._archive = path, archive
        self.files = self._manifest()

    def open(self, name: str) -> BinaryIO:
        """A file of the backup, which ends after as many bytes as the manifest says."""
        wanted = self.files[name].bytes
        return cast(BinaryIO, _Limited(self._open(name), wanted))

    def _open(self, name: str) -> IO[bytes]:
        if self._archive is not None:
            return self._archive.open(name)
        return (self._path / name).open("rb")

    def _manifest(self) -> dict[str, FileHash]:
        try:
            with self._open(MANIFEST) as stream:
                text = stream.read(MOST_MANIFEST_BYTES + 1)
            plain = json.loads(text) if len(text) <= MOST_MANIFEST_BYTES else {}
            kind = plain["kind"] if isinstance(plain, dict) else ""
        except (OSError, KeyError, ValueError, RecursionError, *_BAD_ZIP) as error:
            raise self._foreign() from error
        if kind != KIND:
            raise self._foreign()
        try:
            if int(plain["version"]) > VERSION or int(plain["schema"]) > len(STEPS):
                found = max(int(plain["version"]), int(plain["schema"]))
                raise NewerStoreError("backup_newer", found=found, most=len(STEPS))
            listed = plain["files"]
            if _hash_of(listed) != plain["sha256"] or len(listed) > MOST_FILES:
                raise ValueError
            files = {name: FileHash(int(one[0]), str(one[1])) for name, one in listed.items()}
            if DATABASE not in files or not all(_NAME.fullmatch(name) for name in files):
                raise ValueError
            if any(one.bytes < 0 for one in files.values()):
                raise ValueError
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            what = Phrase("backup_part.manifest")
            raise DamagedStoreError("backup_damaged", what=what) from error
        return files

    def _foreign(self) -> StoreError:
        return StoreError("backup_foreign", file=self._path.name)


_BAD_ZIP = (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError)


class _Limited:
    """A stream that ends after so many bytes, whatever a zip unpacks to."""

    def __init__(self, stream: IO[bytes], left: int) -> None:
        self._stream, self._left = stream, left

    def read(self, size: int = -1) -> bytes:
        """As `BinaryIO.read`; a damaged zip is an OSError."""
        wanted = self._left if size < 0 else min(size, self._left)
        try:
            content = self._stream.read(wanted) if wanted else b""
        except (*_BAD_ZIP, ValueError) as error:
            raise OSError(errno.EIO, "damaged zip") from error
        self._left -= len(content)
        return content

    def __enter__(self) -> _Limited:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stream.close()


@contextmanager
def _opened(path: Path) -> Iterator[_Backup]:
    if path.is_dir():
        yield _Backup(path, None)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield _Backup(path, archive)
    except (*_BAD_ZIP, ValueError) as error:
        raise StoreError("backup_foreign", file=path.name) from error
    except OSError as error:
        raise StoreError("study_not_copied", reason=cause(error)) from error


def restore(context: Context, source: Path, progress: Progress) -> Restored:
    """Add the studies of a backup that are not there.

    Args:
        source: the zip, or the folder that it was unpacked to.
    Raises:
        NewerStoreError: a newer version of the app wrote it.
        DamagedStoreError: its list of files or its database is not what was written.
        StoreFullError: no room; the studies that came before are there, whole.
        StoreError: it is no backup.
    """
    with (
        _opened(source) as backup,
        tempfile.TemporaryDirectory(prefix="restore-", dir=context.folder) as made,
    ):
        database = Path(made) / DATABASE
        _extract(backup, DATABASE, database)
        with _transfer.opened(database) as connection:
            if connection is None:
                what = Phrase("backup_part.database")
                raise DamagedStoreError("backup_damaged", what=what)
            return _restore(context, backup, connection, Path(made), progress)


def _extract(backup: _Backup, name: str, target: Path) -> None:
    wanted = backup.files.get(name)
    if wanted is None:
        raise DamagedStoreError("backup_damaged", what=Phrase("backup_part.missing", file=name))
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with backup.open(name) as stream, target.open("xb") as sink:
            while chunk := stream.read(_CHUNK):
                sink.write(chunk)
        if _files.hash_file(target) == wanted:
            return
    except KeyError as error:
        what = Phrase("backup_part.missing", file=name)
        raise DamagedStoreError("backup_damaged", what=what) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFullError("no_room_for_study") from error
    except _BAD_ZIP:
        pass
    raise DamagedStoreError("backup_damaged", what=Phrase("backup_part.changed", file=name))


def _restore(
    context: Context,
    backup: _Backup,
    connection: sqlite3.Connection,
    made: Path,
    progress: Progress,
) -> Restored:
    moved = _transfer.Moved()
    rows = list(_transfer.rows(connection, "studies", moved))
    present, damaged = 0, moved.left
    for done, row in enumerate(rows):
        progress(done, len(rows))
        with context.database.reading() as reading:
            known = reading.execute(
                "SELECT 1 FROM studies WHERE sha256 = ?", (row["sha256"],)
            ).fetchone()
        if known:
            present += 1
            continue
        try:
            moved.studies[row["id"]] = _add_study(context, backup, row, made)
        except DamagedStoreError:
            damaged += 1
    with context.database.writing() as target:
        _transfer.results(connection, target, moved)
        _audit.append(
            target,
            context,
            "store.restored",
            added=len(moved.studies),
            damaged=damaged,
            trail=newest_entry(connection)[1],
        )
    progress(len(rows), len(rows))
    return Restored(
        added=len(moved.studies), present=present, results=len(moved.results), damaged=damaged
    )


def _add_study(context: Context, backup: _Backup, row: dict[str, Any], made: Path) -> int:
    """Copy one study's files out of a backup and add its row; its number here."""
    folder = row["folder"]
    if not isinstance(folder, str) or not _files.is_study(folder):
        raise DamagedStoreError("record_changed", record="study", number=row["id"])
    _extract(backup, f"labels/{folder}.json", made / _labels.LABELS / f"{folder}.json")
    label = _labels.read(made, folder)
    if label is None or label.sha256 != row["sha256"]:
        raise DamagedStoreError("record_changed", record="study", number=row["id"])
    names = sorted(label.files)
    listed = [backup.files.get(f"studies/{folder}/{name}") for name in names]
    if listed != [label.files[name] for name in names]:
        raise _labels.files_damaged([], ["?"], len(names))

    def opener(name: str) -> Callable[[], BinaryIO]:
        return lambda: backup.open(f"studies/{folder}/{name}")

    try:
        copied = _files.copy_files(
            context.folder / _files.STUDIES,
            [opener(name) for name in names],
            lambda _done, _total: None,
        )
    except StoreFullError:
        raise
    except (StoreError, KeyError, *_BAD_ZIP) as error:
        raise _labels.files_damaged([], ["?"], len(names)) from error
    if copied.sha256 != label.sha256:
        _files.discard(copied.draft)
        raise _labels.files_damaged([], ["?"], len(names))
    own = replace(label, folder=copied.folder, files=copied.files)
    try:
        _labels.write(context.folder, own)
        _files.settle(copied.draft)
    except OSError as error:
        _files.discard(copied.draft)
        _labels.remove(context.folder, own.folder)
        raise _files.not_copied(error) from error
    with context.database.writing() as connection:
        number = insert_study(connection, own)
        _audit.append(connection, context, "study.restored", study_id=number, sha256=own.sha256)
    return number
