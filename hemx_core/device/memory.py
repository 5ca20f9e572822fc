"""Resident memory of this process, and its peak while something runs."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

_CLEAR = Path("/proc/self/clear_refs")
_STATM = Path("/proc/self/statm")
RESET_PEAK = "5"
"""What Linux takes as "forget the largest resident size" (proc(5), clear_refs)."""
SAMPLE_SECONDS = 0.005
M_PURGE = -101
"""Android's `mallopt` option for the same."""


def rss_mib() -> float:
    """Resident memory now, MiB; 0 where the system does not tell."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessBytes:
    """What a process has in memory, bytes; zeros where the system does not tell.

    Args:
        resident: now.
        peak: the largest since it began, or since its peak was forgotten.
        anonymous: of what is resident, that which is no file's.
    """

    resident: int = 0
    peak: int = 0
    anonymous: int = 0

    def __add__(self, other: ProcessBytes) -> ProcessBytes:
        """Of two processes; the peaks' sum is an upper bound, as they need not come at once."""
        return ProcessBytes(
            resident=self.resident + other.resident,
            peak=self.peak + other.peak,
            anonymous=self.anonymous + other.anonymous,
        )


def process_bytes(process: int | None) -> ProcessBytes:
    """What a process has in memory; zeros for None and where there is no such process."""
    if process is None:
        return ProcessBytes()
    names = {"VmRSS:": "resident", "VmHWM:": "peak", "RssAnon:": "anonymous"}
    try:
        text = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ProcessBytes()
    words = (line.split() for line in text.splitlines())
    found = {names[one[0]]: int(one[1]) * 1024 for one in words if one and one[0] in names}
    return ProcessBytes(**found)


def forget_peak(process: int | None) -> None:
    """Let a process's peak begin again at what is resident now; nothing for None.

    Raises:
        OSError: the system does not let it; Linux does.
    """
    if process is not None:
        Path(f"/proc/{process}/clear_refs").write_text(RESET_PEAK, encoding="ascii")


def release_free_memory() -> None:
    """Give back what the allocator keeps after large arrays were freed: it would hide in a base."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        if hasattr(library, "malloc_trim"):
            library.malloc_trim(0)
        else:
            library.mallopt(M_PURGE, 0)


class PeakMemory:
    """The peak between entering and leaving, above what was resident at entry.

    Where the system lets the process reset its own high-water mark, that is read: exact. Elsewhere (Android
    may refuse it) a thread samples every 5 ms, which can miss a short peak; `method` says which it was.

    Args:
        process: another process of the same program, whose memory counts too, base and peak.
    """

    def __init__(self, process: int | None = None) -> None:
        self._process = process
        self.base_mib = 0.0
        self.peak_mib = 0.0
        self.method = "unknown"
        self._done = threading.Event()
        self._sampler: threading.Thread | None = None

    def __enter__(self) -> PeakMemory:
        """Begin."""
        release_free_memory()
        self.base_mib = self.peak_mib = self._resident_mib()
        if not self.base_mib:
            return self
        try:
            _CLEAR.write_text(RESET_PEAK, encoding="ascii")
            forget_peak(self._process)
            self.method = "high_water_mark"
        except OSError:
            self.method = "sampled"
            self._sampler = threading.Thread(target=self._sample, name="hemx-memory", daemon=True)
            self._sampler.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Read the peak."""
        self._done.set()
        if self._sampler is not None:
            self._sampler.join()
        elif self.method == "high_water_mark":
            both = process_bytes(os.getpid()) + process_bytes(self._process)
            self.peak_mib = max(self.peak_mib, both.peak / 2**20)

    @property
    def above_base_mib(self) -> float:
        """How far the peak rose above the base, MiB."""
        return max(self.peak_mib - self.base_mib, 0.0)

    def to_json(self) -> dict[str, Any]:
        """MiB, and how it was measured; nulls where the system does not report it."""
        if not self.base_mib:
            return {"base_mib": None, "peak_mib": None, "above_base_mib": None, "method": "unknown"}
        return {
            "base_mib": round(self.base_mib, 1),
            "peak_mib": round(self.peak_mib, 1),
            "above_base_mib": round(self.above_base_mib, 1),
            "method": self.method,
        }

    def _sample(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self.peak_mib = max(self.peak_mib, self._resident_mib())

    def _resident_mib(self) -> float:
        return rss_mib() + process_bytes(self._process).resident / 2**20
