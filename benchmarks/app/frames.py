"""Frame times on the interface's thread during import, triage and scrolling at the same time.

A frame's time runs from when it is due to when it is drawn: coming back late from the wait for it, touches,
layout, what jobs tell, drawing. The wall's time counts for the limit; the thread's own processor time beside
it tells how much of it was waiting for a core or for the interpreter's lock. Without a screen Mesa's llvmpipe
draws in software, on the same cores as the triage, so the wall's time is a pessimist's.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.app.driver import (
    SEED,
    SLICES,
    Script,
    Scrolling,
    calm,
    drive,
    frames,
    import_study,
    opened,
    write_studies,
)
from benchmarks.app.verdicts import Verdict, figure, load, percentile, report
from benchmarks.harness.process import run_fresh
from hemx_core.records import Json

if TYPE_CHECKING:
    from mobile_app.app import HemxApp

LIMIT_MS = 100.0
FRAME_SECONDS = 1 / 60
SIZE = "1280x800"
STUDIES = 3
"""The first one with models to be loaded; the others are imported while the one before is scrolled."""


@dataclass
class FrameLog:
    """Every frame: wall time and processor time, ms, and the phase that it fell into.

    Wraps the clock's wait for the next frame. A frame begins when it is due, a sixtieth of a second after the
    one before, and ends where the next wait begins: that the wait came back late counts too.
    """

    phase: str = "idle"
    rows: list[tuple[float, float, str]] = field(default_factory=list)
    moves: int = 0
    """Of the finger."""
    _began: float | None = None
    _due: float = 0.0
    _processor: float = 0.0

    def watch(self) -> None:
        """Begin with the next frame."""
        from kivy.clock import Clock

        wait = Clock.idle

        def waiting() -> Any:
            self.ended(time.perf_counter(), time.thread_time())
            found = wait()
            self.began(time.perf_counter(), time.thread_time())
            return found

        Clock.idle = waiting

    def began(self, now: float, processor: float) -> None:
        """A wait is over; seconds of the clock and of the thread's processor time."""
        self._began, self._processor = now, processor

    def ended(self, now: float, processor: float) -> None:
        """A frame is done, and the next wait begins."""
        if self._began is not None:
            wall = now - min(self._began, self._due)
            self.rows.append((wall * 1000, (processor - self._processor) * 1000, self.phase))
        self._due = max(now, (self._began or now) + FRAME_SECONDS)


def scroll_and_triage(folder: str, studies: list[str], threads: int) -> Json:
    """Import studies one after the other and scroll all the while; in a process of its own."""
    from kivy.clock import Clock

    from benchmarks.app.timed_models import TimedModels

    log = FrameLog()
    drawn = [0]

    def script(app: HemxApp) -> Script:
        from kivy.core.window import Window

        Window.fbind("on_flip", lambda *_: drawn.__setitem__(0, drawn[0] + 1))
        context = app.context
        context.bind(on_progress=lambda _context, stage, *_: setattr(log, "phase", stage))
        scrolling = Scrolling(app)
        yield from calm(app)
        log.watch()
        Clock.schedule_interval(scrolling.step, 0)
        for path in studies:
            before = context.study_id
            log.phase = "import"
            import_study(app, path)
            yield opened(app, before)
            log.phase = "result"
            yield from calm(app)
            log.phase = "reading"
            yield frames(60)
        Clock.unschedule(scrolling.step)
        scrolling.stop()
        log.moves = scrolling.moves

    drive(folder, script, device_models=partial(TimedModels, threads=threads))
    return {"frames": log.rows, "moves": log.moves, "drawn": drawn[0]}


def measure(
    *,
    runs: int,
    studies: int = STUDIES,
    slices: int = SLICES,
    threads: int,
    seed: int = SEED,
    tell: Callable[[str], None] = lambda _line: None,
) -> Json:
    """Runs in fresh processes, each with an empty store.

    Args:
        runs: how many.
        studies: imported in each.
        slices: of each study.
        threads: of the runtime.
        seed: of the first phantom.
        tell: told how far it is.
    """
    found, loads = [], []
    with tempfile.TemporaryDirectory() as name:
        paths = write_studies(Path(name) / "dicom", studies, slices=slices, seed=seed)
        for run in range(runs):
            tell(f"run {run + 1} of {runs}")
            loads.append(load())
            arguments = {"folder": f"{name}/store-{run}", "studies": paths, "threads": threads}
            found.append(run_fresh(scroll_and_triage, arguments, threads=threads))
    return judge(found, loads, slices=slices, threads=threads, seed=seed)


def judge(found: list[Json], loads: list[float], *, slices: int, threads: int, seed: int) -> Json:
    """The report of what runs found: no frame of any run may exceed the limit."""
    rows = [row for run in found for row in run["frames"]]
    wall, own = [row[0] for row in rows], [row[1] for row in rows]
    slow = [row for row in rows if row[0] > LIMIT_MS]
    figures = {
        "frames": len(rows),
        "drawn": sum(run["drawn"] for run in found),
        "moves": sum(run["moves"] for run in found),
        "over_limit": len(slow),
        "over_limit_by_processor": sum(milliseconds > LIMIT_MS for milliseconds in own),
        "wall": _spread(wall),
        "processor": _spread(own),
        "largest_of_run": figure([max(row[0] for row in run["frames"]) for run in found], "ms"),
        "phases": {
            phase: _spread([row[0] for row in rows if row[2] == phase])
            for phase in dict.fromkeys(row[2] for row in rows)
        },
        "slowest": [
            {"wall_ms": round(row[0], 1), "processor_ms": round(row[1], 1), "phase": row[2]}
            for row in sorted(rows, reverse=True)[:10]
        ],
    }
    verdicts = [
        Verdict(claim=f"frames over {LIMIT_MS:g} ms", found=len(slow), limit=0, unit=""),
        Verdict(claim="slowest frame", found=max(wall), limit=LIMIT_MS, unit="ms"),
    ]
    return report(
        "frames",
        figures,
        verdicts,
        loads=loads,
        seed=seed,
        slices=slices,
        threads=threads,
        window=SIZE,
        drawing="llvmpipe, in software, on the same cores",
    )


def _spread(values: list[float]) -> Json:
    """Of milliseconds."""
    return {
        "median": round(percentile(values, 0.5), 2),
        "p99": round(percentile(values, 0.99), 2),
        "largest": round(max(values), 2),
        "frames": len(values),
        "unit": "ms",
    }
