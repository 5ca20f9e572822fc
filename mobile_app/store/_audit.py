"""The audit trail: who did what when, each entry chained to the one before by its hash.

The chain shows an entry that was changed, left out or put in by somebody who did not compute all later
hashes again. It does not stop whoever can write the file from doing that, or from cutting the end off;
write the newest hash down elsewhere (a report can carry it) where that matters. No entry holds a
patient's name or identifiers, so the trail may outlive a deleted study.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import datetime
from typing import Any

from mobile_app.errors import DamagedStoreError
from mobile_app.store._database import Context
from mobile_app.store._encode import to_json
from mobile_app.store.records import AuditEntry

COLUMNS = "id, at, actor, action, study_id, detail, previous, hash"


class Audit:
    """The trail of one store."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def note(self, action: str, *, study_id: int | None = None, **detail: Any) -> None:
        """Add an entry for what is not written by the store itself, such as an exported report.

        Args:
            action: a stable code.
            study_id: which study.
            **detail: JSON values, nothing that names a patient.
        """
        with self._context.database.writing() as connection:
            append(connection, self._context, action, study_id=study_id, **detail)

    def entries(self, *, study_id: int | None = None, newest: int = 200) -> tuple[AuditEntry, ...]:
        """The newest entries, newest first, of one study or of all."""
        where, values = ("WHERE study_id = ?", (study_id,)) if study_id is not None else ("", ())
        query = f"SELECT {COLUMNS} FROM audit {where} ORDER BY id DESC LIMIT ?"
        with self._context.database.reading() as connection:
            rows = connection.execute(query, (*values, newest)).fetchall()
        found = []
        for row in rows:
            try:
                found.append(_entry(row))
            except (ValueError, TypeError, AttributeError) as error:
                raise DamagedStoreError("audit_broken", entry=row[0]) from error
        return tuple(found)

    def verify(self) -> str:
        """Go through the whole chain.

        Returns:
            The newest hash, "" for an empty trail.
        Raises:
            DamagedStoreError: the first entry that does not follow from the one before.
        """
        previous, expected = "", 1
        with self._context.database.reading() as connection:
            rows = connection.execute(f"SELECT {COLUMNS} FROM audit ORDER BY id")
            for row in rows:
                if not _holds(row, expected, previous):
                    raise DamagedStoreError("audit_broken", entry=expected)
                previous, expected = row[-1], expected + 1
        return previous


def append(
    connection: sqlite3.Connection,
    context: Context,
    action: str,
    *,
    study_id: int | None = None,
    **detail: Any,
) -> None:
    """Add an entry inside the transaction of what it tells of."""
    last = connection.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    number, previous = (last[0] + 1, last[1]) if last else (1, "")
    entry = AuditEntry(
        id=number,
        at=context.now(),
        actor=context.actor,
        action=action,
        study_id=study_id,
        detail=detail,
        previous=previous,
        hash="",
    )
    connection.execute(
        f"INSERT INTO audit ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*_hashed(entry), _hash(entry)),
    )


def follows(row: tuple[Any, ...], number: int, previous: str) -> bool:
    """Whether a row of `COLUMNS` is that entry of the trail, after the one with the hash `previous`.

    Raises:
        ValueError, TypeError, AttributeError: it is no entry at all.
    """
    entry = _entry(row)
    return entry.id == number and entry.previous == previous and entry.hash == _hash(entry)


def _hashed(entry: AuditEntry) -> tuple[int, str, str, str, int | None, str, str]:
    """The columns that the hash covers."""
    return (
        entry.id,
        entry.at.isoformat(),
        entry.actor,
        entry.action,
        entry.study_id,
        to_json(entry.detail),
        entry.previous,
    )


def _hash(entry: AuditEntry) -> str:
    return hashlib.sha256(to_json(_hashed(entry)).encode("utf-8")).hexdigest()


def _holds(row: tuple[Any, ...], number: int, previous: str) -> bool:
    try:
        return follows(row, number, previous)
    except (ValueError, TypeError, AttributeError):
        return False


def _entry(row: tuple[Any, ...]) -> AuditEntry:
    number, at, actor, action, study_id, detail, previous, own_hash = row
    return AuditEntry(
        id=number,
        at=datetime.fromisoformat(at),
        actor=actor,
        action=action,
        study_id=study_id,
        detail=json.loads(detail),
        previous=previous,
        hash=own_hash,
    )
