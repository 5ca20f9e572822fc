"""Memory and processor as the system reports them, and the memory peak while something runs.

The one reader of /proc; where there is none (Windows, macOS), little is told and nothing is invented.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import platform
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from hemx_core.records import Json

PROC = Path("/proc")
OWN = "self"
RESET_PEAK = "5"
"""What Linux takes as "forget the largest resident size" (proc(5), clear_refs)."""
MIB = 2**20
KIB = 2**10
SAMPLE_SECONDS = 0.005
M_PURGE = -101
"""Android's `mallopt` option for giving memory back."""


def resident_bytes() -> int:
    """Resident memory of this process now; 0 where the system does not tell."""
    try:
        pages = int(_read(OWN, "statm").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def rss_mib() -> float:
    """As `resident_bytes`, MiB."""
    return resident_bytes() / MIB


def peak_rss_mib() -> float:
    """Peak resident memory of this process so far, MiB; 0 where the system does not tell.

    Linux and Android: VmHWM, because `ru_maxrss` starts at the parent's peak after a fork. Other
    systems: `ru_maxrss`, in bytes on macOS.
    """
    if peak := process_bytes(OWN).peak:
        return peak / MIB
    if sys.platform == "win32":
        return 0.0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MIB if sys.platform == "darwin" else peak / KIB


def available_bytes() -> int | None:
    """Memory that the system could give without swapping; None where it does not tell."""
    found = _fields("meminfo").get("MemAvailable")
    return None if found is None else _kib(found)


def processor_name() -> str:
    """The processor's model, as the system names it."""
    return _fields("cpuinfo").get("model name") or platform.processor() or platform.machine()


def process_age_seconds() -> float:
    """Seconds since this process was started; Linux.

    Raises:
        OSError: the system does not tell.
    """
    # The name, the second entry, may hold blanks and brackets; the start is the twenty-second.
    started = float(_read(OWN, "stat").rpartition(")")[2].split()[19])
    return float(_read("uptime").split()[0]) - started / os.sysconf("SC_CLK_TCK")


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


def process_bytes(process: int | str | None) -> ProcessBytes:
    """What a process has in memory; zeros for None and where there is no such process.

    Args:
        process: its number, or `OWN`.
    """
    told = {} if process is None else _fields(process, "status")
    names = {"VmRSS": "resident", "VmHWM": "peak", "RssAnon": "anonymous"}
    return ProcessBytes(**{names[name]: _kib(told[name]) for name in names if name in told})


def forget_peak(process: int | str | None) -> None:
    """Reset a process's peak to what is resident now; does nothing for None.

    Raises:
        OSError: the system does not let it; Linux does.
    """
    if process is not None:
        (PROC / str(process) / "clear_refs").write_text(RESET_PEAK, encoding="ascii")


def _read(*path: int | str) -> str:
    """A file of /proc: its bytes may be any."""
    return PROC.joinpath(*map(str, path)).read_text(encoding="ascii", errors="replace")


def _fields(*path: int | str) -> dict[str, str]:
    """A file of names and values, the first of each; empty where there is no such file."""
    found: dict[str, str] = {}
    try:
        lines = _read(*path).splitlines()
    except OSError:
        return found
    for line in lines:
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    return found


def _kib(value: str) -> int:
    """Bytes of a value such as "1234 kB", by which Linux means KiB."""
    return int(value.split()[0]) * KIB


def release_free_memory() -> None:
    """Return to the system what the allocator keeps of freed arrays: it would count as the app's base."""
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
            forget_peak(OWN)
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
            both = process_bytes(OWN) + process_bytes(self._process)
            self.peak_mib = max(self.peak_mib, both.peak / MIB)

    @property
    def above_base_mib(self) -> float:
        """How far the peak rose above the base, MiB."""
        return max(self.peak_mib - self.base_mib, 0.0)

    def to_json(self) -> Json:
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
        return rss_mib() + process_bytes(self._process).resident / MIB
