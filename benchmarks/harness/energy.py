"""Energy of the processor, where the machine reports it: RAPL counters of Linux (`/sys/class/powercap`)."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

POWERCAP = Path("/sys/class/powercap")
NOT_TOLD = "not told"
MICRO = 1e-6


class EnergyMeter:
    """Joules of all processor packages between entering and leaving.

    They are the whole machine's: a figure of a quiet machine only. Virtual machines and most ARM boards show
    no counters, and some systems show them to root only; then `joules` is None.

    Args:
        folder: where the counters are.
    """

    def __init__(self, folder: Path = POWERCAP) -> None:
        self.joules: float | None = None
        self._zones = sorted(folder.glob("intel-rapl:[0-9]")) if folder.is_dir() else []
        self._start: list[float] | None = None

    def __enter__(self) -> EnergyMeter:
        """Read the counters."""
        self._start = self._read("energy_uj")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Read them again; a counter that ran over once is put right."""
        end, ranges = self._read("energy_uj"), self._read("max_energy_range_uj")
        if not (self._start and end and ranges):
            return
        used = [
            later - earlier if later >= earlier else later + span - earlier
            for earlier, later, span in zip(self._start, end, ranges, strict=True)
        ]
        self.joules = sum(used) * MICRO

    def _read(self, name: str) -> list[float] | None:
        try:
            return [
                float((zone / name).read_text(encoding="ascii")) for zone in self._zones
            ] or None
        except (OSError, ValueError):
            return None


def tell_joules(joules: float | None) -> Any:
    """The energy as a record has it: joules, or that the machine does not report it."""
    return NOT_TOLD if joules is None else round(joules, 3)
