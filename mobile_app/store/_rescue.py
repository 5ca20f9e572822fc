"""A database that is missing, empty or damaged: what is left of it is kept, and studies are found again.

    hemx.db damaged -> set_aside/<time>/ (its files as they are)
                    -> hemx.db.draft: its rows that are whole -> hemx.db.new -> hemx.db
    folders without a row -> by their labels -> rows; without a label -> set_aside/, to be imported again

Killed at any moment, the next start begins again, or ends what was complete. Nothing of this deletes a
study's files.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hemx_core.errors import cause
from hemx_core.files import sync_folder
from hemx_core.notes import Phrase
from mobile_app.errors import RescuedStoreError, StoreError
from mobile_app.store import _audit, _files, _labels, _seal, _transfer
from mobile_app.store._database import Context, Database
from mobile_app.store._labels import Label
from mobile_app.store._studies import insert_study, rewrite_study

SIDE_FILES = ("-wal", "-shm", "-journal")
_DRAFT, _NEW, _ASKED = ".draft", ".new", ".damaged"
TEMPORARY = ("backup-", "restore-", "labels-")
"""Beginnings of folders that a backup or restore deletes at its end, if it is not killed."""
UNLABELLED = "study-"
"""Beginning of the name under which files without label or row are set aside."""


@dataclass(kw_only=True)
class Rescue:
    """What opening a store found and did.

    Args:
        reason: why the database was made anew: "missing" or "damaged"; "" where it was not.
        kept: studies whose rows were kept, where it was made anew.
        results: results that were kept.
        left: rows that were there and could not be kept, where it was made anew.
        again: studies that were found again by their labels, without results.
        mended: studies whose damaged row was written anew by the label.
        unlabelled: folders set aside, to be imported again.
        entries: entries of the audit trail that are lost.
        settings: names of settings that were not as they were written.
    """

    reason: str = ""
    kept: int = 0
    results: int = 0
    left: int = 0
    again: tuple[int, ...] = ()
    mended: int = 0
    unlabelled: int = 0
    entries: int = 0
    settings: tuple[str, ...] = ()

    @property
    def trouble(self) -> RescuedStoreError | None:
        """What the user must be told; None where there is nothing."""
        parts = []
        if self.reason == "damaged":
            parts.append(Phrase("rescued.damaged", kept=self.kept, results=self.results))
        elif self.reason:
            parts.append(Phrase("rescued.missing"))
        if self.left:
            parts.append(Phrase("rescued.left", count=self.left))
        if self.again:
            parts.append(Phrase("rescued.again", count=len(self.again)))
        if self.mended:
            parts.append(Phrase("rescued.mended", count=self.mended))
        if self.unlabelled:
            parts.append(Phrase("rescued.aside", count=self.unlabelled))
        if self.entries:
            parts.append(Phrase("rescued.entries", count=self.entries))
        if self.settings:
            parts.append(Phrase("rescued.settings", count=len(self.settings)))
        return RescuedStoreError("store_rescued", parts=tuple(parts)) if parts else None


def finish(path: Path) -> None:
    """End a rescue that was complete but for the last step.

    Args:
        path: of the database.
    """
    new = path.with_name(path.name + _NEW)
    if new.is_file():
        _take_over(path, new)


def is_lost(path: Path) -> bool:
    """Whether the database is missing or empty, although there was one.

    Args:
        path: of the database.
    """
    if path.is_file() and path.stat().st_size > 0:
        return False
    root = path.parent
    studies = root / _files.STUDIES
    return (
        (path.exists() and not path.is_file())
        or path.with_name(f"{path.name}.mark").exists()
        or any((root / _labels.LABELS).glob("*.json"))
        or (studies.is_dir() and any(_files.is_study(one.name) for one in studies.iterdir()))
    )


def ask(path: Path) -> None:
    """Have the next start make the database anew; never fails."""
    with contextlib.suppress(OSError):
        path.with_name(path.name + _ASKED).touch(mode=0o600)


def is_asked_for(path: Path) -> bool:
    """Whether the last start found damage."""
    return path.with_name(path.name + _ASKED).exists()


def rebuild(path: Path, rescue: Rescue, now: datetime) -> None:
    """Set the database aside and make a new one of what is whole.

    Args:
        path: of the database; nobody has it open.
        rescue: takes up what was found.
    Raises:
        StoreError: no room, or the folder cannot be written.
    """
    root = path.parent
    try:
        aside = _put_aside(path, now)
        draft = path.with_name(path.name + _DRAFT)
        for suffix in ("", *SIDE_FILES, ".mark"):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError("app_folder", reason=cause(error)) from error
    database = Database(draft)
    try:
        with _transfer.opened(aside / path.name) as source:
            if source is not None:
                with database.writing() as target:
                    moved = _transfer.salvage(source, target, _labels.read_all(root))
                rescue.kept, rescue.results = len(moved.studies), len(moved.results)
                rescue.left = moved.left
        database.shrink()
    finally:
        database.close()
    draft.with_name(f"{draft.name}.mark").unlink(missing_ok=True)
    new = path.with_name(path.name + _NEW)
    try:
        draft.rename(new)
        _take_over(path, new)
        _forget_empty(aside)
    except OSError as error:
        raise StoreError("app_folder", reason=cause(error)) from error


def _put_aside(path: Path, now: datetime) -> Path:
    """The database's files, as they are, in a folder of their own; it is returned."""
    aside = path.parent / _files.ASIDE
    aside.mkdir(mode=0o700, exist_ok=True)
    stamp, number = f"database-{now:%Y%m%dT%H%M%S}", 1
    folder = aside / stamp
    while folder.exists():
        number += 1
        folder = aside / f"{stamp}-{number}"
    folder.mkdir(mode=0o700)
    for suffix in ("", *SIDE_FILES):
        source = path.with_name(path.name + suffix)
        if source.is_dir() and not source.is_symlink():
            source.rename(folder / f"{source.name}-folder")
        elif source.is_file():
            try:
                # The same blocks: it needs no room, and the file is replaced, never written.
                os.link(source, folder / source.name)
            except OSError:
                shutil.copyfile(source, folder / source.name)
    return folder


def _forget_empty(aside: Path) -> None:
    """Where nothing was left to be set aside."""
    for folder in (aside, aside.parent):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _take_over(path: Path, new: Path) -> None:
    for suffix in SIDE_FILES:
        # A log of the old file must not be played into the new one.
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    new.replace(path)
    path.with_name(path.name + _ASKED).unlink(missing_ok=True)
    sync_folder(path.parent)


def lost_entries(database: Database) -> int:
    """How many entries of the audit trail are not there any more, by the mark beside the database."""
    number, sha256 = database.mark.read()
    newest = database.newest_entry()
    if number > newest[0]:
        return number - newest[0]
    # At the mark's own number stands another entry: this is another database.
    return 1 if number == newest[0] and number and sha256 != newest[1] else 0


def tidy(context: Context, rescue: Rescue) -> None:
    """End what was broken off, mend rows by their labels, and find studies without a row again.

    Args:
        context: of the open store.
        rescue: takes up what was found.
    Raises:
        StoreError: the database refuses.
    """
    root, studies = context.folder, context.folder / _files.STUDIES
    with contextlib.suppress(OSError):
        if studies.exists() and not studies.is_dir():
            _files.set_aside(root, studies)
    for name in TEMPORARY:
        for path in root.glob(f"{name}*"):
            _files.discard(path)
    with context.database.reading() as connection:
        rows = connection.execute(
            f"SELECT id, folder, sha256, {_seal.holds('studies')} FROM studies"
        ).fetchall()
    owned = {row[1] for row in rows if isinstance(row[1], str)}
    strays = _files.sweep(studies, owned)
    broken = [row[0] for row in rows if not row[3]]
    labels: dict[str, Label] = _labels.read_all(root) if strays or broken else {}
    if broken:
        sure = {row[1] for row in rows if row[3]}
        rescue.mended += _mend(
            context, rows, {n: one for n, one in labels.items() if n not in sure}
        )
    if strays:
        _find_again(context, strays, labels, rescue)
    _drop_labels(root, studies, owned)


def _mend(
    context: Context, rows: Iterable[tuple[int, object, object, object]], labels: dict[str, Label]
) -> int:
    """Write damaged rows anew where their label is sure; return how many."""
    mended = 0
    for number, folder, sha256, whole in rows:
        if whole:
            continue
        fitting = [one for one in labels.values() if one.folder == folder or one.sha256 == sha256]
        if len(fitting) != 1:
            continue
        with context.database.writing() as connection:
            rewrite_study(connection, fitting[0], number)
            _audit.append(connection, context, "study.mended", study_id=number)
        del labels[fitting[0].folder]
        mended += 1
    return mended


def _find_again(
    context: Context, strays: Iterable[str], labels: dict[str, Label], rescue: Rescue
) -> None:
    again = []
    for folder in strays:
        label = labels.get(folder)
        with context.database.writing() as connection:
            known = (
                label is not None
                and connection.execute(
                    "SELECT 1 FROM studies WHERE sha256 = ? OR folder = ?", (label.sha256, folder)
                ).fetchone()
            )
            if label is not None and not known:
                number = insert_study(connection, label)
                _audit.append(connection, context, "study.found_again", study_id=number)
                again.append(number)
                continue
        path = context.folder / _files.STUDIES / folder
        with contextlib.suppress(OSError):
            if not any(path.iterdir()):
                path.rmdir()
            else:
                _files.set_aside(context.folder, path, f"{UNLABELLED}{folder}")
                rescue.unlabelled += 1
    rescue.again += tuple(again)


def _drop_labels(root: Path, studies: Path, owned: set[str]) -> None:
    """Labels of which neither a row nor a folder is left: of a deletion that was broken off."""
    for path in (root / _labels.LABELS).glob("*.json"):
        stem = path.stem
        if _files.is_study(stem) and stem not in owned and not (studies / stem).exists():
            _labels.remove(root, stem)
