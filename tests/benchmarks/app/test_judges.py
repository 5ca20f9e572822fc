"""Verdicts of made-up records."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.app import cancel, first_frame, frames, memory, study
from hemx_core.errors import BenchmarkError

HOW = {"slices": 30, "threads": 2, "seed": 7}
MB = 10**6


def passed(report: dict[str, Any]) -> list[bool]:
    return [one["passed"] for one in report["verdicts"]]


def frame_run(seconds: float, *imported: str) -> dict[str, Any]:
    return {
        "seconds": seconds,
        "processor_seconds": 0.5,
        "imported": list(imported),
        "modules": 400,
    }


def test_first_frame_judges_the_median_and_any_torch() -> None:
    found = first_frame.judge([frame_run(s, "numpy") for s in (1.0, 1.5, 9.0)], [0.5] * 3)
    assert passed(found) == [True, True]
    assert found["figures"]["first_frame"]["largest"] == 9.0
    slow = first_frame.judge([frame_run(s) for s in (1.0, 2.5, 9.0)], [0.5] * 3)
    assert passed(slow) == [False, True]
    torch = first_frame.judge([frame_run(1.0), frame_run(1.0, "torch")], [0.5] * 2)
    assert passed(torch) == [True, False]


def way(name: str, first_slice: float, result: float) -> dict[str, Any]:
    spent = {"loading": 1.5, "self_test": 0.4, "stages": {"read": 0.1, "segment": 0.5}}
    return {"way": name, "first_slice": first_slice, "result": result, **spent}


def test_every_way_to_a_study_has_its_limits() -> None:
    rows = [way(study.FIRST, 0.5, 7.0), way(study.LATER, 0.5, 6.0), way(study.WARM, 0.2, 9.0)]
    found = study.judge(rows, [0.5], **HOW)
    told = {one["claim"]: one["passed"] for one in found["verdicts"]}
    assert len(told) == 6
    assert [claim for claim, good in told.items() if not good] == [
        "models loaded: import to result on the screen, median"
    ]
    assert not found["passed"]
    assert found["figures"][study.FIRST]["self_test"]["median"] == 0.4
    assert found["figures"][study.WARM]["stages"]["segment"]["median"] == 0.5


def test_one_late_first_slice_is_no_median() -> None:
    rows = [way(name, 0.5, 3.0) for name in (study.FIRST, study.LATER)]
    rows += [way(study.WARM, seconds, 3.0) for seconds in (0.3, 0.4, 5.0)]
    assert study.judge(rows, [0.5], **HOW)["passed"]


def run_of(*walls: float) -> dict[str, Any]:
    rows = [(wall, wall / 2, "segment" if wall > 50 else "import") for wall in walls]
    return {"frames": rows, "moves": 3, "drawn": len(walls)}


def test_a_single_frame_over_the_limit_fails() -> None:
    smooth = frames.judge([run_of(*[10.0] * 99, 100.0)], [0.5], **HOW)
    assert smooth["passed"]
    assert smooth["figures"]["wall"]["p99"] == 10.0
    found = frames.judge([run_of(*[10.0] * 99), run_of(10.0, 160.0)], [0.5] * 2, **HOW)
    assert passed(found) == [False, False]
    figures = found["figures"]
    assert (figures["over_limit"], figures["over_limit_by_processor"]) == (1, 0)
    assert figures["largest_of_run"]["values"] == [10.0, 160.0]
    assert figures["slowest"][0] == {"wall_ms": 160.0, "processor_ms": 80.0, "phase": "segment"}
    assert figures["phases"]["segment"]["frames"] == 1


def test_a_frame_runs_from_when_it_is_due() -> None:
    log = frames.FrameLog()
    log.ended(0.0, 0.0)
    assert log.rows == []
    log.began(0.016, 0.001)
    log.ended(0.026, 0.005)  # due at 16.7 ms and a little early: 10 ms
    log.phase = "segment"
    log.began(0.030, 0.005)
    log.ended(0.040, 0.010)  # due at 16 + 16.7 ms, and earlier than that by itself: 10 ms
    log.began(0.140, 0.010)
    log.ended(0.150, 0.012)  # due at 46.7 ms, late by 93 ms, and 10 ms of work
    walls = [round(row[0], 1) for row in log.rows]
    assert walls == [10.0, 10.0, 103.3]
    assert [round(row[1], 1) for row in log.rows] == [4.0, 5.0, 2.0]
    assert [row[2] for row in log.rows] == ["idle", "segment", "segment"]


def opened(*rests: float, runtime: float = 100, peak: float = 40) -> dict[str, Any]:
    def study_of(rest: float) -> dict[str, int]:
        base = 120 + runtime + rest
        return {
            "resident": int(base * MB),
            "peak": int((base + peak) * MB),
            "anonymous": int(rest * MB),
        }

    return {
        "empty": {"resident": 120 * MB},
        "runtime": int(runtime * MB),
        "outside": int((runtime + 30) * MB),
        "studies": [study_of(one) for one in rests],
    }


def both(*rests: float, **how: float) -> dict[str, Any]:
    """The app's own memory as given; drawn it is 300 MB more, and is held to no limit."""
    drawn = opened(*(one + 300 for one in rests))
    return {memory.OWN: opened(*rests, **how), memory.DRAWN: drawn}


def test_memory_is_counted_above_the_empty_app_and_the_runtime() -> None:
    found = memory.judge(both(*[150.0] * 10), [0.5], **HOW)
    assert passed(found) == [True, True]
    assert found["figures"]["peak"]["largest"] == 190.0
    assert found["figures"]["peak_with_runtime_mb"] == 290.0
    assert found["figures"]["models_in_runtime_process_mb"] == 30.0
    assert found["figures"]["drawn"]["peak"]["largest"] == 490.0
    assert passed(memory.judge(both(*[150.0] * 10, peak=101), [0.5], **HOW)) == [False, True]


def test_memory_growth_runs_from_the_fifth_study_to_the_tenth() -> None:
    climbing = [100.0, 110, 120, 130, 140, 141, 142, 143, 144, 146]
    found = memory.judge(both(*climbing), [0.5], **HOW)
    assert found["figures"]["growth_percent"] == pytest.approx(100 * 6 / 140, abs=0.01)
    assert passed(found) == [True, True]
    leaking = [100.0 + 10 * place for place in range(10)]
    assert passed(memory.judge(both(*leaking), [0.5], **HOW)) == [True, False]


def stops(*seconds: float, ended: int = 0) -> dict[str, Any]:
    rows = [
        {"after": place, "seconds": one, "ended": place < ended}
        for place, one in enumerate(seconds)
    ]
    return {"slices": [0.02, 0.03, 0.05], "stopped": rows}


def test_a_cancel_may_take_the_longest_slice_and_two_frames() -> None:
    assert cancel.judge([stops(0.03, 0.08)], [0.5], **HOW)["passed"]
    assert not cancel.judge([stops(0.03, 0.09)], [0.5], **HOW)["passed"]


def test_a_triage_that_had_ended_is_no_cancel() -> None:
    found = cancel.judge([stops(9.0, 0.03, ended=1)], [0.5], **HOW)
    assert found["passed"]
    assert found["figures"]["ended_before"] == 1
    assert found["figures"]["after_slices"] == [1]
    with pytest.raises(BenchmarkError):
        cancel.judge([stops(9.0, ended=1)], [0.5], **HOW)


def test_cancels_are_spread_over_the_triage() -> None:
    assert cancel._moments(40, 3) == [0, 19, 38]
    assert cancel._moments(40, 1) == [0]
