"""Results of a measurement of the app: figures, limits, verdicts, and their file."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from hemx_core import provenance
from hemx_core.errors import BenchmarkError
from hemx_core.records import Json

RESULTS = Path(__file__).resolve().parents[1] / "results" / "app"
MB = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A figure against its limit.

    Args:
        claim: what is claimed, in words.
        found: the measured figure.
        limit: the largest that passes.
        unit: of both; may be empty.
    """

    claim: str
    found: float
    limit: float
    unit: str

    @property
    def passed(self) -> bool:
        """Whether the figure is within the limit; one that is no number is not."""
        return self.found <= self.limit

    def to_json(self) -> Json:
        """Plain values, with the verdict."""
        return {**asdict(self), "found": round(self.found, 4), "passed": self.passed}

    def told(self) -> str:
        """A line for the terminal."""
        word = "pass" if self.passed else "FAIL"
        return f"{word}  {self.claim}: {self.found:.4g} {self.unit} (limit {self.limit:g})"


def figure(values: Sequence[float], unit: str) -> Json:
    """Median, largest and every value, in order.

    Raises:
        BenchmarkError: there is no value.
    """
    _refuse_empty(values)
    return {
        "median": round(median(values), 4),
        "largest": round(max(values), 4),
        "unit": unit,
        "values": [round(value, 4) for value in values],
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank).

    Args:
        values: at least one.
        share: above 0, at most 1.
    Raises:
        BenchmarkError: there is no value.
    """
    _refuse_empty(values)
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def report(
    what: str,
    figures: Json,
    verdicts: Sequence[Verdict],
    *,
    loads: Sequence[float],
    seed: int | None = None,
    **facts: Any,
) -> Json:
    """A whole report.

    Args:
        what: name of the measurement.
        figures: as `figure` makes them, or plain numbers, by name.
        verdicts: at least one.
        loads: the machine's load of the last minute before each run.
        seed: of the phantoms.
        **facts: how it was measured.
    """
    return {
        "what": what,
        "provenance": provenance.provenance(seed=seed),
        "load_1min": [round(load_, 2) for load_ in loads],
        **facts,
        "figures": figures,
        "verdicts": [verdict.to_json() for verdict in verdicts],
        "passed": bool(verdicts) and all(verdict.passed for verdict in verdicts),
    }


def load() -> float:
    """How many processes ran or waited, on average over the last minute."""
    return os.getloadavg()[0]


def _refuse_empty(values: Sequence[float]) -> None:
    if not values:
        raise BenchmarkError(
            "a figure without values", expected="at least one run", remedy="measure again"
        )


MEASUREMENTS = ("first_frame", "study", "frames", "memory", "cancel")
