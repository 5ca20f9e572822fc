"""How long the app takes to its first frame, and what it has imported by then.

Each run is a fresh process with an empty store. The time runs from the start of the process, as the system
tells it, to the end of the first frame that is drawn. On a machine that does other work too, the processor's
seconds say more than the clock's.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.app.verdicts import Verdict, figure, load, report
from benchmarks.harness.process import run_fresh
from hemx_core.device.memory import process_age_seconds
from hemx_core.records import Json

HEAVY = ("torch", "executorch", "cv2", "pydicom", "numpy", "PIL", "scipy")
LIMIT_SECONDS = 2.0


def show_first_frame(folder: str) -> dict[str, Any]:
    """Start the app in this process, stop it after its first frame."""
    from benchmarks.app.driver import prepare_window

    prepare_window()
    from kivy.core.window import Window

    from mobile_app.app import HemxApp

    found: dict[str, Any] = {}
    app = HemxApp(folder=Path(folder))

    def drawn(*_ignored: object) -> None:
        if app.root is not None and not found:
            found["seconds"] = process_age_seconds()
            found["processor_seconds"] = time.process_time()
            found["imported"] = [name for name in HEAVY if name in sys.modules]
            found["modules"] = len(sys.modules)
            app.stop()

    Window.bind(on_flip=drawn)
    app.run()
    return found


def measure(*, runs: int) -> Json:
    """Runs in fresh processes.

    Args:
        runs: how many; the first one may read files that the others find in the system's cache.
    """
    found, loads = [], []
    for _ in range(runs):
        loads.append(load())
        with tempfile.TemporaryDirectory() as folder:
            found.append(run_fresh(show_first_frame, {"folder": f"{folder}/store"}, timeout=300))
    return judge(found, loads)


def judge(found: list[dict[str, Any]], loads: list[float]) -> Json:
    """The report of what runs found."""
    seconds = figure([run["seconds"] for run in found], "s")
    torch = sum("torch" in run["imported"] for run in found)
    figures = {
        "first_frame": seconds,
        "processor": figure([run["processor_seconds"] for run in found], "s"),
        "modules": found[0]["modules"],
    }
    verdicts = [
        Verdict(
            claim="process start to first frame, median",
            found=seconds["median"],
            limit=LIMIT_SECONDS,
            unit="s",
        ),
        Verdict(claim="runs that imported torch by then", found=torch, limit=0, unit=""),
    ]
    return report("first_frame", figures, verdicts, loads=loads, imported=found[0]["imported"])
