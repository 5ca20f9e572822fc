"""A hash over each row of what is shown, so that a changed value is noticed and never shown as a fact.

    seal = SHA-256 over the table's name and the row's columns, each with its type and length

It shows damage and a careless change. It stops nobody who computes it again.
"""

from __future__ import annotations

import hashlib
import sqlite3

SEALED: dict[str, tuple[str, ...]] = {
    "studies": (
        "id",
        "folder",
        "series",
        "files",
        "bytes",
        "sha256",
        "slices",
        "identity",
        "acquired_at",
        "series_uid",
        "patient_id",
        "search",
        "state",
        "error",
        "imported_at",
        "changed_at",
        "newest_result",
        "compared",
    ),
    # The mask and the slices are under `sha256`, which is looked at when a result is loaded.
    "results": (
        "id",
        "study_id",
        "created_at",
        "recommendation",
        "volume_ml",
        "markers",
        "document",
        "mask_shape",
        "sha256",
        "newest_correction",
    ),
    "corrections": (
        "id",
        "result_id",
        "version",
        "made_at",
        "made_by",
        "volume_ml",
        "mask_shape",
        "sha256",
    ),
    "readings": (
        "id",
        "study_id",
        "version",
        "result_id",
        "correction_id",
        "made_at",
        "made_by",
        "document",
    ),
    "comparisons": (
        "id",
        "earlier_result",
        "later_result",
        "earlier_correction",
        "later_correction",
        "created_at",
        "document",
    ),
    "settings": ("name", "value"),
}
"""Tables whose rows have a seal, and what it covers; the first column is the key."""

FUNCTION = "row_hash"


def row_hash(table: str, *values: object) -> str:
    """SHA-256 over a row's values, each with its type and length."""
    total = hashlib.sha256()
    for value in (table, *values):
        content = _bytes(value)
        total.update(type(value).__name__.encode("ascii") + len(content).to_bytes(8, "little"))
        total.update(content)
    return total.hexdigest()


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    # The text of a float reads back to the same float.
    return (value if isinstance(value, str) else repr(value)).encode("utf-8", "surrogateescape")


def install(connection: sqlite3.Connection) -> None:
    """Let a connection's SQL call `row_hash`."""
    connection.create_function(FUNCTION, -1, row_hash, deterministic=True)


def expression(table: str, alias: str = "") -> str:
    """SQL of what a row's seal must be; `alias` names the table in the query."""
    name = alias or table
    columns = ", ".join(f"{name}.{column}" for column in SEALED[table])
    return f"{FUNCTION}('{table}', {columns})"


def holds(table: str, alias: str = "") -> str:
    """SQL that is 1 for a row as it was written, 0 for a changed one, NULL for none."""
    name = alias or table
    return f"{name}.seal = {expression(table, alias)}"


def seal(connection: sqlite3.Connection, table: str, key: object) -> None:
    """Seal a row that was just written, inside its transaction."""
    connection.execute(
        f"UPDATE {table} SET seal = {expression(table)} WHERE {SEALED[table][0]} = ?", (key,)
    )
