"""One process a store: a second one would call the first one's running studies interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from mobile_app.errors import StoreBusyError

try:
    import fcntl
except ImportError:  # Windows, for which the app is not made; SQLite still keeps the file whole
    fcntl = None  # type: ignore[assignment]


class FolderLock:
    """A lock that the system releases when the process ends, however it ends.

    Args:
        path: the lock's file.
    Raises:
        StoreBusyError: another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("ab")
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise StoreBusyError(
                "the app's folder is in use",
                expected="one running app",
                remedy="close the other one, or start this one with another folder",
            ) from error

    def release(self) -> None:
        """Let go."""
        self._file.close()
