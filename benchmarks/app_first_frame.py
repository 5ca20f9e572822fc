"""How long the app takes to its first frame, and what it has imported by then.

    python -m benchmarks.app_first_frame --out benchmarks/results/app/first_frame.json

Each run is a fresh process with an empty store. The time runs from the start of the process, as the system
tells it, to the end of the first frame that is drawn. On a machine that does other work too, the processor's
seconds say more than the clock's.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

HEAVY = ("torch", "executorch", "cv2", "pydicom", "numpy", "PIL", "scipy")
LIMIT_SECONDS = 2.0
FRAME = "--frame"


def process_age_seconds() -> float:
    """Seconds since this process was started; Linux."""
    started = float(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return uptime - started / os.sysconf("SC_CLK_TCK")


def show_first_frame(folder: Path) -> dict[str, Any]:
    """Start the app in this process, stop it after its first frame."""
    os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
    os.environ.update(KIVY_NO_ARGS="1", KIVY_NO_CONSOLELOG="1", KIVY_NO_FILELOG="1")
    from mobile_app.main import configure

    configure()
    from kivy.core.window import Window

    from mobile_app.app import HemxApp

    found: dict[str, Any] = {}
    app = HemxApp(folder=folder)

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


def measure(runs: int) -> dict[str, Any]:
    """Runs in fresh processes, with the load of the machine before each."""
    found, loads = [], []
    for _ in range(runs):
        loads.append(os.getloadavg()[0])
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "benchmarks.app_first_frame", FRAME, folder]
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    seconds = [one["seconds"] for one in found]
    return {
        "seconds": seconds,
        "median_seconds": median(seconds),
        "processor_seconds": [one["processor_seconds"] for one in found],
        "limit_seconds": LIMIT_SECONDS,
        "within_limit": median(seconds) < LIMIT_SECONDS,
        "imported": found[0]["imported"],
        "modules": found[0]["modules"],
        "load_1min": loads,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "measured_at": time.strftime("%Y-%m-%d"),
    }


def main(
    runs: Annotated[int, typer.Option(help="Fresh processes.")] = 5,
    out: Annotated[Path | None, typer.Option(help="JSON file to write.")] = None,
    frame: Annotated[Path | None, typer.Option(FRAME, hidden=True)] = None,
) -> None:
    """Measure the time to the first frame."""
    result = measure(runs) if frame is None else show_first_frame(frame)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = out.with_suffix(".tmp")
        temporary.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        temporary.replace(out)
    typer.echo(json.dumps(result))


if __name__ == "__main__":
    typer.run(main)
