"""How far the audit trail had come, beside the database: what a lost log or an older file took is noticed.

    <folder>/hemx.db.mark     number and hash of the newest entry that was committed

It is written after each commit and not forced to the medium: it may be behind the database, never ahead.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_LENGTH = 96


class Mark:
    """The mark of one database.

    Args:
        database: its file.
    """

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(f"{database.name}.mark")
        self._written: tuple[int, str] | None = None

    def read(self) -> tuple[int, str]:
        """Number and hash of the newest entry; (0, "") where nothing is known."""
        try:
            number, sha256, end = self.path.read_bytes()[:_LENGTH].decode("ascii").split(" ", 2)
            if end.strip() != "." or len(sha256) != 64:
                return 0, ""
            return int(number), sha256
        except (OSError, ValueError):
            return 0, ""

    def write(self, newest: tuple[int, str]) -> None:
        """Note the newest entry; never fails: without a mark nothing is lost."""
        if newest == self._written or newest[0] == 0:
            return
        line = f"{newest[0]} {newest[1]} .".ljust(_LENGTH - 1) + "\n"
        with contextlib.suppress(OSError):
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.write(handle, line.encode("ascii"))
            finally:
                os.close(handle)
            self._written = newest
