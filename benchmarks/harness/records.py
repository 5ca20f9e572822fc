"""Result files and what may be claimed from them.

JSON lines in the format of docs/benchmark_format.md with every round of every figure; medians,
percentiles and ratios with their intervals; and the comparison of two files (`python -m benchmarks
compare A B`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.process import same
from hemx_core.device.record import header, read_records, to_line
from hemx_core.errors import BenchmarkError
from hemx_core.files import write_whole
from hemx_core.provenance import commit
from hemx_core.records import Json

DRAWS, SEED = 2000, 5
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One figure over its rounds.

    Args:
        median: median of the rounds.
        p95: 95th percentile; of all calls where they are known, else of the rounds.
        rounds: every round, in order.
    """

    median: float
    p95: float
    rounds: tuple[float, ...]

    def to_json(self) -> dict[str, object]:
        """Plain values, rounded to four significant decimals."""
        return {
            "median": round(self.median, 4),
            "p95": round(self.p95, 4),
            "rounds": [round(round_, 4) for round_ in self.rounds],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio of two medians.

    Args:
        value: median of the numerator over median of the denominator.
        low: lower end of the 95 % interval.
        high: upper end.
    """

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Plain values."""
        return {
            "value": round(self.value, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
        }


def summarise(rounds: Sequence[float], calls: Sequence[float] = ()) -> Summary:
    """Median of the rounds; the 95th percentile of the calls.

    Args:
        rounds: a value a round, at least one.
        calls: single calls of all rounds, for the percentile; the rounds themselves where left out.
    """
    return Summary(
        median=float(np.median(rounds)),
        p95=float(np.quantile(calls if len(calls) else rounds, LEVEL)),
        rounds=tuple(float(round_) for round_ in rounds),
    )


def ratio_of_medians(
    numerator: Sequence[float], denominator: Sequence[float], *, paired: bool
) -> Ratio:
    """Ratio of two medians, with a bootstrap interval over the rounds.

    Args:
        numerator: a value a round, above 0.
        denominator: the same of the other contestant.
        paired: both were measured in the same rounds of one run, so rounds are drawn together and drift
            cancels; otherwise each side draws its own.
    Returns:
        The ratio with the percentile interval of `DRAWS` resamplings, fixed seed. A single round has
        no interval: both ends are the ratio.
    """
    above, below = np.asarray(numerator, float), np.asarray(denominator, float)
    count = min(len(above), len(below))
    if paired:
        above, below = above[:count], below[:count]
    value = float(np.median(above) / np.median(below))
    rng = np.random.default_rng(SEED)
    first = rng.integers(0, len(above), (DRAWS, len(above)))
    second = first if paired else rng.integers(0, len(below), (DRAWS, len(below)))
    drawn = np.median(above[first], axis=1) / np.median(below[second], axis=1)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return Ratio(value=value, low=min(float(low), value), high=max(float(high), value))


def power_law(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The exponent p of cost = a * size**p, by least squares of the logarithms; two points at least."""
    slope, _ = np.polyfit(np.log(np.asarray(sizes, float)), np.log(np.asarray(costs, float)), 1)
    return float(slope)


def line(sizes: Sequence[float], costs: Sequence[float]) -> tuple[float, float]:
    """(slope, intercept) of cost = slope * size + intercept, by least squares; two points at least."""
    slope, intercept = np.polyfit(np.asarray(sizes, float), np.asarray(costs, float), 1)
    return float(slope), float(intercept)


RESULTS = Path(__file__).resolve().parents[1] / "results" / "performance"
WORK = Path("runs/benchmarks")
MS, MIB, BYTES = "ms", "MiB", "bytes"


def figure(rounds: Sequence[float], unit: str, calls: Sequence[float] = ()) -> Json:
    """A figure in the form of a record: median, p95, every round, unit."""
    return {**summarise(rounds, calls).to_json(), "unit": unit}


def call_figures(rounds: Sequence[Json]) -> dict[str, Json]:
    """Figures of visits that called something: what every round has of them.

    Args:
        rounds: each with `calls_ms`; its `call` is the median, with the p95 of all calls of all rounds.
    """
    calls = [call for found in rounds for call in found["calls_ms"]]
    figures = {
        "call": figure([float(np.median(round_["calls_ms"])) for round_ in rounds], MS, calls)
    }
    for name, key, unit in (
        ("first", "first_ms", MS),
        ("load", "load_ms", MS),
        ("memory", "memory_mib", MIB),
        ("runtime", "runtime_ms", MS),
        ("runtime_memory", "runtime_mib", MIB),
    ):
        if all(key in found for found in rounds):
            figures[name] = figure([found[key] for found in rounds], unit)
    if "memory" in rounds[0]:
        above = [found["memory"]["above_base_mib"] or 0.0 for found in rounds]
        figures["memory"] = figure(above, MIB)
    return figures


def new_record(kind: str, what: str, figures: Mapping[str, Json], **facts: Any) -> Json:
    """A record of this package.

    Args:
        kind: which command made it.
        what: tells records of a kind apart, and finds them again in another file.
        figures: by name, as `figure` makes them.
        **facts: everything else.
    """
    head = header(kind, source="benchmarks", commit=commit())
    return {**head, "what": what, **facts, "figures": dict(figures)}


def write_records(path: Path, records: Iterable[Json]) -> Path:
    """Write a run's records, whole or not at all; an earlier run's are replaced."""
    return write_whole(path, "".join(map(to_line, records)))


def load_records(path: Path) -> list[Json]:
    """All records of a file, or none if it is missing; see `read_records`."""
    return read_records(path) if path.exists() else []


def what_of(record: Json) -> str:
    """The record's name; made from its facts where another program wrote it."""
    if "what" in record:
        return str(record["what"])
    threads = record.get("runtime", {}).get("threads")
    return study_name(record.get("input", {}).get("slices"), threads)


def study_name(slices: Any, threads: Any) -> str:
    """Name of a whole study's record."""
    return f"study of {slices} slices | {threads_name(threads)}"


def threads_name(threads: Any) -> str:
    """ "1 thread", "2 threads", or that the runtime chose."""
    if threads is None:
        return "threads of the runtime"
    return f"{threads} thread" + "s" * (threads != 1)


def figures_of(record: Json) -> dict[str, Json]:
    """The record's figures; of an app's record, its timings and sizes with a single round."""
    if "figures" in record:
        return dict(record["figures"])
    found = {
        name: figure([timing["median_ms"]], MS)
        for name, timing in record.get("timings", {}).items()
    }
    memory = record.get("memory", {}).get("above_base_mib")
    if memory is not None:
        found["memory"] = figure([memory], MIB)
    if "bundle" in record:
        found["bundle"] = figure([record["bundle"]["bytes"]], BYTES)
    return found


def summary_of(record: Json, name: str) -> Summary:
    """A figure of a record, with its rounds."""
    one = figures_of(record)[name]
    return Summary(median=one["median"], p95=one["p95"], rounds=tuple(one["rounds"]))


TOLERANCE = 0.03
"""Nobody notices 3 %, and on shared machines whole runs differ by that."""
SINGLE_ROUND_FACTOR = 1.15
SLOWER, FASTER, SAME = "slower", "faster", "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A figure in both files.

    Args:
        what: the record's name.
        figure: the figure's name.
        unit: of both values.
        before: median in the first file.
        after: median in the second.
        ratio: after over before, with its interval.
    """

    what: str
    figure: str
    unit: str
    before: float
    after: float
    ratio: Ratio

    @property
    def verdict(self) -> str:
        """Slower (or larger) or faster (or smaller) beyond noise and tolerance, else the same."""
        if self.ratio.low > 1 + TOLERANCE:
            return SLOWER
        return FASTER if self.ratio.high < 1 / (1 + TOLERANCE) else SAME


def compare(
    before: Sequence[Json], after: Sequence[Json], *, any_outputs: bool = False
) -> list[Change]:
    """Compare the records that both files have; of several with the same name, the last.

    Args:
        before: records of the first file.
        after: records of the second file.
        any_outputs: also where outputs differ (another bundle).
    Raises:
        BenchmarkError: nothing stands in both, or outputs differ.
    """
    first = {what_of(record): record for record in before}
    second = {what_of(record): record for record in after}
    common = [what for what in second if what in first]
    if not common:
        raise BenchmarkError(
            "two files without a record of the same name",
            expected="results of one command",
            remedy="compare files of the same command",
        )
    if not any_outputs:
        _check_outputs(first, second, common)
    return [
        change
        for what in common
        for change in _changes(what, figures_of(first[what]), figures_of(second[what]))
    ]


def regressions(changes: Sequence[Change]) -> list[Change]:
    """Those that became slower or larger."""
    return [change for change in changes if change.verdict == SLOWER]


def lines(changes: Sequence[Change]) -> list[str]:
    """A line a figure, for the terminal."""
    return [
        f"{change.what}, {change.figure}: {change.before:.4g} -> {change.after:.4g} {change.unit}, "
        f"x {change.ratio.value:.3f} ({change.ratio.low:.3f} to {change.ratio.high:.3f}) {change.verdict}"
        for change in changes
    ]


def _changes(what: str, before: dict[str, Json], after: dict[str, Json]) -> list[Change]:
    changes = []
    for name in (record for record in before if record in after):
        old, new = before[name], after[name]
        if min(old["median"], new["median"]) <= 0:
            continue
        changes.append(
            Change(
                what=what,
                figure=name,
                unit=old["unit"],
                before=old["median"],
                after=new["median"],
                ratio=_ratio(old, new),
            )
        )
    return changes


def _ratio(old: Json, new: Json) -> Ratio:
    ratio = ratio_of_medians(new["rounds"], old["rounds"], paired=False)
    if old["unit"] == BYTES or min(len(old["rounds"]), len(new["rounds"])) > 1:
        return ratio
    return Ratio(
        value=ratio.value,
        low=min(ratio.low, ratio.value / SINGLE_ROUND_FACTOR),
        high=max(ratio.high, ratio.value * SINGLE_ROUND_FACTOR),
    )


def _check_outputs(first: dict[str, Json], second: dict[str, Json], common: Sequence[str]) -> None:
    differing = [
        what
        for what in common
        if not same(first[what].get("fingerprint"), second[what].get("fingerprint"))
    ]
    if differing:
        raise BenchmarkError(
            f"different outputs of {', '.join(differing[:3])}",
            expected="the same outputs: speeds of different answers are not compared",
            remedy="if the bundle has changed on purpose, say --any-outputs",
        )
