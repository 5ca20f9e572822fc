"""What all parts of a store share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mobile_app.store._database import Database


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
