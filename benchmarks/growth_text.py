"""What the cost curves say, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.growth_cost import AXIS_NAMES, PEAK_KIND, SIZE, SLICES, WIDTH
from benchmarks.markdown import ABSENT, number, shown, table
from benchmarks.medians import line, power_law
from benchmarks.records import figures_of, threads_name
from benchmarks.run import BUDGETS
from hemx_core.budget import find_budget, load_budgets

Json = dict[str, Any]


def growth(rows: list[Json], plots: str) -> str:
    """Tables, picture and what explains them."""
    peaks = [one for one in rows if one["kind"] == PEAK_KIND]
    points = [one for one in rows if one["kind"] != PEAK_KIND]
    parts = [f"![Time and memory against slices, input size and width]({plots}/growth_cost.png)\n"]
    parts.append(_peaks(peaks))
    for axis in dict.fromkeys(one["axis"] for one in points):
        several = sorted(
            (one for one in points if one["axis"] == axis), key=lambda one: one["value"]
        )
        peak = next((one for one in peaks if one["threads"] == several[0]["threads"]), None)
        body = f"{_axis_table(several, axis, peak)}\n\n{_explained(several, axis)}"
        parts.append(f"### By {AXIS_NAMES[axis]}\n\n{body}\n")
    return "\n".join(parts)


def memory_limit(device_class: str) -> float:
    """MiB above base that the budget allows."""
    return find_budget(load_budgets(BUDGETS), device_class).limits["memory_mib"]


def share_of_peak(record: Json, peak: Json) -> float:
    """How much of a call's time its multiply-accumulates would take at the machine's int8 peak."""
    seconds = figures_of(record)["call"]["median"] / 1000
    rate: float = figures_of(peak)["rate"]["median"] * 1e9
    return float(record["work"] / rate / seconds)


def _peaks(peaks: Sequence[Json]) -> str:
    rates = [
        f"{figures_of(one)['rate']['median']:.3g} GMAC/s on {threads_name(one['threads'])}"
        for one in peaks
    ]
    shapes = "; ".join(peaks[0]["shapes"]) if peaks else ""
    return (
        f"The machine's int8 peak through XNNPACK is {', '.join(rates)}: the fastest of single int8 "
        f"convolutions ({shapes}), each quantized, lowered and run as our graphs are, median of ten calls.\n"
    )


def _axis_table(rows: Sequence[Json], axis: str, peak: Json | None) -> str:
    if axis == SLICES:
        head = [
            "slices",
            "study, median (p95)",
            "a slice",
            "memory above base",
            "HU volume and mask",
        ]
        lines = [
            [
                f"{one['value']:g}",
                shown(one, "call", p95=True),
                number(figures_of(one)["call"]["median"] / one["value"], "ms"),
                shown(one, "memory"),
                number(one["volume_mib"], "MiB"),
            ]
            for one in rows
        ]
        return table(head, lines)
    head = [axis, "call, median (p95)", "memory above base", "GMAC", "at the int8 peak"]
    lines = [
        [
            f"{one['value']:g}",
            shown(one, "call", p95=True),
            shown(one, "memory"),
            f"{one['work'] / 1e9:.3g}",
            ABSENT if peak is None else f"{share_of_peak(one, peak):.0%} of the time",
        ]
        for one in rows
    ]
    return table(head, lines)


def _explained(rows: Sequence[Json], axis: str) -> str:
    if len(rows) < 2:
        return "A single point: nothing to fit."
    values = [one["value"] for one in rows]
    times = [figures_of(one)["call"]["median"] for one in rows]
    memory = [figures_of(one)["memory"]["median"] for one in rows]
    if axis == SLICES:
        per_slice, fixed = line(values, times)
        growth_mib, _ = line(values, memory)
        mask = rows[-1]["volume_mib"] / 3 / rows[-1]["value"]
        bloody = rows[-1]["outputs"]["slices_with_blood"]
        return (
            f"Time: {per_slice:.3g} ms a slice and {fixed:.3g} ms besides (least squares). Memory: "
            f"{growth_mib:.3g} MiB a slice above a base that already holds the HU volume. What grows is the "
            f"mask, {mask:.3g} MiB of each slice that shows blood: {bloody} of the largest study's "
            f"{values[-1]:g}."
        )
    names = {SIZE: "size", WIDTH: "width"}
    work = [one["work"] for one in rows]
    return (
        f"Time grows with {names[axis]} to the power {power_law(values, times):.2f}, "
        f"multiply-accumulates with {power_law(values, work):.2f}, memory with "
        f"{power_law(values, memory):.2f}."
    )
