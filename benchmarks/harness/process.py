"""Measure in fresh processes that take turns: a memory peak or a cold start happens once a process.

Every round visits every contestant once, each visit in a process of its own; the order moves on by one place
from round to round and every other round runs backwards, so that drift of the machine meets all of
them alike. The child is `python -m benchmarks.harness.process`: it reads a job (JSON) from its
standard input and answers on the last line of its standard output. Light on purpose: what a child
measures must not begin with our imports.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from hemx_core.errors import BenchmarkError, HemxError
from hemx_core.records import Json

T = TypeVar("T")
Visit = Callable[[], Json]
"""Measures once; its answer has a `fingerprint` of the outputs, or `failed` with a reason."""
FAILED = "failed"
RELATIVE, ABSOLUTE = 1e-3, 1e-3
"""How far numbers of two fingerprints of one contestant may differ: threads change the order of sums."""


def order(contestants: Sequence[T], round_index: int) -> list[T]:
    """The contestants in the order of a round, counted from 0."""
    shift = round_index % max(len(contestants), 1)
    turned = [*contestants[shift:], *contestants[:shift]]
    return turned[::-1] if round_index % 2 else turned


class RoundStore:
    """What has been measured, one JSON line a visit; other settings start anew.

    Args:
        path: of the file; its folder is made.
        settings: everything that must be the same for old rounds to count: hashes, sizes, repeats.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self._found: dict[tuple[int, str], Json] = {}
        head = json.dumps({"settings": settings}, sort_keys=True)
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if lines and lines[0] == head:
            for text in lines[1:]:
                self._remember(text)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(head + "\n", encoding="utf-8")

    def get(self, round_index: int, name: str) -> Json | None:
        """What a visit found; None if it has not been made."""
        return self._found.get((round_index, name))

    def put(self, round_index: int, name: str, values: Json) -> None:
        """Keep what a visit found."""
        self._found[round_index, name] = values
        line = json.dumps({"round": round_index, "name": name, "values": values})
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    def _remember(self, text: str) -> None:
        try:
            one = json.loads(text)
        except ValueError:
            return  # The line that the interrupted run was writing: its visit is made again.
        self._found[one["round"], one["name"]] = one["values"]


def visit_all(
    visits: Mapping[str, Visit],
    *,
    rounds: int,
    store: RoundStore,
    tell: Callable[[str], None] = lambda message: None,
) -> dict[str, list[Json]]:
    """Visit every contestant in every round.

    Returns:
        For each contestant what its visits found, in the order of the rounds.
    Raises:
        BenchmarkError: a contestant's outputs differ from its first round's: its speed means nothing.
    """
    found: dict[str, list[Json]] = {name: [] for name in visits}
    for index in range(rounds):
        for name in order(list(visits), index):
            values = store.get(index, name)
            if values is None:
                values = visits[name]()
                check_fingerprint(name, found[name], values)
                if FAILED not in values:
                    store.put(index, name, values)
                tell(f"round {index + 1}/{rounds} {name}")
            else:
                check_fingerprint(name, found[name], values)
            found[name].append(values)
    return found


def check_fingerprint(name: str, earlier: Sequence[Json], values: Json) -> None:
    """Outputs before speeds.

    Raises:
        BenchmarkError: the fingerprint differs from the first round's.
    """
    if FAILED in values:
        return
    first = next((values_ for values_ in earlier if FAILED not in values_), values)
    if not same(first["fingerprint"], values["fingerprint"]):
        raise BenchmarkError(
            f"{name} answered {_short(values['fingerprint'])} after {_short(first['fingerprint'])}",
            expected="the same outputs in every round",
            remedy="speeds of different answers are not compared; find out what changed",
        )


def same(first: Any, second: Any) -> bool:
    """Whether two fingerprints are equal; numbers up to rounding."""
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, int | float) and isinstance(second, int | float):
        return math.isclose(first, second, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return bool(first == second)


def _short(fingerprint: Any) -> str:
    text = json.dumps(fingerprint)
    return text if len(text) <= 60 else text[:57] + "..."


ANSWER = "HEMX-ANSWER "
ROOT_PACKAGE = "benchmarks"
LAST_LINES = 6
TIMEOUT_SECONDS = 3600.0


class ChildError(BenchmarkError):
    """A function failed in a fresh process; `reason` is the end of its error output."""

    def __init__(self, function: str, reason: str) -> None:
        super().__init__(
            f"{function} failed: {reason}",
            expected="an answer of the fresh process",
            remedy="run the same command again; it goes on where it stopped",
        )
        self.reason = reason


def run_fresh(
    function: Callable[..., Any],
    arguments: Json,
    *,
    threads: int = 1,
    timeout: float = TIMEOUT_SECONDS,
    environment: dict[str, str] | None = None,
) -> Any:
    """Call a module-level function of this package in a process of its own.

    Args:
        function: takes the arguments by keyword and returns what JSON can hold.
        arguments: what JSON can hold.
        threads: OpenMP's threads, which torch and others take as their own default.
        timeout: seconds after which the child is ended.
        environment: further variables.
    Raises:
        ChildError: the child failed, was ended or said nothing.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    variables = {**os.environ, "OMP_NUM_THREADS": str(threads), **(environment or {})}
    job = json.dumps({"function": name, "arguments": arguments})
    command = [sys.executable, "-m", "benchmarks.harness.process"]
    try:
        done = subprocess.run(
            command,
            input=job,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=variables,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ChildError(name, f"no answer within {timeout:.0f} s") from error
    for text in reversed(done.stdout.splitlines()):
        if text.startswith(ANSWER) and done.returncode == 0:
            return json.loads(text.removeprefix(ANSWER))
    raise ChildError(name, _last_words(done))


def try_fresh(function: Callable[..., Any], arguments: Json, **options: Any) -> Json:
    """As `run_fresh`; a child that fails is a visit that `failed`, with the end of its error output."""
    try:
        found: Json = run_fresh(function, arguments, **options)
    except ChildError as error:
        return {FAILED: error.reason}
    return found


def failure(rounds: Sequence[Json]) -> str:
    """Why one of the visits failed, or nothing."""
    return next((str(found[FAILED]) for found in rounds if FAILED in found), "")


def answer(job: Json) -> Any:
    """Run a job in this process.

    Raises:
        BenchmarkError: the function is not one of this package.
    """
    module, _, function = str(job["function"]).partition(":")
    if module.split(".")[0] != ROOT_PACKAGE:
        raise BenchmarkError(
            f"a job of {module}", expected=f"a function of {ROOT_PACKAGE}", remedy="use run_fresh"
        )
    called = getattr(importlib.import_module(module), function)
    return called(**job["arguments"])


def main() -> None:
    """The child."""
    try:
        found = answer(json.load(sys.stdin))
    except HemxError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    with contextlib.suppress(BrokenPipeError):
        print("\n" + ANSWER + json.dumps(found), flush=True)
    # Some runtimes crash while they are torn down; the answer is out.
    sys.stderr.flush()
    os._exit(0)


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return f"ended by signal {-done.returncode}"
    lines = [text.strip() for text in done.stderr.splitlines() if text.strip()]
    return " | ".join(lines[-LAST_LINES:])[-600:] or f"exit code {done.returncode} and no word"


if __name__ == "__main__":
    main()
