"""From the touch on Cancel to a triage that has stopped, against the time of one call of a network.

A triage is cancelled at moments all over it, the one between segmentation and classification among them. The
time ends when the interface is told that the job has ended. It may be as long as the longest call of a
triage that nobody disturbed, and two frames: one for the touch, one for the answer.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.app.driver import (
    SEED,
    SLICES,
    Script,
    calm,
    drive,
    import_study,
    opened,
    tap,
    write_studies,
)
from benchmarks.app.verdicts import Verdict, figure, load, report
from benchmarks.harness.process import run_fresh
from hemx_core.errors import BenchmarkError
from hemx_core.records import Json

if TYPE_CHECKING:
    from mobile_app.app import HemxApp

FRAME_SECONDS = 1 / 60
TOUCHES = 12
"""Cancels of a run, evenly over the slices that a triage tells of."""


def cancel_often(folder: str, study: str, threads: int, touches: int) -> Json:
    """Triage a study undisturbed, then cancel it again and again; in a process of its own.

    Returns:
        Seconds: `slices` of the undisturbed triage, and `stopped` by the number of slices told before.
    """
    from benchmarks.app.timed_models import TimedModels

    kept: list[TimedModels] = []
    found: Json = {"stopped": []}

    def device_models(store: Any) -> TimedModels:
        kept.append(TimedModels(store, threads=threads))
        return kept[0]

    def script(app: HemxApp) -> Script:
        context, told = app.context, [0]
        context.bind(on_slice_update=lambda *_: told.__setitem__(0, told[0] + 1))
        yield from calm(app)
        import_study(app, study)
        yield opened(app, None)
        yield from calm(app)
        kept[0].slice_seconds()
        for _ in range(2):  # the second one finds every path warm
            told[0] = 0
            context.triage_again()
            yield lambda: context.result is not None
            yield from calm(app)
            found["slices"] = kept[0].slice_seconds()
        for after in _moments(told[0], touches):
            told[0] = 0
            context.triage_again()
            yield lambda after=after: told[0] >= after or not context.running
            touched = time.perf_counter()
            tap(app.status.ids.cancel)
            yield lambda: not context.busy
            stopped = time.perf_counter() - touched
            ended = context.result is not None
            found["stopped"].append({"after": after, "seconds": stopped, "ended": ended})
            yield from calm(app)

    drive(folder, script, device_models=device_models)
    return found


def _moments(slices: int, touches: int) -> list[int]:
    """After how many slices to cancel: from none to all but the last two."""
    return [round(place * (slices - 2) / max(1, touches - 1)) for place in range(touches)]


def measure(
    *,
    runs: int,
    slices: int = SLICES,
    touches: int = TOUCHES,
    threads: int,
    seed: int = SEED,
    tell: Callable[[str], None] = lambda _line: None,
) -> Json:
    """Runs in fresh processes.

    Args:
        runs: how many.
        slices: of the study.
        touches: cancels of a run.
        threads: of the runtime.
        seed: of the phantom.
        tell: told how far it is.
    """
    found, loads = [], []
    with tempfile.TemporaryDirectory() as name:
        path = write_studies(Path(name) / "dicom", 1, slices=slices, seed=seed)[0]
        for run in range(runs):
            tell(f"run {run + 1} of {runs}")
            loads.append(load())
            arguments = {"folder": f"{name}/store-{run}", "study": path, "threads": threads}
            found.append(
                run_fresh(cancel_often, {**arguments, "touches": touches}, threads=threads)
            )
    return judge(found, loads, slices=slices, threads=threads, seed=seed)


def judge(found: list[Json], loads: list[float], *, slices: int, threads: int, seed: int) -> Json:
    """The report; a triage that had ended before it was stopped is left out and counted.

    Raises:
        BenchmarkError: every triage had ended.
    """
    stops = [stop for run in found for stop in run["stopped"]]
    stopped = [stop["seconds"] for stop in stops if not stop["ended"]]
    if not stopped:
        raise BenchmarkError(
            "every triage ended before it was stopped",
            expected="some that were stopped",
            remedy="use a study of more slices",
        )
    slice_seconds = figure([seconds for run in found for seconds in run["slices"]], "s")
    # 60 values a run of slices say nothing that median and largest do not.
    del slice_seconds["values"]
    figures = {
        "slice": slice_seconds,
        "stopped": figure(stopped, "s"),
        "after_slices": [stop["after"] for stop in stops if not stop["ended"]],
        "ended_before": len(stops) - len(stopped),
    }
    limit = slice_seconds["largest"] + 2 * FRAME_SECONDS
    verdicts = [
        Verdict(
            claim="touch on Cancel to stopped, largest, against the longest call and two frames",
            found=max(stopped),
            limit=round(limit, 4),
            unit="s",
        )
    ]
    return report(
        "cancel", figures, verdicts, loads=loads, seed=seed, slices=slices, threads=threads
    )
