"""Functions in fresh processes: answers, last words, crashes, time limits."""

from __future__ import annotations

import signal
import time

import pytest

from benchmarks.interleave import order
from benchmarks.process import ANSWER, ChildError, answer, run_fresh
from hemx_core.errors import BenchmarkError


def test_answer_calls_a_function_by_name() -> None:
    job = {
        "function": "benchmarks.interleave:order",
        "arguments": {"contestants": [1, 2], "round_index": 1},
    }
    assert answer(job) == [1, 2]


def test_only_functions_of_this_package_are_called() -> None:
    with pytest.raises(BenchmarkError, match="a job of os"):
        answer({"function": "os:getcwd", "arguments": {}})


def test_a_fresh_process_answers_with_its_own_threads() -> None:
    found = run_fresh(order, {"contestants": ["a", "b"], "round_index": 0}, threads=2)
    assert found == ["a", "b"]


def test_a_failure_is_told_with_the_childs_last_words() -> None:
    with pytest.raises(ChildError, match="unexpected keyword argument 'nonsense'"):
        run_fresh(order, {"nonsense": 1})


class Done:
    """What subprocess.run gives back."""

    def __init__(self, returncode: int, stdout: str = "", stderr: str = "") -> None:
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr


@pytest.mark.parametrize(
    ("done", "reason"),
    [
        (Done(-signal.SIGSEGV), "ended by signal 11"),
        (Done(3), "exit code 3 and no word"),
        # An answer before a crash is none: the run was not finished.
        (Done(1, stdout=ANSWER + "1", stderr="torn down\n"), "torn down"),
    ],
)
def test_crashes(monkeypatch: pytest.MonkeyPatch, done: Done, reason: str) -> None:
    monkeypatch.setattr("subprocess.run", lambda *_, **__: done)
    with pytest.raises(ChildError) as caught:
        run_fresh(order, {})
    assert caught.value.reason == reason


def test_what_libraries_print_does_not_disturb(monkeypatch: pytest.MonkeyPatch) -> None:
    done = Done(0, stdout=f"hello\n{ANSWER}[1]\nbye\n")
    monkeypatch.setattr("subprocess.run", lambda *_, **__: done)
    assert run_fresh(order, {}) == [1]


def test_a_child_that_hangs_is_ended() -> None:
    start = time.perf_counter()
    with pytest.raises(ChildError, match="no answer within 0 s"):
        run_fresh(order, {"contestants": [], "round_index": 0}, timeout=0.01)
    assert time.perf_counter() - start < 30
