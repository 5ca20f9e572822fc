from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from benchmarks.app_first_frame import FRAME, LIMIT_SECONDS


def test_the_first_frame_needs_no_runtime_and_little_time(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.app_first_frame", FRAME, str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert set(found["imported"]) <= {"numpy", "PIL"}
    # The clock's seconds are the benchmark's: tests share their machine.
    assert found["processor_seconds"] < LIMIT_SECONDS
