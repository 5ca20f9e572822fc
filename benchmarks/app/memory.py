"""Resident memory above the empty app, through ten different studies that are opened one after the other.

Each study is imported and triaged, scrolled from end to end, its result is shown, and the next one comes. The
empty app has drawn its first frames and opened its empty store. The desktop's runtime brings torch's
libraries, which no tablet has: they are measured by themselves and not counted against the limit, as in the
app's own memory guard; the figure with them stands beside it.

Without a screen Mesa draws in software and keeps its buffers and compiled shaders in this process, more than
the app itself and up to a bound. So there are two runs: one in which every call of OpenGL goes nowhere, which
is the app's own memory and is held against the limits, and one that draws, for comparison.
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.app.driver import Script, calm, drive, frames, import_study, opened
from benchmarks.app.studies import SEED, SLICES, write_studies
from benchmarks.app.verdicts import MB, Json, Verdict, figure, load, report
from benchmarks.process import run_fresh

if TYPE_CHECKING:
    from mobile_app.app import HemxApp

LIMIT_MB = 250.0
LIMIT_GROWTH_PERCENT = 5.0
STUDIES = 10
OWN, DRAWN = "own", "drawn"
WAYS: dict[str, dict[str, str]] = {OWN: {"KIVY_GL_BACKEND": "mock"}, DRAWN: {}}
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident() -> dict[str, int]:
    """Bytes of this process: all that is resident, its peak since `forget_peak`, and what is no file's."""
    names = {"VmRSS": "resident", "VmHWM": "peak", "RssAnon": "anonymous"}
    lines = (line.split() for line in _STATUS.read_text(encoding="ascii").splitlines())
    return {
        names[one[0].rstrip(":")]: int(one[1]) * 1024
        for one in lines
        if one and one[0].rstrip(":") in names
    }


def forget_peak() -> None:
    """Let the peak begin again at what is resident now; Linux."""
    _RESET.write_text("5", encoding="ascii")


def open_in_turn(folder: str, studies: list[str], threads: int) -> Json:
    """Open studies one after the other; in a process of its own.

    Returns:
        Bytes: `empty`, `runtime` (its libraries), and for each study at rest and at its peak.
    """
    from benchmarks.app.timed_models import TimedModels

    found: Json = {"studies": []}

    def script(app: HemxApp) -> Script:
        context = app.context
        yield from calm(app)
        gc.collect()
        found["empty"], base = resident(), context.budget.base_bytes
        for path in studies:
            forget_peak()
            before = context.study_id
            import_study(app, path)
            yield opened(app, before)
            yield from calm(app)
            yield from _look_through(app)
            found["studies"].append(resident())
        found["runtime"] = context.budget.base_bytes - base

    drive(folder, script, device_models=partial(TimedModels, threads=threads))
    return found


def _look_through(app: HemxApp) -> Script:
    """Every slice, then the result, then back to the slices."""
    viewer = app.screens["reading"].viewer
    for index in range(len(app.context.volume.hu)):
        viewer.index = index
        yield frames(2)
    for screen in ("result", "reading"):
        app.show(screen)
        yield from calm(app)


def measure(
    *,
    studies: int = STUDIES,
    slices: int = SLICES,
    threads: int = 2,
    seed: int = SEED,
    tell: Callable[[str], None] = lambda _line: None,
) -> Json:
    """One process, an empty store, different studies.

    Args:
        studies: how many; the growth runs from the middle one to the last.
        slices: of each.
        threads: of the runtime.
        seed: of the first phantom.
        tell: told what is being done.
    """
    with tempfile.TemporaryDirectory() as name:
        tell(f"writing {studies} studies")
        paths = write_studies(Path(name) / "dicom", studies, slices=slices, seed=seed)
        found, loads = {}, []
        for way, environment in WAYS.items():
            tell(f"opening them, {way}")
            loads.append(load())
            arguments = {"folder": f"{name}/{way}", "studies": paths, "threads": threads}
            found[way] = run_fresh(
                open_in_turn, arguments, threads=threads, environment=environment
            )
    return judge(found, loads, slices=slices, threads=threads, seed=seed)


def judge(
    found: dict[str, Json], loads: list[float], *, slices: int, threads: int, seed: int
) -> Json:
    """The report: the largest peak above the empty app, and the growth from the middle study to the last."""
    own = figures_of(found[OWN])
    rests = own["at_rest"]["values"]
    middle = (len(rests) + 1) // 2
    verdicts = [
        Verdict(
            claim="largest resident memory above the empty app and the runtime's libraries",
            found=own["peak"]["largest"],
            limit=LIMIT_MB,
            unit="MB",
        ),
        Verdict(
            claim=f"growth at rest from study {middle} to study {len(rests)}",
            found=own["growth_percent"],
            limit=LIMIT_GROWTH_PERCENT,
            unit="%",
        ),
    ]
    figures = {**own, DRAWN: figures_of(found[DRAWN])}
    return report(
        "memory", figures, verdicts, loads=loads, seed=seed, slices=slices, threads=threads
    )


def figures_of(found: Json) -> Json:
    """MB above the empty app and the runtime's libraries, of a run of `open_in_turn`."""
    empty, runtime = found["empty"]["resident"], found["runtime"]
    peaks = [(one["peak"] - empty - runtime) / MB for one in found["studies"]]
    rests = [(one["resident"] - empty - runtime) / MB for one in found["studies"]]
    middle = rests[(len(rests) + 1) // 2 - 1]
    return {
        "empty_app_mb": round(empty / MB, 1),
        "runtime_libraries_mb": round(runtime / MB, 1),
        "at_rest": figure(rests, "MB"),
        "peak": figure(peaks, "MB"),
        "peak_with_runtime_mb": round(max(peaks) + runtime / MB, 1),
        "anonymous": figure([one["anonymous"] / MB for one in found["studies"]], "MB"),
        "growth_percent": round((rests[-1] / middle - 1) * 100, 2) if middle > 0 else float("inf"),
    }
