"""Resident memory above the empty app, through ten different studies that are opened one after the other.

Each study is imported and triaged, scrolled from end to end, its result is shown, and the next one comes. The
empty app has drawn its first frame and opened its empty store. On the desktop the runtime is a process of its
own: what it has resident is added to the app's, and its peak to the app's peak, though the two need not come
at once. It brings torch's libraries, which no tablet has: what that process had resident before any model is
measured by itself and not counted against the limit, as in the app's own memory guard; the figure with it
stands beside it.

Without a screen Mesa draws in software and keeps its buffers and compiled shaders in this process, more than
the app itself and up to a bound. So there are two runs: one in which every call of OpenGL goes nowhere, which
is the app's own memory and is held against the limits, and one that draws, for comparison.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.app.driver import (
    SEED,
    SLICES,
    Script,
    calm,
    drive,
    frames,
    import_study,
    opened,
    write_studies,
)
from benchmarks.app.verdicts import MB, Verdict, figure, load, report
from benchmarks.harness.process import run_fresh
from hemx_core.device.memory import forget_peak, process_bytes
from hemx_core.records import Json

if TYPE_CHECKING:
    from mobile_app.app import HemxApp

LIMIT_MB = 250.0
LIMIT_GROWTH_PERCENT = 5.0
STUDIES = 10
OWN, DRAWN = "own", "drawn"
WAYS: dict[str, dict[str, str]] = {OWN: {"KIVY_GL_BACKEND": "mock"}, DRAWN: {}}


def resident(runtime: int | None = None) -> Json:
    """Bytes of this process and the runtime's: resident, peak since `forget_peak`, and what is no file's."""
    return asdict(process_bytes(os.getpid()) + process_bytes(runtime))


def open_in_turn(folder: str, studies: list[str], threads: int) -> Json:
    """Open studies one after the other; in a process of its own.

    Returns:
        Bytes: `empty`, `runtime` (its libraries), `outside` (at the end, its own process; 0 where it has
        none), and for each study at rest and at its peak.
    """
    from benchmarks.app.timed_models import TimedModels

    found: Json = {"studies": []}
    kept: list[TimedModels] = []

    def script(app: HemxApp) -> Script:
        context = app.context
        yield from calm(app)
        # What was resident at the first frame: the readers that the app imports after it count as its own.
        found["empty"] = resident() | {"resident": context.first_frame_bytes}
        for path in studies:
            forget_peak(os.getpid())
            forget_peak(kept[0].process_id)
            before = context.study_id
            import_study(app, path)
            yield opened(app, before)
            yield from calm(app)
            yield from _look_through(app)
            found["studies"].append(resident(kept[0].process_id))
        found["runtime"] = kept[0].runtime_bytes
        found["outside"] = process_bytes(kept[0].process_id).resident

    def device_models(store: Any) -> TimedModels:
        kept.append(TimedModels(store, threads=threads))
        return kept[0]

    drive(folder, script, device_models=device_models)
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
    threads: int,
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
    peaks = [(study["peak"] - empty - runtime) / MB for study in found["studies"]]
    rests = [(study["resident"] - empty - runtime) / MB for study in found["studies"]]
    middle = rests[(len(rests) + 1) // 2 - 1]
    return {
        "empty_app_mb": round(empty / MB, 1),
        "runtime_libraries_mb": round(runtime / MB, 1),
        "models_in_runtime_process_mb": round(max(0, found["outside"] - runtime) / MB, 1),
        "at_rest": figure(rests, "MB"),
        "peak": figure(peaks, "MB"),
        "peak_with_runtime_mb": round(max(peaks) + runtime / MB, 1),
        "anonymous": figure([study["anonymous"] / MB for study in found["studies"]], "MB"),
        "growth_percent": round((rests[-1] / middle - 1) * 100, 2) if middle > 0 else float("inf"),
    }
