"""The database's tables, as the steps that lead from an empty file to the present version.

A step is never edited once released; a change is a new step at the end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from mobile_app.errors import DamagedStoreError, NewerStoreError, StoreError
from mobile_app.store import _seal

APPLICATION_ID = 0x48454D58
"""'HEMX' in the file's header: `file` and SQLite tools tell whose it is."""

_VERSION_1 = """
CREATE TABLE studies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again, so the audit trail stays unambiguous
    folder TEXT NOT NULL UNIQUE,            -- relative to the store's folder
    series TEXT NOT NULL,                   -- what to give the reader as `series`; '' lets it choose
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,            -- of the files' digests: the same files are imported once
    slices INTEGER NOT NULL,
    identity TEXT NOT NULL,                 -- SeriesIdentity, JSON
    acquired_at TEXT,                       -- of identity, to sort by
    series_uid TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    search TEXT NOT NULL,                   -- folded text of identity
    state TEXT NOT NULL CHECK (
        state IN ('imported', 'queued', 'running', 'done', 'refused', 'failed', 'interrupted')
    ),
    error TEXT,                             -- StudyError, JSON
    imported_at TEXT NOT NULL,
    changed_at TEXT NOT NULL                -- when the present state began
) STRICT;
CREATE INDEX studies_by_patient ON studies (patient_id);
CREATE INDEX studies_by_state ON studies (state);

CREATE TABLE results (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    study_id INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    recommendation TEXT NOT NULL,
    volume_ml REAL NOT NULL,
    markers TEXT NOT NULL,                  -- codes of those present, JSON
    document TEXT NOT NULL,                 -- TriageResult without its arrays, JSON
    mask_shape TEXT NOT NULL,
    mask BLOB NOT NULL,                     -- packed bits, zlib
    sha256 TEXT NOT NULL                    -- of document, mask and slices
) STRICT;
CREATE INDEX results_by_study ON results (study_id, id);

CREATE TABLE slices (
    result_id INTEGER NOT NULL REFERENCES results (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    document TEXT NOT NULL,                 -- SliceResult without its map, JSON
    cam_shape TEXT,
    cam BLOB,                               -- little-endian float32, zlib
    PRIMARY KEY (result_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE corrections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    result_id INTEGER NOT NULL REFERENCES results (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,               -- 1, 2, ... of its result
    made_at TEXT NOT NULL,
    made_by TEXT NOT NULL,
    volume_ml REAL NOT NULL,
    strokes TEXT NOT NULL,                  -- BrushStroke list, JSON
    mask_shape TEXT NOT NULL,
    mask BLOB NOT NULL,
    sha256 TEXT NOT NULL,
    UNIQUE (result_id, version)
) STRICT;

CREATE TABLE comparisons (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    earlier_result INTEGER NOT NULL REFERENCES results (id) ON DELETE CASCADE,
    later_result INTEGER NOT NULL REFERENCES results (id) ON DELETE CASCADE,
    earlier_correction INTEGER REFERENCES corrections (id),
    later_correction INTEGER REFERENCES corrections (id),
    created_at TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX comparisons_by_earlier ON comparisons (earlier_result);
CREATE INDEX comparisons_by_later ON comparisons (later_result);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    study_id INTEGER,                       -- no reference: the trail outlives the study
    detail TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

_VERSION_2 = """
ALTER TABLE studies ADD COLUMN seal TEXT NOT NULL DEFAULT '';      -- see `_seal`
ALTER TABLE results ADD COLUMN seal TEXT NOT NULL DEFAULT '';
ALTER TABLE corrections ADD COLUMN seal TEXT NOT NULL DEFAULT '';
ALTER TABLE comparisons ADD COLUMN seal TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN seal TEXT NOT NULL DEFAULT '';
ALTER TABLE studies ADD COLUMN newest_result INTEGER;              -- no reference: it tells of a lost row
ALTER TABLE studies ADD COLUMN compared INTEGER NOT NULL DEFAULT 0; -- comparisons with it as the later one
ALTER TABLE results ADD COLUMN newest_correction INTEGER;
UPDATE results SET newest_correction =
    (SELECT id FROM corrections WHERE result_id = results.id ORDER BY version DESC LIMIT 1);
UPDATE studies SET newest_result = (SELECT max(id) FROM results WHERE study_id = studies.id),
    compared = (SELECT count(*) FROM comparisons JOIN results ON results.id = later_result
                WHERE results.study_id = studies.id);
UPDATE studies SET seal = row_hash('studies', id, folder, series, files, bytes, sha256, slices, identity,
    acquired_at, series_uid, patient_id, search, state, error, imported_at, changed_at, newest_result,
    compared);
UPDATE results SET seal = row_hash('results', id, study_id, created_at, recommendation, volume_ml, markers,
    document, mask_shape, sha256, newest_correction);
UPDATE corrections SET seal = row_hash('corrections', id, result_id, version, made_at, made_by, volume_ml,
    mask_shape, sha256);
UPDATE comparisons SET seal = row_hash('comparisons', id, earlier_result, later_result, earlier_correction,
    later_correction, created_at, document);
UPDATE settings SET seal = row_hash('settings', name, value);
"""

_VERSION_3 = """
CREATE TABLE readings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    study_id INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,               -- 1, 2, ... of its study, whoever answered
    result_id INTEGER,                      -- whose outline was shown; no reference: answers outlive it
    correction_id INTEGER,
    made_at TEXT NOT NULL,
    made_by TEXT NOT NULL,
    document TEXT NOT NULL,                 -- answers and slices, JSON
    seal TEXT NOT NULL DEFAULT '',
    UNIQUE (study_id, version)
) STRICT;
"""

STEPS: tuple[str, ...] = (_VERSION_1, _VERSION_2, _VERSION_3)
"""Step n leads from version n to version n + 1."""

UNLIKELY = 1000
"""No version so far beyond ours is one: the number in the file's header is damaged."""


def migrate(connection: sqlite3.Connection, steps: Sequence[str] = STEPS) -> int:
    """Bring a database to the present version, each step whole or not at all.

    Args:
        connection: in autocommit mode, in no transaction.
        steps: the steps; another number of them only in tests.
    Returns:
        The version found, 0 for an empty file.
    Raises:
        NewerStoreError: the database has a version beyond the last step.
        DamagedStoreError: it is ours, with a damaged header.
        StoreError: the file is another program's database.
    """
    _seal.install(connection)
    found = int(_pragma(connection, "user_version"))
    owner = int(_pragma(connection, "application_id"))
    tables = _tables(connection)
    ours = {"studies", "results", "audit"} <= tables
    foreign = owner != APPLICATION_ID and (owner or found or tables)
    if foreign and not ours:
        raise StoreError("database_foreign")
    if foreign or (found == 0) is ours or not 0 <= found <= len(steps) + UNLIKELY:
        raise DamagedStoreError("database_damaged", file="hemx.db", reason="header")
    if found > len(steps):
        raise NewerStoreError("database_newer", found=found, most=len(steps))
    for version in range(found, len(steps)):
        # executescript would commit before it begins: the script brings its own transaction.
        script = (
            f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID};\n{steps[version]};\n"
            f"PRAGMA user_version = {version + 1}; COMMIT;"
        )
        try:
            connection.executescript(script)
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    return found


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return {row[0] for row in rows}


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)
