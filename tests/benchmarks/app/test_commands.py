"""Every command once, on the real app and the shipped bundle, with small studies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")


def run(command: str, out: Path) -> dict[str, Any]:
    """Tests share their machine, so a limit may be broken; but the exit code must say so."""
    words = [sys.executable, "-m", "benchmarks.app", command, "--quick", "--out", str(out)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    assert found["quick"] is True
    assert found["passed"] is (done.returncode == 0)
    assert len(found["verdicts"]) == done.stdout.count("(limit ")
    return found


def test_the_first_frame_needs_no_runtime_and_little_time(tmp_path: Path) -> None:
    found = run("first-frame", tmp_path / "found.json")
    assert set(found["imported"]) <= {"numpy", "PIL"}
    # The clock's seconds are the benchmark's.
    assert found["figures"]["processor"]["median"] < 2.0


def test_a_study_comes_in_three_ways(tmp_path: Path) -> None:
    figures = run("study", tmp_path / "found.json")["figures"]
    first, later, warm = (figures[way] for way in ("first start", "later start", "models loaded"))
    for one in (first, later, warm):
        assert 0 < one["first_slice"]["median"] < one["result"]["median"]
        assert one["stages"]["segment"]["median"] > 0
    assert first["self_test"]["median"] > 10 * later["self_test"]["median"]
    assert first["loading"]["median"] > 0
    assert warm["loading"]["median"] == 0


def test_frames_are_drawn_while_a_study_is_triaged_and_scrolled(tmp_path: Path) -> None:
    figures = run("frames", tmp_path / "found.json")["figures"]
    assert figures["moves"] > 30
    assert figures["drawn"] > 30
    assert {"import", "read", "result"} <= set(figures["phases"])
    assert figures["wall"]["median"] >= figures["processor"]["median"] > 0


def test_memory_is_measured_study_by_study(tmp_path: Path) -> None:
    figures = run("memory", tmp_path / "found.json")["figures"]
    assert len(figures["at_rest"]["values"]) == 2
    assert figures["runtime_libraries_mb"] > 20
    assert 10 < figures["peak"]["largest"] < 250


def test_cancels_stop_triages(tmp_path: Path) -> None:
    figures = run("cancel", tmp_path / "found.json")["figures"]
    assert figures["stopped"]["median"] > 0
    assert figures["slice"]["median"] > 0
