"""The app's start in a process of its own: here nothing has been imported by other tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

ROOT = Path(__file__).resolve().parents[2]
START = """
import sys
import time

from kivy.base import EventLoop

from mobile_app.app import HemxApp

# Else this test could not fail; what stands for models in other tests brings it.
assert "pydicom" not in sys.modules
troubles = []


class Watched(HemxApp):
    def _trouble(self, error):
        troubles.append(str(error))


app = Watched(demo=True)
app.root = app.build()
EventLoop.window.add_widget(app.root)
app.on_start()
ends_at = time.monotonic() + 100
while not (troubles or app.context.study_id) and time.monotonic() < ends_at:
    EventLoop.idle()
study = app.context.study_id
app.on_stop()
print("troubles", troubles, "study", study, file=sys.__stdout__)
sys.exit(bool(troubles) or not study)
"""


def test_a_demo_that_starts_while_the_readers_are_imported_is_opened(tmp_path: Path) -> None:
    environment = os.environ | {
        "SDL_VIDEODRIVER": "offscreen",
        "KIVY_NO_ARGS": "1",
        "KIVY_NO_CONSOLELOG": "1",
        "KIVY_HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", START],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr[-2000:]
