"""Settings: JSON values by name. Nothing of patients belongs here.

They also lie in `settings.json`: a database that is lost must not take the PIN with it.
"""

from __future__ import annotations

import json
from typing import Any

from hemx_core.errors import OutputError
from hemx_core.files import write_whole
from mobile_app.errors import DamagedStoreError
from mobile_app.store import _seal
from mobile_app.store._database import Context
from mobile_app.store._encode import to_json

COPY = "settings.json"
MOST_BYTES = 1 << 20


class Settings:
    """The settings of one store."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name.

        Raises:
            DamagedStoreError: it is not what was written.
        """
        with self._context.database.reading() as connection:
            row = connection.execute(
                f"SELECT value, {_seal.holds('settings')} FROM settings WHERE name = ?", (name,)
            ).fetchone()
        if row is None:
            return default
        try:
            if row[1]:
                return json.loads(row[0])
        except (ValueError, RecursionError):
            pass
        raise DamagedStoreError("setting_changed", name=name)

    def set(self, name: str, value: Any) -> None:
        """Set a value, on the medium when this returns; None deletes the name."""
        with self._context.database.writing() as connection:
            if value is None:
                connection.execute("DELETE FROM settings WHERE name = ?", (name,))
            else:
                self._write(connection, name, to_json(value))
        self._copy()

    def mend(self, *, lost: bool, kept: str) -> tuple[str, ...]:
        """At start: take changed settings from their copy, or back to what they are at first.

        Args:
            lost: the database is not the one that was there: take missing ones from the copy, too.
            kept: a name that is never dropped: a PIN that cannot be read must not open the app.
        Returns:
            Names that were not what was written.
        """
        copied = self._copied() if lost else None
        with self._context.database.reading() as connection:
            rows = connection.execute(
                f"SELECT name, {_seal.holds('settings')} FROM settings"
            ).fetchall()
        changed = [name for name, whole in rows if not whole]
        if changed and copied is None:
            copied = self._copied()
        known = copied or {}
        wanted = set(changed) | ((known.keys() - {name for name, _ in rows}) if lost else set())
        if wanted:
            with self._context.database.writing() as connection:
                for name in wanted:
                    if name in known:
                        self._write(connection, name, to_json(known[name]))
                    elif name != kept:
                        connection.execute("DELETE FROM settings WHERE name = ?", (name,))
        return tuple(sorted(changed))

    def _write(self, connection: Any, name: str, text: str) -> None:
        connection.execute(
            "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (name, text)
        )
        _seal.seal(connection, "settings", name)

    def _copy(self) -> None:
        with self._context.database.reading() as connection:
            rows = connection.execute(
                f"SELECT name, value FROM settings WHERE {_seal.holds('settings')}"
            ).fetchall()
        text = to_json({name: json.loads(value) for name, value in rows})
        whole = to_json({"settings": json.loads(text), "sha256": _seal.row_hash("copy", text)})
        try:
            write_whole(self._context.folder / COPY, whole, mode=0o600)
        except OutputError:
            return  # the database has them; the copy is for the day when it has not

    def _copied(self) -> dict[str, Any]:
        path = self._context.folder / COPY
        try:
            if path.stat().st_size > MOST_BYTES:
                return {}
            whole = json.loads(path.read_bytes())
            known: dict[str, Any] = whole["settings"]
            good = _seal.row_hash("copy", to_json(known)) == whole["sha256"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {}
        return known if good and isinstance(known, dict) else {}
