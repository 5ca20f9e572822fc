"""Functions in fresh processes: answers, last words, crashes, time limits."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from benchmarks.harness.process import (
    ANSWER,
    FAILED,
    ChildError,
    RoundStore,
    answer,
    failure,
    order,
    run_fresh,
    same,
    try_fresh,
    visit_all,
)
from hemx_core.errors import BenchmarkError


def test_answer_calls_a_function_by_name() -> None:
    job = {
        "function": "benchmarks.harness.process:order",
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


def test_a_failure_may_be_a_visit_and_its_reason_is_told() -> None:
    found = try_fresh(order, {"nonsense": 1})
    assert "unexpected keyword argument 'nonsense'" in found[FAILED]
    assert failure([{}, found]) == found[FAILED]
    assert failure([{}]) == ""


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


NAMES = ("a", "b", "c")


def test_every_round_has_everyone_and_the_order_turns() -> None:
    rounds = [order(NAMES, index) for index in range(6)]
    assert rounds[0] == ["a", "b", "c"]
    assert rounds[1] == ["a", "c", "b"]  # b c a, backwards
    assert rounds[2] == ["c", "a", "b"]
    assert all(sorted(one) == ["a", "b", "c"] for one in rounds)
    assert {one[0] for one in rounds} == {"a", "b", "c"}


class Contestant:
    """Counts its visits; fails at the one it is told."""

    def __init__(self, fails_at: int = -1, fingerprints: tuple[float, ...] = ()) -> None:
        self.visits = 0
        self.fails_at = fails_at
        self.fingerprints = fingerprints

    def __call__(self) -> dict[str, object]:
        if self.visits == self.fails_at:
            raise KeyboardInterrupt
        self.visits += 1
        prints = self.fingerprints
        return {"n": self.visits, "fingerprint": prints[self.visits - 1] if prints else 1.0}


def test_an_interrupted_run_goes_on_without_a_second_visit(tmp_path: Path) -> None:
    path, first = tmp_path / "rounds.jsonl", Contestant()
    with pytest.raises(KeyboardInterrupt):
        visit_all(
            {"a": first, "b": Contestant(fails_at=1)},
            rounds=3,
            store=RoundStore(path, {"key": 1}),
        )
    done = first.visits
    again = Contestant()
    found = visit_all({"a": again, "b": Contestant()}, rounds=3, store=RoundStore(path, {"key": 1}))
    assert done + again.visits == 3
    assert len(found["a"]) == len(found["b"]) == 3


def test_a_torn_line_is_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "rounds.jsonl"
    visit_all({"a": Contestant()}, rounds=2, store=RoundStore(path, {}))
    text = path.read_text(encoding="utf-8")
    path.write_text(text[:-10], encoding="utf-8")
    again = Contestant()
    visit_all({"a": again}, rounds=2, store=RoundStore(path, {}))
    assert again.visits == 1


def test_other_settings_start_anew(tmp_path: Path) -> None:
    path = tmp_path / "rounds.jsonl"
    visit_all({"a": Contestant()}, rounds=2, store=RoundStore(path, {"key": 1}))
    again = Contestant()
    visit_all({"a": again}, rounds=2, store=RoundStore(path, {"key": 2}))
    assert again.visits == 2


def test_a_changed_fingerprint_aborts(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="the same outputs in every round"):
        visit_all(
            {"a": Contestant(fingerprints=(0.5, 0.51))},
            rounds=2,
            store=RoundStore(tmp_path / "rounds.jsonl", {}),
        )


def test_fingerprints_are_compared_on_resumed_rounds_too(tmp_path: Path) -> None:
    path = tmp_path / "rounds.jsonl"
    visit_all({"a": Contestant(fingerprints=(0.5,))}, rounds=1, store=RoundStore(path, {}))
    with pytest.raises(BenchmarkError, match="the same outputs"):
        visit_all({"a": Contestant(fingerprints=(0.7,))}, rounds=2, store=RoundStore(path, {}))


def test_a_failed_visit_is_told_and_tried_again_next_time(tmp_path: Path) -> None:
    path = tmp_path / "rounds.jsonl"
    found = visit_all({"a": lambda: {FAILED: "why"}}, rounds=1, store=RoundStore(path, {}))
    assert found == {"a": [{FAILED: "why"}]}
    again = Contestant()
    visit_all({"a": again}, rounds=1, store=RoundStore(path, {}))
    assert again.visits == 1


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ([[0.5, 2.0]], [[0.5004, 2.0]], True),
        ([[0.5, 2.0]], [[0.502, 2.0]], False),
        ([[0.5]], [[0.5], [0.5]], False),
        ("abc", "abc", True),
        ("abc", "abd", False),
        (1000.0, 1000.9, True),
    ],
)
def test_same(first: object, second: object, equal: bool) -> None:
    assert same(first, second) is equal
