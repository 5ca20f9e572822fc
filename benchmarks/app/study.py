"""From the import of a study to its result on the screen, and to its first slice on the screen.

Three ways to come to a study: the first start (nothing loaded, the bundle is tested against its references),
a later start (nothing loaded, the test is known), and a further study of a running app. A run is two
processes on one store: the first one has a first start, both have a further study.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
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
    write_studies,
)
from benchmarks.app.verdicts import Verdict, figure, load, report
from benchmarks.harness.process import run_fresh
from hemx_core.records import Json

if TYPE_CHECKING:
    from mobile_app.app import HemxApp

RESULT_SECONDS, FIRST_SLICE_SECONDS = 8.0, 1.0
FIRST, LATER, WARM = "first start", "later start", "models loaded"
STUDIES_A_START = 2


def open_studies(folder: str, studies: list[str], threads: int, start: str) -> list[Json]:
    """Start the app and import studies one after the other; in a process of its own.

    Returns:
        Seconds of each study by name, and the `way` that it came.
    """
    from benchmarks.app.timed_models import TimedModels

    found: list[Json] = []
    kept: list[TimedModels] = []

    def device_models(store: Any) -> TimedModels:
        kept.append(TimedModels(store, threads=threads))
        return kept[0]

    def script(app: HemxApp) -> Script:
        for place, path in enumerate(studies):
            yield from calm(app)
            seen = _seen(app)
            before, started = app.context.study_id, time.perf_counter()
            import_study(app, path)
            yield opened(app, before)
            yield lambda seen=seen: "result" in seen
            seconds = {name: at - started for name, at in seen.items()}
            costs = {cost.name: cost.seconds for cost in app.context.result.costs}
            seconds |= kept[0].spent()
            found.append({"way": start if place == 0 else WARM, **seconds, "stages": costs})

    drive(folder, script, device_models=device_models)
    return found


def _seen(app: HemxApp) -> dict[str, float]:
    """When a new study's first slice and its result were first on the screen, as it becomes known."""
    from kivy.core.window import Window

    seen: dict[str, float] = {}
    context, old = app.context, app.context.volume

    def drawn(*_ignored: object) -> None:
        volume = context.volume
        if volume is None or volume is old or app.current != "reading":
            return
        if app.screens["reading"].viewer.volume is volume:
            seen.setdefault("first_slice", time.perf_counter())
        if context.result is not None:
            seen.setdefault("result", time.perf_counter())
            Window.funbind("on_flip", drawn)

    Window.fbind("on_flip", drawn)
    return seen


def measure(
    *,
    runs: int,
    slices: int = SLICES,
    threads: int,
    seed: int = SEED,
    tell: Callable[[str], None] = lambda _line: None,
) -> Json:
    """Runs of two processes each; every process opens two studies that it does not know.

    Args:
        runs: how many.
        slices: of each study.
        threads: of the runtime.
        seed: of the first phantom.
        tell: told how far it is.
    """
    found: list[Json] = []
    loads = []
    with tempfile.TemporaryDirectory() as name:
        studies = write_studies(Path(name) / "dicom", 2 * STUDIES_A_START, slices=slices, seed=seed)
        for run in range(runs):
            store = f"{name}/store-{run}"
            for start, some in ((FIRST, studies[:2]), (LATER, studies[2:])):
                tell(f"run {run + 1} of {runs}: {start}")
                loads.append(load())
                opening = partial(dict, folder=store, studies=some, start=start)
                found += run_fresh(open_studies, opening(threads=threads), threads=threads)
    return judge(found, loads, slices=slices, threads=threads, seed=seed)


def judge(found: list[Json], loads: list[float], *, slices: int, threads: int, seed: int) -> Json:
    """The report of what processes found: medians of each way against the limits."""
    figures: Json = {}
    verdicts = []
    for way in (FIRST, LATER, WARM):
        rows = [row for row in found if row["way"] == way]
        names = ("first_slice", "result", "loading", "self_test")
        figures[way] = {name: figure([row[name] for row in rows], "s") for name in names}
        figures[way]["stages"] = {
            name: figure([row["stages"].get(name, 0.0) for row in rows], "s")
            for name in rows[0]["stages"]
        }
        for name, limit in (("first_slice", FIRST_SLICE_SECONDS), ("result", RESULT_SECONDS)):
            verdicts.append(
                Verdict(
                    claim=f"{way}: import to {name.replace('_', ' ')} on the screen, median",
                    found=figures[way][name]["median"],
                    limit=limit,
                    unit="s",
                )
            )
    return report(
        "study", figures, verdicts, loads=loads, slices=slices, threads=threads, seed=seed
    )
