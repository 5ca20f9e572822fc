"""Rows of another database that are as they were written, into an open one.

Salvage keeps their numbers (the new database is empty); a backup's studies get new ones.

    audit (while its chain holds) -> settings -> studies -> results -> corrections -> readings -> comparisons

Rows are read one by one: a damaged page costs those that lie on it.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mobile_app.errors import DamagedStoreError
from mobile_app.store import _audit, _files, _seal
from mobile_app.store._database import insert
from mobile_app.store._encode import digest
from mobile_app.store._labels import Label
from mobile_app.store._results import encoded_result
from mobile_app.store._studies import insert_study, refer_to_newest

MOST_ROWS = 20_000
"""How many numbers are tried where the table does not tell which there are."""

Row = dict[str, Any]

_UNREADABLE = (sqlite3.Error, DamagedStoreError, ValueError, KeyError, TypeError, AttributeError)
_BESIDE = {"results": ("mask",), "corrections": ("strokes", "mask")}
"""Columns that no seal covers: a hash in the row does."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Another database, to be read only; None where SQLite does not take it."""
    connection = None
    for options in ("mode=ro", "mode=ro&immutable=1"):
        try:
            connection = sqlite3.connect(
                f"file:{quote(str(path))}?{options}", uri=True, isolation_level=None
            )
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            break
        except _UNREADABLE:
            if connection is not None:
                connection.close()
            connection = None
    try:
        if connection is not None:
            _seal.install(connection)
        yield connection
    finally:
        if connection is not None:
            connection.close()


@dataclass(kw_only=True)
class Moved:
    """What was transferred: numbers in the other database to numbers here."""

    studies: dict[int, int] = field(default_factory=dict)
    results: dict[int, int] = field(default_factory=dict)
    corrections: dict[int, int] = field(default_factory=dict)
    readings: int = 0
    comparisons: int = 0
    entries: int = 0
    left: int = 0
    """Rows that could not be read, or were not as they were written."""


def rows(source: sqlite3.Connection, table: str, moved: Moved) -> Iterator[Row]:
    """The rows of a table that are as they were written, by number; the others are counted."""
    try:
        known = {str(row[1]) for row in source.execute(f"PRAGMA table_info({table})")}
    except _UNREADABLE:
        return
    columns = [*_seal.SEALED[table], *_BESIDE.get(table, ())]
    if "seal" not in known:
        columns = [column for column in columns if column in known]
    if _seal.SEALED[table][0] not in columns:
        return
    chosen = ", ".join(f"{table}.{column}" for column in columns)
    # Before version 2 rows had no seal; what else they have is looked at.
    whole = _seal.holds(table) if "seal" in known else "1"
    key = columns[0]
    for number in _keys(source, table, key):
        try:
            row = source.execute(
                f"SELECT {chosen}, {whole} FROM {table} WHERE {key} = ?", (number,)
            ).fetchone()
        except _UNREADABLE:
            moved.left += 1
            continue
        if row is None:
            continue
        if not row[-1]:
            moved.left += 1
            continue
        yield dict(zip(columns, row[:-1], strict=True))


def _keys(source: sqlite3.Connection, table: str, key: str) -> list[Any]:
    try:
        return [row[0] for row in source.execute(f"SELECT {key} FROM {table} ORDER BY {key}")]
    except _UNREADABLE:
        if key != "id":
            return []
    try:
        (most,) = source.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)
        ).fetchone()
        return list(range(1, min(int(most), 10 * MOST_ROWS) + 1))
    except _UNREADABLE:
        return list(range(1, MOST_ROWS + 1))


def salvage(
    source: sqlite3.Connection, target: sqlite3.Connection, labels: Mapping[str, Label]
) -> Moved:
    """All that is whole, with its numbers, into an empty database inside a transaction.

    Args:
        labels: by folder; a study whose row is damaged and whose results are not is found by its label.
    """
    moved = Moved()
    _audit_trail(source, target, moved)
    for row in rows(source, "settings", moved):
        target.execute(
            "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)",
            (row["name"], row["value"]),
        )
        _seal.seal(target, "settings", row["name"])
    owned, unsure = set(), set()
    for row in rows(source, "studies", moved):
        with contextlib.suppress(*_UNREADABLE):
            if not _files.is_study(row["folder"]):
                raise ValueError
            json.loads(row["identity"])
            moved.studies[row["id"]] = insert(target, "studies", **row)
            if "newest_result" not in row:
                unsure.add(row["id"])  # a row of before version 2 does not name its newest result
            owned.add(row["folder"])
    by_series = {one.identity.series_uid: one for name, one in labels.items() if name not in owned}
    for row in rows(source, "results", moved):
        study = int(row["study_id"])
        if study not in moved.studies:
            with contextlib.suppress(*_UNREADABLE):
                uid = json.loads(row["document"])["identity"]["series_uid"]
                moved.studies[study] = insert_study(target, by_series.pop(uid), number=study)
                unsure.add(study)
    results(source, target, moved, keep=True)
    # The others go on naming what is lost: the list tells of it beside the study.
    for study in unsure:
        _settle(target, study)
    # Numbers of studies that are only in the trail are not given again either.
    target.execute(
        "UPDATE sqlite_sequence SET seq = max(seq, (SELECT coalesce(max(study_id), 0) FROM audit)) "
        "WHERE name = 'studies'"
    )
    return moved


def results(
    source: sqlite3.Connection, target: sqlite3.Connection, moved: Moved, *, keep: bool = False
) -> None:
    """Results, corrections, readings and comparisons of the studies in `moved`, inside a transaction.

    Args:
        keep: keep their numbers.
    """

    named: dict[int, int] = {}
    """Result to the correction that its row named, both in the other database."""

    def put(table: str, row: Row) -> int:
        values = row if keep else {name: value for name, value in row.items() if name != "id"}
        return insert(target, table, **values)

    for row in rows(source, "results", moved):
        study = moved.studies.get(row["study_id"])
        if study is None:
            continue
        try:
            encoded, sha256 = encoded_result(source, row["id"])
            if encoded.sha256 != sha256:
                raise ValueError
            if not keep and row.get("newest_correction") is not None:
                named[row["id"]] = row["newest_correction"]
                row["newest_correction"] = None
            number = put("results", row | {"study_id": study})
        except _UNREADABLE:
            moved.left += 1
            continue
        moved.results[row["id"]] = number
        target.executemany(
            "INSERT INTO slices (result_id, position, document, cam_shape, cam) "
            "VALUES (?, ?, ?, ?, ?)",
            (
                (
                    number,
                    place,
                    one.document,
                    one.cam and one.cam.shape,
                    one.cam and one.cam.content,
                )
                for place, one in enumerate(encoded.slices)
            ),
        )
    for row in rows(source, "corrections", moved):
        result = moved.results.get(row["result_id"])
        if result is None:
            continue
        with contextlib.suppress(*_UNREADABLE):
            if digest([row["mask_shape"], row["mask"], row["strokes"]]) != row["sha256"]:
                raise ValueError
            number = put("corrections", row | {"result_id": result})
            moved.corrections[row["id"]] = number
    for row in rows(source, "readings", moved):
        study = moved.studies.get(row["study_id"])
        if study is None:
            continue
        with contextlib.suppress(*_UNREADABLE):
            json.loads(row["document"])
            shown = {
                "result_id": moved.results.get(row["result_id"]),
                "correction_id": moved.corrections.get(row["correction_id"]),
            }
            put("readings", row | {"study_id": study} | shown)
            moved.readings += 1
    for row in rows(source, "comparisons", moved):
        compared = [moved.results.get(row[f"{side}_result"]) for side in ("earlier", "later")]
        drawn = [row[f"{side}_correction"] for side in ("earlier", "later")]
        fixes = [moved.corrections.get(one) for one in drawn]
        if None in compared or any(
            one is not None and new is None for one, new in zip(drawn, fixes, strict=True)
        ):
            continue
        with contextlib.suppress(*_UNREADABLE):
            json.loads(row["document"])
            put(
                "comparisons",
                row
                | dict(zip(("earlier_result", "later_result"), compared, strict=True))
                | dict(zip(("earlier_correction", "later_correction"), fixes, strict=True)),
            )
            moved.comparisons += 1
    if not keep:
        for study in moved.studies.values():
            _settle(target, study)
    for result, correction in named.items():
        if result in moved.results:
            # -1 is no correction: the list tells that one is lost.
            target.execute(
                "UPDATE results SET newest_correction = ? WHERE id = ?",
                (moved.corrections.get(correction, -1), moved.results[result]),
            )
            _seal.seal(target, "results", moved.results[result])


def _settle(target: sqlite3.Connection, study: int) -> None:
    """Have a study's row say what is there: it is done if it has a result, and only then."""
    target.execute(
        "UPDATE studies SET state = CASE WHEN EXISTS (SELECT 1 FROM results WHERE study_id = ?1) "
        "THEN 'done' ELSE 'imported' END WHERE id = ?1 AND state IN ('done', 'imported')",
        (study,),
    )
    refer_to_newest(target, study)


def _audit_trail(source: sqlite3.Connection, target: sqlite3.Connection, moved: Moved) -> None:
    """The entries from the first one on, as long as each follows from the one before."""
    previous = ""
    for number in range(1, 1 << 31):
        try:
            row = source.execute(
                f"SELECT {_audit.COLUMNS} FROM audit WHERE id = ?", (number,)
            ).fetchone()
            if row is None or not _audit.follows(row, number, previous):
                return
            target.execute(
                f"INSERT INTO audit ({_audit.COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row
            )
        except _UNREADABLE:
            return
        previous, moved.entries = row[-1], number
