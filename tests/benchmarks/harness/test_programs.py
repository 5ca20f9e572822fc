from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness import programs
from benchmarks.harness.programs import Written, measure_programs
from benchmarks.harness.settings import Settings

PROGRAMS = {name: Written(Path(f"{name}.pte"), f"hash of {name}") for name in ("a", "b")}


class Processes:
    """Stands for fresh processes; keeps what each was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __call__(self, function: Any, arguments: dict[str, Any], **options: Any) -> dict[str, Any]:
        assert function is programs.measure_program
        assert options["threads"] == arguments["threads"]
        self.asked.append(arguments)
        return {
            "load_ms": 1.0,
            "first_ms": 9.0,
            "calls_ms": [4.0, 6.0 / arguments["threads"]],
            "memory_mib": 7.0,
            "fingerprint": arguments["fingerprint"],
        }


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Processes:
    fake = Processes()
    monkeypatch.setattr(programs, "run_fresh", fake)
    return fake


def test_programs_and_threads_take_turns(processes: Processes, tmp_path: Path) -> None:
    settings = Settings(threads=(1, 2), rounds=2, calls=2)
    found = measure_programs(settings, PROGRAMS, tmp_path / "rounds.jsonl")
    assert found["a"]["1 thread"]["call"]["median"] == 5.0
    assert found["b"]["2 threads"]["call"]["median"] == 3.5
    assert found["a"]["1 thread"]["memory"]["unit"] == "MiB"
    order = [(one["path"], one["threads"]) for one in processes.asked]
    assert sorted(order[:4]) == sorted(order[4:])
    assert order[:4] != order[4:]


def test_finished_visits_are_kept_until_a_program_changes(
    processes: Processes, tmp_path: Path
) -> None:
    settings, store = Settings(threads=(1,), rounds=1, calls=2), tmp_path / "rounds.jsonl"
    measure_programs(settings, PROGRAMS, store)
    measure_programs(settings, PROGRAMS, store)
    assert len(processes.asked) == 2
    measure_programs(settings, PROGRAMS | {"b": Written(Path("b.pte"), "new")}, store)
    assert len(processes.asked) == 4
