"""`compare A B`: ratios of two result files' figures, and which are slower beyond noise.

How noise is estimated: each file holds every round of every figure, a round being a fresh process, taken in
turn with the others. Rounds of both files are drawn anew 2,000 times, and the ratio of the medians is taken
each time; the middle 95 % of these ratios are the interval. A figure is a regression where the whole interval
lies above 1 by more than the tolerance. A figure with a single round (an app's record) has no such interval:
it is given one of a factor of 1.15 both ways. Sizes have no noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.medians import Ratio, ratio_of_medians
from benchmarks.records import BYTES, figures_of, what_of
from hemx_core.errors import BenchmarkError

Json = dict[str, Any]
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
    """Compare what stands in both files; of several records of a name, the last.

    Args:
        before: records of the first file.
        after: records of the second file.
        any_outputs: also where outputs differ (another bundle).
    Raises:
        BenchmarkError: nothing stands in both, or outputs differ.
    """
    first = {what_of(one): one for one in before}
    second = {what_of(one): one for one in after}
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
    return [one for one in changes if one.verdict == SLOWER]


def lines(changes: Sequence[Change]) -> list[str]:
    """A line a figure, for the terminal."""
    return [
        f"{one.what}, {one.figure}: {one.before:.4g} -> {one.after:.4g} {one.unit}, "
        f"x {one.ratio.value:.3f} ({one.ratio.low:.3f} to {one.ratio.high:.3f}) {one.verdict}"
        for one in changes
    ]


def _changes(what: str, before: dict[str, Json], after: dict[str, Json]) -> list[Change]:
    changes = []
    for name in (one for one in before if one in after):
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
    from benchmarks.interleave import same

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
