"""Looking at the processes that runtimes start."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

SOON_SECONDS = 5.0
"""Within a second, and more on a machine that others load."""


def runs(process: int | None) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def soon(happens: Callable[[], bool]) -> bool:
    ends_at = time.monotonic() + SOON_SECONDS
    while not happens() and time.monotonic() < ends_at:
        time.sleep(0.01)
    return happens()
