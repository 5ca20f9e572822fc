"""Whether a device is fast and large enough: a benchmark record held against a budget.

The budgets are in `budget.toml` beside this module, with the reason for each figure.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hemx_core.errors import BenchmarkError

BUDGETS = Path(__file__).with_name("budget.toml")

PATHS: dict[str, tuple[str, ...]] = {
    "study_seconds": ("timings", "study", "median_ms"),
    "first_slice_seconds": ("timings", "first_slice", "first_ms"),
    "memory_mib": ("memory", "above_base_mib"),
    "bundle_mb": ("bundle", "bytes"),
}
"""Where each line's figure stands in a record."""

SCALES = {
    "study_seconds": 1e-3,
    "first_slice_seconds": 1e-3,
    "memory_mib": 1.0,
    "bundle_mb": 1e-6,
}
UNITS = {"study_seconds": "s", "first_slice_seconds": "s", "memory_mib": "MiB", "bundle_mb": "MB"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a device of one class may take.

    Args:
        device_class: phone, tablet or desk.
        slices: the study that the limits are meant for.
        limits: line to its limit, in the unit of `UNITS`.
    """

    device_class: str
    slices: int
    limits: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One line of a budget.

    Args:
        line: a key of `PATHS`.
        found: what was measured, in `unit`; None where the record does not tell.
        limit: the most that is allowed.
        unit: of both.
    """

    line: str
    found: float | None
    limit: float
    unit: str

    @property
    def passed(self) -> bool:
        """Whether the figure is known and within the limit."""
        return self.found is not None and self.found <= self.limit


def load_budgets(path: Path = BUDGETS) -> dict[str, Budget]:
    """Every device class of a budget file, in its order.

    Raises:
        BenchmarkError: it is missing, malformed, or a class lacks a line or has an unknown one.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        slices = int(values.pop("slices"))
        return {name: _budget(name, slices, limits) for name, limits in values.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchmarkError(
            f"a budget file {path.name} that cannot be used ({error})",
            expected=f"the number of slices, and for each device class {', '.join(PATHS)}",
            remedy="restore the file from the repository",
        ) from error


def find_budget(budgets: Mapping[str, Budget], device_class: str) -> Budget:
    """The budget of a device class.

    Raises:
        BenchmarkError: there is none.
    """
    if device_class not in budgets:
        raise BenchmarkError(
            f"no budget for {device_class!r}",
            expected=f"one of {', '.join(budgets)}",
            remedy="choose one of them",
        )
    return budgets[device_class]


def judge(record: Mapping[str, Any], budget: Budget) -> tuple[Verdict, ...]:
    """Hold a record of `profile_study` against a budget, line by line.

    Raises:
        BenchmarkError: the record is of another kind of study than the budget is meant for.
    """
    slices = _find(record, ("input", "slices"))
    if record.get("kind") != "study" or slices != budget.slices:
        raise BenchmarkError(
            f"a record of kind {record.get('kind')!r} with {slices} slices",
            expected=f"a whole study of {budget.slices} slices, which the budget is meant for",
            remedy="run the benchmark with that many slices",
        )
    return tuple(
        Verdict(line=line, found=_figure(record, line), limit=limit, unit=UNITS[line])
        for line, limit in budget.limits.items()
    )


def passes(verdicts: tuple[Verdict, ...]) -> bool:
    """Whether every line passed."""
    return all(verdict.passed for verdict in verdicts)


def _budget(name: str, slices: int, limits: Mapping[str, Any]) -> Budget:
    if set(limits) != set(PATHS):
        raise ValueError(f"{name} has {', '.join(sorted(limits)) or 'no lines'}")
    values = {line: float(limits[line]) for line in PATHS}
    if slices < 1 or not all(0 < value < float("inf") for value in values.values()):
        raise ValueError(f"{name} has a limit that is not above 0")
    return Budget(device_class=name, slices=slices, limits=values)


def _figure(record: Mapping[str, Any], line: str) -> float | None:
    value = _find(record, PATHS[line])
    return None if value is None else float(value) * SCALES[line]


def _find(record: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = record
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value
