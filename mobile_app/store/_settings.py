"""Settings: JSON values by name. Nothing of patients belongs here."""

from __future__ import annotations

import json
from typing import Any

from mobile_app.store._database import Context
from mobile_app.store._encode import to_json


class Settings:
    """The settings of one store."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name."""
        with self._context.database.reading() as connection:
            row = connection.execute(
                "SELECT value FROM settings WHERE name = ?", (name,)
            ).fetchone()
        return default if row is None else json.loads(row[0])

    def set(self, name: str, value: Any) -> None:
        """Set a value, on the medium when this returns; None deletes the name."""
        with self._context.database.writing() as connection:
            if value is None:
                connection.execute("DELETE FROM settings WHERE name = ?", (name,))
            else:
                connection.execute(
                    "INSERT OR REPLACE INTO settings VALUES (?, ?)",
                    (name, to_json(value)),
                )
