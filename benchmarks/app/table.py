"""The measured figures of the app as a table for docs/app.md; `benchmarks.readme` puts it there."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.app.verdicts import Json

MEASUREMENTS = ("first_frame", "study", "frames", "memory", "cancel")
HEAD = ("Claim", "Measured", "Limit", "", "Machine's load")
Row = tuple[str, ...]


def rows(folder: Path) -> list[Row]:
    """A row for each verdict of each measurement, in order.

    Raises:
        OSError: a result file is missing.
    """
    found: list[Row] = []
    for name in MEASUREMENTS:
        report: Json = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        load = f"{max(report['load_1min']):.1f}"
        found += [(*_row(one), load) for one in report["verdicts"]]
        found += [(claim, told, "", "", load) for claim, told in _further(name, report["figures"])]
    return found


def machine(folder: Path) -> str:
    """What everything was measured on, in a sentence."""
    report: Json = json.loads((folder / "frames.json").read_text(encoding="utf-8"))
    one = report["provenance"]["machine"]
    return (
        f"{one['processor']}, {one['cores']} cores, {one['memory_gib']:g} GiB; {report['threads']} threads, "
        f"studies of {report['slices']} slices, window {report['window']}, drawn by {report['drawing']}."
    )


def _row(verdict: Json) -> Row:
    unit = f" {verdict['unit']}" if verdict["unit"] else ""
    claim = str(verdict["claim"])
    return (
        claim[0].upper() + claim[1:],
        f"{verdict['found']:.3g}{unit}",
        f"{verdict['limit']:.3g}{unit}",
        "pass" if verdict["passed"] else "**fail**",
    )


def _further(name: str, figures: Json) -> list[tuple[str, str]]:
    """What belongs beside the verdicts and has no limit."""
    if name == "study":
        first = figures["first start"]
        loading, test = first["loading"]["median"], first["self_test"]["median"]
        return [("Of the first start: loading, self-test", f"{loading:.2f} s, {test:.2f} s")]
    if name == "frames":
        wall, own = figures["wall"], figures["processor"]
        both = f"{wall['p99']:.0f} ms, {own['p99']:.0f} ms"
        return [
            (
                f"99th percentile of {figures['frames']} frames: clock, thread's processor time",
                both,
            ),
            ("Slowest frame by the thread's processor time", f"{own['largest']:.0f} ms"),
        ]
    if name == "memory":
        libraries, whole = figures["runtime_libraries_mb"], figures["peak_with_runtime_mb"]
        return [
            ("The same with the desktop runtime's libraries", f"{whole:.0f} MB ({libraries:.0f})")
        ]
    if name == "cancel":
        stopped, one = figures["stopped"]["median"], figures["slice"]["median"]
        return [("Touch on Cancel to stopped, a call: medians", f"{stopped:.3f} s, {one:.3f} s")]
    return []
